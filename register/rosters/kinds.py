"""What a roster asks for, as the programme declares it whose rows it has, with that programme's words."""

from dataclasses import dataclass
from functools import cached_property

from cases.programme import Programme, Roster, programmes_of
from cases.shared.context import Context
from domain.errors import FieldError, Refused
from domain.field_errors import MESSAGES, FieldCode
from domain.languages import Language
from domain.roster import Column, needed_of
from domain.written_days import FORMS
from texts.roster import RosterWords, words_of


@dataclass(frozen=True)
class RosterKind:
    """A kind of roster: the act that its rows ask, and the programme that declares it."""

    act: str
    programme: Programme

    @property
    def roster(self) -> Roster:
        """The declaration."""
        return self.programme.rosters[self.act]

    @property
    def words(self) -> RosterWords:
        """The words of the programme."""
        return words_of(self.programme.texts)

    @cached_property
    def columns(self) -> dict[str, Column]:
        """The columns by name, in the order of the template."""
        return {column.name: column for column in self.roster.columns}

    @cached_property
    def headers(self) -> dict[str, str]:
        """The column that each plain header means."""
        return self.words.headers_of(self.columns)

    @cached_property
    def required(self) -> frozenset[str]:
        """The names of the columns that a roster has to have."""
        return needed_of(self.columns.values())

    def allowed(self, name: str, language: Language) -> list[str]:
        """Return what a column may hold: its words, or the forms in which a day is taken; none for free text."""
        column = self.columns.get(name)
        if column is None:
            return []
        if column.is_day:
            no_end = self.words.open_ended(name, language)
            return [*FORMS, *([] if no_end is None else [no_end])]
        return self.words.allowed(column, language)


def acts_of(context: Context) -> list[str]:
    """Return what the rosters of all programmes of this process ask, as it is stored with each."""
    return [str(act) for each in programmes_of(context) for act in each.rosters]


def kind_of(context: Context, act: str) -> RosterKind:
    """Return the kind of roster that an act is; no two programmes have one of the same name.

    Raises:
        Refused: `invalid` for an act that no programme of this process declares.
    """
    for each in programmes_of(context):
        if act in each.rosters:
            return RosterKind(act, each)
    message = MESSAGES[FieldCode.UNKNOWN_VALUE]
    raise Refused("invalid", "No roster asks this.", [FieldError("act", FieldCode.UNKNOWN_VALUE, message)])
