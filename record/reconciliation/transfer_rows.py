"""Changes of employer: what persons agreed to, as rows, against what the ledger tells of it on either side."""

from collections.abc import Callable, Hashable, Iterator
from typing import Final

from domain.acts import Act
from domain.stages import CLOSED
from domain.transfers import WAITING, TransferState
from record.reconciliation.evidence import Difference, Evidence
from store.rows.people import TransferRow
from store.rows.record import LedgerRow

# What a transfer may have come to after an officer found that the person stays.
_AFTER_ENDED: Final = frozenset({TransferState.NOT_CONFIRMED, TransferState.DONE, TransferState.GIVEN_UP})
# Those in which a case follows, or did.
_BEGUN: Final = WAITING | _AFTER_ENDED


def agreed(evidence: Evidence, row: LedgerRow) -> Hashable | None:
    """Return the agreement that the person gave then."""
    return _find(
        evidence,
        row,
        lambda each: (_chain(each), each.agreed_at, each.to_employer) == (row.chain, row.at, row.detail.get("to")),
    )


def taken_back(evidence: Evidence, row: LedgerRow) -> Hashable | None:
    """Return the agreement that the person took back then."""
    state = TransferState.WITHDRAWN
    return _find(evidence, row, lambda each: (_chain(each), each.state, each.over_at) == (row.chain, state, row.at))


def begun(evidence: Evidence, row: LedgerRow) -> Hashable | None:
    """Return the agreement by which this case was taken on."""
    place = (row.chain, evidence.record.reference, row.at)
    return _find(evidence, row, lambda each: (_chain(each), each.to_reference, each.taken_at) == place)


def ended(evidence: Evidence, row: LedgerRow) -> Hashable | None:
    """Return the transfer from this case of which an officer found that the person stays."""
    return _find(evidence, row, lambda each: _is_from(evidence, each) and each.state in _AFTER_ENDED)


def not_confirmed(evidence: Evidence, row: LedgerRow) -> Hashable | None:
    """Return the transfer to this case of which that was found."""
    return _find(evidence, row, lambda each: not _is_from(evidence, each) and each.state in _AFTER_ENDED)


def done(evidence: Evidence, row: LedgerRow) -> Hashable | None:
    """Return the transfer by which this case took the place of the one before."""
    return _find(evidence, row, lambda each: not _is_from(evidence, each) and each.state == TransferState.DONE)


def untold(evidence: Evidence) -> Iterator[Difference]:
    """Agreements of which no row of the ledger tells what they say of this case."""
    chain = {row.act for row in evidence.record.chain}
    has_closed = any(row.detail.get("stage") in CLOSED for row in evidence.record.chain)
    told = {(row.act, row.chain) for row in evidence.record.ledger}
    for each in evidence.beside.transfers:
        if _is_from(evidence, each):
            is_told = (Act.TRANSFER_AGREED, _chain(each)) in told
            is_back = (Act.TRANSFER_TAKEN_BACK, _chain(each)) in told
            is_told &= is_back == (each.state == TransferState.WITHDRAWN)
            is_told &= each.state != TransferState.NOT_CONFIRMED or Act.TRANSFER_ENDED in chain
            is_told &= each.state != TransferState.DONE or has_closed
        else:
            is_told = (Act.TRANSFER_BEGUN, _chain(each)) in told and each.state in _BEGUN
            is_told &= each.state != TransferState.GIVEN_UP or has_closed
        if not is_told:
            place: dict[str, str | int] = {"table": "transfers", "transfer_id": str(each.transfer_id)}
            yield Difference("register_row_untold", place)


def _find(evidence: Evidence, row: LedgerRow, is_it: Callable[[TransferRow], bool]) -> Hashable | None:
    """Return the newest transfer that is so, of those that there were by then; each stands for one row of an act."""
    found = [each for each in evidence.beside.transfers if each.agreed_at <= row.at and is_it(each)]
    newest = max(found, key=lambda each: each.agreed_at, default=None)
    return None if newest is None else (row.act, str(newest.transfer_id))


def _is_from(evidence: Evidence, row: TransferRow) -> bool:
    return row.from_reference == evidence.record.reference


def _chain(row: TransferRow) -> str:
    return f"transfer/{row.transfer_id}"
