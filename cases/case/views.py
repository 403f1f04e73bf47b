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
from cases.shared.views import Coded
from domain.actors import Role
from domain.case_facts import ContestState, FactState
from domain.documents import DocumentKind
from domain.findings import Audience, FindingOutcome
from domain.stages import AssessmentOutcome, DueKind, Holder, Stage
from domain.tasks import TaskKind

# Published as an object of no more than that.
_ANY: Final = GetPydanticSchema(lambda _source, _handler: any_schema())
_OBJECT: Final = {"additionalProperties": True, "type": "object"}
OBJECTS: Final = WithJsonSchema({"items": _OBJECT, "type": "array"})
OBJECT_OR_NULL: Final = WithJsonSchema({"anyOf": [_OBJECT, {"type": "null"}]})
FOR_STAFF: Final = Field(description="For staff and auditors.")
FACTS_SEEN: Final = Field(description="What officers saw, beside what was given; in clear at its own address.")
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
        OBJECTS,
        Field(description="Values of the rule pack used, each with its reference."),
    ]


class Findings(tuple[FindingView, ...]):
    """Findings that many cases show alike; as JSON they are written once."""

    @cached_property
    def written(self) -> Fragment:
        """Their JSON."""
        return Fragment(json_text(tuple(self)))


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
class AnyFactView:
    """A fact that an officer recorded, without its content."""

    number: int
    field: str
    state: FactState
    contest: ContestState | None
    role: Annotated[Role, Field(description="Role of who saw it.")]
    round: int
    at: datetime


@view
class AnyOpenedFactView(AnyFactView):
    """A fact that an officer recorded, in clear."""

    value: Any
    seen_in: str
    given: Annotated[Any, Field(description="What had been given of the field when it was recorded.")]


@view
class OpenedFactForStaff(AnyOpenedFactView):
    """A fact that an officer recorded, in clear, and who saw it."""

    subject: Annotated[str | None, Field(description="Who saw it; for staff and auditors.")] = None


@view
class MaskedDocument:
    """A document by which a person is known, its number masked."""

    kind: Annotated[str, Coded(DocumentKind)]
    place: Annotated[str, Field(description="Who issued it, as two letters of ISO 3166-1.", examples=["HK"])]
    number: Annotated[str, Field(examples=["A*****63"])]


