"""What of an appraisal is in force on a day: the recognition, by its certificate."""

from datetime import date

from cases.case.in_force import InForce, PartInForce, approval_in_force
from cases.case.row import OneCase
from programmes.appraisal.tables import recognition
from programmes.appraisal.words import RecognitionStage


def in_force(case: OneCase, on: date) -> InForce:
    """Return whether somebody is recognised on a day; of a recognition that is suspended nobody is told why."""
    row = recognition(case)
    if row is None or row.stage != RecognitionStage.VALID or not approval_in_force(case, on).holds:
        return InForce(False, None)
    if row.valid_from is None or row.valid_until is None or not row.valid_from <= on <= row.valid_until:
        return InForce(False, None)
    return InForce(True, row.certificate, (PartInForce(row.part, row.valid_from, row.valid_until),))
