"""Once only: what was released into a case and taken over by it, as rows, against what the ledger tells of it."""

from collections.abc import Callable, Hashable, Iterator

from domain.acts import Act
from record.reconciliation.evidence import Difference, Evidence
from store.rows.record import LedgerRow
from store.rows.takeovers import TakeoverRow


def taken_over(evidence: Evidence, row: LedgerRow) -> Hashable | None:
    """Return what was taken over then, as the piece of evidence of that number."""
    place = (row.detail.get("evidence"), row.at)
    return _find(evidence, row, lambda each: (each.to_evidence, each.taken_at) == place)


def released(evidence: Evidence, row: LedgerRow) -> Hashable | None:
    """Return the release that the person gave then."""
    place = (row.chain, row.at, row.detail.get("item"))
    return _find(evidence, row, lambda each: (_chain(each), each.consented_at, each.to_item) == place)


def taken_back(evidence: Evidence, row: LedgerRow) -> Hashable | None:
    """Return the release that the person took back then."""
    place = (row.chain, row.at, "withdrawn")
    return _find(evidence, row, lambda each: (_chain(each), each.over_at, each.state) == place)


def untold(evidence: Evidence) -> Iterator[Difference]:
    """Take-overs and releases of which no row of the ledger tells."""
    told = {(row.act, row.chain) for row in evidence.record.ledger}
    taken = {row.detail.get("evidence") for row in evidence.record.chain if row.act == Act.EVIDENCE_TAKEN_OVER}
    for each in evidence.beside.takeovers:
        # One that was agreed to as it was taken over has no row but that of the case.
        is_told = each.consented_at == each.taken_at or (Act.EVIDENCE_RELEASED, _chain(each)) in told
        is_told &= each.taken_at is None or each.to_evidence in taken
        if not is_told:
            place: dict[str, str | int] = {"table": "takeovers", "takeover_id": str(each.takeover_id)}
            yield Difference("register_row_untold", place)


def _find(evidence: Evidence, row: LedgerRow, is_it: Callable[[TakeoverRow], bool]) -> Hashable | None:
    found = next((each for each in evidence.beside.takeovers if is_it(each)), None)
    return None if found is None else (row.act, str(found.takeover_id))


def _chain(row: TakeoverRow) -> str:
    return f"takeover/{row.takeover_id}"
