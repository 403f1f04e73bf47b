"""What the code writes of known values under known keys, by the name of what it is: `spellings.json` keeps it.

`python -m tests.store.spellings` adds what is not kept yet. What is kept there was written by a version that ran, and
is never written again: where it differs, the code is wrong.
"""

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final
from uuid import UUID

from temporalio.api.common.v1 import Payload

from api.app import create_app
from api.openapi import build_openapi
from cases.case.state import case_state, state_hash
from cases.programme import Programme
from domain import (
    acts,
    answers,
    case_facts,
    commands,
    deadlines,
    documents,
    erasure,
    findings,
    incidents,
    languages,
    lost_answers,
    notices,
    person,
    purposes,
    reasons,
    roster,
    rule_packs,
    service_keys,
    spellings,
    stages,
    tasks,
    webhooks,
)
from domain.actors import Role
from domain.outward import CallOf
from programmes import CASE_TYPES, PROGRAMMES
from programmes.talent_permit import permit_stages, requests
from programmes.talent_permit.authority import answers as authority_answers
from programmes.talent_permit.authority.calls import CALLS
from programmes.talent_permit.findings import FindingCode
from programmes.talent_permit.programme import TALENT_PERMIT
from programmes.talent_permit.words import PermitProposal
from proof import declarations, erasures, exports, ledger_rows, receipts, statements
from store.encryption import DataKey, new_data_key, seal_kept
from store.keyring import Keyring, fingerprint
from temporal.codec import Codec
from tests.api.conftest import settings_for_tests
from workflows import archive, authority_poll, notification, reconciliation, retention, seal_check

WRITTEN: Final = Path(__file__).with_suffix(".json")
PLAIN: Final = "明文 plain".encode()
KEY: Final = DataKey(UUID(int=7), bytes(range(32)))
NOW: Final = datetime(2026, 11, 30, 9, 42, 53, 123456, UTC)
REFERENCE: Final = "HT-7K2M-9QXA-3"
ROW: Final = f"{REFERENCE}/1"
ORIGIN: Final = "hetao.example/log"
PAYLOAD: Final = Payload(metadata={"encoding": b"json/plain"}, data=b'{"reference":"HT-7K2M-9QXA-3"}')


def _keyring() -> Keyring:
    def key(number: int) -> str:
        return base64.b64encode(bytes([number]) * 32).decode()

    kinds = ("kek", "codec", "cursor", "statement", "seal", "archive")
    sets = {kind: {"current": "k1", "keys": {"k1": key(number)}} for number, kind in enumerate(kinds, 1)}
    return Keyring.parse({**sets, "lookup": key(9)})


