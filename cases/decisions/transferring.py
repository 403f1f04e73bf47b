"""A change of employer as its two cases meet it: the one that ends by it, and the one that follows (R50 to R57).

The employer before is asked for the last day of work and told no more than that a transfer was agreed; the case of the
other is reviewed meanwhile, and its approval takes effect once the one before has ended.
"""

from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile, load_case
from cases.case.moves import At
from cases.deadlines import park_clock
from cases.decisions import settling
from cases.moves.moving import move, need_move
from cases.moves.transfer import TransferEvent
from cases.notices.compose import Said
from cases.programme import Transferring, programme_of
from cases.shared import transfers
from domain.actors import Actor
from domain.acts import Act
from domain.clock import day_of
from domain.deadlines import DeadlineKind
from domain.decisions import TaskAnswerRequest
from domain.errors import FieldError, Refused, need
from domain.field_errors import MESSAGES, FieldCode
from domain.notices import NoticeKind
from domain.stages import CLOSED, DueKind, Holder, Stage
from domain.tasks import TaskAction, TaskKind
from domain.transfers import DepartureAction, DepartureAnswerRequest
from store.rows.work import DeadlineRow, TaskRow

_ANSWER: Final = (DeadlineKind.DEPARTURE_ANSWER.value, "", 0)


# --- The case that ends by it -----------------------------------------------------------------------------------------


