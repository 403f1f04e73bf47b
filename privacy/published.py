"""How a case that its person reads is told in the OpenAPI document: in parts, between which a programme's own stand."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, create_model

from cases.case import views
from cases.case.shows import Published
from cases.case.views import AnyFactView, FindingView, OpenPointView, view
from domain.forms import Form
from domain.notices import Channel
from domain.stages import DueKind, Holder, Stage
from privacy.views import OwnDecisionView, OwnFactsView, OwnHoldView, OwnNoticeView, OwnRequestView


@view
class OwnAnyFactView(AnyFactView):
    """A recorded fact as the person reads it."""

    label: str
    state_text: str
    may_contest: Annotated[bool, Field(description="Whether the person may still say that it is wrong.")]


@view
class OwnOpenedFact:
    """What is shown of a recorded fact with its content, among all that is held about a person."""

    value: Any
    value_text: Annotated[str | None, Field(description="The value in words.")]
    seen_in: str
    given: Annotated[Any, Field(description="What had been given of the field when it was recorded.")]
    purpose: str
    basis: str
    retention: str


class ContactChangeView(BaseModel):
    """An address that somebody else put on the case, and that does not sign in yet."""

    channel: Channel
    address: str | None = Field(description="As it is shown masked; null where one was taken away.")
    serves_from: date = Field(description="From when it signs in, and the one before it no longer; unconfirmed.")
    says: str


class OwnCaseHead(BaseModel):
    """Which case it is, and where it stands."""

    reference: str = Field(examples=["HT-7K2M-9QXA-J"])
    programme: str = Field(description="The programme that the case is of.")
    employer_id: str
    employer: str = Field(description="Name of the employer.")
    stage: Stage
    stage_text: str = Field(description="Where the case stands, in the caller's language.")
    round: int


class OwnCaseDates(BaseModel):
    """Since when it is there, what it waits for, and what became of it."""

    accepted_at: datetime
    due_at: datetime | None
    due_kind: DueKind | None
    due_text: str | None
    due_provisional: bool
    clock: str | None
    holder: Holder
    waits_for: str
    registration_number: str | None = Field(examples=["HR-2026-000123-P"])
    end_reason: str | None
    end_reason_text: str | None
    ended_on: date | None
    in_force: bool
    updated_at: datetime


class OwnCaseFacts(BaseModel):
    """What was seen and found."""

    recorded_facts: list[OwnAnyFactView] = Field(description="What officers saw; each can be contested once.")
    contact_changes: list[ContactChangeView]
    findings: list[FindingView]
    open_points: list[OpenPointView] = Field(description="What the employer is asked to mend.")


class OwnCaseEnd(BaseModel):
    """What was decided, and what can be done."""

    decisions: list[OwnDecisionView]
    remedies: list[str] = Field(description="What the person can do now, in words.")


class OwnDataFacts(BaseModel):
    """What was given."""

    facts: list[OwnFactsView]


class OwnDataRest(BaseModel):
    """What was asked and told, and what keeps the data."""

    requests: list[OwnRequestView]
    notices: list[OwnNoticeView]
    legal_holds: list[OwnHoldView] = Field(
        description="What keeps the data from being erased; empty where nothing does."
    )


def publish(named: str, form: type[Form], description: str) -> Published:
    """Return how cases of a programme are told that shows nothing beside what every case shows.

    Args:
        named: stands before the name of each schema, so that those of two programmes are told apart.
        form: what is given to open a case.
        description: what the programme is, in a sentence.
    """
    opened: dict[str, Any] = {name: (Any, None) for names in form.fields_by_part().values() for name in names}
    return Published(
        description=description,
        case=_named(f"{named}CaseView", views.CaseAnsweredToStaff, views.CaseAnswered, views.AnyCaseView),
        own_case=_own(f"{named}OwnCaseView", OwnCaseEnd, OwnCaseFacts, OwnCaseDates, OwnCaseHead),
        own_data=_own(
            f"{named}OwnDataCaseView", OwnDataRest, OwnDataFacts, OwnCaseEnd, OwnCaseFacts, OwnCaseDates, OwnCaseHead
        ),
        fact=_named(f"{named}RecordedFactView", AnyFactView),
        fact_field=form.fact_fields,
        person=create_model(f"{named}PersonView", **opened),
        obstacle=_named(f"{named}ObstacleView", FindingView),
    )


def _named(name: str, *bases: type) -> type:
    return view(type(name, bases, {"__doc__": bases[-1].__doc__, "__annotations__": {}}))


def _own(name: str, *bases: type[BaseModel]) -> type:
    return create_model(name, __base__=bases, __doc__=OwnCaseHead.__doc__)
