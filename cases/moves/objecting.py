"""Objections and setting aside: the rows that a programme adds to its table whose decisions can be objected to."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from cases.case.file import CaseFile
from cases.case.moves import At, Clock, Closes, Condition, Move, Notice, Opens, Who
from cases.deadlines.stated import case_due
from cases.moves.front_half import (
    TIMER,
    TOLD_AGAIN,
    TOLD_OF_SIGNATURE,
    Event,
    need_no_proposal,
    proposed,
    rejected,
    second_signer,
)
from domain.actors import STAFF, Role
from domain.notices import NoticeKind
from domain.objections import ObjectionState
from domain.stages import CLOSED, PendingAct, Stage
from domain.tasks import TaskKind


class ObjectionEvent(StrEnum):
    """What can happen about a decision that stands."""

    OBJECT = "object"
    WITHDRAW_OBJECTION = "withdraw_objection"
    REJECT_OBJECTION = "reject_objection"
    OBJECTION_OVER = "objection_over"
    PROPOSE_SET_ASIDE = "propose_set_aside"
    REJECT_SET_ASIDE = "reject_set_aside"
    SET_ASIDE_REFUSAL = "set_aside_refusal"
    SET_ASIDE_LAPSE = "set_aside_lapse"


_STANDS: Final = CLOSED | {Stage.APPROVED}
_SIGNER: Final = second_signer(PendingAct.SET_ASIDE, words="second signer, who did not decide before")
_UNINVOLVED: Final = Who("officer who did not decide before", STAFF, need=need_no_proposal)


def _due(file: CaseFile, at: datetime) -> Mapping[str, Any]:
    return {**case_due(file), "due_kind": file.row.due_kind}


def _objects_nobody(file: CaseFile, track: At | None) -> bool:
    key = None if track is None else track.key
    return not any(each["track"] == key and each["state"] == ObjectionState.OPEN for each in file.row.objections or ())


# Both sides may object to one decision, and one task serves both.
ANSWERED: Final = Closes(TaskKind.OBJECTION, Condition("where nobody else objects", _objects_nobody), each=True)


def set_aside(
    no: str,
    sources: frozenset[Stage],
    event: str,
    *,
    to: Stage | None = None,
    opens: tuple[Opens, ...] = (),
    clock: Clock | None = None,
    states: Callable[[CaseFile, datetime], Mapping[str, Any]] | None = None,
) -> Move:
    """Return the row by which a decision is set aside with the second signature.

    Args:
        no: the number of the row.
        sources: where the case stands that is moved.
        event: what happens.
        to: where it then stands, where that is another stage.
        opens: the tasks of what goes on.
        clock: what becomes of the park's clock.
        states: what the notice says of what is waited for then.
    """
    notice = Notice(NoticeKind.DECISION_SET_ASIDE, facts=states)
    return Move(
        no, sources, event, _SIGNER, to,
        opens=opens, closes=(TaskKind.CONFIRM, ANSWERED), clock=clock, notices=(notice,),
    )  # fmt: skip


def objecting(objects: Who) -> tuple[Move, ...]:
    """Return the rows of objections, and of setting aside a refusal or a lapse.

    Args:
        objects: who may object to decisions.
    """
    return (
        Move(
            "R60", _STANDS, ObjectionEvent.OBJECT, objects,
            opens=(Opens(TaskKind.OBJECTION),), notices=(Notice(NoticeKind.OBJECTION_RECEIVED, given=True),),
        ),
        Move("R61", _STANDS, ObjectionEvent.WITHDRAW_OBJECTION, objects, closes=(ANSWERED,)),
        Move(
            "R62", _STANDS, ObjectionEvent.REJECT_OBJECTION, _UNINVOLVED,
            closes=(ANSWERED,), notices=(Notice(NoticeKind.OBJECTION_REJECTED, given=True),),
        ),
        Move(
            "R63", frozenset(Stage), ObjectionEvent.OBJECTION_OVER, TIMER,
            notices=(Notice(NoticeKind.ESCALATED, given=True),),
        ),
        proposed("R64", _STANDS, ObjectionEvent.PROPOSE_SET_ASIDE, who=_UNINVOLVED),
        rejected("R65", _STANDS, ObjectionEvent.REJECT_SET_ASIDE, _SIGNER),
        # What of an approved case waits for signatures, the front half has.
        Move("R64", CLOSED, Event.SIGN, second_signer(words="signer of several"), notices=(TOLD_OF_SIGNATURE,)),
        Move("R64", CLOSED, Event.SIGNATURE_REMINDER_DUE, TIMER, notices=(TOLD_AGAIN,)),
        set_aside(
            "R66", frozenset({Stage.REFUSED}), ObjectionEvent.SET_ASIDE_REFUSAL, to=Stage.UNDER_REVIEW,
            opens=(Opens(TaskKind.REVIEW),), clock=Clock.GOES_ON, states=_due,
        ),
        set_aside(
            "R67", frozenset({Stage.LAPSED}), ObjectionEvent.SET_ASIDE_LAPSE, to=Stage.CORRECTION_REQUESTED,
            clock=Clock.STOPS, states=_due,
        ),
    )  # fmt: skip


OBJECTORS: Final = Who("employer, person", frozenset({Role.EMPLOYER, Role.PERSON}))
OBJECTING: Final = objecting(OBJECTORS)
