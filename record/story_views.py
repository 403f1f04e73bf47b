"""What auditors are shown of a case's story; the order of members is the order in which they are answered."""

from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field

from cases.shared.views import Coded, Filled, Time
from domain.findings import AssessmentScope, Audience, FindingOutcome
from domain.stages import Holder, Stage
from domain.tracks import TrackKey, TrackStage


@dataclass(frozen=True, kw_only=True)
class StoodPermit:
    """Where the permit of a destination stood."""

    destination: Annotated[str, Coded(TrackKey)]
    stage: Annotated[str, Coded(TrackStage)]
    pending_act: str | None
    waits_for: Holder


@dataclass(frozen=True, kw_only=True)
class DueView:
    """Until when somebody was to act."""

    at: Time
    kind: str


@dataclass(frozen=True, kw_only=True)
class TaskThen:
    """A task that was open."""

    kind: str
    destination: Annotated[str | None, Coded(TrackKey | None)]
    round: int
    opened_at: Time
    holder: Annotated[str | None, Field(description="Issuer and subject; null where it was free.")]


@dataclass(frozen=True, kw_only=True)
class FindingThen:
    """What one rule had found."""

    code: str
    outcome: Annotated[str, Coded(FindingOutcome)]
    source: str
    audience: Annotated[str, Coded(Audience)]
    fields: list[str]
    parameters: Annotated[
        list[dict[str, Any]], Field(description="Values of the rule pack used, each with its reference.")
    ]
    message: Annotated[str, Field(description="In the caller's language.")]


@dataclass(frozen=True, kw_only=True)
class FindingsThen:
    """What the newest assessment of a scope of rules had found."""

    scope: Annotated[str, Coded(AssessmentScope)]
    seq: int
    round: int
    at: Time
    rule_version: str
    rule_hash: str
    findings: list[FindingThen]


@dataclass(frozen=True, kw_only=True)
class StageThen:
    """Where a case stood by the rows of its chain."""

    stage: Stage
    round: int
    pending_act: str | None
    holds: Annotated[list[str], Field(description="`officer`, `employer_standing`.")]
    registration_number: str | None
    waits_for: Holder
    permits: list[StoodPermit]


@dataclass(frozen=True, kw_only=True)
class Particulars:
    """What a case had beside its stage."""

    facts_version: Annotated[int | None, Field(description="Which version of the application held.")]
    due: Annotated[
        DueView | None, Field(description="The limit on the registration, by the ledger; null where none ran.")
    ]
    tasks: list[TaskThen]
    findings: list[FindingsThen]


@dataclass(frozen=True, kw_only=True)
class StoodView(Particulars, StageThen):
    """Where a case stood."""


@dataclass(frozen=True, kw_only=True)
class WaitView:
    """For whom was waited, and how long."""

    for_: Annotated[Holder, Field(alias="for", description="For whom.")]
    seconds: int
    says: str


@dataclass(frozen=True, kw_only=True)
class EndedWaitView:
    """The wait that an act ended."""

    for_: Annotated[Holder, Field(alias="for", description="For whom.")]
    since: Time
    seconds: int
    says: str


@dataclass(frozen=True, kw_only=True)
class RunView:
    """One run of the case's workflow."""

    run_id: str
    status: str
    started_at: Time
    closed_at: Time | None
    events: int
    sha256: Annotated[
        str | None, Field(description="Of the whole history in its written form; null while the run is open.")
    ]
    problem: Annotated[str | None, Field(description="Why its history cannot be shown.")]


@dataclass(frozen=True, kw_only=True)
class WhoActed:
    """Who acted."""

    role: str
    subject: str
    issuer: str


@dataclass(frozen=True, kw_only=True)
class SaidReason:
    """A reason that was given."""

    code: str
    says: Annotated[str | None, Field(description="In the caller's language; null for a code without a sentence.")]


@dataclass(frozen=True, kw_only=True)
class ReceiptTold:
    """What a provider said of a delivery later."""

    status: str
    at: Time


@dataclass(frozen=True, kw_only=True)
class DeliveryTold(Filled):
    """How far a notice had got through one channel; what does not apply is left out."""

    channel: str
    status: str
    attempts: int | None = None
    sent_at: Time | None = None
    settled_at: Time | None = None
    reason: str | None = None
    receipts: list[ReceiptTold] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class RowPlace:
    """A row of the ledger, and the event of the history after which its step was asked for."""

    chain: str
    seq: int
    run_id: str | None
    event_id: int | None


@dataclass(frozen=True, kw_only=True)
class EventPlace:
    """An event of a history."""

    run_id: str
    event_id: int


@dataclass(frozen=True, kw_only=True)
class NoticePlace:
    """A notice."""

    notice_id: str


@dataclass(frozen=True, kw_only=True)
class StoryItem(Filled):
    """One thing that happened; what does not apply is left out."""

    at: Time
    placed_at: Annotated[
        Time | None,
        Field(description="Where it stands in the order, for an act that was asked for before rows it follows."),
    ] = None
    source: Annotated[str, Field(description="`ledger`, `history` or `notice`.")]
    what: Annotated[str, Field(description="Code of the act, the event or the notice.")]
    says: Annotated[str, Field(description="In the caller's language.")]
    who: WhoActed | None = None
    stage: Annotated[str | None, Field(description="The stage that it led to.")] = None
    round: int | None = None
    outcome: str | None = None
    destination: str | None = None
    reasons: Annotated[list[SaidReason] | None, Field(description="Codes, each with its sentence.")] = None
    purpose: Annotated[str | None, Field(description="What data was opened for.")] = None
    rule_version: str | None = None
    detail: dict[str, Any] | None = None
    deliveries: Annotated[list[DeliveryTold] | None, Field(description="How far a notice got, channel by channel.")] = (
        None
    )
    place: Annotated[
        RowPlace | EventPlace | NoticePlace,
        Coded(dict[str, Any]),
        Field(description="Chain and number in the ledger, run and event, or notice."),
    ]
    waited: Annotated[EndedWaitView | None, Field(description="The wait that it ended.")] = None


@dataclass(frozen=True, kw_only=True)
class Story:
    """A page of the story of a case."""

    reference: str
    as_of: Time | None
    state: Annotated[
        StoodView | None, Field(description="Where the case stood then, or stands now; null before it was there.")
    ]
    waits: list[WaitView]
    runs: list[RunView]
    complete: Annotated[bool, Field(description="False while a history can be neither read live nor from the archive.")]
    items: list[StoryItem]


@dataclass(frozen=True, kw_only=True)
class StoryView(Story):
    """A page of the story of a case."""

    next_cursor: Annotated[str | None, Field(description="`cursor` of the next page; null on the last.")]
