"""What was given of a person, in words: codes, yes or no, days and letters as each language writes them."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from domain.languages import Language
from texts.notices.wording import day
from texts.roster import VALUES, word_of

_DAYS: Final = frozenset({"permit_card_valid_until", "contract_start", "contract_end"})
_BETWEEN: Final = " · "


def value_text(field: str, value: Any, language: Language) -> str | None:
    """Return a value of a field in words; None for one that was not given."""
    if value is None:
        return None
    if isinstance(value, bool):
        return word_of(field, "yes" if value else "no", language)
    if isinstance(value, Mapping):  # a letter
        return _BETWEEN.join([value["issuer"], value["number"], day(date.fromisoformat(value["date"]), language)])
    if field in VALUES:
        return word_of(field, str(value), language)
    return day(date.fromisoformat(value), language) if field in _DAYS else str(value)
