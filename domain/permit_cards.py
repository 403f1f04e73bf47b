"""Numbers of the two-way permit card (往来港澳通行证)."""

import re
import unicodedata
from enum import StrEnum
from typing import Final

# C and eight digits, then C, a letter but I and O, and seven digits [S77]; there is no check digit.
_CARD: Final = re.compile(r"C([0-9]{8}|[A-HJ-NP-Z][0-9]{7})")
_OLD_BOOKLET: Final = re.compile(r"W[0-9]{8}")  # general knowledge, unverified: an officer looks at it


class CardForm(StrEnum):
    """What the form of a card number says."""

    CARD = "card"
    OLD_BOOKLET = "old_booklet"
    OTHER = "other"


def normalise_card_number(text: str) -> str:
    """Return the number without spaces or full-width forms, in capitals."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()


def card_form(number: str) -> CardForm:
    """Return which published form a compact number has."""
    if _CARD.fullmatch(number):
        return CardForm.CARD
    return CardForm.OLD_BOOKLET if _OLD_BOOKLET.fullmatch(number) else CardForm.OTHER
