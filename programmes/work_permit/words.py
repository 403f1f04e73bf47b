"""The work permit's own words, beside those of any case: stored and published as they stand here, never changed."""

from enum import StrEnum
from typing import Final

from domain.acts import ActMeaning
from domain.deadlines import DeadlineMeaning
from domain.evidence import EVIDENCE_WORDS
from domain.notices import BOTH, About, plan
from domain.tasks import TaskAction, TaskMeaning
from domain.words import CORE_WORDS, Words


class WorkPermitCommand(StrEnum):
    """What is asked of a work permit and of no other case."""

    OUTCOME = "work_permit_outcome"
    ENTERED = "work_permit_entered"
    APPLIED = "work_permit_residence_applied"
    RESIDENCE_OUTCOME = "work_permit_residence_outcome"
    REPORT_END = "work_permit_end"
    CANCEL = "work_permit_cancellation"


class WorkPermitProposal(StrEnum):
    """What is proposed of a work permit and waits for a second signature."""

    OUTCOME = "work_permit_outcome"


class WorkPermitAct(StrEnum):
    """What is done about a work permit; one ledger row for each."""

    AWAITED = "work_permit_awaited"
    OUTCOME_PROPOSED = "work_permit_outcome_proposed"
    ISSUED = "work_permit_issued"
    REFUSED = "work_permit_refused"
    WINDOW_OPENED = "work_permit_window_opened"
    EXPIRED = "work_permit_expired"
    EXTENSION_AWAITED = "work_permit_extension_awaited"
    EXTENDED = "work_permit_extended"
    EXTENSION_REFUSED = "work_permit_extension_refused"
    END_REPORTED = "work_permit_end_reported"
    CANCELLATION_ASKED = "work_permit_cancellation_asked"
    CANCELLED = "work_permit_cancelled"
    RESIDENCE_AWAITED = "work_permit_residence_awaited"
    ENTERED = "work_permit_entered"
    APPLIED = "work_permit_residence_applied"
    RESIDENCE_ISSUED = "work_permit_residence_issued"
    RESIDENCE_REFUSED = "work_permit_residence_refused"
    RESIDENCE_CLOSED = "work_permit_residence_closed"
    RESIDENCE_EXTENSION_DUE = "work_permit_residence_extension_due"


class WorkPermitDeadline(StrEnum):
    """What is due at a deadline of a work permit."""

    OUTCOME_EXPECTED = "work_permit_outcome_expected"
    WINDOW = "work_permit_window"
    EXPIRED = "work_permit_expired"
    CONTRACT_OVER = "work_permit_contract_over"
    CANCELLATION_DUE = "work_permit_cancellation_due"
    RESIDENCE_DUE = "work_permit_residence_due"
    RESIDENCE_EXPECTED = "work_permit_residence_expected"


class WorkPermitTask(StrEnum):
    """What a person is asked to do about a work permit."""

    OUTCOME_LATE = "work_permit_outcome_late"
    RESIDENCE_LATE = "work_permit_residence_late"
    CANCELLATION = "work_permit_cancellation"
    CANCELLATION_LATE = "work_permit_cancellation_late"


class WorkPermitStage(StrEnum):
    """Where the work permit stands with the authority, and once it is given."""

    AWAITED = "awaited"
    ISSUED = "issued"
    EXPIRING = "expiring"
    EXTENDING = "extending"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REFUSED = "refused"


class ResidenceStage(StrEnum):
    """Where the residence permit stands that goes with a work permit."""

    ENTRY_AWAITED = "entry_awaited"
    ENTERED = "entered"
    APPLIED = "applied"
    ISSUED = "issued"
    EXTENSION_DUE = "extension_due"
    REFUSED = "refused"
    CLOSED = "closed"


class WorkPermitNotice(StrEnum):
    """What is told of a work permit."""

    ISSUED = "work_permit_issued"
    REFUSED = "work_permit_refused"
    WINDOW = "work_permit_window"
    EXPIRED = "work_permit_expired"
    EXTENDED = "work_permit_extended"
    EXTENSION_REFUSED = "work_permit_extension_refused"
    CANCELLATION_DUE = "work_permit_cancellation_due"
    CANCELLATION_OVERDUE = "work_permit_cancellation_overdue"
    CANCELLED = "work_permit_cancelled"
    RESIDENCE_DUE = "work_permit_residence_due"
    RESIDENCE_OVERDUE = "work_permit_residence_overdue"
    RESIDENCE_ISSUED = "work_permit_residence_issued"
    RESIDENCE_REFUSED = "work_permit_residence_refused"
    RESIDENCE_EXTENSION_DUE = "work_permit_residence_extension_due"
    PROOF_FELL = "work_permit_proof_fell"


class WorkPermitDate(StrEnum):
    """The date that a notice of a work permit states."""

    VALID_FROM_AND_UNTIL = "work_permit_valid_from_and_until"
    VALID_UNTIL = "work_permit_valid_until"
    APPLY_BY = "work_permit_apply_by"


_A: Final = WorkPermitAct
_N: Final = WorkPermitNotice
_D: Final = WorkPermitDate
_TRACK: Final = About.TRACK
_LATE: Final = TaskMeaning(answers=(TaskAction.DONE,))
WORDS: Final = (
    CORE_WORDS
    | EVIDENCE_WORDS
    | Words(
        acts={
            **dict.fromkeys(WorkPermitAct, ActMeaning()),
            _A.OUTCOME_PROPOSED: ActMeaning(proposes=True),
            **dict.fromkeys((_A.RESIDENCE_ISSUED, _A.RESIDENCE_REFUSED), ActMeaning(judges=True)),
        },
        deadlines=dict.fromkeys(WorkPermitDeadline, DeadlineMeaning()),
        # A cancellation that is asked for is answered by the paper of the authority.
        tasks={**dict.fromkeys(WorkPermitTask, _LATE), WorkPermitTask.CANCELLATION: TaskMeaning()},
        notices={
            _N.ISSUED: plan(BOTH, _D.VALID_FROM_AND_UNTIL, about=_TRACK),
            _N.REFUSED: plan(BOTH, about=_TRACK),
            _N.WINDOW: plan(BOTH, _D.APPLY_BY, about=_TRACK),
            _N.EXPIRED: plan(BOTH, _D.VALID_UNTIL, about=_TRACK),
            _N.EXTENDED: plan(BOTH, _D.VALID_FROM_AND_UNTIL, about=_TRACK),
            _N.EXTENSION_REFUSED: plan(BOTH, _D.VALID_UNTIL, about=_TRACK),
            _N.CANCELLATION_DUE: plan(BOTH, _D.APPLY_BY, about=_TRACK),
            _N.CANCELLATION_OVERDUE: plan(BOTH, _D.APPLY_BY, about=_TRACK),
            _N.CANCELLED: plan(BOTH, about=_TRACK),
            _N.RESIDENCE_DUE: plan(BOTH, _D.APPLY_BY, about=_TRACK),
            _N.RESIDENCE_OVERDUE: plan(BOTH, _D.APPLY_BY, about=_TRACK),
            _N.RESIDENCE_ISSUED: plan(BOTH, _D.VALID_UNTIL, about=_TRACK),
            # There is no day left to apply again where the time for it has passed.
            _N.RESIDENCE_REFUSED: plan(BOTH, about=_TRACK),
            _N.RESIDENCE_EXTENSION_DUE: plan(BOTH, _D.APPLY_BY, about=_TRACK),
            _N.PROOF_FELL: plan(BOTH, _D.APPLY_BY, about=_TRACK),
        },
    )
)
