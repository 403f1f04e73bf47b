"""The order of a run over several processes: heavy files first, so that none is still at work when all others end."""

from collections.abc import Iterator
from typing import Final

import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler.loadscope import LoadScopeScheduling  # type: ignore[import-untyped]

# Seconds of the files that take five and more, as a run with `--durations=0` on two cores showed; others are light.
SECONDS: Final[dict[str, int]] = {
    "tests/api/test_fuzz.py": 288,
    "tests/e2e/test_kill.py": 135,
    "tests/e2e/test_stack.py": 97,
    "tests/e2e/test_demo.py": 82,
    "tests/before/test_upgrade.py": 60,
    "tests/bench/test_budget.py": 51,
    "tests/sandbox/standins/test_authority.py": 34,
    "tests/workflows/test_faults.py": 25,
    "tests/workflows/test_versions.py": 20,
    "tests/workflows/test_answers.py": 23,
    "tests/api/test_access.py": 18,
    "tests/test_altered.py": 17,
    "tests/api/test_walk.py": 17,
    "tests/workflows/test_review.py": 17,
    "tests/workflows/test_key_rotation.py": 16,
    "tests/workflows/test_words.py": 15,
    "tests/workflows/test_traces.py": 13,
    "tests/workflows/test_logs.py": 12,
    "tests/programmes/talent_permit/authority/test_outcomes.py": 16,
    "tests/register/rosters/test_rosters.py": 15,
    "tests/bench/test_plain_way.py": 15,
    "tests/api/test_connections.py": 15,
    "tests/api/test_tarpit.py": 14,
    "tests/api/test_shown.py": 13,
    "tests/sandbox/stack/test_supervisor.py": 13,
    "tests/sandbox/stack/test_embedded.py": 13,
    "tests/activities/test_deliveries.py": 12,
    "tests/api/test_orphans.py": 12,
    "tests/temporal/test_engine.py": 12,
    "tests/workflows/test_life.py": 12,
    "tests/api/test_person_addresses.py": 12,
    "tests/api/test_audit_events.py": 11,
    "tests/record/reconciliation/test_forged_rows.py": 11,
    "tests/sandbox/standins/test_mail.py": 11,
    "tests/api/test_problems.py": 11,
    "tests/cases/tasks/test_lists.py": 11,
    "tests/workflows/test_reconciliation.py": 10,
    "tests/workflows/test_notification.py": 10,
    "tests/api/test_rosters.py": 10,
    "tests/programmes/talent_permit/test_registered.py": 10,
    "tests/programmes/talent_permit/test_permits.py": 10,
    "tests/sandbox/stack/test_accounts.py": 9,
    "tests/bench/growth/test_registers.py": 9,
    "tests/workflows/test_standing.py": 9,
    "tests/cases/decisions/test_review.py": 8,
    "tests/cases/files/test_apart.py": 8,
    "tests/register/rosters/test_answers.py": 8,
    "tests/record/seal/test_check.py": 8,
    "tests/cli/test_backup.py": 9,
    "tests/cli/test_backup_ends.py": 12,
    "tests/test_compose_backup.py": 5,
    "tests/api/test_person_sign_in.py": 8,
    "tests/cases/commands/test_steps.py": 8,
    "tests/programmes/talent_permit/test_every_act.py": 7,
    "tests/cases/notices/test_deliveries.py": 7,
    "tests/cases/decisions/test_one_question.py": 7,
    "tests/api/test_seal.py": 6,
    "tests/privacy/test_erasing.py": 6,
    "tests/api/test_ends_of_time.py": 6,
    "tests/sandbox/stack/test_postgres.py": 6,
    "tests/api/test_notices.py": 6,
    "tests/api/test_machines.py": 5,
    "tests/api/test_races.py": 5,
    "tests/programmes/talent_permit/test_intake_and_assessment.py": 5,
    "tests/activities/test_timestamps.py": 5,
    "tests/api/test_objections.py": 5,
    "tests/domain/test_properties.py": 5,
    "tests/api/test_idempotency.py": 5,
    "tests/workflows/test_story.py": 5,
}
# One file a process is the rule, for its fixtures; the routes of this one share nothing and take longer than all else.
_SPLIT: Final = "tests/api/test_fuzz.py"
_PARTS: Final = 6


class HeaviestFirst(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Hands whole files to processes in the order in which they were collected, and one very long file in parts."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False  # by the number of tests, which says nothing of their weight

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return f"{file} {sum(nodeid.encode()) % _PARTS}" if file == _SPLIT else file


def heaviest_first(items: list[pytest.Item]) -> Iterator[pytest.Item]:
    """Yield tests by the weight of their files; those of one file, and light files, stay in their order."""
    yield from sorted(items, key=lambda item: -SECONDS.get(item.nodeid.partition("::")[0], 0))
