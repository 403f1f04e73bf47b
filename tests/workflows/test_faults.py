"""What goes wrong under a case: defects, PostgreSQL away, messages twice, out of turn or made up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import WorkflowUpdateFailedError

from cases.calls import making
from cases.case.file import open_case
from cases.commands import store as commands
from cases.commands import submit
from cases.commands.advance import advance
from cases.commands.sweeper import sweep
from cases.decisions import settling
from cases.incidents import rehearsal
from domain.case_requests import WithdrawalRequest
from domain.commands import CommandKind
from domain.decisions import DecisionRequest
from domain.errors import Defect, Unavailable
from domain.messages import COMMAND_SIGNAL, DECIDE_UPDATE, CommandRef, Course
from domain.stages import Stage
from programmes.talent_permit.permit_stages import PermitStage
from store import tables
from store.database import Database
from temporal.engine import Told
from tests.cases.contexts import EMPLOYER_A, OFFICER
from tests.workflows.histories import runs
from tests.workflows.signals import signalled
from tests.workflows.world import OFFICER_2, World, new_key

APPROVE = DecisionRequest.model_validate({"action": "approve", "round": 1})


class Broken:
    """A way to make the step of a case fail until it is mended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
        self.failures, self.mended = 0, False
        whole = settling.settle

        async def settle(*given: Any) -> None:
            if not self.mended:
                self.failures += 1
                raise error
            await whole(*given)

        monkeypatch.setattr(settling, "settle", settle)


async def test_stuck_case_shows_an_incident_and_goes_on_when_resumed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, other = await world.submit(), await world.submit(identity_number="33010619860128072X")
    broken = Broken(monkeypatch, Defect("facts_do_not_add_up"))
    asked = await submit.ask(world.context, OFFICER, case.reference, CommandKind.DECIDE, APPROVE, new_key())
    assert await world.engine.nudge(case.reference, str(asked.command_id))
    await case.until(lambda file: any(task.kind == "stuck" for task in file.tasks))
    (incident,) = await world.rows(tables.incidents, kind="stuck")
    assert (incident["step"], incident["reason"]) == ("advance", "facts_do_not_add_up")
    assert incident["place"].startswith("tests/workflows/test_faults.py:")
    assert await case.stage() is Stage.UNDER_REVIEW
    await other.ask(EMPLOYER_A, CommandKind.WITHDRAW, WithdrawalRequest())
    assert await other.stage() is Stage.WITHDRAWN
    broken.mended = True
    await case.resume()
    await case.until_permits(PermitStage.SUBMITTED)
    assert await case.open_tasks() == set()
    assert broken.failures == 1


async def test_a_poisoned_case_gets_stuck_and_goes_on_once_it_is_healed_and_resumed(
    world: World, tmp_path: Path
) -> None:
    case, other = await world.submit(), await world.submit(identity_number="33010619860128072X")
    poisoned = tmp_path / "poisoned.txt"
    rehearsal.write(poisoned, {case.reference})
    object.__setattr__(world.context, "poisoned", poisoned)  # given at the edge, where a stack is started
    assert await world.engine.nudge(case.reference, str(uuid4()))
    await case.until(lambda file: any(task.kind == "stuck" for task in file.tasks))
    (incident,) = await world.rows(tables.incidents, kind="stuck")
    assert (incident["reason"], incident["place"].split(":")[0]) == ("poisoned", "cases/incidents/rehearsal.py")
    await other.ask(EMPLOYER_A, CommandKind.WITHDRAW, WithdrawalRequest())
    assert await other.stage() is Stage.WITHDRAWN
    rehearsal.write(poisoned, set())
    await case.resume()
    await case.ask(EMPLOYER_A, CommandKind.WITHDRAW, WithdrawalRequest())
    assert await case.stage() is Stage.WITHDRAWN
    assert await case.open_tasks() == set()


async def test_decision_on_a_stuck_case_is_pending_until_it_is_resumed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("temporal.engine._DECIDE_SECONDS", 1.5)
    case = await world.submit()
    broken = Broken(monkeypatch, KeyError("a defect that nobody expected"))
    assert (await case.decide("approve")).body == {"pending": True}
    await case.until(lambda file: any(task.kind == "stuck" for task in file.tasks))
    (incident,) = await world.rows(tables.incidents, kind="stuck")
    assert (incident["reason"], incident["place"].split(" ")[-1]) == ("KeyError", "settle")
    broken.mended = True
    await case.resume()
    await case.until_permits(PermitStage.SUBMITTED)


