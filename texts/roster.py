"""The words of rosters in three languages: headers, values that stand for codes, and what annotations say.

Columns and values of a programme stand in its room, in `texts/roster.yaml`; those of any form are the core's.
"""

from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, TypeAdapter

from domain.languages import Language
from domain.roster import Column
from domain.sheets import plain_header
from texts.catalogue import Sentence, read_catalogue, read_yaml
from texts.person import GROUPS as PERSON
from texts.reasons import SENTENCES as REASONS


class Word(BaseModel):
    """A word for a code, where the code has no sentence of its own, and others that people use."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    word: Sentence | None = None
    also: tuple[str, ...] = ()


class ColumnWords(BaseModel):
    """The words of a column.

    Attributes:
        header: what the template writes above it.
        also: other headers that people use.
        help: what goes in it.
        open_ended: what says of a day that there is none, where it may be left out.
        together: what stands for all of its values at once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    header: Sentence
    also: tuple[str, ...] = ()
    help: Sentence
    open_ended: Word | None = None
    together: tuple[str, ...] = ()


class _Said(BaseModel):
    """What a room says of its rosters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: dict[str, ColumnWords] = {}
    values: dict[str, dict[str, Word]] = {}


_CATALOGUE: Final[Mapping[str, Any]] = read_catalogue("roster")
_OF_ANY: Final = _Said.model_validate({name: _CATALOGUE[name] for name in ("columns", "values")})
_FLAG: Final = "flag"  # the words of a value that is true or false

ANNOTATIONS: Final = TypeAdapter(dict[str, Sentence]).validate_python(_CATALOGUE["annotations"])
RESULTS: Final = TypeAdapter(dict[str, Sentence]).validate_python(_CATALOGUE["results"])
OWN_COLUMNS: Final = frozenset(plain_header(header) for header in _CATALOGUE["own"])
_NOTHING: Final = frozenset(_CATALOGUE["nothing"])


class RosterWords:
    """The words of one programme's columns and values: what its room says, and what the core says of any form's."""

    def __init__(self, said: _Said) -> None:
        self.columns: Final[Mapping[str, ColumnWords]] = {**_OF_ANY.columns, **said.columns}
        self.values: Final[Mapping[str, Mapping[str, Word]]] = {**_OF_ANY.values, **said.values}

    def headers_of(self, columns: Iterable[str]) -> dict[str, str]:
        """Return which of the columns each plain header names: its own name, its words here and on the pages."""
        return {plain_header(header): column for column in columns for header in (column, *self._headers(column))}

    def word_of(self, column: str, code: str, language: Language) -> str:
        """Return the word of a code of a column in a language; of a reason its sentence without the full stop."""
        word = self.values[column][code].word or REASONS.get(code)
        return code if word is None else _without_stop(word.in_language(language))

    def flag(self, column: str, language: Language, *, is_true: bool) -> str:
        """Return the word of a value that is true or false."""
        return self.word_of(column if column in self.values else _FLAG, "yes" if is_true else "no", language)

    def code_of(self, column: str, text: str) -> str | None:
        """Return the code that a text stands for, in any of the languages; None for one that is not known."""
        return self._codes[column].get(_plain(text))

    def codes_of(self, column: str, text: str) -> tuple[str, ...]:
        """Return all codes of a column where a text stands for them together; otherwise the one, or none."""
        if text in self.columns[column].together:
            return tuple(self.values[column])
        one = self.code_of(column, text)
        return () if one is None else (one,)

    def allowed(self, column: Column, language: Language) -> list[str]:
        """Return the words that a column may hold, in a language; none for a column of free text."""
        names = [self.word_of(column.name, code, language) for code in self.values.get(column.name, ())]
        return [*names, "+".join(names)] if column.joins else names

    def open_ended(self, column: str, language: Language) -> str | None:
        """Return the word that says of a day that there is none; None for a column without one."""
        word = self.columns[column].open_ended
        return None if word is None or word.word is None else word.word.in_language(language)

    def is_open_ended(self, column: str, text: str) -> bool:
        """Whether a text says that a column has no day."""
        return _plain(text) in self._no_end.get(column, ())

    @cached_property
    def _no_end(self) -> Mapping[str, frozenset[str]]:
        return {
            name: frozenset(_plain(word) for word in (*each.open_ended.also, *_in_all(each.open_ended.word)))
            for name, each in self.columns.items()
            if each.open_ended is not None
        }

    @cached_property
    def _codes(self) -> Mapping[str, Mapping[str, str]]:
        """Return the code of each word by column; asked for once the rooms have said theirs."""
        return {
            column: {_plain(word): code for code in codes for word in self._words(column, code)}
            for column, codes in self.values.items()
        }

    def _headers(self, column: str) -> Iterable[str]:
        words = self.columns[column]
        yield from _in_all(words.header)
        yield from words.also
        yield from _in_all(PERSON["fields"].get(column))

    def _words(self, column: str, code: str) -> Iterable[str]:
        yield code
        yield from (self.word_of(column, code, language) for language in Language)
        yield from self.values[column][code].also
        yield from _in_all(PERSON.get(column, {}).get(code))


@cache
def words_of(package: str) -> RosterWords:
    """Return the words of the rosters of a programme, by its package (`Programme.texts`)."""
    file = files(package) / "texts" / "roster.yaml"
    return RosterWords(_Said.model_validate(read_yaml(file) if file.is_file() else {}))


def is_nothing(text: str) -> bool:
    """Whether a text says that a cell is empty."""
    return text.strip().casefold() in _NOTHING


def _in_all(sentence: Sentence | None) -> Iterable[str]:
    return () if sentence is None else (sentence.in_language(language) for language in Language)


def _plain(text: str) -> str:
    return _without_stop(plain_header(text))


def _without_stop(text: str) -> str:
    return text.rstrip("。.")
