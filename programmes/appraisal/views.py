"""What an appraisal shows beside what every case shows: its route, its employment and its recognition."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, Field

from cases.case.evidence_views import EvidenceShown, evidence_views
from cases.case.own_views import OwnCase
from cases.case.reading import CaseReading
from cases.case.renewal_views import renewal_shown
from cases.case.renewals import RenewalView
from cases.case.shows import FactSource, Showing, Shown, Told, Views
from cases.case.views import OBJECT_OR_NULL, AnyCaseView, CaseForStaff, view
from cases.decisions import renewals
from domain.folding import ActRow, Folding
from domain.languages import Language
from privacy.published import publish
from programmes.appraisal.requests import AppraisalRequest
from programmes.appraisal.rules.claims import AppraisalRoute
from programmes.appraisal.tables import employment, recognition, route_of
from programmes.appraisal.words import AppraisalAct, AppraisalProposal, EmploymentStage, RecognitionStage
from texts.person import plain


class AppraisedEmploymentView(BaseModel):
    """What an employer is shown of an appraisal: whom it is asked about, and until when; nothing else."""

    reference: str
    name: str
    position: str
    work_start: date
    stage: EmploymentStage | None
    due_at: datetime | None
    last_day: date | None


@view
class RecognitionView:
    """A recognition: how long it is valid is a sample of the pack, since no rule on it is published."""

    certificate: str | None
    stage: RecognitionStage | None
    valid_from: date | None
    valid_until: date | None
    suspended_for: tuple[str, ...]
    standing: str


@view
class AppraisalView(EvidenceShown, AnyCaseView):
    """An appraisal as its reader may see it."""

    route: AppraisalRoute
    employment: EmploymentStage | None
    renewal: Annotated[RenewalView | None, OBJECT_OR_NULL, Field(description="The newest re-appraisal that was asked.")]
    recognition: RecognitionView | None


@view
class AppraisalForStaff(CaseForStaff, AppraisalView):
    """An appraisal as staff and auditors see it."""


@view
class OwnAppraisal(OwnCase):
    """An appraisal as its person reads it."""

    employment_text: str | None
    recognition: RecognitionView | None
    recognition_text: str | None


class OwnAppraisalMembers(BaseModel):
    """What the API answers the person of an appraisal with beside."""

    employment_text: str | None = Field(description="What the employer has said, in words.")
    recognition: RecognitionView | None
    recognition_text: str | None


def _recognition(case: Shown) -> RecognitionView | None:
    row = recognition(case)
    if row is None or row.stage is None:
        return None
    return RecognitionView(
        certificate=row.certificate,
        stage=RecognitionStage(row.stage),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        suspended_for=tuple(row.suspended_for),
        standing="sample",
    )


def _case(showing: Showing, seen: AnyCaseView) -> AnyCaseView:
    row = employment(showing.case)
    shown = AppraisalForStaff if isinstance(seen, CaseForStaff) else AppraisalView
    stage = None if row is None or row.stage is None else EmploymentStage(row.stage)
    return shown(
        **vars(seen),
        evidence=evidence_views(showing.case),
        route=AppraisalRoute(route_of(showing.case)),
        employment=stage,
        renewal=renewal_shown(showing),
        recognition=_recognition(showing.case),
    )


def _said_of(stage: str | None, case: CaseReading) -> str | None:
    """Return by what name the texts have a stage: once it is decided, another employer comes by a change."""
    is_later = bool(case.row.settled) and stage in (EmploymentStage.DENIED, EmploymentStage.LEFT)
    return f"{stage}_later" if is_later else stage


def _own(case: CaseReading, seen: AnyCaseView, whole: OwnCase, language: Language) -> OwnAppraisal:
    asked, given = employment(case), _recognition(case)
    return OwnAppraisal(
        **vars(whole),
        employment_text=plain("employment_stages", _said_of(asked.stage if asked else None, case), language),
        recognition=given,
        recognition_text=plain("recognition_stages", given.stage if given else None, language),
    )


_STAGE_AFTER: Final[Mapping[str, StrEnum]] = {
    AppraisalAct.ASKED: EmploymentStage.ASKED,
    AppraisalAct.CONFIRMED: EmploymentStage.CONFIRMED,
    AppraisalAct.DENIED: EmploymentStage.DENIED,
    AppraisalAct.UNANSWERED: EmploymentStage.UNANSWERED,
    AppraisalAct.LEFT: EmploymentStage.LEFT,
    AppraisalAct.RECOGNISED: RecognitionStage.VALID,
    AppraisalAct.SUSPENDED: RecognitionStage.SUSPENDED,
    AppraisalAct.RESTORED: RecognitionStage.VALID,
    AppraisalAct.REAPPRAISED: RecognitionStage.VALID,
    AppraisalAct.EXPIRED: RecognitionStage.EXPIRED,
    AppraisalAct.CLOSED: RecognitionStage.REVOKED,
}


def _stage_after(row: ActRow) -> StrEnum | None:
    return _STAGE_AFTER.get(row.act)


VIEWS: Final = Views(
    case=_case,
    last="recognition",
    own=_own,
    told=Told(
        facts={
            "route": FactSource("application"),
            "birth_date": FactSource("application"),
            "work_start": FactSource("application"),
            "employer_standing": FactSource("register"),
            "employment_confirmed": FactSource("register"),
            "declared": FactSource("application"),
            "proved": FactSource("application"),
        },
        decisions={AppraisalAct.REVOKED: "appraisal_revoke"},
        proposals=frozenset({AppraisalAct.REVOCATION_PROPOSED, *renewals.PROPOSED}),
        folding=Folding(
            stage_after=_stage_after,
            case_proposed={AppraisalAct.REVOCATION_PROPOSED: AppraisalProposal.REVOKE.value, **renewals.PROPOSED},
            case_settled=frozenset({AppraisalAct.REVOKED}),
        ),
    ),
    published=publish(
        "Appraisal",
        AppraisalRequest,
        "Appraisal of talent from Hong Kong, Macao, Taiwan and abroad.",
        case=AppraisalView,
        own=OwnAppraisalMembers,
    ),
)
