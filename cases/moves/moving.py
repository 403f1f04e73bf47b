"""Moving a case, or a track of it: the guard, and what the columns of the row do, in one order."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from cases.case.file import CaseFile
from cases.case.moves import ALL, NO_STAGE, At, Clock, Closes, Move, Moves, Notice, Opens
from cases.deadlines import correction_limit, park_clock
from cases.deadlines.claims import set_claim_limit
from cases.notices.compose import Said, Telling, tell
from cases.programme import programme_of
from domain.actors import Actor
from domain.clock import day_of
from domain.deadlines import DeadlineKind
from domain.stages import CLOSED, DueKind, Holder, Stage, Standing
from domain.tasks import REVIEW_TASKS, Queue, TaskKind
from store.case_tables import TrackTable
from store.rows.work import TaskRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a verb says of the task that a move opens, beside what the row says of it.

    `about` is the key of the track that it is about, where it is the case that moves.
    """

    detail: Mapping[str, object] | None = None
    due_at: datetime | None = None
    holder: str | None = None
    about: str | None = None


# What is said with each notice that a verb names, by its kind.
Spoken = Sequence[tuple[str, Said]]


class Moved(NamedTuple):
    """A move that was made, and the tasks that it opened."""

    row: Move
    tasks: tuple[TaskRow, ...]

    @property
    def task(self) -> TaskRow:
        """The one task of a row that opens one."""
        (task,) = self.tasks
        return task


_NOTHING: Final = Said()
_NO_TASK: Final = Asked()


def moves_of(file: CaseFile, track: At | None = None) -> Moves:
    """Return the table of a case, or of a track of it."""
    programme = programme_of(file)
    return programme.moves if track is None else programme.tracks[track.track].moves


def stage_of(file: CaseFile, track: At | None = None) -> str | None:
    """Return the stage of a case, or of a track of it; None where it has none yet."""
    if track is None:
        return file.row.stage
    row = file.track(_table(file, track), track.key)
    return None if row is None else row.stage


def _table(file: CaseFile, track: At) -> TrackTable:
    return programme_of(file).tracks[track.track].table


def find_move(file: CaseFile, event: str, track: At | None = None) -> Move | None:
    """Return the row by which an event goes from where the case or its track stands, or None."""
    return moves_of(file, track).find(stage_of(file, track), event)


def need_move(file: CaseFile, event: str, actor: Actor, track: At | None = None) -> Move:
    """Return the row by which an event goes from where the case or its track stands.

    Raises:
        Refused: `case_closed` or `wrong_stage` where there is none; `role_not_allowed` for another role than its own.
    """
    return moves_of(file, track).need(stage_of(file, track), event, actor.role)


def move(
    file: CaseFile,
    event: str,
    actor: Actor,
    at: datetime,
    *,
    track: At | None = None,
    asked: Asked = _NO_TASK,
    said: Said | Spoken = _NOTHING,
) -> Moved:
    """Do what the columns of a row say, in their order: stage, tasks closed, clock, tasks opened, notices.

    What a notice states is read as the case stands then: a verb sets what it sets before it moves.

    Args:
        file: the case.
        event: what happens.
        actor: who brings it about.
        at: when.
        track: the track that moves, where it is not the case.
        asked: what the verb says of the task that is opened.
        said: what it says with the notices: with all of the row but those that are told only where they are named, or
            with each that it names, in their order and before the others.

    Raises:
        Refused: as `need_move`.
    """
    return _act(file, need_move(file, event, actor, track), at, track, asked, said)


def begin(file: CaseFile, event: str, at: datetime, *, said: Said = _NOTHING) -> Moved:
    """Do what the columns of the row say by which a new case begins."""
    return _act(file, moves_of(file).get(None, event), at, None, _NO_TASK, said)


def _act(
    file: CaseFile,
    row: Move,
    at: datetime,
    track: At | None,
    asked: Asked,
    said: Said | Spoken,
) -> Moved:
    if row.to is not None:
        _set_stage(file, row.to, track, at)
    for closed in row.closes:
        _close(file, closed, track, at)
    if row.clock is not None:
        _TICK[row.clock](file, row, at)
    tasks = tuple(_open(file, each, track, at, asked) for each in row.opens)
    for notice, each in _told(row, said):
        _tell(file, notice, track, at, each)
    return Moved(row, tasks)


