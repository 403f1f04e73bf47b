"""What was signed, opened, against the rows that tell of it: the same act, outcome, reasons and destination."""

from collections.abc import Iterator, Mapping
from typing import Any

from cases.programme import Tells
from domain.commands import CommandState
from record.reconciliation.evidence import Difference, Evidence, row_place, signed_hash
from store.rows.record import LedgerRow


def check_words(evidence: Evidence) -> Iterator[Difference]:
    """Rows of decisions, second signatures and holds: each tells what was signed, as it was signed."""
    by_hash, declared = evidence.signed_requests(), evidence.programme.commands
    # Acts that a request causes itself; what follows from them has an outcome and reasons of its own.
    themselves = {act for each in declared.values() if each.said is not None for act in each.acts.own}
    for row in evidence.record.ledger:
        hashed = signed_hash(row)
        request = None if hashed is None else by_hash.get(hashed)
        if request is None or request.words is None or request.state is CommandState.REFUSED:
            continue
        said = declared[request.kind].said
        if said is not None and row.act in themselves and not _tells(row, said(request.words), request.words):
            yield Difference("ledger_row_not_as_signed", row_place(row))


def _tells(row: LedgerRow, told: Tells, words: Mapping[str, Any]) -> bool:
    """Say whether a row tells what was signed."""
    return (
        row.act in told.acts
        and told.outcome in (None, row.outcome)
        and (told.reasons is None or told.reasons == frozenset(row.reason_codes or ()))
        and row.destination == words.get("destination", told.destination)
    )
