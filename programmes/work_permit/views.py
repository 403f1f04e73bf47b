"""What a work permit shows beside what every case shows: points declared and proved, the permit, and the residence."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field

from cases.case.evidence import proved
from cases.case.evidence_views import EvidenceShown, evidence_views
from cases.case.own_views import OwnCase
from cases.case.reading import CaseReading
from cases.case.renewal_views import renewal_shown
from cases.case.renewals import RenewalView
from cases.case.shows import COLUMNS as OF_ANY_CASE
from cases.case.shows import FactSource, Showing, Shown, Told, Views
from cases.case.view import shown_at
from cases.case.views import FOR_STAFF, OBJECT_OR_NULL, AnyCaseView, CaseForStaff, view
from cases.decisions.renewals import PROPOSED
from domain.clock import day_of
from domain.errors import Refused
from domain.folding import ActRow, Folding
from domain.languages import Language
from policy.standing import ParameterStatus
from privacy.published import publish
from programmes.work_permit.requests import WorkPermitRequest
from programmes.work_permit.rules.claims import Claims, PointItem, WorkPermitCategory
from programmes.work_permit.rules.points import WorkPermitPoints, score
from programmes.work_permit.tables import residence, work_permit
from programmes.work_permit.words import ResidenceStage, WorkPermitAct, WorkPermitProposal, WorkPermitStage
from texts.person import plain


@view
class WorkPermitItemShown:
    """The points of one item, as it is declared and as it is proved; `sample` and `unconfirmed` are no law."""

    code: PointItem
    declared: int
    declared_standing: ParameterStatus
    declared_reference: str
    verified: int
    verified_standing: ParameterStatus
    verified_reference: str


@view
class WorkPermitNextShown:
    """An item that alone would lift the total to the next class."""

    code: PointItem
    more: int
    to: WorkPermitCategory
    value: str


@view
class WorkPermitSideShown:
    """The total of what is declared, or of what is proved, the class that it reaches, and what gives the next one."""

    total: int
    category: WorkPermitCategory
    standing: ParameterStatus
    next: tuple[WorkPermitNextShown, ...]


@view
class WorkPermitPointsShown:
    """Points declared and proved, side by side, by the version of the day of acceptance and the age of that day."""

    pack: str
    on: date
    declared: WorkPermitSideShown
    verified: WorkPermitSideShown
    items: tuple[WorkPermitItemShown, ...]


@view
class WorkPermitShown:
    """The permit, as the last paper that was signed says."""

    stage: WorkPermitStage
    number: str | None
    category: str | None
    valid_from: date | None
    valid_until: date | None
    due_at: Annotated[
        datetime | None,
        Field(description="When the authority's answer is expected, or by when a cancellation is asked; unconfirmed."),
    ]
    due_provisional: bool
    ended_on: date | None


@view
class ResidenceShown:
    """The residence permit that goes with it, with its own clock."""

    stage: ResidenceStage
    entered_on: date | None
    applied_on: date | None
    decided_on: date | None
    valid_until: date | None
    due_at: Annotated[datetime | None, Field(description="By when it is applied for, or then answered; unconfirmed.")]
    due_provisional: bool


@view
class WorkPermitView(EvidenceShown, AnyCaseView):
    """An application for a work permit as its reader may see it."""

    category: WorkPermitCategory | None
    points: Annotated[
        WorkPermitPointsShown | None, OBJECT_OR_NULL, Field(description="Null in lists, and after an erasure.")
    ]
    renewal: Annotated[RenewalView | None, OBJECT_OR_NULL, Field(description="The newest extension that was asked.")]
    work_permit: Annotated[WorkPermitShown | None, OBJECT_OR_NULL, Field(description="Once the approval has settled.")]
    residence_permit: Annotated[
        ResidenceShown | None, OBJECT_OR_NULL, Field(description="Once the approval has settled.")
    ]


@view
class WorkPermitWithPaper(WorkPermitView):
    """An application for a work permit with what of a paper waits for its second signature."""

    entered: Annotated[dict[str, Any] | None, FOR_STAFF] = None


@view
class WorkPermitForStaff(CaseForStaff, WorkPermitWithPaper):
    """An application for a work permit as staff and auditors see it."""


@view
class OwnWorkPermit(OwnCase):
    """An application for a work permit as its person reads it."""

    work_permit: WorkPermitShown | None
    work_permit_text: str | None
    residence_permit: ResidenceShown | None
    residence_text: str | None
    points: WorkPermitPointsShown | None


class OwnWorkPermitMembers(BaseModel):
    """What the API answers the person with beside."""

    work_permit: WorkPermitShown | None
    work_permit_text: str | None
    residence_permit: ResidenceShown | None
    residence_text: str | None
    points: WorkPermitPointsShown | None


def points_of(case: Shown) -> tuple[WorkPermitCategory, WorkPermitPointsShown] | None:
    """Return the category asked for and both sides of the points; None once the person's data is erased."""
    try:
        given = case.application if not isinstance(case, CaseReading) else _read(case.given())
    except Refused:
        return None
    if not isinstance(given, WorkPermitRequest):
        raise TypeError(type(given).__name__)
    on = day_of(case.row.accepted_at)
    declared = score(given.claims, case.pack, on)
    verified = score(Claims.proved_by(proved(case)), case.pack, on)
    items = tuple(
        WorkPermitItemShown(
            code=one.code,
            declared=one.points,
            declared_standing=one.standing,
            declared_reference=one.reference,
            verified=other.points,
            verified_standing=other.standing,
            verified_reference=other.reference,
        )
        for one, other in zip(declared.items, verified.items, strict=True)
    )
    shown = WorkPermitPointsShown(
        pack=declared.pack, on=on, declared=_side(declared), verified=_side(verified), items=items
    )
    return given.category, shown


