"""The appraisal's own words, beside those of any case: stored and published as they stand here, never changed."""

from enum import StrEnum
from typing import Final

from domain.acts import ActMeaning
from domain.deadlines import DeadlineMeaning
from domain.evidence import EVIDENCE_WORDS
from domain.notices import EMPLOYER, M_AND_S, M_THEN_S, Recipient, StatedDate, plan
from domain.reasons import DESIGN, NONE_FOUND, Reasons, ReasonStanding, Use, reason
from domain.reasons import ReasonCode as Core
from domain.tasks import TaskAction, TaskMeaning
from domain.words import CORE_WORDS, Words, owned_by_persons


class AppraisalCommand(StrEnum):
    """What is asked of an appraisal and of no other case: the first three by the employer, of its part."""

    CONFIRM = "appraisal_confirm"
    DENY = "appraisal_deny"
    LEAVE = "appraisal_leave"
    SUSPEND = "appraisal_suspend"
    RESTORE = "appraisal_restore"
    REVOKE = "appraisal_revoke"


class AppraisalAct(StrEnum):
    """What is done about an appraisal; one ledger row for each."""

    ASKED = "appraisal_asked"
    CONFIRMED = "appraisal_confirmed"
    DENIED = "appraisal_denied"
    UNANSWERED = "appraisal_unanswered"
    LEAVING = "appraisal_leaving"
    LEFT = "appraisal_left"
    RECOGNISED = "appraisal_recognised"
    SUSPENDED = "appraisal_suspended"
    RESTORED = "appraisal_restored"
    REAPPRAISED = "appraisal_reappraised"
    EXPIRED = "appraisal_expired"
    REVOCATION_PROPOSED = "appraisal_revocation_proposed"
    REVOKED = "appraisal_revoked"
    CLOSED = "appraisal_closed"
    ENDED = "appraisal_ended"


class AppraisalProposal(StrEnum):
    """What is proposed of an appraisal and waits for a second signature."""

    REVOKE = "appraisal_revoke"


class AppraisalDeadline(StrEnum):
    """What is due at a deadline of an appraisal."""

    CONFIRMATION = "appraisal_confirmation"
    LEAVING = "appraisal_leaving"
    EXPIRING = "appraisal_expiring"
    EXPIRED = "appraisal_expired"
    OVER = "appraisal_over"


class AppraisalTask(StrEnum):
    """What an officer is asked to do about an appraisal."""

    EMPLOYMENT = "appraisal_employment"


class AppraisalNotice(StrEnum):
    """What is told of an appraisal: the first to the employer who confirms, all else to the person."""

    ASKED = "appraisal_asked"
    RECOGNISED = "appraisal_recognised"
    SUSPENDED = "appraisal_suspended"
    RESTORED = "appraisal_restored"
    REVOKED = "appraisal_revoked"
    EXPIRING = "appraisal_expiring"
    EXPIRED = "appraisal_expired"


class EmploymentStage(StrEnum):
    """Stages of an employment, as the employer says it is."""

    ASKED = "asked"
    CONFIRMED = "confirmed"
    DENIED = "denied"
    UNANSWERED = "unanswered"
    LEFT = "left"


class RecognitionStage(StrEnum):
    """Stages of a recognition."""

    VALID = "valid"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    REVOKED = "revoked"


class AppraisalUse(StrEnum):
    """What a reason is given for of an appraisal and of no other case."""

    SUSPEND = "AS"
    REVOKE = "AR"


class AppraisalReason(StrEnum):
    """A reason of an appraisal."""

    NOT_LISTED = "appraisal_not_listed"
    MARK_NOT_REACHED = "appraisal_mark_not_reached"
    UNPROVED = "appraisal_unproved"
    EMPLOYMENT_UNCONFIRMED = "appraisal_employment_unconfirmed"
    EMPLOYMENT_ENDED = "appraisal_employment_ended"
    EMPLOYER_LEFT = "appraisal_employer_left"
    EVIDENCE_FALLEN = "appraisal_evidence_fallen"
    REVOKED = "appraisal_revoked"
    EXPIRED = "appraisal_expired"


_R: Final = AppraisalReason
_U: Final = ReasonStanding.UNCONFIRMED
_GROUNDS: Final = frozenset({Use.REFUSE, *AppraisalUse})
_ROWS: Final = (
    ((_R.NOT_LISTED, _R.MARK_NOT_REACHED), (Use.REFUSE,), NONE_FOUND),
    ((_R.UNPROVED,), (Use.RETURN, Use.REFUSE), NONE_FOUND),
    ((_R.EMPLOYMENT_UNCONFIRMED,), (Use.RETURN, Use.REFUSE, AppraisalUse.SUSPEND), NONE_FOUND),
    ((_R.EMPLOYMENT_ENDED, _R.EMPLOYER_LEFT), (AppraisalUse.SUSPEND,), DESIGN),
    ((_R.EVIDENCE_FALLEN,), tuple(AppraisalUse), DESIGN),
    ((Core.FALSE_STATEMENT,), (AppraisalUse.REVOKE,), NONE_FOUND),
    ((Core.DECIDED_IN_ERROR,), (AppraisalUse.REVOKE,), NONE_FOUND),
    ((Core.FALSE_STATEMENT_SUSPECTED, Core.OTHER_AUTHORITY_ASKED), (AppraisalUse.SUSPEND,), DESIGN),
    # The engine's own words for how a case ended; given for nothing.
    ((_R.REVOKED, _R.EXPIRED), (), DESIGN),
)
_REASONS: Final[Reasons] = {
    code: reason(code, uses, source, _U, grounds=_GROUNDS) for codes, uses, source in _ROWS for code in codes
}
_PERSON: Final = {Recipient.PERSON: M_THEN_S}
_N: Final = AppraisalNotice
_A: Final = AppraisalAct
WORDS: Final = owned_by_persons(CORE_WORDS | EVIDENCE_WORDS) | Words(
    acts={
        **dict.fromkeys(AppraisalAct, ActMeaning()),
        **dict.fromkeys((_A.SUSPENDED, _A.RESTORED), ActMeaning(judges=True)),
        _A.REVOCATION_PROPOSED: ActMeaning(ruled=True, proposes=True),
        _A.REVOKED: ActMeaning(ruled=True, signs=True),
    },
    deadlines=dict.fromkeys(AppraisalDeadline, DeadlineMeaning()),
    tasks={AppraisalTask.EMPLOYMENT: TaskMeaning(answers=(TaskAction.DONE,))},
    notices={
        _N.ASKED: plan(EMPLOYER),
        **dict.fromkeys(
            (_N.RECOGNISED, _N.SUSPENDED, _N.RESTORED, _N.EXPIRING, _N.EXPIRED),
            plan(_PERSON, without_employer=True),
        ),
        _N.REVOKED: plan({Recipient.PERSON: M_AND_S}, StatedDate.REMEDY, is_letter=True, without_employer=True),
    },
    reasons=_REASONS,
    uses=tuple(AppraisalUse),
)
