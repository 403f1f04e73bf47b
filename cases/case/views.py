"""What a case shows, each thing once: answers, lists and exports are made of these, and OpenAPI tells of them.

A member that a reader does not have is no member of its class: what staff sees beside is a class of its own below the
one that all see. The order of members is the order in which they are answered.
"""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Annotated, Any, Final, TypeVar, dataclass_transform
from uuid import UUID

from orjson import Fragment
from pydantic import Field, GetPydanticSchema, WithJsonSchema
from pydantic_core.core_schema import any_schema

from cases.shared.json_text import json_text
from domain.actors import Role
from domain.answers import AnswerState, Outcome
from domain.case_facts import ContestState, FactState
from domain.findings import Audience, FindingOutcome
from domain.registration import FactField
from domain.stages import AssessmentOutcome, Destination, DueKind, Holder, PermitStage, Stage
from domain.tasks import TaskKind

# Published as an object of no more than that.
_ANY: Final = GetPydanticSchema(lambda _source, _handler: any_schema())
_OBJECT: Final = {"additionalProperties": True, "type": "object"}
_OBJECTS: Final = WithJsonSchema({"items": _OBJECT, "type": "array"})
OBJECT_OR_NULL: Final = WithJsonSchema({"anyOf": [_OBJECT, {"type": "null"}]})
_FOR_STAFF: Final = Field(description="For staff and auditors.")
_View = TypeVar("_View")


@dataclass_transform(frozen_default=True, kw_only_default=True)
def view(class_: type[_View]) -> type[_View]:
    """Make a dataclass that the types let nobody change.

    At run time it is neither frozen nor has it slots: pages of cases are made of thousands of these, and a frozen one
    takes three times as long to make, one with slots twice as long to be written as JSON.
    """
    return dataclass(kw_only=True)(class_)


@view
class ParameterUsedView:
    """A value of the rule pack that a finding rests on, with where it comes from."""

    name: str
    value: bool | int | str
    unit: str | None
    reference: str
    status: str


@view
class FindingView:
    """What one rule found."""

    code: str
    outcome: FindingOutcome
    message: Annotated[str, Field(description="In the caller's language.")]
    source: str
    audience: Audience
    fields: tuple[str, ...]
    parameters: Annotated[
        tuple[ParameterUsedView, ...],
        _ANY,
        _OBJECTS,
        Field(description="Values of the rule pack used, each with its reference."),
    ]


class Findings(tuple[FindingView, ...]):
    """Findings that many cases show alike; as JSON they are written once."""

    @cached_property
    def written(self) -> Fragment:
        """Their JSON."""
        return Fragment(json_text(tuple(self)))


@view
class Placed:
    """What is said of one destination."""

    destination: Destination


@view
class ObstacleView(FindingView, Placed):
    """A finding that an officer would still be asked about before the permit of a destination is asked for."""


@view
class OpenPointView:
    """One thing that the employer is asked to mend."""

    code: Annotated[str, Field(description="A reason of use R, or the code of a finding.")]
    message: Annotated[str, Field(description="In the caller's language.")]
    field: Annotated[str | None, Field(description="The path of the field, the first where there are several.")]
    fields: tuple[str, ...]
    note: Annotated[str | None, Field(description="What the officer wrote for the employer.")]


@view
class PendingChangeView:
    """What the employer asked to have changed and an officer has yet to take or decline."""

    fields: list[str]
    asked_at: datetime
    due_at: datetime | None


@view
class RecordedFactView:
    """A fact that an officer recorded, without its content."""

    number: int
    field: FactField
    state: FactState
    contest: ContestState | None
    role: Annotated[Role, Field(description="Role of who saw it.")]
    round: int
    at: datetime


@view
class OpenedFactView(RecordedFactView):
    """A fact that an officer recorded, in clear."""

    value: Any
    seen_in: str
    given: Annotated[Any, Field(description="What had been given of the field when it was recorded.")]


@view
class OpenedFactForStaff(OpenedFactView):
    """A fact that an officer recorded, in clear, and who saw it."""

    subject: Annotated[str | None, Field(description="Who saw it; for staff and auditors.")] = None


@view
class MaskedPerson:
    """The person as every role sees them; the names are whole to the employer that gave them."""

    name_zh: Annotated[str | None, Field(examples=["曹○○"], description="Masked to staff and auditors.")]
    name_en: Annotated[str | None, Field(examples=["C○○ C○○"], description="Masked to staff and auditors.")]
    identity_number: Annotated[
        str | None,
        Field(examples=["4403**********123X"], description="Null where what was given cannot be opened."),
    ]
    language: str | None
    erased: Annotated[bool, Field(description="Whether what was given of the person was erased.")]


@view
class ReasonGivenView:
    """A reason that was given for a proposal; the note is null after an erasure as well."""

    code: str
    field: str | None
    note: str | None


@view
class ReasonAgainstView:
    """A reason for which a second signature was not given, in the reader's language too."""

    code: str
    field: str | None
    message: str
    note: str | None


@view
class ProposalView:
    """What waits for a second signature: who proposed it, when (as it was kept), and why."""

    by: str
    role: str
    at: str
    reasons: tuple[ReasonGivenView, ...]
    note: str | None


