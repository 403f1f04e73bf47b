"""Days as people write them in sheets: only what can be read in one way is taken."""

import re
import unicodedata
from datetime import date
from typing import Final

from domain.sheets import moment_of_serial

# The forms that are taken, as they are shown to whoever wrote another.
FORMS: Final = ("2026-03-01", "2026/3/1", "2026.3.1", "2026年3月1日", "20260301", "1 March 2026")

_MONTHS: Final = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_MIDNIGHT: Final = r"(?:[T ]0{1,2}:00(?::00(?:\.0+)?)?)?"
_YEAR_FIRST: Final = re.compile(rf"([0-9]{{4}})([-/.])([0-9]{{1,2}})\2([0-9]{{1,2}}){_MIDNIGHT}")
_CHINESE: Final = re.compile(r"([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})[日号號](?:\((?:星期|周|週)[一二三四五六日天]\))?")
_COMPACT: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_ENGLISH: Final = re.compile(r"(?:[a-z]+,\s*)?([0-9]{1,2})\s+([a-z]{3,9})\.?,?\s+([0-9]{4})")
_AMERICAN: Final = re.compile(r"([a-z]{3,9})\.?\s+([0-9]{1,2}),?\s+([0-9]{4})")
_FULL_NAMES: Final = "january february march april may june july august september october november december".split()
_LEAST_SERIAL: Final = 29_221  # 1 January 1980: below it a number is rather a year, or a year and a month
_MOST_SERIAL: Final = 109_574  # 31 December 2199


def written_day(text: str) -> date | None:
    """Return the day that a text names; None where it names none, or more than one by the order of its figures.

    Raises:
        ValueError: the text has a form that is taken, and no such day exists.
    """
    text = unicodedata.normalize("NFKC", text).strip()
    if found := _YEAR_FIRST.fullmatch(text):
        return date(int(found[1]), int(found[3]), int(found[4]))
    if found := _CHINESE.fullmatch("".join(text.split())) or _COMPACT.fullmatch(text):
        return date(int(found[1]), int(found[2]), int(found[3]))
    lower = text.casefold()
    if found := _ENGLISH.fullmatch(lower):
        return _named(found[3], found[2], found[1])
    if found := _AMERICAN.fullmatch(lower):
        return _named(found[3], found[1], found[2])
    return None


def numbered_day(digits: str, *, is_1904: bool) -> date | None:
    """Return the day of a number in a column of days: a count of days, or year, month and day in eight digits.

    Raises:
        ValueError: the eight digits name no day that exists.
    """
    if len(digits) == 8:
        return written_day(digits)
    if not digits.isdigit() or not _LEAST_SERIAL <= int(digits) <= _MOST_SERIAL:
        return None
    moment = moment_of_serial(int(digits), is_1904=is_1904)
    return None if moment is None else moment.date()


def _named(year: str, month: str, day: str) -> date | None:
    """Return a day whose month is a name; a name cut short has three letters, or four for September."""
    if month not in _FULL_NAMES and month not in _MONTHS and month != "sept":
        return None
    return date(int(year), _MONTHS.index(month[:3]) + 1, int(day))
