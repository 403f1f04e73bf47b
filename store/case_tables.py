"""Tables that a programme keeps beside those of any case: their rows are loaded, written and hashed with the case."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table

from domain.data_map import DataRow
from domain.spellings import Place
from store.rows.base import TableRow
from store.rows.terms import TermRow
from store.rows.tracks import TrackRow


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CaseTable:
    """A table of a programme, declared: each of its rows is of one case, by `reference`, and bears its `employer_id`.

    Attributes:
        row: the class of its rows.
        key: the column by which rows of one case differ; None where a case has one row.
        hashed: the columns that the hash of the case's state covers, of rows by which reconciliation finds what was
            altered. A stored spelling, as the table's name is: one that is empty in all rows of before may be added,
            and none is ever taken away.
        unhashed: the columns left out on purpose: what counts or dates writes. Any other is found by a test.
        sealed: the columns that are sealed under the person's key, each with the place that its values are bound to.
        emptied: what an erasure leaves in columns that are not sealed, as SQL, by column.
        data: what the data map says of its columns.
        since: the first form of states (`STATE_FORMS`) that covers it, where its migration filled it for cases of
            before, whose last rows in the ledger are of an earlier form.
    """

    row: type[TableRow]
    key: str | None = None
    hashed: tuple[str, ...]
    unhashed: frozenset[str] = frozenset()
    sealed: Mapping[str, Place] = field(default_factory=dict)
    emptied: Mapping[str, str] = field(default_factory=dict)
    data: tuple[DataRow, ...] = ()
    since: int = 1

    @property
    def table(self) -> Table:
        """The table."""
        return self.row.TABLE

    @property
    def name(self) -> str:
        """Its name."""
        return self.row.TABLE.name

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns by which rows of one case differ."""
        return () if self.key is None else (self.key,)

    def key_of(self, row: TableRow) -> str | None:
        """Return what tells a row from the others of its case."""
        return None if self.key is None else str(getattr(row, self.key))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """Columns of a track that stand as the last answer from outside said that was applied and that says them.

    Attributes:
        outcomes: the outcomes of the answers that say them.
        columns: their names, which are those in the answer too.
    """

    outcomes: frozenset[str]
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrackTable(CaseTable):
    """A table whose rows are tracks of a case, declared; `row` is a `TrackRow`, and there is a `key`.

    Attributes:
        final: the stages in which nothing happens to a track any more.
        resting: further stages in which a track only waits for its time.
        given_up: the column that says of a track that nobody follows it any more, if there is one.
        ended_on: the day on which a track in a final stage had ended, as SQL of its row `x`.
        answered: the columns that answers from outside fill, by which reconciliation holds them; None where none does.
    """

    row: type[TrackRow]
    key: str
    final: frozenset[str]
    resting: frozenset[str] = frozenset()
    given_up: str | None = None
    ended_on: str
    answered: Answered | None = None

    def is_over(self, track: TrackRow) -> bool:
        """Whether nothing can happen to a track any more."""
        return track.stage in self.final or (self.given_up is not None and bool(getattr(track, self.given_up)))

    def is_at_rest(self, track: TrackRow) -> bool:
        """Whether a track waits for nothing but its time."""
        return track.stage in self.final | self.resting

    def is_under_way(self) -> str:
        """Return, as SQL of its row `x`, whether a track has begun and has not come to its end."""
        return f"x.stage IS NOT NULL AND NOT {self._is_final()}"

    def is_followed(self) -> str:
        """Return, as SQL of its row `x`, whether something can still happen to a track."""
        given_up = f"NOT x.{self.given_up} AND " if self.given_up else ""
        return f"{given_up}(x.stage IS NULL OR NOT {self._is_final()})"

    def _is_final(self) -> str:
        return "x.stage IN (" + ", ".join(f"'{stage}'" for stage in sorted(self.final)) + ")"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TermTable(CaseTable):
    """A table whose rows are terms of a track, declared; `row` is a `TermRow`, told apart by track and `number`.

    Attributes:
        key: the column that names the track, as in the table of the tracks.
        holds: the stages in which a term holds, within its days.
        pending: the stages in which one was asked for and is not given yet.
        answered: the columns that answers from outside fill; `numbered` is the one of them that tells a term from the
            others, by which reconciliation finds the answers that say it.
        numbered: that column.
    """

    row: type[TermRow]
    key: str
    holds: frozenset[str]
    pending: frozenset[str] = frozenset()
    answered: Answered | None = None
    numbered: str | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns by which terms of one case differ."""
        return (self.key, "number")

    def key_of(self, row: TableRow) -> str:
        """Return the track and the number of a term."""
        numbered: Any = row
        return f"{getattr(row, self.key)}/{numbered.number:04d}"


# Each with the code of its programme.
OwnTables = tuple[tuple[str, CaseTable], ...]
OwnRows = dict[str, list[TableRow]]


def tracks_among(own: OwnTables) -> list[TrackTable]:
    """Return the tables of tracks; each of them once, whoever declares it."""
    return list(dict.fromkeys(each for _, each in own if isinstance(each, TrackTable)))


def any_track(own: OwnTables, case: str, condition: Callable[[TrackTable], str]) -> str:
    """Return, as SQL, whether a case has a track of which a condition holds.

    Args:
        own: tables of programmes.
        case: the expression of the case's reference.
        condition: as SQL of a track's row `x`.
    """
    found = [
        f"EXISTS (SELECT FROM {each.name} x WHERE x.reference = {case} AND ({condition(each)}))"
        for each in tracks_among(own)
    ]
    return f"({' OR '.join(found)})" if found else "false"


def select_own(own: OwnTables) -> str:
    """Return the columns of a query of cases `r` that have, as JSON, the rows of each table where its programme has it.

    Begins with a comma where there are any.
    """
    return "".join(
        f", CASE WHEN r.programme = '{code}' THEN (SELECT jsonb_agg(to_jsonb(x)) FROM {each.name} x"
        f" WHERE x.reference = r.reference) END AS own_{number}"
        for number, (code, each) in enumerate(own)
    )


def read_own(own: OwnTables, found: Mapping[str, Any]) -> OwnRows:
    """Return the rows that such a query found of one case, by table."""
    mine = [(number, each) for number, (code, each) in enumerate(own) if code == found["programme"]]
    return {each.name: read_rows(each, found[f"own_{number}"]) for number, each in mine}


def read_rows(table: CaseTable, found: Sequence[Mapping[str, Any]] | None) -> list[TableRow]:
    """Return rows that came as JSON."""
    return [table.row.from_json(values) for values in found or ()]
