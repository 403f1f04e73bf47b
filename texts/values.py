"""What was given of a person, in words: codes, yes or no, days and letters as each language writes them."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, Final

from domain.languages import Language
from texts.notices.wording import day
from texts.roster import RosterWords

_BETWEEN: Final = " · "


def value_text(field: str, value: Any, language: Language, *, said: RosterWords, days: Collection[str]) -> str | None:
    """Return a value of a field in words; None for one that was not given.

    Args:
        field: the name of the field, without its part.
        value: the value as JSON.
        language: the reader's.
        said: the words of the programme whose form has the field.
        days: the fields of that form that are days.
    """
    if value is None:
        return None
    if isinstance(value, bool):
        return said.flag(field, language, is_true=value)
    if isinstance(value, Mapping):  # a letter
        return _BETWEEN.join([value["issuer"], value["number"], day(date.fromisoformat(value["date"]), language)])
    if field in said.values:
        return said.word_of(field, str(value), language)
    return day(date.fromisoformat(value), language) if field in days else str(value)
