"""The words of rosters in three languages: headers, values that stand for codes, and what annotations say."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, TypeAdapter

from domain.languages import Language
from domain.sheets import plain_header
from texts.catalogue import Sentence, read_catalogue
from texts.person import GROUPS as PERSON
from texts.reasons import reason_sentence


class Column(BaseModel):
    """A column: its header in the template, other headers that people use, and what goes in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    header: Sentence
    also: tuple[str, ...]
    help: Sentence


class Word(BaseModel):
    """A word for a code, where the code has no sentence of its own, and others that people use."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    word: Sentence | None = None
    also: tuple[str, ...] = ()


_CATALOGUE: Final[Mapping[str, Any]] = read_catalogue("roster")
_Words = dict[str, Word]

COLUMNS: Final = TypeAdapter(dict[str, Column]).validate_python(_CATALOGUE["columns"])
VALUES: Final = TypeAdapter(dict[str, _Words]).validate_python(_CATALOGUE["values"])
ANNOTATIONS: Final = TypeAdapter(dict[str, Sentence]).validate_python(_CATALOGUE["annotations"])
RESULTS: Final = TypeAdapter(dict[str, Sentence]).validate_python(_CATALOGUE["results"])
_OPEN_ENDED: Final = Word.model_validate(_CATALOGUE["open_ended"])
OWN_COLUMNS: Final = frozenset(plain_header(header) for header in _CATALOGUE["own"])


def headers_of(columns: Iterable[str]) -> dict[str, str]:
    """Return which of the columns each plain header names: the column's own name, its words here and on the pages."""
    return {plain_header(header): column for column in columns for header in (column, *_headers(column))}


def word_of(column: str, code: str, language: Language) -> str:
    """Return the word of a code of a column in a language."""
    if column == "reason":
        return _without_stop(reason_sentence(code, language))
    word = VALUES[column][code].word
    return code if word is None else word.in_language(language)


def code_of(column: str, text: str) -> str | None:
    """Return the code that a text of a column stands for, in any of the languages; None for one that is not known."""
    return _codes()[column].get(_plain(text))


def allowed(column: str, language: Language) -> list[str]:
    """Return the words that a column may hold, in a language; none for a column of free text."""
    if column == "destinations":
        names = [word_of(column, code, language) for code in VALUES[column]]
        return [*names, "+".join(names)]
    return [word_of(column, code, language) for code in VALUES.get(column, ())]


def open_ended(language: Language) -> str:
    """Return the word for a contract without a fixed end."""
    assert _OPEN_ENDED.word is not None
    return _OPEN_ENDED.word.in_language(language)


def is_open_ended(text: str) -> bool:
    """Whether a text says that a contract has no fixed end."""
    return _plain(text) in _NO_END


def is_nothing(text: str) -> bool:
    """Whether a text says that a cell is empty."""
    return text.strip().casefold() in _NOTHING


def _headers(column: str) -> Iterable[str]:
    words = COLUMNS[column]
    yield from (words.header.in_language(language) for language in Language)
    yield from words.also
    if (printed := PERSON["fields"].get(column)) is not None:
        yield from (printed.in_language(language) for language in Language)


def _plain(text: str) -> str:
    return _without_stop(plain_header(text))


def _without_stop(text: str) -> str:
    return text.rstrip("。.")


def _words(column: str, code: str) -> Iterable[str]:
    yield code
    yield from (word_of(column, code, language) for language in Language)
    yield from VALUES[column][code].also
    if column == "destinations":
        yield from (PERSON["destinations"][code].in_language(language) for language in Language)


@cache
def _codes() -> Mapping[str, Mapping[str, str]]:
    """Return the code of each word by column, once the rooms have said theirs."""
    return {
        column: {_plain(word): code for code in codes for word in _words(column, code)}
        for column, codes in VALUES.items()
    }


_NOTHING: Final = frozenset(_CATALOGUE["nothing"])
_NO_END: Final = frozenset(
    _plain(word) for word in (*_OPEN_ENDED.also, *(open_ended(language) for language in Language))
)