KEYRING: Final = _keyring()
STATEMENT: Final = statements.ActorStatement(
    key_id="k1", issuer="https://issuer.example", subject="officer-1", role=Role.OFFICER, employer_id=None,
    command_id=str(UUID(int=8)), reference=REFERENCE, kind="decide", body_hash=statements.body_hash(PLAIN), at=NOW,
)  # fmt: skip
LEDGER_ROW: Final[dict[str, Any]] = {
    "chain": REFERENCE, "seq": 3, "previous": bytes(32), "act": "decided", "at": NOW, "actor_issuer": "i",
    "actor_subject": "s", "actor_role": "officer", "actor_tenant": "*", "reference": REFERENCE,
    "employer_id": "emp-a", "destination": "HK", "outcome": "approve", "reason_codes": ["document_seen"],
    "purpose": "case_review", "rule_version": "2026-11-30", "rule_hash": bytes([1]) * 32,
    "before_hash": bytes([2]) * 32, "after_hash": bytes([3]) * 32, "statement_hash": bytes([4]) * 32,
    "workflow_id": f"registration/{REFERENCE}", "run_id": "r", "event_id": 5, "correlation_id": "c",
    "detail": {"stage": "approved", "round": 1},
}  # fmt: skip
# Of each type that a column has, one; all other names have a text.
_TYPED: Final[dict[str, Any]] = {
    "accepted_at": NOW, "contract_end": date(2030, 6, 30), "person_id": UUID(int=10), "earlier_addresses": b"\x01\x02",
    "hold": {"reason": "legal_question", "by": {"subject": "officer-1"}}, "round": 2, "settled": True, "overdue": False,
    "departure": None, "valid_until": date(2029, 6, 30), "sent_at": NOW, "reason": b"\x03", "stay_days": 30,
    "earlier": [], "due_provisional": False, "number": 2,
}  # fmt: skip
# Names that a form got later, since a column was added: empty in every row of before, they change no hash of it. In the
# forms of before programmes, and in that in which each table has its own.
_LATER: Final = {
    1: frozenset({"entry_case"}),
    2: frozenset({"amendments", "holder_since", "objections", "returned_times", "limit_used", "limit_since"}),
    3: frozenset({"amendments", "holder_since", "objections"}),
}
# The number of the form that is written goes up; what each number means is held below.
_MOVES_ON: Final = "STATE_FORM"
# Enumerations whose values stand in rows, histories or signed files.
ENUMERATIONS: Final[tuple[type[StrEnum], ...]] = (
    Role, acts.Act, answers.AnswerState, authority_answers.Outcome, case_facts.ContestState, requests.FactField,
    case_facts.FactState, commands.CommandKind, commands.CommandState, deadlines.DeadlineKind, documents.DocumentKind,
    erasure.ErasureReason,
    erasure.ErasureState, erasure.HoldReason, erasure.ReleaseReason, FindingCode, findings.FindingOutcome,
    incidents.Healed, incidents.IncidentKind, languages.Language, lost_answers.LostAnswerState, notices.Channel,
    notices.DeliveryStatus, notices.NoticeKind, notices.Recipient, person.ComplaintAbout, person.ComplaintOutcome,
    person.ObjectionKind, purposes.Purpose, reasons.ReasonCode, requests.EmploymentKind, roster.OnDefect,
    roster.RosterStatus, roster.RowResult, rule_packs.PackState, service_keys.KeyKind,
    service_keys.KeyState, stages.AssessmentOutcome, permit_stages.Destination, stages.DueKind, stages.Holder,
    stages.PendingAct, permit_stages.PermitStage, stages.Stage, stages.Standing, tasks.Queue, tasks.TaskKind,
    tasks.TaskState, webhooks.Scheme, webhooks.WebhookState,
)  # fmt: skip
# What programmes add to such an enumeration by their declarations, beside the core's own members.
_DECLARED: Final[dict[str, Callable[[Programme], Iterable[str]]]] = {
    commands.CommandKind.__name__: lambda each: each.commands,
    deadlines.DeadlineKind.__name__: lambda each: each.words.deadlines,
    acts.Act.__name__: lambda each: each.words.acts,
    tasks.TaskKind.__name__: lambda each: each.words.tasks,
    reasons.ReasonCode.__name__: lambda each: each.words.reasons,
    notices.NoticeKind.__name__: lambda each: each.words.notices,
    roster.RosterAct.__name__: lambda each: each.rosters,
    stages.PendingAct.__name__: lambda each: PermitProposal if each is TALENT_PERMIT else each.signatures,
}


def stored_values() -> dict[str, list[str]]:
    """Return the values of each enumeration by its name, with those that programmes declare."""
    found = {each.__name__: [str(value) for value in values_of(each)] for each in ENUMERATIONS}
    for name, declared in _DECLARED.items():
        known = found.setdefault(name, [])
        known += [str(kind) for each in PROGRAMMES.values() for kind in declared(each) if kind not in known]
    return found


def equal() -> Iterator[tuple[str, Any]]:
    """Yield what comes out alike each time: hashes, signatures, ids, names."""
    for name, value in vars(spellings).items():
        if name.isupper() and name != _MOVES_ON and isinstance(value, str | bytes | int | UUID):
            yield f"constant {name}", value.hex() if isinstance(value, bytes) else str(value)
    yield "ledger hash", KEY.ledger_hash(PLAIN)
    for purpose in sorted(spellings.LOOKUPS):
        yield f"lookup {purpose}", KEYRING.lookup_hash(purpose, "value").hex()
        yield f"lookup {purpose} of one", KEYRING.lookup_hash(f"{purpose}/emp-a", "value").hex()
    yield "key fingerprint", fingerprint("kek", "k1", bytes(32))
    for name, state in _states():
        yield f"state in {name}", state.decode()
        yield f"hash of a state in {name}", state_hash(KEY, state).hex()
    yield "row hash", ledger_rows.row_hash(LEDGER_ROW).hex()
    key = KEYRING.sealing_key()
    yield "statement", statements.sign(STATEMENT, KEYRING.signing_key()[1])
    yield "receipt", receipts.sign({"reference": REFERENCE}, ORIGIN, key)
    yield "export end", exports.signed_end({"type": "end", "rows": 1}, ORIGIN, key)
    yield "declaration", declarations.declare({"epoch": 1, "former_origin": ORIGIN}, key)
    entry = {"erasure_id": str(UUID(int=9)), "reason": "person_asked"}
    yield "erasure line", erasures.sign_line(entry, erasures.GENESIS, *KEYRING.signing_key()).decode()
    yield "workflow id of a case", CASE_TYPES.id_of(REFERENCE)
    for channel in notification.CHANNELS:
        yield f"workflow id of {channel.value}", notification.notification_workflow_id(channel)
    for module in (archive, authority_poll, reconciliation, retention, seal_check):
        yield f"schedule {module.__name__}", module.SCHEDULE_ID
    yield "call key of all list entries", CALLS["list_entry"].together_key(REFERENCE)
    for name, (what, further) in _calls().items():
        yield f"call key {name}", CALLS[what].key(CallOf(place=f"{REFERENCE}/HK", **further))


