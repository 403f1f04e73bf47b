"""What a badge shows beside what every case shows: whether its employer has confirmed it."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from pydantic import BaseModel

from cases.case.shows import Showing, Told, Views
from cases.case.views import CaseAnswered, CaseAnsweredToStaff, CaseForStaff, CaseView, view
from domain.folding import ActRow, Folding
from privacy import published as own
from tests.programmes.badge.requests import BadgeRequest
from tests.programmes.badge.tables import employment
from tests.programmes.badge.words import BadgeAct, EmploymentStage


class EmploymentView(BaseModel):
    """What an employer is shown of a badge: whom it is asked about, and until when; nothing else."""

    reference: str
    name: str
    position: str
    stage: str | None
    due_at: datetime | None


@view
class BadgeView(CaseView):
    """A badge as its reader may see it."""

    employment: str | None


@view
class BadgeForStaff(CaseForStaff, BadgeView):
    """A badge as staff and auditors see it."""


@view
class BadgeCaseView(CaseAnsweredToStaff, CaseAnswered, BadgeView):
    """A badge as the API answers with it."""


def _case(showing: Showing, seen: CaseView) -> CaseView:
    row = employment(showing.case)
    shown = BadgeForStaff if isinstance(seen, CaseForStaff) else BadgeView
    return shown(**vars(seen), employment=row.stage if row else None)


_STAGE_AFTER: Final = {
    BadgeAct.ASKED: EmploymentStage.ASKED,
    BadgeAct.CONFIRMED: EmploymentStage.CONFIRMED,
    BadgeAct.DENIED: EmploymentStage.DENIED,
    BadgeAct.UNANSWERED: EmploymentStage.UNANSWERED,
}


def _stage_after(row: ActRow) -> EmploymentStage | None:
    return next((stage for act, stage in _STAGE_AFTER.items() if act == row.act), None)


VIEWS: Final = Views(
    case=_case,
    last="employment",
    told=Told(folding=Folding(stage_after=_stage_after)),
    published=replace(own.publish("Badge", BadgeRequest, "Badges, of the tests alone."), case=BadgeCaseView),
)
