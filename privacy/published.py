"""How a case that its person reads is told in the OpenAPI document: in parts, between which a programme's own stand."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, create_model

from cases.case import views
from cases.case.evidence_views import OpenedEvidenceView
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


class MayObjectView(BaseModel):
    """A decision that the person can object to, as `POST /v1/me/objections` takes it, and in words."""

    against: str
    destination: str | None
    label: str


class OwnCaseEnd(BaseModel):
    """What was decided, and what can be done."""

    decisions: list[OwnDecisionView]
    may_object: list[MayObjectView] = Field(description="Decisions that stand and that the person has not objected to.")
    remedies: list[str] = Field(description="What the person can do now, in words.")


class OwnDataFacts(BaseModel):
    """What was given."""

    facts: list[OwnFactsView]


class OwnDataRest(BaseModel):
    """What was asked and told, and what keeps the data."""

    evidence: list[OpenedEvidenceView] = Field(description="What was given to prove it, and what was said of it.")
    requests: list[OwnRequestView]
    notices: list[OwnNoticeView]
    legal_holds: list[OwnHoldView] = Field(
        description="What keeps the data from being erased; empty where nothing does."
    )


def publish(
    named: str, form: type[Form], description: str, *, case: type = views.AnyCaseView, own: type[BaseModel] = BaseModel
) -> Published:
    """Return how cases of a programme are told.

    Args:
        named: stands before the name of each schema, so that those of two programmes are told apart.
        form: what is given to open a case.
        description: what the programme is, in a sentence.
        case: a case as it is shown, with what the programme shows beside what every case does.
        own: what a person is shown beside.
    """
    opened: dict[str, Any] = {name: (Any, None) for names in form.fields_by_part().values() for name in names}
    field = {"field": form.fact_fields}
    fact: Any = _named(f"{named}RecordedFactView", (AnyFactView,), field)
    own_fact = _named(f"{named}OwnRecordedFactView", (OwnAnyFactView,), field)
    own_opened = _named(f"{named}OwnOpenedFactView", (OwnOpenedFact, own_fact), {})
    answered = (views.CaseAnsweredToStaff, views.CaseAnswered, case)
    own_case = (OwnCaseEnd, own, OwnCaseFacts, OwnCaseDates, OwnCaseHead)
    return Published(
        named=named,
        description=description,
        case=_named(
            f"{named}CaseView", answered, {"recorded_facts": Annotated[tuple[fact, ...], views.FACTS_SEEN]}, ()
        ),
        own_case=_own(f"{named}OwnCaseView", own_case, own_fact),
        own_data=_own(f"{named}OwnDataCaseView", (OwnDataRest, OwnDataFacts, *own_case), own_opened),
        fact=fact,
        fact_field=form.fact_fields,
        person=create_model(f"{named}PersonView", **opened),
        obstacle=_named(f"{named}ObstacleView", (FindingView,), {}),
    )


def _named(name: str, bases: tuple[type, ...], members: Mapping[str, Any], *defaults: object) -> type:
    given = dict(zip(members, defaults, strict=False))
    return view(type(name, bases, {"__doc__": bases[-1].__doc__, "__annotations__": dict(members), **given}))


def _own(name: str, bases: tuple[type[BaseModel], ...], fact: type) -> type:
    seen = OwnCaseFacts.model_fields["recorded_facts"].description
    facts: Any = (list[fact], Field(description=seen))  # type: ignore[valid-type]  # known only now
    members = tuple(each for each in bases if each is not BaseModel)
    return create_model(name, __base__=members, __doc__=OwnCaseHead.__doc__, recorded_facts=facts)
