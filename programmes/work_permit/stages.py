"""What happens to a work permit beside the front half: the permit's track W1 to W20, the residence's S1 to S9."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from cases.case.file import CaseFile
from cases.case.moves import ALL, At, Counted, Move, Moves, Notice, Opens, Track, Who
from cases.deadlines.stated import within_decision_days
from cases.moves.changing import EITHER, changing
from cases.moves.evidence import EVIDENCE_MOVES, taking_over
from cases.moves.front_half import (
    EMPLOYER,
    FRONT_HALF,
    TIMER,
    need_no_proposal,
    proposed,
    rejected,
    second_signer,
)
from cases.moves.objecting import OBJECTING
from cases.moves.renewals import RENEWAL_MOVES
from domain.actors import STAFF, Role
from domain.errors import need
from domain.notices import NoticeKind
from domain.stages import Stage
from domain.tasks import TaskKind
from programmes.work_permit.tables import RESIDENCES, WORK_PERMITS, residence, work_permit
from programmes.work_permit.words import (
    ResidenceStage,
    WorkPermitAct,
    WorkPermitNotice,
    WorkPermitProposal,
    WorkPermitStage,
    WorkPermitTask,
)


class WorkPermitEvent(StrEnum):
    """What can happen to a case once it is approved."""

    PROPOSE_OUTCOME = "propose_outcome"
    CONFIRM_OUTCOME = "confirm_outcome"
    REJECT_OUTCOME = "reject_outcome"
    OVER = "over"
    CHANGE_WITH_EXTENSION = "change_with_extension"


class PermitEvent(StrEnum):
    """What can happen to the permit."""

    AWAIT = "await"
    OUTCOME_LATE = "outcome_late"
    ISSUE = "issue"
    REFUSE = "refuse"
    OPEN_WINDOW = "open_window"
    REMIND = "remind"
    EXPIRE = "expire"
    EXTEND = "extend"
    CONTRACT_OVER = "contract_over"
    REPORT_END = "report_end"
    ASK_CANCELLATION = "ask_cancellation"
    CANCELLATION_OVER = "cancellation_over"
    CANCEL = "cancel"
    PROOF_FALLS = "proof_falls"


class ResidenceEvent(StrEnum):
    """What can happen to the residence permit."""

    AWAIT = "await"
    ENTER = "enter"
    APPLY = "apply"
    OVERDUE = "overdue"
    ANSWER_LATE = "answer_late"
    ISSUE = "issue"
    REFUSE = "refuse"
    CLOSE = "close"
    EXTEND = "extend"


class WorkPermitPart(StrEnum):
    """The permit of a case."""

    WORK_PERMIT = "work_permit"


class ResidencePart(StrEnum):
    """The residence permit of a case."""

    RESIDENCE_PERMIT = "residence_permit"


_BY_ITSELF: Final = Who("once the approval has settled", frozenset({Role.SYSTEM}), asked=False)
_SIGNED: Final = Who("second signature on the paper", STAFF, asked=False)
_ENDS: Final = Who("timer; second signature on the paper", frozenset({Role.SYSTEM}) | STAFF, asked=False)
_REPORTS: Final = Who("employer; officer on proof", STAFF | EMPLOYER.roles)
_OFFICER: Final = Who("officer on proof", STAFF)
_EXTENDED: Final = Who("once the work permit is extended", STAFF, asked=False)
_APPROVED: Final = frozenset({Stage.APPROVED})
_P: Final = WorkPermitStage
_R: Final = ResidenceStage
_GIVEN: Final = frozenset({_P.ISSUED, _P.EXPIRING})
_HELD: Final = _GIVEN | {_P.EXTENDING}
_ENDING: Final = (WorkPermitTask.CANCELLATION, WorkPermitTask.CANCELLATION_LATE)
_TO_APPLY: Final = frozenset({_R.ENTERED, _R.EXTENSION_DUE})
_UNDER_WAY: Final = _TO_APPLY | {_R.ENTRY_AWAITED, _R.APPLIED}


def _of_days(file: CaseFile) -> str:
    """Return what makes a notice about a permit one: the last day of its days."""
    row = need(work_permit(file), "work_permit")
    return f"{row.valid_from}/{row.valid_until}"


def _of_end(file: CaseFile) -> str:
    return f"end/{file.row.ended_on}"


def _of_entry(file: CaseFile) -> str:
    return f"{need(residence(file), 'residence').entered_on}"


def _of_time(file: CaseFile) -> str:
    """Return what makes a notice about a time to apply in one: the entry, or the days that are to be extended."""
    row = need(residence(file), "residence")
    return f"extension/{row.valid_until}" if row.stage == ResidenceStage.EXTENSION_DUE else _of_entry(file)


def _of_answer(file: CaseFile) -> str:
    row = need(residence(file), "residence")
    return f"{row.applied_on}/{row.decided_on}/{row.valid_until}"


CASE_MOVES: Final[tuple[Move, ...]] = (
    proposed(
        "W10", _APPROVED, WorkPermitEvent.PROPOSE_OUTCOME, who=Who("officer on paper", STAFF, need=need_no_proposal)
    ),
    Move(
        "W11", _APPROVED, WorkPermitEvent.CONFIRM_OUTCOME, second_signer(WorkPermitProposal.OUTCOME),
        closes=(TaskKind.CONFIRM,),
    ),
    rejected("W12", _APPROVED, WorkPermitEvent.REJECT_OUTCOME, second_signer(WorkPermitProposal.OUTCOME)),
    Move(
        "W20", _APPROVED, WorkPermitEvent.CHANGE_WITH_EXTENSION, _BY_ITSELF,
        notices=(Notice(NoticeKind.CONTACT_CHANGED, given=True),),
    ),
    Move("W13", _APPROVED, WorkPermitEvent.OVER, _ENDS, Stage.ENDED, closes=(ALL,)),
)  # fmt: skip
PERMIT_MOVES: Final[tuple[Move, ...]] = (
    Move("W1", frozenset({None}), PermitEvent.AWAIT, _BY_ITSELF, _P.AWAITED),
    Move(
        "W2", frozenset({_P.AWAITED, _P.EXTENDING}), PermitEvent.OUTCOME_LATE, TIMER,
        opens=(Opens(WorkPermitTask.OUTCOME_LATE, due=within_decision_days),),
    ),
    Move(
        "W3", frozenset({_P.AWAITED}), PermitEvent.ISSUE, _SIGNED, _P.ISSUED, closes=(WorkPermitTask.OUTCOME_LATE,),
        notices=(Notice(WorkPermitNotice.ISSUED, occasion=_of_days),),
    ),
    Move(
        "W4", frozenset({_P.AWAITED}), PermitEvent.REFUSE, _SIGNED, _P.REFUSED, closes=(WorkPermitTask.OUTCOME_LATE,),
        notices=(Notice(WorkPermitNotice.REFUSED),),
    ),
    Move(
        "W5", frozenset({_P.ISSUED}), PermitEvent.OPEN_WINDOW, TIMER, _P.EXPIRING,
        notices=(Notice(WorkPermitNotice.WINDOW),),
    ),
    Move(
        "W6", frozenset({_P.EXPIRING}), PermitEvent.REMIND, TIMER, notices=(Notice(WorkPermitNotice.WINDOW),)
    ),
    Move(
        "W7", _HELD, PermitEvent.EXPIRE, _ENDS, _P.EXPIRED,
        notices=(Notice(WorkPermitNotice.EXPIRED, occasion=_of_days),),
    ),
    Move("W8", _GIVEN, PermitEvent.EXTEND, _BY_ITSELF, _P.EXTENDING),
    # Also a permit that was changed has a paper of its own.
    Move(
        "W9", _HELD, PermitEvent.ISSUE, _SIGNED, _P.ISSUED, closes=(WorkPermitTask.OUTCOME_LATE,),
        notices=(Notice(WorkPermitNotice.EXTENDED, occasion=_of_days),),
    ),
    Move(
        "W14", frozenset({_P.EXTENDING}), PermitEvent.REFUSE, _SIGNED, _P.EXPIRING,
        closes=(WorkPermitTask.OUTCOME_LATE,), notices=(Notice(WorkPermitNotice.EXTENSION_REFUSED, occasion=_of_days),),
    ),
    Move(
        "W15", _HELD, PermitEvent.CONTRACT_OVER, TIMER,
        notices=(Notice(WorkPermitNotice.CANCELLATION_DUE, occasion=_of_end),),
    ),
    Move(
        "W15", _HELD, PermitEvent.REPORT_END, _REPORTS,
        notices=(Notice(WorkPermitNotice.CANCELLATION_DUE, occasion=_of_end),),
    ),
    Move(
        "W16", _HELD, PermitEvent.CANCELLATION_OVER, TIMER,
        opens=(Opens(WorkPermitTask.CANCELLATION_LATE, due=within_decision_days),),
        notices=(Notice(WorkPermitNotice.CANCELLATION_OVERDUE, occasion=_of_end),),
    ),
    Move(
        "W17", _HELD, PermitEvent.ASK_CANCELLATION, EITHER,
        opens=(Opens(WorkPermitTask.CANCELLATION, due=within_decision_days),),
    ),
    Move(
        "W18", _HELD, PermitEvent.CANCEL, _SIGNED, _P.CANCELLED, closes=_ENDING,
        notices=(Notice(WorkPermitNotice.CANCELLED, occasion=_of_days),),
    ),
    Move(
        "W19", _HELD | {None, _P.AWAITED}, PermitEvent.PROOF_FALLS, Who("what befalls evidence", STAFF, asked=False),
        notices=(Notice(WorkPermitNotice.PROOF_FELL),),
    ),
)  # fmt: skip
RESIDENCE_MOVES: Final[tuple[Move, ...]] = (
    Move("S1", frozenset({None}), ResidenceEvent.AWAIT, _BY_ITSELF, _R.ENTRY_AWAITED),
    Move(
        "S2", frozenset({_R.ENTRY_AWAITED, _R.ENTERED}), ResidenceEvent.ENTER, _REPORTS, _R.ENTERED,
        closes=(WorkPermitTask.RESIDENCE_LATE,),
        notices=(Notice(WorkPermitNotice.RESIDENCE_DUE, occasion=_of_entry),),
    ),
    Move(
        "S3", _TO_APPLY | {_R.APPLIED, _R.REFUSED}, ResidenceEvent.APPLY, _REPORTS, _R.APPLIED,
        closes=(WorkPermitTask.RESIDENCE_LATE,),
    ),
    Move(
        "S4", _TO_APPLY, ResidenceEvent.OVERDUE, TIMER,
        opens=(Opens(WorkPermitTask.RESIDENCE_LATE, due=within_decision_days),),
        notices=(Notice(WorkPermitNotice.RESIDENCE_OVERDUE, occasion=_of_time),),
    ),
    Move(
        "S5", frozenset({_R.APPLIED}), ResidenceEvent.ANSWER_LATE, TIMER,
        opens=(Opens(WorkPermitTask.RESIDENCE_LATE, due=within_decision_days),),
    ),
    Move(
        "S6", frozenset({_R.APPLIED}), ResidenceEvent.ISSUE, _OFFICER, _R.ISSUED,
        closes=(WorkPermitTask.RESIDENCE_LATE,),
        notices=(Notice(WorkPermitNotice.RESIDENCE_ISSUED, occasion=_of_answer),),
    ),
    Move(
        "S7", frozenset({_R.APPLIED}), ResidenceEvent.REFUSE, _OFFICER, _R.REFUSED,
        closes=(WorkPermitTask.RESIDENCE_LATE,),
        notices=(Notice(WorkPermitNotice.RESIDENCE_REFUSED, occasion=_of_answer),),
    ),
    Move("S8", _UNDER_WAY, ResidenceEvent.CLOSE, _ENDS, _R.CLOSED, closes=(WorkPermitTask.RESIDENCE_LATE,)),
    Move(
        "S9", frozenset({_R.ISSUED}), ResidenceEvent.EXTEND, _EXTENDED, _R.EXTENSION_DUE,
        notices=(Notice(WorkPermitNotice.RESIDENCE_EXTENSION_DUE, occasion=_of_time),),
    ),
)  # fmt: skip


def _permit(_file: CaseFile) -> list[str]:
    return list(WorkPermitPart)


def _residence(_file: CaseFile) -> list[str]:
    return list(ResidencePart)


PERMIT: Final = "work_permit"
RESIDENCE: Final = "residence"
AT_PERMIT: Final = At(PERMIT, WorkPermitPart.WORK_PERMIT)
AT_RESIDENCE: Final = At(RESIDENCE, ResidencePart.RESIDENCE_PERMIT)
MOVES: Final = Moves(
    *FRONT_HALF,
    *OBJECTING,
    *EVIDENCE_MOVES,
    *taking_over(EMPLOYER),
    *changing(EMPLOYER),
    *RENEWAL_MOVES,
    *CASE_MOVES,
)
TRACKS: Final[Mapping[str, Track]] = {
    PERMIT: Track(
        table=WORK_PERMITS,
        stages=WorkPermitStage,
        keyed_by=WorkPermitPart,
        moves=Moves(*PERMIT_MOVES, called="permit", no_stage="not yet awaited"),
        keys=_permit,
        counted={
            "issued": Counted(WorkPermitAct.ISSUED),
            "refused": Counted(WorkPermitAct.REFUSED),
            "expired": Counted(WorkPermitAct.EXPIRED),
            "extended": Counted(WorkPermitAct.EXTENDED),
            "cancelled": Counted(WorkPermitAct.CANCELLED),
        },
    ),
    RESIDENCE: Track(
        table=RESIDENCES,
        stages=ResidenceStage,
        keyed_by=ResidencePart,
        moves=Moves(*RESIDENCE_MOVES, called="residence permit", no_stage="not yet due"),
        keys=_residence,
        counted={"residence_issued": Counted(WorkPermitAct.RESIDENCE_ISSUED)},
    ),
}
