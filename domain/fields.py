"""Field types of request bodies: each refuses with a published field-error code and never quotes the value."""

import re
import unicodedata
from datetime import date, datetime, timedelta
from typing import Annotated, Final, LiteralString

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    StrictBool,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from domain.clock import start_of
from domain.contacts import EMAIL_LENGTH, PHONE_LENGTH, EmailError, PhoneError, normalise_email, normalise_phone
from domain.identity_numbers import IdentityNumberError, parse_identity_number
from domain.permit_cards import normalise_card_number
from domain.uscc import UsccError, parse_uscc

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2199  # far from the end of the calendar, so that counting on never overflows
NOTE_LENGTH: Final = 2000
_ISO_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# As RFC 3339 writes a date-time; whether it has an offset is said by another error.
_ISO_MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}.*", re.ASCII)
# Control, format (bidirectional overrides too), surrogate, private and unassigned characters, line and paragraph ends.
_REFUSED_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# What is not seen though its category is that of a letter, mark or symbol: Default_Ignorable_Code_Point of Unicode 16
# (DerivedCoreProperties.txt) as far as it is not of the categories above, and the blank pattern of Braille. U+FFFD
# stands for a character that was lost on the way.
_UNSEEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\ufffd"
    "\U000e0000-\U000e0fff]"
)
_PRESENTATION: Final = "\ufe0e\ufe0f"  # of an emoji as text or as picture; a note may have them
# Planes that Unicode keeps for ideographs: those of newer versions are names before Python's own tables know them.
_IDEOGRAPHS: Final = range(0x20000, 0x40000)


def refusal(code: LiteralString, message: LiteralString) -> PydanticCustomError:
    """Return the error of one field with a published code; the message never holds the value."""
    return PydanticCustomError(code, message)


def is_printable(text: str, *, allowed: str = "") -> bool:
    """Whether a text has no character that is invisible, unassigned or steers a terminal or a page."""
    if any(found not in allowed for found in _UNSEEN.findall(text)):
        return False
    if text.isprintable():  # which is narrower: it refuses blanks of other kinds as well
        return True
    return not any(_is_refused(mark) and mark not in allowed for mark in text)


def as_stored(text: str) -> str:
    """Return a text in the one form in which it is kept, and so looked up."""
    return unicodedata.normalize("NFC", text.strip())


def _is_refused(mark: str) -> bool:
    category = unicodedata.category(mark)
    if category == "Cn" and ord(mark) in _IDEOGRAPHS:
        return ord(mark) & 0xFFFE == 0xFFFE  # the last two of each plane are no characters
    return category in _REFUSED_CATEGORIES


def _line(text: str) -> str:
    text = as_stored(text)
    if not is_printable(text):
        raise refusal("bad_characters", "Control and invisible characters are not allowed.")
    if not text:
        raise refusal("required", "The text must not be empty.")
    return text


def _note(text: str) -> str:
    text = as_stored(text.replace("\r\n", "\n"))
    if not is_printable(text, allowed=f"\n\t{_PRESENTATION}"):
        raise refusal("bad_characters", "Control and invisible characters are not allowed.")
    if not text:
        raise refusal("required", "The text must not be empty.")
    return text


def _identity_number(text: str) -> str:
    try:
        return parse_identity_number(text).number
    except IdentityNumberError as error:
        raise _IDENTITY_REFUSALS[error.code] from None


def _uscc(text: str) -> str:
    try:
        return parse_uscc(text)
    except UsccError as error:
        raise _USCC_REFUSALS[error.code] from None


def _phone(text: str) -> str:
    try:
        return normalise_phone(text)
    except PhoneError:
        raise refusal("bad_phone", "Give a valid number of the mainland, Hong Kong or Macao.") from None


def _email(text: str) -> str:
    try:
        return normalise_email(text)
    except EmailError:
        raise refusal("bad_email", "Give a valid mail address.") from None


def _iso_date(given: object) -> object:
    if isinstance(given, date):
        return given
    if not isinstance(given, str):
        raise refusal("wrong_type", "Give the date as text, YYYY-MM-DD.")
    if not _ISO_DATE.fullmatch(given):
        raise refusal("impossible_date", "Give the date as YYYY-MM-DD.")
    try:
        day = date.fromisoformat(given)
    except ValueError:
        raise refusal("impossible_date", "The date does not exist.") from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise refusal("impossible_date", "The year is out of range.")
    return day


