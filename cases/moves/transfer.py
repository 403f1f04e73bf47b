"""The moves of a change of employer, for programmes whose cases may follow one another (R50 to R57)."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from cases.case.file import CaseFile
from cases.case.moves import At, Clock, Move, Notice, Opens, Who
from cases.case.signers import need_signer
from cases.deadlines.stated import within_decision_days
from cases.moves.front_half import EMPLOYER, ENGINE, OFFICER, TIMER
from domain.actors import STAFF, Actor
from domain.clock import day_of
from domain.deadlines import DeadlineKind
from domain.errors import Refused
from domain.notices import NoticeKind
from domain.stages import OPEN, PendingAct, Stage
from domain.tasks import REVIEW_TASKS, TaskKind


class TransferEvent(StrEnum):
    """What a change of employer does to the case that ends by it, and to the one that follows it."""

    ASK_DEPARTURE = "ask_departure"
    DENY_DEPARTURE = "deny_departure"
    DEPARTURE_UNANSWERED = "departure_unanswered"
    END_TRANSFER = "end_transfer"
    ASK_NO_MORE = "ask_no_more"
    APPROVE_TO_FOLLOW = "approve_to_follow"
    CONFIRM_TO_FOLLOW = "confirm_to_follow"
    LET_FOLLOW = "let_follow"
    TRANSFER_OFF = "transfer_off"


def _answer_due(file: CaseFile, at: datetime) -> Mapping[str, Any]:
    row = file.deadlines.get((DeadlineKind.DEPARTURE_ANSWER.value, "", 0))
    return {"due_on": day_of(row.at), "due_provisional": row.provisional} if row else {"due_on": None}


def _need_to_follow(file: CaseFile, actor: Actor, track: At | None) -> None:
    if file.row.follows is None:
        raise Refused("wrong_stage", "This case follows no other one.")


def _need_to_sign(file: CaseFile, actor: Actor, track: At | None) -> None:
    _need_to_follow(file, actor, track)
    need_signer(actor, file.row.pending if file.row.pending_act == PendingAct.APPROVE else None)


_APPROVED: Final = frozenset({Stage.APPROVED})
_OFFICER_LOOKS: Final = (Opens(TaskKind.TRANSFER, due=within_decision_days),)
_REVIEWED: Final = tuple(sorted(REVIEW_TASKS))
_OFF: Final = (Notice(NoticeKind.TRANSFER_NOT_CONFIRMED),)

TRANSFER_MOVES: Final[tuple[Move, ...]] = (
    Move(
        "R50", _APPROVED, TransferEvent.ASK_DEPARTURE, ENGINE,
        notices=(Notice(NoticeKind.DEPARTURE_ASKED, facts=_answer_due, given=True),),
    ),
    Move("R51", _APPROVED, TransferEvent.DENY_DEPARTURE, EMPLOYER, opens=_OFFICER_LOOKS),
    Move("R52", _APPROVED, TransferEvent.DEPARTURE_UNANSWERED, TIMER, opens=_OFFICER_LOOKS),
    Move("R53", _APPROVED, TransferEvent.END_TRANSFER, OFFICER, closes=(TaskKind.TRANSFER,)),
    Move(
        "R54", _APPROVED, TransferEvent.ASK_NO_MORE, ENGINE, closes=(TaskKind.TRANSFER,),
        notices=(Notice(NoticeKind.DEPARTURE_ASKED_NO_MORE, given=True),),
    ),
    Move(
        "R55", frozenset({Stage.UNDER_REVIEW}), TransferEvent.APPROVE_TO_FOLLOW,
        Who("officer", STAFF, need=_need_to_follow), Stage.APPROVED,
        closes=_REVIEWED, clock=Clock.ENDS,
    ),
    Move(
        "R55", frozenset({Stage.AWAITING_CONFIRMATION}), TransferEvent.CONFIRM_TO_FOLLOW,
        Who("second signer", STAFF, need=_need_to_sign), Stage.APPROVED, closes=_REVIEWED, clock=Clock.ENDS,
    ),
    Move(
        "R56", OPEN | _APPROVED, TransferEvent.LET_FOLLOW, ENGINE,
        notices=(Notice(NoticeKind.REGISTRATION_APPROVED, given=True),),
    ),
    Move("R57", OPEN, TransferEvent.TRANSFER_OFF, ENGINE, notices=_OFF),
    Move(
        "R57", _APPROVED, TransferEvent.TRANSFER_OFF, ENGINE, Stage.UNDER_REVIEW,
        opens=(Opens(TaskKind.REVIEW),), clock=Clock.GOES_ON, notices=_OFF,
    ),
)  # fmt: skip
