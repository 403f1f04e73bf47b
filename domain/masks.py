"""How what is known of a person is shown to one who has not opened it: a form of its own for each kind."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Final

import phonenumbers

from domain.documents import DocumentKind
from domain.identity_numbers import LENGTH, mask_identity_number

_STAR: Final = "*"
_RING: Final = "○"
_JOINT: Final = re.compile("([·・.'’-])")
_JOINED: Final = frozenset({"Mn", "Me"})  # marks that belong to the character before them
_HIDDEN_PART: Final = _RING * 2  # however long the rest of a Latin name is


def mask_name(name: str) -> str:
    """Return a name with the first character of the surname alone: `曹○○`; of a Latin name the initials: `C○○ S○○`."""
    words = name.split()
    return " ".join(_mask_word(word, is_first=number == 0) for number, word in enumerate(words))


def mask_card_number(number: str) -> str:
    """Return a travel card's number with its letter and its last two characters: `C******78`."""
    if len(number) < 6:
        return _STAR * len(number)
    return number[0] + _STAR * (len(number) - 3) + number[-2:]


def mask_document_number(kind: DocumentKind, number: str) -> str:
    """Return the number of a person's document, in its compared form, with its first letter or digit and its last two.

    Of eighteen characters it is masked as an identity number is; of a permanent residence card of 2017 the letters say
    where from, and a passport may be as short as its mask, so that of these the last two stand alone.
    """
    if kind is not DocumentKind.PASSPORT and len(number) == LENGTH:
        return mask_identity_number(number)
    if len(number) < 6:
        return _STAR * len(number)
    says_more = kind in (DocumentKind.PERMANENT_RESIDENCE_CARD, DocumentKind.PASSPORT)
    first = _STAR if says_more else number[0]
    return first + _STAR * (len(number) - 3) + number[-2:]


def mask_email(address: str) -> str:
    """Return a mail address with the first character of the mailbox and the domain: `f***@example.com`."""
    mailbox, _, domain = address.rpartition("@")
    return f"{mailbox[:1]}{_STAR * 3}@{domain}"


def mask_phone(number: str) -> str:
    """Return a phone number in E.164 with its country code and its last two digits: `+86*********78`."""
    try:
        code = phonenumbers.parse(number).country_code
    except phonenumbers.NumberParseException:
        return _STAR * len(number)
    prefix = f"+{code}"
    return prefix + _STAR * (len(number) - len(prefix) - 2) + number[-2:]


MASKS: Final[Mapping[str, Callable[[str], str]]] = {
    "name_zh": mask_name,
    "name_en": mask_name,
    "identity_number": mask_identity_number,
    "permit_card_number": mask_card_number,
    "email": mask_email,
    "phone": mask_phone,
}


def _mask_word(word: str, *, is_first: bool) -> str:
    if any(mark.isupper() or mark.islower() for mark in word):  # letters, of which a Han character is none
        parts = _JOINT.split(word)
        return "".join(
            part[:1] + _HIDDEN_PART if number % 2 == 0 and part else part for number, part in enumerate(parts)
        )
    marks = [mark for mark in word if unicodedata.category(mark) not in _JOINED]
    hidden = "".join(mark if _JOINT.fullmatch(mark) else _RING for mark in marks)
    # Where nothing is hidden behind the first one, it would stand whole.
    return marks[0] + hidden[1:] if is_first and _RING in hidden[1:] else hidden
