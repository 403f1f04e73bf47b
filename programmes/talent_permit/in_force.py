"""What of a registration is in force on a day: the registration, and each permit that the authority gave."""

from datetime import date

from cases.case.in_force import InForce, PartInForce, approval_in_force
from cases.case.row import OneCase
from programmes.talent_permit import terms
from programmes.talent_permit.permit_stages import PermitStage
from programmes.talent_permit.tables import permit_rows


def in_force(case: OneCase, on: date) -> InForce:
    """Return whether a registration is in force on a day, with the days of the permits that are; no number of these."""
    found = approval_in_force(case, on)
    parts = []
    for destination, permit in permit_rows(case).items():
        shown = terms.find_shown(case, destination, on)
        if found.holds and permit.stage == PermitStage.ISSUED and shown is not None and terms.is_of_day(shown, on):
            parts.append(PartInForce(destination.value, shown.valid_from, shown.valid_until))
    return InForce(found.holds, found.number, tuple(parts))
