"""Moves: what may happen to a case, or to a track of it: from which stages, by whom, to which, and what follows.

A programme declares a table of them. A row's columns act: `cases.moves.moving` sets the stage, closes and opens the
tasks, lets the park's clock run or stop, and tells those whom the row names, so that no verb says any of it again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from cases.case.file import CaseFile
from domain.actors import Actor, Role
from domain.errors import Refused
from domain.routes import TrackPath
from domain.stages import CLOSED
from store.case_tables import TermTable, TrackTable


class Clock(StrEnum):
    """What a move does to the park's clock."""

    GOES_ON = "goes on"  # after a correction, whose day counts again
    RUNS_AGAIN = "runs again"  # as it stood before an approval that was taken back
    STOPS = "stops"  # for a return; the limit of the correction runs in its place
    ENDS = "ends"


class At(NamedTuple):
    """A track of a case: which one the programme declares, and the key of its row."""

    track: str
    key: str


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold of a case, or of a track of it, for its words on the page to be true."""

    words: str
    holds: Callable[[CaseFile, At | None], bool]


@dataclass(frozen=True, slots=True)
class Who:
    """Who may bring a move about: whose act it is, in words, the roles that it has then, and what is needed of one.

    Attributes:
        words: as the page says it.
        roles: the roles of the actor.
        asked: whether it is asked for; any other comes by itself, from time, a step or another move.
        need: refuses an actor of these roles who may not.
    """

    words: str
    roles: frozenset[Role]
    asked: bool = True
    need: Callable[[CaseFile, Actor, At | None], None] | None = None


@dataclass(frozen=True, slots=True)
class Opens:
    """A task that a move opens: its kind, and until when it is due where that is not the park's own limit.

    Attributes:
        kind: the kind of task.
        due: the time by which it is due; None for that of the case.
        shared: whether one that is opened for several tracks by the same step is one task.
    """

    kind: str
    due: Callable[[CaseFile, datetime], datetime] | None = None
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Closes:
    """A task that a move closes only where a condition holds.

    Attributes:
        kind: the kind of task.
        when: the condition, of the case or of the track that moves.
        each: whether it is each task of the kind, whatever track it is about; the condition is looked at for each of
            these tracks, with None for a task about the case as a whole.
    """

    kind: str
    when: Condition
    each: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice that a move causes.

    Attributes:
        kind: the kind of notice.
        facts: what it states beside what the verb passes.
        occasion: what makes it one notice where the verb names none: the round of the case.
        given: whether it is told once for each that the verb passes under its kind, and else not.
    """

    kind: str
    facts: Callable[[CaseFile, datetime], Mapping[str, Any]] | None = None
    occasion: Callable[[CaseFile], str] | None = None
    given: bool = False


# Among what a move closes: all that runs for a case, its tasks but those that outlive it, and its deadlines.
ALL: Final = "all"

# Where a track goes that begins anew, as if nothing had been made of it.
NO_STAGE: Final = "none"


@dataclass(frozen=True, slots=True)
class Move:
    """One row of a table.

    Attributes:
        no: its number on the page; several rows may share one.
        sources: the stages from which it goes; None is a track that has no stage yet.
        event: what happens.
        who: who may bring it about.
        to: the stage that it goes to; None: it stays.
        opens: the tasks that it opens.
        closes: the kinds of the open tasks that it closes, or `ALL`.
        clock: what it does to the park's clock.
        notices: what it tells.
    """

    no: str
    sources: frozenset[Any]
    event: str
    who: Who
    to: str | None = None
    opens: tuple[Opens, ...] = ()
    closes: tuple[str | Closes, ...] = ()
    clock: Clock | None = None
    notices: tuple[Notice, ...] = ()


class Moves:
    """A table of moves: the rows in their order, found by stage and event.

    Raises:
        ValueError: where two rows go from one stage by one event.
    """

    __slots__ = ("_by_event", "called", "no_stage", "rows")

    def __init__(self, *rows: Move, called: str = "case", no_stage: str = "") -> None:
        self.rows = rows
        self.called, self.no_stage = called, no_stage
        self._by_event = {(source, row.event): row for row in rows for source in row.sources}
        if len(self._by_event) != sum(len(row.sources) for row in rows):
            raise ValueError("a stage and an event have two rows")

    def __iter__(self) -> Iterator[Move]:
        return iter(self.rows)

    @property
    def events(self) -> tuple[str, ...]:
        """All events, each once, in the order of the rows."""
        return tuple(dict.fromkeys(row.event for row in self.rows))

    def find(self, stage: str | None, event: str) -> Move | None:
        """Return the row for a stage and an event, or None where the pair is not allowed."""
        return self._by_event.get((stage, event))

    def get(self, stage: str | None, event: str) -> Move:
        """Return the row for a stage and an event, or refuse with `case_closed` or `wrong_stage`."""
        move = self.find(stage, event)
        if move is None:
            raise self.refused(stage)
        return move

    def need(self, stage: str | None, event: str, role: Role) -> Move:
        """Return the row for a stage and an event that a role may bring about, or refuse; also `role_not_allowed`."""
        move = self.get(stage, event)
        if role not in move.who.roles:
            raise Refused("role_not_allowed", f"The role {role} may not do this.")
        return move

    def refused(self, stage: str | None) -> Refused:
        """Return the refusal of what cannot be done in a stage."""
        if self.called == "case" and stage in CLOSED:
            return Refused("case_closed", f"The case is {stage}; a new registration is possible at once.")
        return Refused("wrong_stage", f"This cannot be done while the {self.called} is {stage or self.no_stage}.")


class Counted(NamedTuple):
    """What is counted of a track: rows of the ledger of an act, and of an outcome where it has several."""

    act: str
    outcome: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A part of a case with a stage of its own, of which a case may have several.

    Attributes:
        table: the table of its rows, one of the programme's.
        stages: its stages in their order.
        keyed_by: the keys that there are.
        moves: its moves.
        keys: the keys that a case may have such tracks by; no two tracks of a case have one key, whatever their tables,
            since the ledger and tasks name a track by it alone.
        path: where they stand under the address of their case; None where nothing is asked of them by a path.
        terms: the table of their terms, one of the programme's, where one follows another (`cases.case.terms`).
        counted: what of them is counted over time, by name.
    """

    table: TrackTable
    stages: type[StrEnum]
    keyed_by: type[StrEnum]
    moves: Moves
    keys: Callable[[CaseFile], Sequence[str]]
    path: TrackPath | None = None
    terms: TermTable | None = None
    counted: Mapping[str, Counted] = field(default_factory=dict)

    @property
    def waiting(self) -> tuple[str, ...]:
        """The stages in which somebody is waited for: not those at its end, nor where a track only waits for time."""
        over = self.table.final | self.table.resting
        return tuple(sorted(stage.value for stage in self.stages if stage.value not in over))