def _read(given: Mapping[str, Any]) -> WorkPermitRequest:
    return WorkPermitRequest.model_validate(given)


def _side(points: WorkPermitPoints) -> WorkPermitSideShown:
    return WorkPermitSideShown(
        total=points.total,
        category=points.category,
        standing=points.standing,
        next=tuple(
            WorkPermitNextShown(code=each.code, more=each.more, to=each.to, value=each.value) for each in points.next
        ),
    )


def _permit(case: Shown) -> WorkPermitShown | None:
    row = work_permit(case)
    if row is None or row.stage is None:
        return None
    return WorkPermitShown(
        stage=WorkPermitStage(row.stage),
        number=row.number,
        category=row.category,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        due_at=shown_at(row.due_at) if row.due_at else None,
        due_provisional=row.due_provisional,
        ended_on=row.ended_on,
    )


def _residence(case: Shown) -> ResidenceShown | None:
    row = residence(case)
    if row is None or row.stage is None:
        return None
    return ResidenceShown(
        stage=ResidenceStage(row.stage),
        entered_on=row.entered_on,
        applied_on=row.applied_on,
        decided_on=row.decided_on,
        valid_until=row.valid_until,
        due_at=shown_at(row.due_at) if row.due_at else None,
        due_provisional=row.due_provisional,
    )


def _case(showing: Showing, seen: AnyCaseView) -> AnyCaseView:
    case, found = showing.case, None if showing.short else points_of(showing.case)
    members = vars(seen) | {
        "evidence": evidence_views(case),
        "category": found[0] if found else None,
        "points": found[1] if found else None,
        "renewal": renewal_shown(showing),
        "work_permit": None if showing.hidden else _permit(case),
        "residence_permit": None if showing.hidden else _residence(case),
    }
    if not isinstance(seen, CaseForStaff):
        return WorkPermitView(**members)
    row = work_permit(case)
    return WorkPermitForStaff(**members, entered=None if row is None else row.entered)


def _own(case: CaseReading, seen: AnyCaseView, whole: OwnCase, language: Language) -> OwnWorkPermit:
    permit, beside, found = _permit(case), _residence(case), points_of(case)
    return OwnWorkPermit(
        **vars(whole),
        work_permit=permit,
        work_permit_text=plain("work_permit_stages", permit.stage if permit else None, language),
        residence_permit=beside,
        residence_text=plain("residence_stages", beside.stage if beside else None, language),
        points=found[1] if found else None,
    )