def _states() -> Iterator[tuple[str, bytes]]:
    first, second, third = (spellings.STATE_FORMS[number] for number in (1, 2, 3))
    assert isinstance(first, spellings.FirstForm)
    case, track = _row(first.case_names, 1), _row(first.track_names, 1)
    yield "form 1", case_state(case, (), {first.tracks: [track] * 2}, 1)
    assert isinstance(second, spellings.StateForm)
    assert isinstance(third, spellings.StateForm)
    for each in PROGRAMMES.values():
        own = {table.name: [_row(table.hashed, 2)] * (1 if table.key is None else 2) for table in each.tables}
        yield f"form 2 of {each.code}", case_state(_row(second.case_names, 2), each.tables, own, 2)
        yield f"form 3 of {each.code}", case_state(_row(third.case_names, 3), each.tables, own, 3)


def _row(names: Iterable[str], form: int) -> Any:
    return SimpleNamespace(**{name: None if name in _LATER[form] else _TYPED.get(name, name) for name in names})


def _calls() -> dict[str, tuple[str, dict[str, Any]]]:
    return {
        "first": ("list_entry", {}),
        "second": ("list_entry", {"attempt": 2}),
        "next term": ("list_entry", {"part": "term/2"}),
        "next term again": ("list_entry", {"part": "term/2", "since": "@1", "attempt": 3}),
        "after a restore": ("list_entry", {"since": "@1"}),
        "report": ("registration_ended", {}),
        "card lost": ("card_lost", {"on": "2026-11-30"}),
    }


def opened() -> Iterator[tuple[str, Callable[[], str]]]:
    """Yield what comes out otherwise each time and is held to by opening it: sealed values, wrapped keys, payloads."""
    for table, column in sorted(spellings.PLACES):
        yield f"sealed {table}.{column}", lambda t=table, c=column: KEY.seal(t, c, ROW, PLAIN).hex()  # type: ignore[misc]
        yield f"kept {table}.{column}", lambda t=table, c=column: seal_kept(KEYRING.archive, t, c, ROW, PLAIN).hex()  # type: ignore[misc]
    yield "wrapped key", _wrapped
    yield "payload", lambda: Codec(KEYRING.codec).seal_all([PAYLOAD])[0].SerializeToString().hex()


def routes_with_a_key() -> list[str]:
    """Return method and path of each route that a caller may repeat under its key."""
    paths = build_openapi(create_app(settings_for_tests("postgresql://nobody@127.0.0.1/none")))["paths"]
    return sorted(
        f"{method.upper()} {path}"
        for path, methods in paths.items()
        for method, said in methods.items()
        if any(each["name"].lower() == "idempotency-key" for each in said.get("parameters", ()))
    )


def _wrapped() -> str:
    key, wrapped = new_data_key(KEYRING)
    assert wrapped.wrapped
    return json.dumps([str(key.key_id), wrapped.kek_id, wrapped.wrapped.hex(), key.secret.hex()])


def values_of(enumeration: type[StrEnum]) -> list[str]:
    """Return the values that an enumeration has."""
    return [each.value for each in enumeration]


def kept() -> dict[str, Any]:
    """Return what is kept."""
    found: dict[str, Any] = json.loads(WRITTEN.read_text(encoding="utf-8")) if WRITTEN.exists() else {}
    return found


def main() -> None:
    """Add what is not kept yet."""
    found = kept()
    for name, value in equal():
        found.setdefault(name, value)
    for name, write in opened():
        if name not in found:
            found[name] = write()
    routes = found.setdefault("routes with a key", [])
    routes += [route for route in routes_with_a_key() if route not in routes]
    for name, values in stored_values().items():
        known = found.setdefault(f"values {name}", [])
        known += [value for value in values if value not in known]
    WRITTEN.write_text(json.dumps(found, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