@view
class DepartureProposalView(ProposalView):
    """A departure that staff reported and that waits for a second signature."""

    last_day: str
    late: bool


@view
class RejectionView:
    """Why the last second signature was not given, for the proposer and other staff."""

    act: str
    by: str
    role: str
    at: str
    reasons: tuple[ReasonAgainstView, ...]
    note: str | None


@view
class SignerView:
    """Who signed."""

    role: str
    issuer: str
    subject: str


@view
class HoldView:
    """An officer's hold, without its note; time and day as they were kept."""

    at: str
    by: SignerView
    reason: str
    review_on: str


@view
class LegalHoldView:
    """A legal hold that stands; its time as PostgreSQL wrote it."""

    id: str
    reason: str
    placed_at: str


@view
class CaseTaskView:
    """An open task of a case."""

    id: UUID
    kind: TaskKind
    holder: str | None
    destination: str | None
    destinations: list[str]


@view
class HeldAnswerView:
    """An answer of the authority that was kept and not applied."""

    outcome_id: str
    outcome: Outcome
    destination: str
    state: AnswerState


@view
class EarlierTermView:
    """Number and term of a permit before a newer one; days as they were kept."""

    entries: str | None
    stay_days: int | None
    valid_from: str | None
    valid_until: str | None
    authority_number: str | None


@view
class AuthorityReasonView:
    """Why the authority refused or revoked, in its own words."""

    code: str | None
    text: str | None


@view
class PermitView:
    """The talent permit of one destination."""

    destination: Destination
    stage: PermitStage | None
    authority_number: str | None
    valid_from: date | None
    valid_until: date | None
    stay_days: int | None
    entries: str | None
    in_force: bool
    sent_at: datetime | None
    accepted_on: date | None
    due_at: datetime | None
    reported_at: datetime | None
    card_lost_on: date | None
    end_reason: str | None


@view
class PermitForStaff(PermitView):
    """The talent permit of one destination as staff and auditors see it."""

    pending_act: Annotated[str | None, _FOR_STAFF] = None
    rejected: Annotated[
        RejectionView | None,
        OBJECT_OR_NULL,
        Field(title="Rejected", description="Why the last second signature was not given; for staff and auditors."),
    ] = None
    earlier: Annotated[
        tuple[EarlierTermView, ...], _OBJECTS, Field(description="Numbers and dates before a replacement.")
    ] = ()
    findings: Annotated[tuple[FindingView, ...], _FOR_STAFF] = ()


@view
class PermitAnsweredFor(PermitForStaff):
    """A permit for which the authority gave a reason, as staff and auditors see it; none after an erasure."""

    authority_reason: Annotated[
        AuthorityReasonView | None,
        OBJECT_OR_NULL,
        Field(title="Authority Reason", description="For staff and auditors."),
    ] = None


@view
class CaseView:
    """A case as its reader may see it."""

    reference: Annotated[str, Field(examples=["HT-7K2M-9QXA-J"])]
    programme: Annotated[str, Field(examples=["talent_permit"], description="The programme that the case is of.")]
    client_reference: str | None
    employer_id: str
    workflow_id: str
    stage: Stage
    round: int
    destinations: tuple[Destination, ...]
    policy_version: str
    assessment: AssessmentOutcome | None
    findings: tuple[FindingView, ...]
    pending_change: PendingChangeView | None
    open_points: Annotated[
        tuple[OpenPointView, ...], Field(description="What the employer is asked to mend, until it answers.")
    ]
    accepted_at: datetime
    due_at: datetime | None
    due_kind: DueKind | None
    due_provisional: bool
    clock: str | None
    holder: Holder
    registration_number: Annotated[str | None, Field(examples=["HR-2026-000123-P"])]
    end_reason: str | None
    ended_on: date | None
    in_force: bool
    updated_at: datetime
    person: MaskedPerson
    recorded_facts: Annotated[
        tuple[RecordedFactView, ...],
        Field(description="What officers saw, beside what was given; in clear at its own address."),
    ] = ()
    permits: tuple[PermitView, ...]


@view
class CaseForStaff(CaseView):
    """A case as staff and auditors see it."""

    pending_act: str | None
    pending: ProposalView | None
    rejected: RejectionView | None
    hold: HoldView | None
    standing_hold: bool
    legal_holds: tuple[LegalHoldView, ...]
    erased_at: datetime | None
    overdue: bool
    contested: bool
    returns: int
    settles_at: datetime | None
    tasks: tuple[CaseTaskView, ...]
    held_answers: tuple[HeldAnswerView, ...]


@view
class CaseLookingAhead(CaseForStaff):
    """A case after an act of staff, with what would still stand in the way of each permit."""

    permit_obstacles: tuple[ObstacleView, ...]


@view
class CaseAfterFact(CaseLookingAhead):
    """A case under review after a fact was recorded, and whether it takes two people to approve now."""

    approval_needs_second_signature: bool


@view
class CheckView:
    """What the rules would find today."""

    outcome: AssessmentOutcome
    findings: tuple[FindingView, ...]
