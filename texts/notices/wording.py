"""Dates, places, roles, acts, reasons and limits as each language writes them."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from babel.dates import format_date

from domain.actors import Role
from domain.languages import Language
from domain.stages import DueKind
from texts.catalogue import read_sentences
from texts.person import plain, said_of
from texts.reasons import reason_sentence

_HANS: Final = Language.ZH_HANS
_HANT: Final = Language.ZH_HANT
_EN: Final = Language.EN

# Pattern and locale; written out, so that no order of figures can be mistaken.
_DATES: Final = {
    _HANS: ("y年M月d日（EEEE）", "zh_Hans"),
    _HANT: ("y年M月d日（EEEE）", "zh_Hant"),
    _EN: ("EEEE, d MMMM y", "en"),
}

# What a track is called, by its key; a programme says it in its room.
_TRACKS: Final = read_sentences("tracks")
_ROLES: Final[Mapping[Language, Mapping[Role, str]]] = {
    _HANS: {Role.OFFICER: "园区经办人员", Role.SUPERVISOR: "园区主管人员"},
    _HANT: {Role.OFFICER: "園區經辦人員", Role.SUPERVISOR: "園區主管人員"},
    _EN: {Role.OFFICER: "officer of the Park", Role.SUPERVISOR: "supervisor of the Park"},
}


def field(value: str, language: Language, room: str) -> str:
    """Return what a field of a form is called, as persons read it everywhere."""
    return str(plain("fields", value, language, room))


def day(value: date, language: Language) -> str:
    """Return the date with its weekday."""
    pattern, locale = _DATES[language]
    return format_date(value, pattern, locale)


def place(destination: str | tuple[str, ...], language: Language) -> str:
    """Return the name of a destination, or of several of which a notice says the same."""
    if isinstance(destination, tuple):
        return places(destination, language)
    named = _TRACKS.get(destination)
    return destination if named is None else named.in_language(language)


def places(destinations: Iterable[str], language: Language) -> str:
    """Return the names of several destinations as one phrase."""
    names = [place(destination, language) for destination in destinations]
    return " and ".join(names) if language is _EN else "、".join(names)


def role(value: Role, language: Language) -> str:
    """Return how a letter names the role of its decider."""
    return _ROLES[language][value]


def why(value: str, language: Language) -> str:
    """Return the sentence of a reason."""
    return reason_sentence(value, language)


def due(value: DueKind, language: Language, room: str) -> str:
    """Return what a time limit is for."""
    return said_of("due_kinds", value, language, room)
