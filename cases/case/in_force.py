"""What of a case is in force on a day, for anyone who was given a check code: numbers and days, and nothing else."""

from dataclasses import dataclass
from datetime import date

from cases.case.row import OneCase
from domain.stages import Stage


@dataclass(frozen=True, slots=True)
class PartInForce:
    """A part of a case that is in force: by what it is called, with its first and last day where it has them."""

    what: str
    valid_from: date | None = None
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class InForce:
    """Whether a case is in force, the number that its approval gave, and which parts of it are."""

    holds: bool
    number: str | None
    parts: tuple[PartInForce, ...] = ()


def approval_in_force(case: OneCase, on: date) -> InForce:
    """Return what every case has: an approval that has settled, until the case has ended."""
    row = case.row
    settled = case.stage is Stage.APPROVED and row.settled
    holds = settled and (row.ended_on is None or on <= row.ended_on)
    return InForce(holds, row.registration_number if holds else None)