def ask_departure(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Ask the employer for the last day of work, unless it is known or the case has ended meanwhile."""
    if file.stage is not Stage.APPROVED:
        return
    if file.row.ended_on is not None:
        file.record(Act.DEPARTURE_ASKED, actor, at, outcome="known")
        return
    limit = file.context.limits.departure_answer_days
    due = file.set_working_days(DeadlineKind.DEPARTURE_ANSWER, day_of(at), limit)
    park_clock.owe(file, due, DueKind.DEPARTURE_ANSWER, Holder.EMPLOYER)
    said = Said(occasion=at.isoformat())
    move(file, TransferEvent.ASK_DEPARTURE, actor, at, said=[(NoticeKind.DEPARTURE_ASKED, said)])
    file.record(Act.DEPARTURE_ASKED, actor, at, outcome="asked")


def refuses_answer(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse an answer where the employer was not asked for a last day, or it is known by now."""
    need_move(file, TransferEvent.DENY_DEPARTURE, actor)
    if _ANSWER not in file.deadlines and file.find_task(TaskKind.TRANSFER) is None:
        raise Refused("wrong_stage", words="departure_not_asked")


def answer_departure(file: CaseFile, actor: Actor, at: datetime, asked: DepartureAnswerRequest) -> None:
    """Take the last day of work, or let an officer look at what the employer denies."""
    refuses_answer(file, actor, None, at)
    if asked.action is DepartureAction.CONFIRM:
        _declared(file).leaves(file, actor, at, need(asked.last_day, "last_day"))
        return
    if file.find_task(TaskKind.TRANSFER) is not None:
        raise Refused("already_decided", words="departure_with_officer")
    move(file, TransferEvent.DENY_DEPARTURE, actor, at)
    answered(file)
    file.record(Act.DEPARTURE_DENIED, actor, at)


def leave_unanswered(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Let an officer look where the employer gave no answer in time."""
    if file.stage is not Stage.APPROVED:
        return
    move(file, TransferEvent.DEPARTURE_UNANSWERED, actor, at)
    answered(file)
    file.record(Act.DEPARTURE_UNANSWERED, actor, at)


def answered(file: CaseFile) -> None:
    """Take away that the employer owes an answer; who acts next is as the programme of the case says."""
    if _ANSWER not in file.deadlines and file.row.due_kind != DueKind.DEPARTURE_ANSWER:
        return
    file.cancel_deadlines(DeadlineKind.DEPARTURE_ANSWER)
    park_clock.owe(file, None, DueKind.PARK_DECISION, Holder.NONE)
    declared = programme_of(file).transfer
    if declared is not None:
        declared.goes_on(file)


async def answer_task(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, asked: TaskAnswerRequest, task: TaskRow
) -> None:
    """End a transfer whose person goes on working where they did, or report the last day on proof, as a programme does.

    Raises:
        Refused: those of a departure that staff reports.
    """
    if asked.action != TaskAction.END_TRANSFER:
        _declared(file).left(file, actor, at, asked)
        return
    move(file, TransferEvent.END_TRANSFER, actor, at)
    file.record(Act.TRANSFER_ENDED, actor, at)
    if not file.previewed:
        await transfers.not_confirmed(connection, file.reference, at)


def ask_no_more(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Ask for nothing any more, since the case that was to follow has closed."""
    if file.stage is not Stage.APPROVED:
        return
    was_asked = _ANSWER in file.deadlines or file.find_task(TaskKind.TRANSFER) is not None
    answered(file)
    told = [(NoticeKind.DEPARTURE_ASKED_NO_MORE, Said(occasion=at.isoformat()))] if was_asked else []
    move(file, TransferEvent.ASK_NO_MORE, actor, at, said=told)
    file.record(Act.DEPARTURE_ASKED_NO_MORE, actor, at)


# --- The case that follows --------------------------------------------------------------------------------------------


def let_follow(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Go on, since the case before has ended: an approval that waited for that takes effect once it has settled."""
    if file.stage in CLOSED:
        return
    told = []
    if file.stage is Stage.APPROVED and not file.row.settled and file.row.settles_at is None:
        approved_at = need(file.row.approved_at, "approved_at")
        settles_at = max(approved_at + file.context.limits.settling, at)
        file.row.settles_at = settles_at
        file.set_deadline(DeadlineKind.SETTLED, settles_at)
        told = [(NoticeKind.REGISTRATION_APPROVED, Said(not_before=settles_at))]
    move(file, TransferEvent.LET_FOLLOW, actor, at, said=told)
    file.record(Act.TRANSFER_DONE, actor, at)


def transfer_off(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Tell that the transfer was not confirmed; an approval that waited for it goes back to its officer."""
    if file.stage in CLOSED or file.row.settled:
        return
    if file.stage is Stage.APPROVED:
        approved_at = need(file.row.approved_at, "approved_at")
        settling.undo(file)
        # The park's limit does not count the days for which the approval waited.
        park_clock.leave_out_since(file, day_of(approved_at))
    move(file, TransferEvent.TRANSFER_OFF, actor, at)
    file.record(Act.TRANSFER_NOT_CONFIRMED, actor, at)


async def look_ahead(file: CaseFile, connection: AsyncConnection, deadline: DeadlineRow) -> None:
    """Find out, before a case ends by a departure, whether another follows it without a day between the two."""
    declared = programme_of(file).transfer
    if declared is None or declared.runs_on is None or deadline.kind != declared.runs_on.over:
        return
    following = await transfers.find_following(connection, file.reference)
    if following is not None:
        after = await load_case(file.context, connection, following)
        file.is_followed = after.stage not in CLOSED and declared.runs_on.gap(file, after) == 0


def let_rest(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Let what waited of a case that has ended come to its end there: it runs on under no other, or does by now."""
    declared = programme_of(file).transfer
    if declared is not None and declared.runs_on is not None:
        declared.runs_on.rests(file, actor, at)


async def pass_on(file: CaseFile, connection: AsyncConnection, at: datetime) -> None:
    """Let the other case of a transfer hear that this one has closed, in the transaction that closes it."""
    if not file.closes or programme_of(file).transfer is None:
        return
    if file.row.follows is not None:
        await transfers.give_up(connection, file.row.follows, at)
    else:
        await transfers.end_before(connection, file.reference, at)
        await transfers.let_rest(connection, file.reference, at)


def day_missing() -> Refused:
    """Return the refusal of an answer that tells of a departure without its day."""
    missing = FieldError("last_day", FieldCode.REQUIRED, MESSAGES[FieldCode.REQUIRED])
    return Refused("invalid", "Say the last day of work.", [missing])


def _declared(file: CaseFile) -> Transferring:
    return need(programme_of(file).transfer, "transfer")
