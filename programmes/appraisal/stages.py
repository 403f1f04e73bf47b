"""What happens to an appraisal beside the front half, to its employment and its recognition, as rows that act."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from cases.case.file import CaseFile
from cases.case.moves import ALL, At, Counted, Move, Moves, Notice, Opens, Track, Who
from cases.deadlines.stated import within_decision_days
from cases.moves.changing import changing
from cases.moves.evidence import EVIDENCE_MOVES, taking_over
from cases.moves.front_half import (
    COOLED,
    EMPLOYER,
    OFFICER,
    PERSON,
    TIMER,
    front_half,
    last_signer,
    need_no_proposal,
    of_case,
    proposed,
    rejected,
    second_signer,
)
from cases.moves.objecting import objecting, set_aside
from cases.moves.renewals import renewal_moves
from domain.actors import STAFF, Role
from domain.stages import Stage
from domain.tasks import TaskKind
from programmes.appraisal.tables import EMPLOYMENTS, RECOGNITIONS
from programmes.appraisal.words import (
    AppraisalAct,
    AppraisalNotice,
    AppraisalProposal,
    AppraisalTask,
    EmploymentStage,
    RecognitionStage,
)


class AppraisalEvent(StrEnum):
    """What can happen to an appraisal itself once it is decided, beside what can to any case."""

    REVOKE = "appraisal_revoke"
    CONFIRM_REVOCATION = "appraisal_confirm_revocation"
    REJECT_REVOCATION = "appraisal_reject_revocation"
    RECALL_REVOCATION = "appraisal_recall_revocation"
    REVOKED = "appraisal_revoked"
    SET_ASIDE_REVOCATION = "appraisal_set_aside_revocation"
    OVER = "appraisal_over"


class EmploymentEvent(StrEnum):
    """What can happen to the employment."""

    ASK = "ask"
    ASK_ANEW = "ask_anew"
    CONFIRM = "confirm"
    DENY = "deny"
    OVER = "over"
    OVER_LATER = "over_later"
    LEAVE = "leave"
    LEFT = "left"


class RecognitionEvent(StrEnum):
    """What can happen to the recognition."""

    RECOGNISE = "recognise"
    SUSPEND = "suspend"
    FALL = "fall"
    RESTORE = "restore"
    LIFT = "lift"
    REVOKE = "revoke"
    REVIVE = "revive"
    REVIVE_SUSPENDED = "revive_suspended"
    EXPIRING = "expiring"
    EXPIRE = "expire"
    REAPPRAISE = "reappraise"


class EmploymentKey(StrEnum):
    """By what the ledger names the employment."""

    EMPLOYMENT = "employment"


class RecognitionKey(StrEnum):
    """By what the ledger names the recognition."""

    RECOGNITION = "recognition"


_APPROVED: Final = frozenset({Stage.APPROVED})
_ASKED: Final = frozenset({EmploymentStage.ASKED})
_VALID: Final = frozenset({RecognitionStage.VALID})
_SUSPENDED: Final = frozenset({RecognitionStage.SUSPENDED})
_BY_ITSELF: Final = Who("engine", frozenset({Role.SYSTEM}), asked=False)
_CHANGED: Final = Who("once a change is taken", frozenset(Role), asked=False)
_REVOKED: Final = frozenset({RecognitionStage.REVOKED})
_SET_ASIDE: Final = Who("once its revocation is set aside", STAFF, asked=False)
_RUNS: Final = _VALID | _SUSPENDED
_FALLS: Final = Who("what befalls employment or evidence", frozenset(Role), asked=False)
_SIGNER: Final = second_signer(AppraisalProposal.REVOKE)

MOVES: Final = Moves(
    *front_half(PERSON),
    *objecting(PERSON),
    *changing(PERSON),
    *renewal_moves(PERSON),
    *EVIDENCE_MOVES,
    *taking_over(PERSON),
    proposed("A1", _APPROVED, AppraisalEvent.REVOKE, who=Who("officer", STAFF, need=need_no_proposal)),
    Move("A2", _APPROVED, AppraisalEvent.CONFIRM_REVOCATION, _SIGNER, closes=(TaskKind.CONFIRM,)),
    rejected("A3", _APPROVED, AppraisalEvent.REJECT_REVOCATION, _SIGNER),
    Move("A4", _APPROVED, AppraisalEvent.RECALL_REVOCATION, last_signer(of_case)),
    Move(
        "A5", _APPROVED, AppraisalEvent.REVOKED, COOLED, Stage.ENDED,
        closes=(ALL,), notices=(Notice(AppraisalNotice.REVOKED),),
    ),
    Move("A6", _APPROVED, AppraisalEvent.OVER, TIMER, Stage.ENDED, closes=(ALL,)),
    set_aside("A7", frozenset({Stage.ENDED}), AppraisalEvent.SET_ASIDE_REVOCATION, to=Stage.APPROVED),
)  # fmt: skip
_SUSPENDED_TOLD: Final = (Notice(AppraisalNotice.SUSPENDED),)
_RESTORED_TOLD: Final = (Notice(AppraisalNotice.RESTORED),)
_ANY_EMPLOYMENT: Final = frozenset(EmploymentStage)
_ASKS: Final = (Notice(AppraisalNotice.ASKED),)
EMPLOYMENT_MOVES: Final = (
    Move("E1", frozenset({None}), EmploymentEvent.ASK, _BY_ITSELF, EmploymentStage.ASKED, notices=_ASKS),
    Move("E2", _ASKED, EmploymentEvent.CONFIRM, EMPLOYER, EmploymentStage.CONFIRMED),
    Move("E3", _ASKED, EmploymentEvent.DENY, EMPLOYER, EmploymentStage.DENIED),
    Move("E4", _ASKED, EmploymentEvent.OVER, TIMER, EmploymentStage.UNANSWERED),
    # Once somebody is recognised, an officer finds out what is behind it.
    Move(
        "E4", _ASKED, EmploymentEvent.OVER_LATER, TIMER, EmploymentStage.UNANSWERED,
        opens=(Opens(AppraisalTask.EMPLOYMENT, due=within_decision_days),),
    ),
    Move("E5", frozenset({EmploymentStage.CONFIRMED}), EmploymentEvent.LEAVE, EMPLOYER),
    Move(
        "E6", frozenset({EmploymentStage.CONFIRMED}), EmploymentEvent.LEFT,
        Who("employer; timer", frozenset({Role.EMPLOYER, Role.SYSTEM}), asked=False), EmploymentStage.LEFT,
    ),
    # What was behind the silence of the employer before is no question any more.
    Move(
        "E7", _ANY_EMPLOYMENT, EmploymentEvent.ASK_ANEW, _CHANGED, EmploymentStage.ASKED,
        closes=(AppraisalTask.EMPLOYMENT,), notices=_ASKS,
    ),
)  # fmt: skip
RECOGNITION_MOVES: Final = (
    Move(
        "G1", frozenset({None}), RecognitionEvent.RECOGNISE, _BY_ITSELF, RecognitionStage.VALID,
        notices=(Notice(AppraisalNotice.RECOGNISED),),
    ),
    Move("G2", _RUNS, RecognitionEvent.SUSPEND, OFFICER, RecognitionStage.SUSPENDED, notices=_SUSPENDED_TOLD),
    Move("G2", _RUNS, RecognitionEvent.FALL, _FALLS, RecognitionStage.SUSPENDED, notices=_SUSPENDED_TOLD),
    Move("G3", _SUSPENDED, RecognitionEvent.RESTORE, OFFICER, RecognitionStage.VALID, notices=_RESTORED_TOLD),
    Move("G3", _SUSPENDED, RecognitionEvent.LIFT, _FALLS, RecognitionStage.VALID, notices=_RESTORED_TOLD),
    Move("G4", _RUNS, RecognitionEvent.REVOKE, COOLED, RecognitionStage.REVOKED),
    Move("G5", _VALID, RecognitionEvent.EXPIRING, TIMER, notices=(Notice(AppraisalNotice.EXPIRING),)),
    Move(
        "G6", _RUNS, RecognitionEvent.EXPIRE, TIMER, RecognitionStage.EXPIRED,
        notices=(Notice(AppraisalNotice.EXPIRED),),
    ),
    Move(
        "G7", frozenset({RecognitionStage.VALID, RecognitionStage.EXPIRED}), RecognitionEvent.REAPPRAISE, TIMER,
        RecognitionStage.VALID, notices=(Notice(AppraisalNotice.RECOGNISED),),
    ),
    Move("G8", _REVOKED, RecognitionEvent.REVIVE, _SET_ASIDE, RecognitionStage.VALID, notices=_RESTORED_TOLD),
    Move(
        "G8", _REVOKED, RecognitionEvent.REVIVE_SUSPENDED, _SET_ASIDE, RecognitionStage.SUSPENDED,
        notices=_SUSPENDED_TOLD,
    ),
)  # fmt: skip
EMPLOYMENT: Final = "employment"
RECOGNITION: Final = "recognition"
AT_EMPLOYMENT: Final = At(EMPLOYMENT, EmploymentKey.EMPLOYMENT)
AT_RECOGNITION: Final = At(RECOGNITION, RecognitionKey.RECOGNITION)


def _employment(file: CaseFile) -> list[str]:
    return [EmploymentKey.EMPLOYMENT]


def _recognition(file: CaseFile) -> list[str]:
    return [RecognitionKey.RECOGNITION]


TRACKS: Final[Mapping[str, Track]] = {
    EMPLOYMENT: Track(
        table=EMPLOYMENTS,
        stages=EmploymentStage,
        keyed_by=EmploymentKey,
        moves=Moves(*EMPLOYMENT_MOVES, called="employment", no_stage="not yet asked about"),
        keys=_employment,
    ),
    RECOGNITION: Track(
        table=RECOGNITIONS,
        stages=RecognitionStage,
        keyed_by=RecognitionKey,
        moves=Moves(*RECOGNITION_MOVES, called="recognition", no_stage="not yet given"),
        keys=_recognition,
        counted={
            "recognised": Counted(AppraisalAct.RECOGNISED),
            "suspended": Counted(AppraisalAct.SUSPENDED),
            "revoked": Counted(AppraisalAct.CLOSED),
        },
    ),
}
