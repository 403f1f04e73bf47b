"""Changes of what was given, as rows of the table of a live case: asked, taken, declined (R34)."""

from enum import StrEnum
from typing import Final

from cases.case.moves import Move, Notice, Opens, Who
from cases.deadlines.stated import within_decision_days
from cases.moves.front_half import OFFICER
from domain.actors import Role
from domain.notices import NoticeKind
from domain.stages import LIVE, Stage
from domain.tasks import TaskKind


class ChangeEvent(StrEnum):
    """What can happen about a change; a part of one is answered while the rest goes on waiting."""

    CHANGE = "change"
    ASK_CHANGE = "ask_change"
    TAKE_CHANGE = "take_change"
    DECLINE_CHANGE = "decline_change"
    TAKE_PART = "take_part"
    DECLINE_PART = "decline_part"


_EVER: Final = frozenset(Stage)
_CONTACT: Final = Notice(NoticeKind.CONTACT_CHANGED, given=True)
_TAKEN: Final = (_CONTACT, Notice(NoticeKind.CHANGE_TAKEN))
_DECLINED: Final = (Notice(NoticeKind.CHANGE_DECLINED),)
_ANSWERED: Final = (TaskKind.CHANGE,)


def changing(asks: Who) -> tuple[Move, ...]:
    """Return the rows of changes.

    Args:
        asks: who may ask for one.
    """
    return (
        Move("R34", LIVE, ChangeEvent.CHANGE, asks, notices=(_CONTACT,)),
        Move("R34", LIVE, ChangeEvent.ASK_CHANGE, asks, opens=(Opens(TaskKind.CHANGE, due=within_decision_days),)),
        Move("R34", _EVER, ChangeEvent.TAKE_CHANGE, OFFICER, closes=_ANSWERED, notices=_TAKEN),
        Move("R34", _EVER, ChangeEvent.DECLINE_CHANGE, OFFICER, closes=_ANSWERED, notices=_DECLINED),
        Move("R34", _EVER, ChangeEvent.TAKE_PART, OFFICER, notices=_TAKEN),
        Move("R34", _EVER, ChangeEvent.DECLINE_PART, OFFICER, notices=_DECLINED),
    )


EITHER: Final = Who("employer, person", frozenset({Role.EMPLOYER, Role.PERSON}))
CHANGING_MOVES: Final = changing(EITHER)
