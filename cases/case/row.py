"""What the row of a case says by itself, to those who change the case and to those who only show it."""

from collections.abc import Mapping

from cases.shared.context import Context
from domain.forms import Form
from domain.outward import CallKind
from domain.stages import Destination, Stage
from domain.words import Words
from store.rows.register import RegistrationRow


class CaseRow:
    """Whoever holds the row of a case in the register."""

    __slots__ = ()
    context: Context
    row: RegistrationRow

    @property
    def form(self) -> type[Form]:
        """The form that the case was opened with."""
        return self.context.programmes[self.row.programme].form

    @property
    def forms(self) -> tuple[type[Form], ...]:
        """The form that the case was opened with, for what asks several at once."""
        return (self.form,)

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
        """The employer whose case it is."""
        return self.row.employer_id

    @property
    def round(self) -> int:
        """The round that decisions carry."""
        return self.row.round

    @property
    def stage(self) -> Stage:
        """The stage of the registration."""
        return Stage(self.row.stage)

    @property
    def destinations(self) -> tuple[Destination, ...]:
        """The destinations asked for."""
        return tuple(Destination(code) for code in self.row.destinations)
