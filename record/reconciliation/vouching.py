"""Signed requests against the ledger: each statement vouches for the rows that it can have caused, and for no other."""

from collections.abc import Iterator, Sequence
from typing import Final

from domain.actors import Role
from domain.acts import Act
from domain.commands import CommandKind, CommandState
from record.reconciliation.evidence import (
    Difference,
    Evidence,
    StoredRequest,
    named_answer,
    row_place,
    signed_hash,
)
from store.rows.record import LedgerRow

# What the API carries out in the request that proved the token; `record.reconciliation.counterparts` compares it with
# the register.
_AT_ONCE: Final = frozenset(
    {
        Act.SUBMITTED, Act.CLAIMED, Act.RELEASED, Act.ASSIGNED, Act.CONFLICT_DECLARED, Act.ERASURE_PROPOSED,
        Act.ERASURE_REJECTED, Act.JOINING_PROPOSED, Act.JOINING_REJECTED, Act.JOINING_WITHDRAWN, Act.PERSONS_JOINED,
        Act.PERSONS_PARTED, Act.KEY_DESTROYED, Act.LEGAL_HOLD_PLACED, Act.LEGAL_HOLD_RELEASED,
        Act.ANSWER_ATTACH_PROPOSED, Act.ANSWER_ATTACH_REJECTED, Act.ANSWER_ATTACHED,
    }
)  # fmt: skip


def check_signatures(evidence: Evidence) -> Iterator[Difference]:
    """Rows of what was asked for: each names what was signed, and that can have caused it."""
    by_hash = evidence.signed_requests()
    vouched: dict[str, list[LedgerRow]] = {}
    for row in evidence.record.ledger:
        hashed = signed_hash(row)
        if hashed is None:
            if _needs_statement(evidence, row):
                yield Difference("ledger_row_unsigned", row_place(row))
            continue
        request, before = by_hash.get(hashed), vouched.setdefault(hashed, [])
        if request is not None and row.chain == evidence.record.reference and _vouches(evidence, request, row, before):
            before.append(row)
        else:
            yield Difference("ledger_row_unsigned", row_place(row), found=hashed)


def check_statements(evidence: Evidence) -> Iterator[Difference]:
    """Stored commands of people: each has a statement that verifies, and that is about just this command."""
    for command_id, request in evidence.commands.items():
        is_signed_for = request.kind != CommandKind.START and request.actor["role"] != Role.SYSTEM
        # One that its step refused was never taken for its actor's word.
        is_word = request.state is not CommandState.REFUSED and (request.hashed is not None or is_signed_for)
        if request.said is None and is_word:
            yield Difference("command_altered", {"table": "commands", "command_id": command_id})


def _needs_statement(evidence: Evidence, row: LedgerRow) -> bool:
    """Say whether a row without a statement tells of what somebody would have had to sign for."""
    act, role = row.act, row.actor_role
    if row.chain != evidence.record.reference:
        return any(act in each.acts.acts for each in evidence.programme.commands.values())
    if role == Role.SYSTEM or act in _AT_ONCE:
        return False
    if role == Role.AUTHORITY and evidence.programme.words.act(act).from_outside:
        return False
    return not (act == Act.REQUEST_REFUSED and row.reason_codes == ["signature_invalid"])


def _vouches(evidence: Evidence, request: StoredRequest, row: LedgerRow, before: Sequence[LedgerRow]) -> bool:
    """Say whether a request can have caused a row, after those before that it caused."""
    said, effect = request.said, evidence.programme.commands[request.kind].acts
    who = (row.actor_issuer, row.actor_subject, row.actor_role, row.actor_tenant)
    if said is None or who != (said.issuer, said.subject, said.role, said.employer_id):
        return False
    if before and not _follows(row, before[-1]):
        return False
    if request.state is CommandState.REFUSED:
        return row.act == Act.REQUEST_REFUSED and not before
    if row.act not in effect.acts or row.at != said.at:
        return False
    if row.act in effect.own:
        own = {each.act for each in before} & effect.own
        return row.act not in own if effect.each else not own
    return _named(row) not in {_named(each) for each in before}


def _follows(row: LedgerRow, last: LedgerRow) -> bool:
    """Say whether a row can be of the same step as the one before it."""
    return row.seq == last.seq + 1 and _step(row) == _step(last)


def _step(row: LedgerRow) -> tuple[str | None, str | None, int | None]:
    return row.workflow_id, row.run_id, row.event_id


def _named(row: LedgerRow) -> tuple[str, str | None, str | None]:
    return row.act, row.destination, named_answer(row)
