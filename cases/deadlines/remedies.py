"""How one who disagrees with a decision objects to the park itself, and until when, as a letter states it."""

from datetime import datetime, timedelta

from cases.case.file import CaseFile
from cases.programme import programme_of
from domain.clock import day_of
from texts.notices import ObjectionRemedy


def objection_remedy(file: CaseFile, at: datetime) -> ObjectionRemedy | None:
    """Return how one objects to a decision of now, and until when at least; None where nobody can.

    The term begins once the letter is delivered, so that the day which is stated is the earliest that it can end on.
    """
    programme = programme_of(file)
    if not programme.contestable:
        return None
    days = file.context.limits.objection_calendar_days
    path = f"/v1/{programme.path}/{file.reference}/objection"
    return ObjectionRemedy(days=days, not_before=day_of(at) + timedelta(days=days), path=path)