_COLUMNS: Final = (
    *OF_ANY_CASE, "category", "salary_year", "contract_start", "contract_end", "work_permit_stage",
    "work_permit_number", "valid_from", "valid_until", "residence_stage",
)  # fmt: skip


def _cells(seen: AnyCaseView, given: Mapping[str, Any]) -> dict[str, object]:
    job = given.get("job", {})
    values: dict[str, object] = {
        "category": given.get("category"),
        **{name: job.get(name) for name in ("salary_year", "contract_start", "contract_end")},
    }
    if isinstance(seen, WorkPermitView) and seen.work_permit is not None:
        permit = seen.work_permit
        values |= {"work_permit_stage": permit.stage, "work_permit_number": permit.number}
        values |= {"valid_from": permit.valid_from, "valid_until": permit.valid_until}
    if isinstance(seen, WorkPermitView) and seen.residence_permit is not None:
        values["residence_stage"] = seen.residence_permit.stage
    return values


_A: Final = WorkPermitAct
_P: Final = WorkPermitStage
_R: Final = ResidenceStage
_STAGE_AFTER: Final[Mapping[str, WorkPermitStage | ResidenceStage]] = {
    _A.AWAITED: _P.AWAITED,
    _A.ISSUED: _P.ISSUED,
    _A.REFUSED: _P.REFUSED,
    _A.WINDOW_OPENED: _P.EXPIRING,
    _A.EXTENSION_AWAITED: _P.EXTENDING,
    _A.EXTENDED: _P.ISSUED,
    _A.EXTENSION_REFUSED: _P.EXPIRING,
    _A.CANCELLED: _P.CANCELLED,
    _A.EXPIRED: _P.EXPIRED,
    _A.RESIDENCE_AWAITED: _R.ENTRY_AWAITED,
    _A.ENTERED: _R.ENTERED,
    _A.APPLIED: _R.APPLIED,
    _A.RESIDENCE_ISSUED: _R.ISSUED,
    _A.RESIDENCE_REFUSED: _R.REFUSED,
    _A.RESIDENCE_CLOSED: _R.CLOSED,
    _A.RESIDENCE_EXTENSION_DUE: _R.EXTENSION_DUE,
}


def _stage_after(row: ActRow) -> WorkPermitStage | ResidenceStage | None:
    return _STAGE_AFTER.get(row.act)


_GIVEN: Final = FactSource("application")
_SEEN: Final = FactSource("application", outside=False)
_TOLD: Final = Told(
    facts={
        "category": _GIVEN,
        "declared": FactSource("application", inside=False),
        "proved": FactSource("application", inside=False),
        "contract_start": _GIVEN,
        "contract_end": _GIVEN,
        "local_minimum_wage_month": _SEEN,
        "local_average_wage_year": _SEEN,
        "employer_standing": FactSource("register of employers", outside=False),
        "post_is_special": _SEEN,
        "is_healthy": FactSource("application", outside=False, inside=False),
        "has_no_record": FactSource("application", outside=False, inside=False),
        "has_skills": _SEEN,
        "work_permit_until": FactSource("paper of the authority"),
    },
    proposals=frozenset({_A.OUTCOME_PROPOSED}),
    folding=Folding(
        stage_after=_stage_after,
        case_proposed={**PROPOSED, _A.OUTCOME_PROPOSED: WorkPermitProposal.OUTCOME.value},
    ),
)
VIEWS: Final = Views(
    case=_case,
    last="residence_permit",
    own=_own,
    columns=_COLUMNS,
    cells=_cells,
    told=_TOLD,
    published=publish(
        "WorkPermit",
        WorkPermitRequest,
        "Work permits of foreigners: points, the authority's permit, and the residence permit beside it.",
        case=WorkPermitWithPaper,
        own=OwnWorkPermitMembers,
    ),
)
