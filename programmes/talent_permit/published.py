"""What answers about registrations look like, for the OpenAPI document: each class is a schema under its own name."""

from datetime import date, datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field

from cases.case import views
from cases.case.renewals import RenewalView
from cases.case.shows import Published
from cases.case.views import OBJECT_OR_NULL, CaseAnswered, CaseAnsweredToStaff, FindingView, view
from domain.spellings import TALENT_PERMIT
from privacy import published
from programmes.talent_permit.permit_stages import Destination
from programmes.talent_permit.requests import EmploymentKind, FactField
from programmes.talent_permit.views import (
    AuthorityReasonView,
    HeldAnswerView,
    PermitAnsweredFor,
    RegistrationView,
    TermView,
)

_PROGRAMME: Final = Field(examples=[TALENT_PERMIT], description="The programme that the case is of.")


@view
class ObstacleView(FindingView):
    """A finding that an officer would still be asked about before the permit of a destination is asked for."""

    destination: Destination


@view
class PermitView(PermitAnsweredFor):
    """The talent permit of one destination."""


@view
class RecordedFactView(views.AnyFactView):
    """A fact that an officer recorded, without its content."""

    field: FactField


@view
class _Shown(RegistrationView):
    programme: Annotated[str, _PROGRAMME]
    recorded_facts: Annotated[tuple[RecordedFactView, ...], views.FACTS_SEEN] = ()
    permits: tuple[PermitView, ...]


@view
class _Obstacles:
    permit_obstacles: Annotated[
        tuple[ObstacleView, ...],
        Field(description="In answers to staff: what will then still stand in the way of each permit."),
    ] = ()


@view
class _HeldAnswers:
    held_answers: Annotated[tuple[HeldAnswerView, ...], Field(description="For staff and auditors.")] = ()


@view
class CaseView(_HeldAnswers, CaseAnsweredToStaff, _Obstacles, CaseAnswered, _Shown):
    """A case as its reader may see it."""


class PersonView(BaseModel):
    """The fields asked for, in clear."""

    name_zh: str | None = None
    name_en: str | None = None
    identity_number: str | None = None
    permit_card_number: str | None = None
    permit_card_valid_until: date | None = None
    email: str | None = None
    phone: str | None = None
    position: str | None = None
    work_site: str | None = None
    employment_kind: EmploymentKind | None = None
    contract_start: date | None = None
    contract_end: date | None = None
    state_worker: bool | None = None
    consent_letter: dict[str, Any] | None = None


@view
class OwnTermView(TermView):
    """A term of a talent permit as its person reads it."""

    stage_text: str | None
    end_reason_text: str | None


@view
class OwnPermitView(PermitView):
    """A talent permit as its person reads it."""

    terms: tuple[OwnTermView, ...]
    place: str
    stage_text: str | None
    end_reason_text: str | None
    authority_reason: Annotated[
        AuthorityReasonView | None,
        OBJECT_OR_NULL,
        Field(title="Authority Reason", description="Why the authority refused or revoked, in its own words."),
    ] = None


class DepartureView(BaseModel):
    """A departure as it was reported."""

    last_day: date | None
    reason: str
    reported_by: str = Field(description="Role of who reported it.")
    late: bool
    disputed: bool


@view
class OwnRecordedFactView(published.OwnAnyFactView):
    """A recorded fact as the person reads it."""

    field: FactField


@view
class OwnOpenedFactView(published.OwnOpenedFact, OwnRecordedFactView):
    """A recorded fact with its content, among all that is held about a person."""


class _OwnDestinations(BaseModel):
    destinations: list[Destination]


class OwnPendingChangeView(BaseModel):
    """What was asked to have changed and an officer has yet to take or decline, in plain words."""

    fields: list[str]
    asked_at: datetime
    due_at: datetime | None
    labels: list[str]


class _OwnDeparture(BaseModel):
    departure: DepartureView | None
    pending_change: OwnPendingChangeView | None


@view
class OwnRenewalView(RenewalView):
    """A renewal as its person reads it."""

    stage_text: str | None


class _OwnRenewal(BaseModel):
    renewal: Annotated[OwnRenewalView | None, OBJECT_OR_NULL, Field(description="The newest renewal, if any.")]


class _OwnPermits(BaseModel):
    permits: list[OwnPermitView]


class OwnCaseView(
    published.OwnCaseEnd,
    _OwnPermits,
    published.OwnCaseFacts,
    _OwnRenewal,
    _OwnDeparture,
    published.OwnCaseDates,
    _OwnDestinations,
    published.OwnCaseHead,
):
    """A case as its person reads it."""

    programme: Annotated[str, _PROGRAMME]
    recorded_facts: list[OwnRecordedFactView] = Field(  # type: ignore[assignment]  # the same with known fields
        description="What officers saw; each can be contested once."
    )


class OwnDataCaseView(published.OwnDataRest, published.OwnDataFacts, OwnCaseView):
    """All that is held under one case."""

    recorded_facts: list[OwnOpenedFactView]  # type: ignore[assignment]  # the same with their content


PUBLISHED = Published(
    description=(
        "Registration of people who work in the Shenzhen Park of the Hetao zone, and their talent permits for Hong Kong"
        " and Macao."
    ),
    case=CaseView,
    own_case=OwnCaseView,
    own_data=OwnDataCaseView,
    fact=RecordedFactView,
    fact_field=FactField,
    person=PersonView,
    obstacle=ObstacleView,
)
