"""What was signed, opened, against the rows that tell of it: the same act, outcome, reasons and destination."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from domain.acts import Act
from domain.commands import CommandKind, CommandState
from domain.decisions import ConfirmationAction, EligibilityAction, HoldAction
from record.reconciliation.evidence import Difference, Evidence, row_place, signed_hash
from store.rows.record import LedgerRow

Words = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Told:
    """What the row of a request must tell; None for what the request leaves to the step that applied it."""

    acts: frozenset[Act]
    outcome: str | None = None
    reasons: frozenset[str] | None = None


def _codes(words: Words) -> frozenset[str]:
    return frozenset(reason["code"] for reason in words.get("reasons", ()))


def _decision(words: Words) -> _Told:
    return _Told(frozenset({Act.DECIDED}), words["action"], _codes(words))


def _signature(*given: Act) -> Callable[[Words], _Told]:
    """Return what a second signature must have led to; its reasons are its own where it was withheld."""

    def told(words: Words) -> _Told:
        if words["action"] == ConfirmationAction.REJECT:
            return _Told(frozenset({Act.REJECTED}), reasons=_codes(words))
        return _Told(frozenset(given))

    return told


def _hold(words: Words) -> _Told:
    if words["action"] == HoldAction.RELEASE:
        return _Told(frozenset({Act.HOLD_RELEASED}))
    return _Told(frozenset({Act.HELD}), reasons=frozenset({words["reason"]}))


def _eligibility(words: Words) -> _Told:
    is_sent = words["action"] == EligibilityAction.SEND
    return _Told(frozenset({Act.PERMIT_ELIGIBLE if is_sent else Act.PERMIT_WITHHOLD_PROPOSED}), reasons=_codes(words))


def _revocation(words: Words) -> _Told:
    return _Told(frozenset({Act.REVOCATION_PROPOSED}), reasons=_codes(words))


def _departure(words: Words) -> _Told:
    """An employer's report is recorded, an officer's is proposed."""
    return _Told(frozenset({Act.DEPARTURE_REPORTED, Act.DEPARTURE_PROPOSED}), reasons=frozenset({words["reason"]}))


_SAID: Final[Mapping[CommandKind, Callable[[Words], _Told]]] = {
    CommandKind.DECIDE: _decision,
    CommandKind.CONFIRM: _signature(Act.SIGNED, Act.CONFIRMED, Act.REVOKED),
    CommandKind.HOLD: _hold,
    CommandKind.REVOKE: _revocation,
    CommandKind.DEPART: _departure,
    CommandKind.ELIGIBILITY: _eligibility,
    CommandKind.PERMIT_CONFIRM: _signature(Act.SIGNED, Act.PERMIT_WITHHELD),
}
# Acts that a request causes itself; what follows from them has an outcome and reasons of its own.
_THEMSELVES: Final = frozenset(
    {
        Act.DECIDED, Act.SIGNED, Act.CONFIRMED, Act.REVOKED, Act.REJECTED, Act.HELD, Act.HOLD_RELEASED,
        Act.REVOCATION_PROPOSED, Act.DEPARTURE_REPORTED, Act.DEPARTURE_PROPOSED, Act.PERMIT_ELIGIBLE,
        Act.PERMIT_WITHHOLD_PROPOSED, Act.PERMIT_WITHHELD,
    }
)  # fmt: skip


def check_words(evidence: Evidence) -> Iterator[Difference]:
    """Rows of decisions, second signatures and holds: each tells what was signed, as it was signed."""
    by_hash = evidence.signed_requests()
    for row in evidence.record.ledger:
        hashed = signed_hash(row)
        request = None if hashed is None else by_hash.get(hashed)
        if request is None or request.words is None or request.state is CommandState.REFUSED:
            continue
        said = _SAID.get(request.kind)
        if said is not None and row.act in _THEMSELVES and not _tells(row, said(request.words), request.words):
            yield Difference("ledger_row_not_as_signed", row_place(row))


def _tells(row: LedgerRow, told: _Told, words: Words) -> bool:
    """Say whether a row tells what was signed."""
    return (
        row.act in told.acts
        and told.outcome in (None, row.outcome)
        and (told.reasons is None or told.reasons == frozenset(row.reason_codes or ()))
        and row.destination == words.get("destination")
    )
