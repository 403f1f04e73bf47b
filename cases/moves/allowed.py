"""What may be asked of a case now, by whom, and why not: from the table of moves and the commands of its programme."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from cases.case.file import CaseFile
from cases.case.moves import At, Move
from cases.moves.moving import moves_of, stage_of
from cases.programme import Command, programme_of
from domain.actors import Actor
from domain.errors import Refused


@dataclass(frozen=True, slots=True)
class Allowed:
    """A command of a role, and whether the case, or a track of it, takes it now.

    Attributes:
        command: the kind of command.
        track: the track that it is about, where it is not the case.
        events: the rows of the table that it could be now.
        why_not: what it would be refused with, whatever is given with it; None where it is allowed.
    """

    command: str
    track: At | None
    events: tuple[str, ...] = ()
    why_not: Refused | None = None

    @property
    def is_allowed(self) -> bool:
        """Whether it may be asked."""
        return self.why_not is None


def allowed(file: CaseFile, actor: Actor, at: datetime) -> tuple[Allowed, ...]:
    """Return the commands of the actor's role, each for the case or for each of its tracks, in their declared order.

    Nothing is changed. What depends on what is given (a reason, a day, the round) is refused when it is asked.

    Args:
        file: the case as it stands.
        actor: who would ask.
        at: when.
    """
    return tuple(
        _look(file, actor, at, kind, command, track)
        for kind, command in programme_of(file).commands.items()
        if _is_of_role(file, command, actor)
        for track in _tracks(file, command)
    )


def _tracks(file: CaseFile, command: Command) -> Iterator[At | None]:
    if command.track is None:
        yield None
        return
    for key in programme_of(file).tracks[command.track].keys(file):
        yield At(command.track, key)


def _is_of_role(file: CaseFile, command: Command, actor: Actor) -> bool:
    programme = programme_of(file)
    moves = programme.moves if command.track is None else programme.tracks[command.track].moves
    return any(row.event in command.events and row.who.asked and actor.role in row.who.roles for row in moves)


def _look(file: CaseFile, actor: Actor, at: datetime, kind: str, command: Command, track: At | None) -> Allowed:
    try:
        if command.refuses is not None:
            command.refuses(file, actor, track, at)
    except Refused as refused:
        return Allowed(kind, track, why_not=refused)
    moves, stage = moves_of(file, track), stage_of(file, track)
    rows = [row for event in command.events if (row := moves.find(stage, event)) is not None]
    if not rows:
        return Allowed(kind, track, why_not=moves.refused(stage))
    refusals: list[Refused] = []
    events = tuple(row.event for row in rows if _takes(file, row, actor, track, refusals))
    if not events:
        # Of several rows the one that says more: that another has to sign, and not that something else would wait.
        return Allowed(kind, track, why_not=min(refusals, key=lambda each: each.code == "wrong_stage"))
    return Allowed(kind, track, events)


def _takes(file: CaseFile, row: Move, actor: Actor, track: At | None, refusals: list[Refused]) -> bool:
    try:
        moves_of(file, track).need(stage_of(file, track), row.event, actor.role)
        if row.who.need is not None:
            row.who.need(file, actor, track)
    except Refused as refused:
        refusals.append(refused)
        return False
    return True