def _iso_moment(given: object) -> object:
    if isinstance(given, datetime):
        return given
    if not isinstance(given, str):
        raise refusal("wrong_type", "Give the time as text, such as 2026-11-30T09:00:00+08:00.")
    if not _ISO_MOMENT.fullmatch(given):
        raise refusal("impossible_date", "Give the time with date and offset, such as 2026-11-30T09:00:00+08:00.")
    return given


def _begins(given: object) -> object:
    return _start(given, days_later=0)


def _ends(given: object) -> object:
    return _start(given, days_later=1)


def _start(given: object, *, days_later: int) -> object:
    if not (isinstance(given, str) and _ISO_DATE.fullmatch(given)):
        return given
    day = _iso_date(given)
    assert isinstance(day, date)
    return start_of(day + timedelta(days=days_later))


# Where a last day is given, its end is the start of the next day: of the last one too.
_AFTER_ALL: Final = start_of(date(LAST_YEAR + 1, 1, 1))


def _within_years(moment: datetime) -> datetime:
    # The year as written, since a moment at either end of the calendar cannot be told in another offset.
    if not FIRST_YEAR <= moment.year <= LAST_YEAR and moment != _AFTER_ALL:
        raise refusal("impossible_date", "The year is out of range.")
    return moment


_IDENTITY_REFUSALS: Final = {
    "too_long": refusal("too_long", "An identity number has 18 characters."),
    "bad_characters": refusal("bad_characters", "An identity number is 17 digits and a digit or X."),
    "check_digit": refusal("check_digit", "The check digit does not agree; give all 18 characters as on the document."),
    "impossible_date": refusal("impossible_date", "The birth date in the number does not exist."),
}
_USCC_REFUSALS: Final = {
    "too_long": refusal("too_long", "A unified social credit code has 18 characters."),
    "bad_characters": refusal("bad_characters", "A unified social credit code has no I, O, S, V or Z."),
    "check_digit": refusal("check_digit", "The check character does not agree with the rest of the code."),
}


def _text_up_to(length: int) -> StringConstraints:
    return StringConstraints(min_length=1, max_length=length)


Name = Annotated[str, _text_up_to(100), AfterValidator(_line)]
Line = Annotated[str, _text_up_to(200), AfterValidator(_line)]
Label = Annotated[str, _text_up_to(64), AfterValidator(_line)]
Note = Annotated[str, _text_up_to(NOTE_LENGTH), AfterValidator(_note)]
IdentityNumberField = Annotated[
    str, StringConstraints(max_length=40), AfterValidator(_identity_number), Field(examples=["44030419900307123X"])
]
CardNumber = Annotated[
    str, _text_up_to(20), AfterValidator(_line), AfterValidator(normalise_card_number), Field(examples=["C12345678"])
]
Uscc = Annotated[str, StringConstraints(max_length=40), AfterValidator(_uscc), Field(examples=["91440300MA5H0WEY05"])]
Phone = Annotated[
    str, StringConstraints(max_length=PHONE_LENGTH), AfterValidator(_phone), Field(examples=["+8613812345678"])
]
Email = Annotated[
    str, StringConstraints(max_length=EMAIL_LENGTH), AfterValidator(_email), Field(examples=["li@example.com"])
]
Day = Annotated[date, BeforeValidator(_iso_date), WithJsonSchema({"type": "string", "format": "date"})]
Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_iso_moment),
    AfterValidator(_within_years),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
_MOMENT_OR_DAY: Final = WithJsonSchema(
    {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]}
)
# Where a date stands for a time: its first moment, or the first moment after it.
Since = Annotated[
    AwareDatetime, BeforeValidator(_iso_moment), BeforeValidator(_begins), AfterValidator(_within_years), _MOMENT_OR_DAY
]
Until = Annotated[
    AwareDatetime, BeforeValidator(_iso_moment), BeforeValidator(_ends), AfterValidator(_within_years), _MOMENT_OR_DAY
]
Flag = StrictBool
Code = Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
