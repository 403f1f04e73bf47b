"""What the rows of a case say by themselves, to those who change the case and to those who only show it."""

from collections.abc import Mapping
from typing import TypeVar

from cases.shared.context import Context, shelf_of
from domain.actors import Actor, Role
from domain.errors import need
from domain.forms import Form
from domain.outward import CallKind
from domain.parties import Party, owning, person_tenant
from domain.stages import Stage
from domain.words import Words
from policy.pack import Pack, PackShelf
from store.case_tables import OwnRows, TrackTable
from store.rows.base import TableRow
from store.rows.register import CaseRow
from store.rows.tracks import TrackRow

_Row = TypeVar("_Row", bound=TableRow)


class OneCase:
    """Whoever holds the row of a case in the register, and its rows in the tables of its programme."""

    __slots__ = ()
    context: Context
    row: CaseRow
    own_rows: OwnRows

    @property
    def form(self) -> type[Form]:
        """The form that the case was opened with."""
        return self.context.programmes[self.row.programme].form

    @property
    def forms(self) -> tuple[type[Form], ...]:
        """The form that the case was opened with, for what asks several at once."""
        return (self.form,)

    @property
    def shelf(self) -> PackShelf:
        """The versions of the rule pack of its programme."""
        return shelf_of(self.context, self.row.programme)

    @property
    def pack(self) -> Pack:
        """The version of the rule pack that the case keeps."""
        return self.shelf.version(self.row.policy_version)

    @property
    def reference(self) -> str:
        """The reference of the case."""
        return self.row.reference

    @property
    def words(self) -> Words:
        """The words of its programme."""
        return self.context.programmes[self.row.programme].words

    @property
    def call_kinds(self) -> Mapping[str, CallKind]:
        """The outward calls of its programme, by what is told with them."""
        return self.context.programmes[self.row.programme].calls

    @property
    def employer_id(self) -> str:
        """Who owns the case, as its rows bear it: an employer's id, or `person/` and an id."""
        return self.row.employer_id

    @property
    def owned_by(self) -> Party:
        """What its owner is."""
        return owning(self.row.employer_id)

    def is_of(self, actor: Actor) -> bool:
        """Whether it is the actor's own case: that of the employer, or of the person who owns it."""
        if self.owned_by is Party.PERSON:
            return actor.role is Role.PERSON and actor.tenant == person_tenant(self.row.person_id)
        return actor.employer_id == self.row.employer_id

    @property
    def round(self) -> int:
        """The round that decisions carry."""
        return self.row.round

    @property
    def stage(self) -> Stage:
        """The stage of the case."""
        return Stage(self.row.stage)

    def rows_of(self, kind: type[_Row]) -> list[_Row]:
        """Return the rows of the case in a table of its programme, by the class of its rows; none of another's."""
        return [row for row in self.own_rows.get(kind.TABLE.name, ()) if isinstance(row, kind)]

    def row_of(self, kind: type[_Row]) -> _Row:
        """Return the one row of the case in a table of its programme.

        Raises:
            Defect: `missing_` and the table's name where it has none.
        """
        return need(next(iter(self.rows_of(kind)), None), kind.TABLE.name)

    @property
    def track_tables(self) -> list[TrackTable]:
        """The tables of the tracks that the case's programme follows."""
        tables = self.context.programmes[self.row.programme].tables
        return [each for each in tables if isinstance(each, TrackTable)]

    @property
    def tracks(self) -> dict[str, TrackRow]:
        """The tracks of the case, by what they are called."""
        return {
            need(each.key_of(row), "key"): row
            for each in self.track_tables
            for row in self.own_rows.get(each.name, ())
            if isinstance(row, TrackRow)
        }

    def track(self, table: TrackTable, key: str) -> TrackRow | None:
        """Return the track of a key in a table, or None where the case has none."""
        return next((row for row in self.rows_of(table.row) if table.key_of(row) == key), None)
