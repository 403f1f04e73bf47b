"""What travels through Temporal: references, codes, times and versions, never a name, a number or free text."""

from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from domain.commands import CommandState
from domain.spellings import ARCHIVE_WORKFLOW as ARCHIVE_WORKFLOW
from domain.spellings import AUTHORITY_POLL_WORKFLOW as AUTHORITY_POLL_WORKFLOW
from domain.spellings import CASE_GONE as CASE_GONE
from domain.spellings import COMMAND_SIGNAL as COMMAND_SIGNAL
from domain.spellings import DECIDE_UPDATE as DECIDE_UPDATE
from domain.spellings import DECISION_SIGNAL as DECISION_SIGNAL
from domain.spellings import NOTICE_QUEUE as NOTICE_QUEUE
from domain.spellings import NOTIFICATION_WORKFLOW as NOTIFICATION_WORKFLOW
from domain.spellings import RECONCILIATION_WORKFLOW as RECONCILIATION_WORKFLOW
from domain.spellings import REGISTRATION_QUEUE as REGISTRATION_QUEUE
from domain.spellings import RETENTION_WORKFLOW as RETENTION_WORKFLOW
from domain.spellings import SEAL_CHECK_WORKFLOW as SEAL_CHECK_WORKFLOW
from domain.spellings import STANDING_WORKFLOW as STANDING_WORKFLOW
from domain.spellings import STATUS_QUERY as STATUS_QUERY
from domain.stages import Stage

# All that Temporal's workers serve; a worker serves all of them unless it is told which (`HETAO_WORKER_QUEUES`).
QUEUES: Final = (REGISTRATION_QUEUE, NOTICE_QUEUE)


class LastRun(StrEnum):
    """What became of the last run of a case's workflow, as Temporal knows it."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TERMINATED = "terminated"
    TIMED_OUT = "timed_out"
    MISSING = "missing"


class Message(BaseModel):
    """A message: frozen; a field of a later version is ignored, so that old and new workers can meet in a roll-out."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class OutwardCall(Message):
    """A call to the authority that is due: its domain key and the time from which it may be made."""

    key: str
    attempt: int = 1


class CommandOutcome(Message):
    """What became of one command: its id, state and, where refused, the published problem code."""

    command_id: str
    state: CommandState
    code: str | None = None
    detail: str = ""


class Course(Message):
    """Where a case stands after a step and what it waits for: all that the workflow needs to go on.

    `version` grows with every change of the register, so that of two courses the newer one is known. `epoch` grows
    with every restore of it that was declared: whatever a workflow remembers of an older epoch yields to the register
    as it was restored, where versions begin lower again. `recorded` is the end of the case's chain in the ledger, its
    number and hash, so that Temporal's history bears witness to it.
    """

    epoch: int = 0
    version: int = 0
    stage: Stage
    round: int = 1
    wake_at: datetime | None = None
    wake_for: str | None = None
    calls: tuple[OutwardCall, ...] = ()
    to_assess: bool = False
    rests: bool = False
    finished: bool = False
    outcomes: tuple[CommandOutcome, ...] = ()
    recorded: tuple[int, str] | None = None

    @property
    def age(self) -> tuple[int, int]:
        """What tells a newer course from an older one."""
        return self.epoch, self.version


class CaseInput(Message):
    """Start of a case, or its continuation as new: the course carries the state over."""

    reference: str
    correlation_id: str = ""
    course: Course | None = None


class Origin(Message):
    """Where in Temporal's histories an act was asked for: the workflow, its run, and the number of its last event."""

    workflow_id: str
    run_id: str | None = None
    event_id: int | None = None


class Asked(Message):
    """What a workflow asks a step to do.

    `event_id` is the number of the history event after which it asked; 0 where it is not known.
    """

    event_id: int = 0


class StepInput(Asked):
    """One step of a case: the reference and the workflow's own time, which is the business time of what it does.

    `correlation_id` is of the call that began the case, `call_id` of the one that was heard last.
    """

    reference: str
    at: datetime
    workflow_run_id: str = ""
    correlation_id: str = ""
    call_id: str = ""

    @property
    def caller(self) -> str:
        """The correlation id of the call that it is done for: the one heard last, or the one that began the case."""
        return self.call_id or self.correlation_id


class CallInput(StepInput):
    """One outward call of a case, by its key."""

    key: str


class IncidentInput(StepInput):
    """A step that failed for a defect, by its name, the type of the error, and where in the code it was raised."""

    step: str
    reason: str
    place: str = ""


class CommandRef(Message):
    """The id of a stored command, the only content of a message about it, and whether it resumes a stopped case."""

    command_id: str
    correlation_id: str = ""
    is_resume: bool = False

    def uuid(self) -> UUID:
        """Return the id as the register keeps it."""
        return UUID(self.command_id)


class DecisionSignal(Message):
    """A decision sent by another system: codes and a person's signed actor statement, no free text (design, 4.6)."""

    message_id: str
    action: str
    round: int
    reasons: tuple[str, ...] = ()
    statement: str


class SignalledDecision(StepInput):
    """A signalled decision on its way into the commands."""

    decision: DecisionSignal


class DeliveryRound(Asked):
    """One round of deliveries on one channel."""

    channel: str
    rounds: int = 0


class DeliveryCount(Message):
    """What a round of deliveries did."""

    sent: int = 0
    failed: int = 0
    later: int = 0


class PollInput(Asked):
    """One look at what the authority answered since the cursor, and at answers that are late."""

    at: datetime


class StandingInput(Asked):
    """A change of an employer's standing that every live case of the employer has to hear of."""

    change_id: str
    at: datetime


class StandingPlan(Message):
    """What spreading a change of standing takes: from when it holds, and whether the authority is to be told."""

    begins_at: datetime
    leaves_park: bool = False


class ArchiveRound(Asked):
    """One round of copying closed runs into the archive."""

    at: datetime


class ArchiveCount(Message):
    """What a round of the archive did."""

    seen: int = 0
    archived: int = 0


class ReconciliationRound(Asked):
    """One nightly look at the archive and at the records of all cases."""

    at: datetime


class SweepCount(Message):
    """What holding Temporal's list against the archive came to."""

    seen: int = 0
    archived: int = 0
    missing: int = 0


class ReconciliationCount(Message):
    """What comparing the records of all cases came to; `unchecked` counts those that could not be compared.

    `without_workflow` counts cases that are not finished and that Temporal knows no running workflow of.
    """

    cases: int = 0
    differing: int = 0
    differences: int = 0
    unchecked: int = 0
    without_workflow: int = 0


class SealRound(Asked):
    """One nightly look at the whole seal."""

    at: datetime


class SealCount(Message):
    """What checking the whole seal came to."""

    leaves: int = 0
    differences: int = 0


class RetentionRound(Asked):
    """One nightly look at what was kept long enough."""

    at: datetime


class RetentionCount(Message):
    """What a round of retention did; `kept` counts persons whom something kept after all."""

    erased: int = 0
    kept: int = 0
    answers: int = 0
    rosters: int = 0
    not_replayed: int = 0