@view
class MaskedPerson:
    """The person as every role sees them; the names are whole to the employer that gave them."""

    name_zh: Annotated[str | None, Field(examples=["曹○○"], description="Masked to staff and auditors.")]
    name_en: Annotated[str | None, Field(examples=["C○○ C○○"], description="Masked to staff and auditors.")]
    identity_number: Annotated[
        str | None,
        Field(examples=["4403**********123X"], description="Null where what was given cannot be opened."),
    ]
    document: Annotated[
        MaskedDocument | None, Field(description="Where the person is known by another document than that number.")
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
class SignedProposalView(ProposalView):
    """A decision that has its last signature and cools off: who gave it, who may take it back too, and when."""

    signed_by: str
    signed_at: str


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
class LegalHoldShown:
    """A legal hold that stands; its time as PostgreSQL wrote it."""

    id: str
    reason: str
    placed_at: str


@view
class ChangedFindingView:
    """A finding that came, went or came out otherwise; null where there was none."""

    code: str
    before: FindingOutcome | None
    after: FindingOutcome | None


@view
class AmendmentView:
    """What changed by what was given again under review; old and new values stand at an address of their own."""

    round: Annotated[int, Field(description="The round that it began.")]
    at: str
    fields: Annotated[list[str], Field(examples=[["employment.work_site"]], description="Paths of what changed.")]
    findings: list[ChangedFindingView]


@view
class CaseTaskView:
    """An open task of a case."""

    id: UUID
    kind: Annotated[str, Coded(TaskKind)]
    holder: str | None
    destination: str | None
    destinations: list[str]


@view
class ObjectionShown:
    """An objection against a decision: to staff those of both sides, to any other reader those of their own."""

    id: UUID
    against: str
    destination: str | None
    by: str
    at: datetime
    due_at: datetime
    state: str


@view
class CaseHead:
    """What a case shows first: which it is, and where it stands."""

    reference: Annotated[str, Field(examples=["HT-7K2M-9QXA-J"])]
    programme: Annotated[str, Field(description="The programme that the case is of.")]
    client_reference: str | None
    employer_id: str
    workflow_id: str
    stage: Stage
    round: int


@view
class CaseBody:
    """What a case shows of its assessment, its dates and its person."""

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
    objections: Annotated[
        tuple[ObjectionShown, ...], Field(description="Objections against decisions, as far as the reader may know.")
    ] = ()
    recorded_facts: Annotated[tuple[AnyFactView, ...], FACTS_SEEN] = ()


@view
class AnyCaseView(CaseBody, CaseHead):
    """A case as its reader may see it, whatever its programme.

    A programme's own is a class below this one, with members of its own between these parts: dataclasses put members in
    the order of the classes that they inherit from, read from the last to the first.
    """


@view
class SeenByStaff:
    """What staff and auditors see of a case beside."""

    pending_act: str | None
    pending: ProposalView | None
    rejected: RejectionView | None
    hold: HoldView | None
    standing_hold: bool
    legal_holds: tuple[LegalHoldShown, ...]
    erased_at: datetime | None
    overdue: bool
    contested: bool
    returns: int
    differences: tuple[AmendmentView, ...]
    settles_at: datetime | None
    waits_for_transfer: Annotated[
        bool, Field(description="Whether it takes effect only once the person's case at the employer before has ended.")
    ]
    tasks: tuple[CaseTaskView, ...]


@view
class CaseForStaff(SeenByStaff, AnyCaseView):
    """A case as staff and auditors see it, whatever its programme."""


@view
class CheckView:
    """What the rules would find today."""

    outcome: AssessmentOutcome
    findings: tuple[FindingView, ...]


@view
class CaseAnswered:
    """What an answer has of a case beside what it shows: its links, and members that only some answers have."""

    links: dict[str, str]
    rejected: Annotated[
        dict[str, Any] | None,
        Field(description="Why the last second signature was not given; for staff and auditors."),
    ] = None
    approval_needs_second_signature: Annotated[
        bool | None,
        Field(description="In the answer to a recorded fact: whether it takes two people to approve now."),
    ] = None


@view
class CaseAnsweredToStaff:
    """What an answer to staff may have beside, in one class with what outsiders are answered."""

    pending: Annotated[Any, Field(description="True while a stored act waits for the engine; else the proposal.")] = (
        None
    )
    pending_because: Annotated[
        str | None,
        Field(description="With `pending: true`: whether the engine gave no answer (`not_answered`) or `failed`."),
    ] = None
    pending_act: Annotated[str | None, Field(description="What is proposed; for staff and auditors.")] = None
    hold: Annotated[dict[str, Any] | None, Field(description="An officer's hold; for staff and auditors.")] = None
    standing_hold: Annotated[bool | None, Field(description="Held by the employer's standing; for staff.")] = None
    legal_holds: Annotated[tuple[dict[str, Any], ...], Field(description="For staff and auditors.")] = ()
    erased_at: Annotated[datetime | None, Field(description="For staff and auditors.")] = None
    overdue: Annotated[bool | None, Field(description="For staff and auditors.")] = None
    contested: Annotated[bool | None, Field(description="Whether a finding is contested; for staff and auditors.")] = (
        None
    )
    returns: Annotated[int | None, Field(description="How often it was returned; for staff and auditors.")] = None
    differences: Annotated[
        tuple[AmendmentView, ...],
        Field(description="What changed under review, oldest first; for staff and auditors."),
    ] = ()
    settles_at: Annotated[
        datetime | None, Field(description="When the decision takes effect, if signed; for staff.")
    ] = None
    waits_for_transfer: Annotated[bool | None, Field(description="For staff and auditors.")] = None
    tasks: Annotated[tuple[CaseTaskView, ...], Field(description="For staff and auditors.")] = ()