async def test_unexpected_error_quotes_nothing_in_the_history(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("temporal.engine._DECIDE_SECONDS", 1.0)
    case = await world.submit()
    broken = Broken(monkeypatch, KeyError("SECRET-WORDS"))
    await case.decide("approve")
    await case.until(lambda file: any(task.kind == "stuck" for task in file.tasks))
    codec = world.client.data_converter.payload_codec
    assert codec is not None
    failures = []
    for history in await runs(case):
        assert "SECRET-WORDS" not in history.to_json()
        failures += [event.marker_recorded_event_attributes.failure for event in history.events]
    for failure in failures:
        if failure.HasField("encoded_attributes"):
            await codec.decode_failure(failure)
        assert "SECRET-WORDS" not in str(failure)
    assert any(failure.application_failure_info.type == "KeyError" for failure in failures)
    broken.mended = True


async def test_step_waits_while_postgresql_is_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("temporal.engine._DECIDE_SECONDS", 0.5)
    case = await world.submit()
    away, tries = True, 0
    begin = Database.begin

    @asynccontextmanager
    async def refusing(database: Database, tenant: str = "*", **held: Any) -> AsyncIterator[Any]:
        nonlocal tries
        if away:
            tries += 1
            raise Unavailable("database")
        async with begin(database, tenant, **held) as connection:
            yield connection

    asked = await submit.ask(world.context, OFFICER, case.reference, CommandKind.DECIDE, APPROVE, new_key())
    monkeypatch.setattr(Database, "begin", refusing)
    assert not await world.engine.decide(case.reference, str(asked.command_id))
    # Longer than the local tries last: a regular activity takes over.
    await case.until_activity(30)
    assert tries >= 6
    away = False
    await case.until_permits(PermitStage.SUBMITTED, seconds=40)
    assert await world.rows(tables.incidents) == []


async def test_a_call_whose_result_was_never_written_is_told_by_the_next_try(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, failed = making.record, 0

    async def failing(*given: Any, **more: Any) -> Course:
        nonlocal failed
        failed += 1
        if failed == 1:  # the authority has taken the calls, and the worker cannot write it down
            raise Unavailable("database")
        return await record(*given, **more)

    monkeypatch.setattr(making, "record", failing)
    case = await world.submit()
    await case.approve()
    rows = [row for row in await world.rows(tables.ledger, reference=case.reference) if row["act"].startswith("call_")]
    told = sorted((row["act"], row["outcome"], row["destination"], row["detail"]["attempt"]) for row in rows)
    assert told == [
        ("call_answered", "taken", "HK", 2),
        ("call_answered", "taken", "MO", 2),
        ("call_made", "unrecorded", "HK", 1),
        ("call_made", "unrecorded", "MO", 1),
    ]
    assert len(world.authority.entries) == 2


async def test_decision_repeated_under_its_id_is_applied_once(world: World) -> None:
    case = await world.submit()
    asked = await submit.ask(world.context, OFFICER, case.reference, CommandKind.DECIDE, APPROVE, new_key())
    sent = [world.engine.decide(case.reference, str(asked.command_id)) for _ in range(3)]
    assert await asyncio.gather(*sent) == [Told.ANSWERED] * 3
    await case.until_permits(PermitStage.SUBMITTED)
    await case.issue()
    await case.idle()
    # Another run by now, which knows of no update before it.
    assert await world.engine.decide(case.reference, str(asked.command_id))
    assert (await case.acts()).count("decided") == 1


async def test_a_workflow_learns_of_a_step_whose_update_was_lost(world: World) -> None:
    case = await world.submit()
    key = new_key()
    asked = await submit.ask(world.context, OFFICER, case.reference, CommandKind.DECIDE, APPROVE, key)
    # What is left of a workflow task that is lost with its server after the step: the register alone has gone on.
    await advance(world.context, case.reference, world.context.clock())
    reply = await submit.reply(world.context, OFFICER, asked, key, is_answered=False)
    assert (reply.progress, reply.body.stage) == ("applied", "approved")
    assert [row["state"] for row in await world.rows(tables.calls, reference=case.reference)] == ["due", "due"]
    assert await sweep(world.context, world.engine, older_than=timedelta(0)) == 1
    await case.until_permits(PermitStage.SUBMITTED)
    assert await sweep(world.context, world.engine, older_than=timedelta(0)) == 0


async def test_an_update_that_answered_is_not_told_again(world: World) -> None:
    case = await world.submit()
    await case.approve()
    assert not any(row["unanswered"] for row in await world.rows(tables.commands, reference=case.reference))
    assert await sweep(world.context, world.engine, older_than=timedelta(0)) == 0


async def test_of_two_decisions_at_once_the_first_stored_counts(world: World) -> None:
    case = await world.submit()
    first = await submit.ask(world.context, OFFICER, case.reference, CommandKind.DECIDE, APPROVE, new_key())
    # Stored at the same moment, before either was applied, so that its own look at the register was not enough.
    async with open_case(world.context, case.reference) as (file, _connection):
        body = APPROVE.model_dump(mode="json", exclude_unset=True)
        second = commands.store(file, OFFICER_2, CommandKind.DECIDE, body, world.clock())
    both = [world.engine.decide(case.reference, str(each)) for each in (first.command_id, second)]
    assert await asyncio.gather(*both) == [Told.ANSWERED] * 2
    states = {row["command_id"]: row["state"] for row in await world.rows(tables.commands, reference=case.reference)}
    assert (states[first.command_id], states[second]) == ("applied", "refused")


async def test_message_without_a_stored_row_changes_nothing(world: World) -> None:
    case = await world.submit()
    before = (await case.file()).row
    made_up = CommandRef(command_id=str(uuid4()))
    with pytest.raises(WorkflowUpdateFailedError):
        await case.handle.execute_update(DECIDE_UPDATE, made_up)
    await case.handle.signal(COMMAND_SIGNAL, made_up)
    await case.idle()
    assert (await case.file()).row == before
    # The workflow itself could not say: another thing than a Temporal that does not answer.
    assert await world.engine.decide(case.reference, str(uuid4())) is Told.FAILED
    await case.approve()


async def test_lost_message_is_sent_again_by_the_sweeper(world: World) -> None:
    case = await world.submit(start=False)
    assert await sweep(world.context, world.engine, older_than=timedelta(0)) == 1
    await case.until_stage(Stage.UNDER_REVIEW)
    await submit.ask(world.context, OFFICER, case.reference, CommandKind.DECIDE, APPROVE, new_key())
    assert await sweep(world.context, world.engine, older_than=timedelta(0)) == 1
    await case.until_permits(PermitStage.SUBMITTED)
    assert await sweep(world.context, world.engine, older_than=timedelta(0)) == 0


async def test_signalled_decision_is_a_command_of_its_officer(world: World) -> None:
    case = await world.submit()
    decision = signalled(case, "approve")
    await world.engine.signal_decision(case.reference, decision)
    await world.engine.signal_decision(case.reference, decision)
    await case.until_permits(PermitStage.SUBMITTED)
    (command,) = await world.rows(tables.commands, reference=case.reference, kind="decide")
    assert command["actor"]["subject"] == OFFICER.subject
    assert (await case.acts()).count("decided") == 1


async def test_signalled_refusal_only_proposes(world: World) -> None:
    case = await world.submit()
    await world.engine.signal_decision(case.reference, signalled(case, "refuse", "employer_kind_not_listed"))
    await case.until_stage(Stage.AWAITING_CONFIRMATION)
    await world.engine.signal_decision(
        case.reference, signalled(case, "refuse", "employer_kind_not_listed", message_id="m-2")
    )
    await case.idle()
    assert await case.stage() is Stage.AWAITING_CONFIRMATION
    assert (await case.confirm("confirm")).body["stage"] == "refused"


@pytest.mark.parametrize(
    "forged",
    [
        {"reference": "HT-0000-0000-0"},
        {"role": EMPLOYER_A.role},
        {"kind": "confirm"},
        {"key_id": "unknown"},
        {"body_hash": "another decision"},
    ],
    ids=lambda forged: next(iter(forged)),
)
async def test_invalid_signal_leaves_a_ledger_row_and_a_line_for_the_operator(
    world: World, forged: dict[str, Any]
) -> None:
    case = await world.submit()
    await world.engine.signal_decision(case.reference, signalled(case, "approve", **forged))
    await case.until(lambda file: any(row.kind == "decision_signal" for row in file.incidents))
    assert await case.stage() is Stage.UNDER_REVIEW
    assert "request_refused" in await case.acts()
    assert await world.rows(tables.commands, reference=case.reference, kind="decide") == []


async def test_signal_that_comes_too_late_is_refused_and_shown(world: World) -> None:
    case = await world.submit()
    await case.decide("approve")
    await world.engine.signal_decision(case.reference, signalled(case, "approve", message_id="m-3"))
    await case.until(lambda file: any(row.kind == "decision_signal" for row in file.incidents))
    rows = {row["state"] for row in await world.rows(tables.commands, reference=case.reference, kind="decide")}
    assert rows == {"applied", "refused"}
    assert "request_refused" in await case.acts()
