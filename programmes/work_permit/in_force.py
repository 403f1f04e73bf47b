"""What of a work permit is in force on a day: the permit of the newest paper that two people signed."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from cases.case.in_force import InForce, PartInForce, approval_in_force
from cases.case.row import OneCase
from programmes.work_permit.tables import WorkPermitRow, work_permit
from programmes.work_permit.words import WorkPermitStage

_RUNS: Final = frozenset({WorkPermitStage.ISSUED, WorkPermitStage.EXPIRING, WorkPermitStage.EXTENDING})


def in_force(case: OneCase, on: date) -> InForce:
    """Return whether the permit is in force on a day; its number, which is the foreigner's for life, is not told."""
    found, permit = approval_in_force(case, on), work_permit(case)
    if not found.holds or permit is None or permit.stage not in _RUNS:
        return InForce(False, None)
    for begins, ends in _days(permit):
        if begins <= on <= ends:
            return InForce(True, found.number, (PartInForce(permit.part, begins, ends),))
    return InForce(False, None)


def _days(permit: WorkPermitRow) -> Iterator[tuple[date, date]]:
    """Yield the first and last day by each paper, the newest first: one that extends may begin only later."""
    if permit.valid_from is not None and permit.valid_until is not None:
        yield permit.valid_from, permit.valid_until
    for each in reversed(permit.earlier):
        yield date.fromisoformat(each["valid_from"]), date.fromisoformat(each["valid_until"])
