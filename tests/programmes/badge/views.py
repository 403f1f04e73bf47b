"""What a badge shows beside what every case shows: whether its employer has confirmed it."""

from datetime import datetime
from typing import Final

from pydantic import BaseModel

from cases.case.evidence_views import EvidenceShown, evidence_views
from cases.case.shows import Showing, Told, Views
from cases.case.views import AnyCaseView, CaseForStaff, view
from domain.folding import ActRow, Folding
from privacy.published import publish
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
class BadgeView(EvidenceShown, AnyCaseView):
    """A badge as its reader may see it."""

    employment: str | None


@view
class BadgeForStaff(CaseForStaff, BadgeView):
    """A badge as staff and auditors see it."""


def _case(showing: Showing, seen: AnyCaseView) -> AnyCaseView:
    row = employment(showing.case)
    shown = BadgeForStaff if isinstance(seen, CaseForStaff) else BadgeView
    return shown(**vars(seen), employment=row.stage if row else None, evidence=evidence_views(showing.case))


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
    published=publish("Badge", BadgeRequest, "Badges, of the tests alone.", case=BadgeView),
)