def _set_stage(file: CaseFile, to: str, track: At | None, at: datetime) -> None:
    if track is None:
        file.row.stage = Stage(to).value
    else:
        file.set_track(_table(file, track), track.key, at, stage=None if to == NO_STAGE else str(to))


def _close(file: CaseFile, closed: str | Closes, track: At | None, at: datetime) -> None:
    """Close the task of a kind with what waits for it; its own deadlines end with it."""
    if closed == ALL:
        file.cancel_tasks(at)
        file.cancel_deadlines()
        return
    if isinstance(closed, Closes):
        if closed.each:
            for key in [task.destination for task in file.tasks if task.kind == closed.kind]:
                if closed.when.holds(file, _at(file, key)):
                    file.close_tasks([closed.kind], at, destination=key)
            return
        if not closed.when.holds(file, track):
            return
        closed = closed.kind
    file.close_tasks([closed], at, destination=track.key if track else None)
    if track is None and closed == TaskKind.CONFIRM:
        file.cancel_deadlines(DeadlineKind.SIGNATURE_EXPECTED)
    if track is None and closed == TaskKind.REVIEW:
        file.cancel_deadlines(DeadlineKind.HOLD_REVIEW)
        file.row.hold = None


def _at(file: CaseFile, key: str | None) -> At | None:
    """Return the track of a case that a task names by its key alone."""
    tracks = programme_of(file).tracks
    return next((At(name, key) for name, track in tracks.items() if key in {*track.keyed_by}), None) if key else None


def _open(file: CaseFile, opens: Opens, track: At | None, at: datetime, asked: Asked) -> TaskRow:
    """Open a task; that of an overdue review is the supervisors', and a suspended employer brings its hold along."""
    due_at = asked.due_at or (opens.due(file, at) if opens.due else None)
    kind, destination = opens.kind, track.key if track else asked.about
    if opens.shared and destination is not None:
        task = file.share_task(kind, at, destination, due_at=due_at, detail=asked.detail)
    else:
        task = file.open_task(kind, at, due_at=due_at, destination=destination, detail=asked.detail)
    if asked.holder is not None:
        file.change_task(task, holder=asked.holder, held_since=at)
        set_claim_limit(file, task, at)
    if track is None and kind == TaskKind.REVIEW:
        file.row.standing_hold = file.standing_on(day_of(at)) is Standing.SUSPENDED
    if track is None and kind in REVIEW_TASKS and file.row.overdue:
        file.change_task(task, overdue=True, queue=Queue.SUPERVISORS.value)
    return task


def _told(row: Move, said: Said | Spoken) -> Iterator[tuple[Notice, Said]]:
    """Yield the notices of a row with what is said with each."""
    if isinstance(said, Said):
        yield from ((notice, said) for notice in row.notices if not notice.given)
        return
    by_kind = {notice.kind: notice for notice in row.notices}
    yield from ((by_kind[kind], each) for kind, each in said)
    named = {kind for kind, _ in said}
    yield from ((notice, _NOTHING) for notice in row.notices if not notice.given and notice.kind not in named)


def _tell(file: CaseFile, notice: Notice, track: At | None, at: datetime, said: Said) -> None:
    occasion = said.occasion or (str(file.round) if notice.occasion is None else notice.occasion(file))
    of_row = {} if notice.facts is None else notice.facts(file, at)
    telling = Telling(
        notice.kind,
        at,
        occasion,
        track.key if track else None,
        {**of_row, **(said.facts or {})},
        said.reasons,
        not_before=said.not_before,
        only=said.only,
        holder=said.holder,
        to=said.to,
    )
    tell(file, telling)


def _go_on(file: CaseFile, row: Move, at: datetime) -> None:
    park_clock.run(file, day_of(at))


def _run_again(file: CaseFile, row: Move, at: datetime) -> None:
    park_clock.run(file, after=at)


def _stop(file: CaseFile, row: Move, at: datetime) -> None:
    park_clock.stop(file, at)
    correction_limit.begin(file, day_of(at))


def _end(file: CaseFile, row: Move, at: datetime) -> None:
    """End the clock; what follows an approval is the park's, and a case that closed waits for nobody."""
    park_clock.end(file)
    holder = Holder.NONE if row.to in CLOSED else Holder.PARK
    park_clock.owe(file, None, DueKind.PARK_DECISION, holder)


_TICK: Final = {Clock.GOES_ON: _go_on, Clock.RUNS_AGAIN: _run_again, Clock.STOPS: _stop, Clock.ENDS: _end}
