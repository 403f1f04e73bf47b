"""Eighteen-character identity numbers (GB 11643): resident ID, residence permits and foreign permanent residents."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from stdnum.cn import ric

# First two digits of GB/T 2260: the provinces, regions and cities that issue resident identity cards.
PROVINCES: Final = frozenset(
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65".split()
)
# Residence permit for Hong Kong, Macao and Taiwan residents [S74].
RESIDENCE_PERMIT_AREAS: Final = frozenset({"810000", "820000", "830000"})
# Foreign permanent resident card of 2023 [S75].
FOREIGN_RESIDENT_PREFIX: Final = "9"
LENGTH: Final = 18
_CHARACTERS: Final = re.compile(r"[0-9]{0,17}|[0-9]{17}[0-9X]")


class IdentityKind(StrEnum):
    """Which document an eighteen-character number belongs to."""

    MAINLAND_RESIDENT = "mainland_resident"
    RESIDENCE_PERMIT = "residence_permit"
    FOREIGN_PERMANENT_RESIDENT = "foreign_permanent_resident"
    UNKNOWN_AREA = "unknown_area"


class IdentityNumberError(ValueError):
    """The number cannot be an identity number; `code` is the published field-error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class IdentityNumber:
    """A number whose form, check digit and birth date hold; a birth date to come is for a rule to find."""

    number: str
    kind: IdentityKind
    birth_date: date

    @property
    def masked(self) -> str:
        """The number as shown by default: `4403**********123X`, a foreigner's `9*************123X`."""
        return mask_identity_number(self.number)


def normalise_identity_number(text: str) -> str:
    """Return the number without spaces or full-width forms, a final x as X."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()


def parse_identity_number(text: str) -> IdentityNumber:
    """Return the number with its kind and birth date.

    Own form and check, because `stdnum.cn.ric` refuses every number without a mainland county.

    Raises:
        IdentityNumberError: the characters, the check digit or the birth date are wrong.
    """
    number = normalise_identity_number(text)
    if len(number) > LENGTH:
        raise IdentityNumberError("too_long", "An identity number has 18 characters.")
    if not _CHARACTERS.fullmatch(number):
        raise IdentityNumberError("bad_characters", "An identity number is 17 digits and a digit or X.")
    if len(number) != LENGTH:
        raise IdentityNumberError("check_digit", "Give all 18 characters; 15-digit numbers have no check digit.")
    if ric.calc_check_digit(number) != number[17]:  # takes the number with its check digit
        raise IdentityNumberError("check_digit", "The check digit does not agree with the rest of the number.")
    return IdentityNumber(number=number, kind=kind_of(number), birth_date=birth_date_in(number))


def kind_of(number: str) -> IdentityKind:
    """Return the kind of document that a compact number names by its area."""
    if number[:6] in RESIDENCE_PERMIT_AREAS:
        return IdentityKind.RESIDENCE_PERMIT
    if number.startswith(FOREIGN_RESIDENT_PREFIX):
        return IdentityKind.FOREIGN_PERMANENT_RESIDENT
    return IdentityKind.MAINLAND_RESIDENT if number[:2] in PROVINCES else IdentityKind.UNKNOWN_AREA


def birth_date_in(number: str) -> date:
    """Return the birth date that a compact number states, characters 7 to 14."""
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise IdentityNumberError("impossible_date", "The birth date in the number does not exist.") from None


def mask_identity_number(number: str) -> str:
    """Return the number with its first and last four; a foreigner's, whose first say where from, with the first."""
    shown = 1 if kind_of(number) is IdentityKind.FOREIGN_PERMANENT_RESIDENT else 4
    if len(number) <= 8:
        return "*" * len(number)
    return number[:shown] + "*" * (len(number) - shown - 4) + number[-4:]
