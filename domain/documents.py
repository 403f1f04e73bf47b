"""Documents of persons: kind, issuing place and number in the one form in which two of them are compared.

Forms and checks are those of the domain reference, section 10, with its sources. What no public source confirms is
read all the same and says so (`Document.is_confirmed`): an officer looks at it, and nothing is decided by it alone. No
error quotes a number.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from domain.errors import FieldError
from domain.field_errors import FieldCode
from domain.identity_numbers import IdentityKind, IdentityNumberError, kind_of, parse_identity_number
from domain.issuing_places import HONG_KONG, MACAO, MAINLAND, PASSPORT_ISSUERS

LONGEST: Final = 40  # of a number as it is given, spaces and brackets included
# Under which purpose of the look-up key a number is hashed (`domain.spellings.LOOKUPS`): one of eighteen characters by
# itself, as those of registrations have been from the first; any other with its kind and place.
_EIGHTEEN: Final = "identity"
_OTHER: Final = "document"


class DocumentKind(StrEnum):
    """A document by which a person is known; the value is stored, and is what a claim of a token says."""

    RESIDENT_IDENTITY_CARD = "resident_identity_card"
    RESIDENCE_PERMIT = "residence_permit"
    PERMANENT_RESIDENCE_CARD = "permanent_residence_card"
    HK_IDENTITY_CARD = "hk_identity_card"
    MACAO_IDENTITY_CARD = "macao_identity_card"
    MAINLAND_TRAVEL_PERMIT = "mainland_travel_permit"
    TAIWAN_TRAVEL_PERMIT = "taiwan_travel_permit"
    PASSPORT = "passport"


class DocumentError(ValueError):
    """What was given is no such document: which of `kind`, `place` and `number` is wrong, and what to do."""

    def __init__(self, field: str, code: FieldCode, message: str, allowed: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.field_error = FieldError(field, code.value, message, allowed=allowed)


@dataclass(frozen=True, slots=True)
class Document:
    """A document whose form and check hold.

    `number` is the form that is compared: capitals, without spaces and brackets, its check digit included, and without
    the count of issues that older travel permits print behind it, which is `issue`. `place` is ISO 3166-1 alpha-2.
    """

    kind: DocumentKind
    place: str
    number: str
    issue: str | None = None
    is_confirmed: bool = True

    def __repr__(self) -> str:
        """Return what kind of document it is, so that no trace of an error shows a number."""
        return f"Document({self.kind.value}, {self.place})"

    def is_same_person(self, other: "Document") -> bool:
        """Whether whoever has one has the other: the count of issues says nothing of who somebody is."""
        return self.looked_up_by == other.looked_up_by

    @property
    def is_of_eighteen(self) -> bool:
        """Whether its number is an identity number of eighteen characters, which says its kind by itself."""
        return self.kind in _OF_EIGHTEEN and len(self.number) == 18

    @property
    def looked_up_by(self) -> tuple[str, str]:
        """The purpose and the value of the keyed hash by which the person is found."""
        if self.is_of_eighteen:
            return _EIGHTEEN, self.number
        return _OTHER, f"{self.kind.value}/{self.place}/{self.number}"


class _Read(NamedTuple):
    """A number in its compared form, the count of issues behind it, and whether a public source has the form."""

    number: str
    issue: str | None = None
    is_confirmed: bool = True


def parse_document(kind: str, number: str, place: str | None = None) -> Document:
    """Return the document that is given; the place may be left out where the kind has only one.

    Raises:
        DocumentError: the kind or place is not known or they do not go together, or the number is none of that kind.
    """
    try:
        known = DocumentKind(kind)
    except ValueError:
        kinds = tuple(each.value for each in DocumentKind)
        raise DocumentError("kind", FieldCode.UNKNOWN_VALUE, "Give one of the kinds that are known.", kinds) from None
    issued = place_of(known, place)
    if len(number) > LONGEST:
        raise DocumentError("number", FieldCode.TOO_LONG, f"A number has {LONGEST} characters at most.")
    compact = normalise_document_number(number)
    if not compact:
        raise DocumentError("number", FieldCode.REQUIRED, "Give the number as it stands on the document.")
    read = _READERS[known](compact) if known is not DocumentKind.PASSPORT else _passport(compact, issued)
    return Document(known, issued, read.number, read.issue, read.is_confirmed)


def normalise_document_number(text: str) -> str:
    """Return a number without spaces or full-width forms, in capitals; brackets and strokes are left to its kind."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()


def document_of_identity_number(number: str) -> Document:
    """Return the document that a number of eighteen characters belongs to, which its own digits say.

    Raises:
        DocumentError: the characters, the check digit or the birth date are wrong.
    """
    kind = _KIND_OF.get(kind_of(normalise_document_number(number)), DocumentKind.RESIDENT_IDENTITY_CARD)
    return parse_document(kind, number)


def document_of_eighteen(number: str) -> Document:
    """Return the document of a number of eighteen characters that was checked when it was taken on."""
    return Document(_KIND_OF.get(kind_of(number), DocumentKind.RESIDENT_IDENTITY_CARD), MAINLAND, number)


def kept_document(kind: DocumentKind, place: str, number: str) -> Document:
    """Return a document as it is kept in a form; it was taken on, and is taken whatever the checks say today."""
    try:
        return parse_document(kind.value, number, place)
    except DocumentError:
        return Document(kind, place, number, is_confirmed=False)


def hk_check_character(body: str) -> str:
    """Return the check character of a Hong Kong identity card: of one or two letters and six digits.

    Letters count from A = 10, a letter that is not there as 36, weights fall from 9 to 2; modulo 11, ten is A [S81].
    """
    values = [ord(mark) - ord("A") + 10 if mark.isalpha() else int(mark) for mark in body]
    values = [36, *values] if len(values) == 7 else values
    rest = -sum(value * weight for value, weight in zip(values, range(9, 1, -1), strict=True)) % 11
    return "A" if rest == 10 else str(rest)


def place_of(kind: DocumentKind, place: str | None) -> str:
    """Return where a document was issued, which most kinds say by themselves.

    Raises:
        DocumentError: it is left out or not known where the kind does not say it, or is another than the kind says.
    """
    own = _PLACES.get(kind)
    given = (place or "").strip().upper() or own
    if own is None and given is None:
        message = "Say which country or territory issued the passport, as two letters of ISO 3166-1."
        raise DocumentError("place", FieldCode.REQUIRED, message)
    if own is not None and given != own:
        message = f"A document of this kind is issued by {own} alone; give that or leave the place out."
        raise DocumentError("place", FieldCode.UNKNOWN_VALUE, message, (own,))
    if own is None and given not in PASSPORT_ISSUERS:
        message = "Give the two letters of ISO 3166-1 of the country or territory that issued the passport."
        raise DocumentError("place", FieldCode.UNKNOWN_VALUE, message)
    return str(given)


def _eighteen(compact: str, kind: DocumentKind) -> _Read:
    try:
        parsed = parse_identity_number(compact)
    except IdentityNumberError as error:
        raise DocumentError("number", FieldCode(error.code), f"{error} Give it as on the document.") from None
    own = _KIND_OF.get(parsed.kind, DocumentKind.RESIDENT_IDENTITY_CARD)
    if own is not kind:
        message = "The number is of another kind of document; give the kind that it belongs to."
        raise DocumentError("kind", FieldCode.UNKNOWN_VALUE, message, (own.value,))
    return _Read(parsed.number)


def _resident(compact: str) -> _Read:
    return _eighteen(compact, DocumentKind.RESIDENT_IDENTITY_CARD)


def _residence_permit(compact: str) -> _Read:
    return _eighteen(compact, DocumentKind.RESIDENCE_PERMIT)


def _permanent_resident(compact: str) -> _Read:
    """Read the card of 2023, with its check digit, or that of 2017, of which no check is public [S75]."""
    if _OLD_PERMANENT_RESIDENT.fullmatch(compact):
        return _Read(compact)
    if compact[:1].isalpha():
        raise _refused("A card of 2017 has three letters and twelve digits, one of 2023 eighteen digits.")
    return _eighteen(compact, DocumentKind.PERMANENT_RESIDENCE_CARD)


def _hk(compact: str) -> _Read:
    found = _HK.fullmatch(compact)
    if found is None:
        raise _refused(
            "A Hong Kong identity card has one or two letters, six digits and a check character: A123456(3)."
        )
    body, check = found["body"], found["bracketed"] or found["plain"]
    if hk_check_character(body) != check:
        message = "The character in brackets does not agree with the rest; compare it with the card."
        raise DocumentError("number", FieldCode.CHECK_DIGIT, message)
    return _Read(body + check)


def _macao(compact: str) -> _Read:
    """Read a Macao identity card; it has a check digit whose rule is not public, so no form is confirmed."""
    found = _MACAO.fullmatch(compact)
    if found is None:
        raise _refused("A Macao identity card has eight digits, the first of them 1, 5 or 7: 1/234567/8.")
    return _Read("".join(filter(None, found.groups())), is_confirmed=False)


def _mainland_travel(compact: str) -> _Read:
    """Read the permit of a resident of Hong Kong or Macao; people are compared by the first nine characters.

    Permits of residents who are not Chinese have been issued since 2024, and the form of their numbers is not published
    [S80]: one with a letter behind the first is taken and not confirmed.
    """
    found = _MAINLAND_TRAVEL.fullmatch(compact)
    if found is None:
        raise _refused("A mainland travel permit has H or M and eight digits, older ones two more.")
    return _Read(found["person"], found["issue"], is_confirmed=found["person"][1].isdigit())


def _taiwan_travel(compact: str) -> _Read:
    """Read the permit of a Taiwan resident: a number for life; until 2008 with count and office behind it.

    China News Service, 2008-09-12; National Immigration Administration, Immigration Observation 2020-09, page 34. The
    number of the permit for one journey is not published, and refused.
    """
    found = _TAIWAN_TRAVEL.fullmatch(compact)
    if found is None:
        raise _refused("A mainland travel permit of a Taiwan resident has eight digits, older ones two more.")
    return _Read(found["person"], found["issue"])


def _passport(compact: str, place: str) -> _Read:
    """Read the number of a passport: nine letters and digits at most (ICAO 9303-4), whose own check is not printed.

    Which numbers the mainland gives is not confirmed by a public source, so that none of them is.
    """
    if len(compact) > 9:
        raise DocumentError("number", FieldCode.TOO_LONG, "The number of a passport has nine characters at most.")
    if not _PASSPORT.fullmatch(compact):
        raise _refused("The number of a passport has letters A to Z and digits; leave out what fills the line (<).")
    return _Read(compact, is_confirmed=place != MAINLAND)


def _refused(message: str) -> DocumentError:
    return DocumentError("number", FieldCode.BAD_CHARACTERS, message)


_OLD_PERMANENT_RESIDENT: Final = re.compile(r"[A-Z]{3}[0-9]{12}")
_HK: Final = re.compile(r"(?P<body>[A-Z]{1,2}[0-9]{6})(?:\((?P<bracketed>[0-9A])\)|(?P<plain>[0-9A]))")
_MACAO: Final = re.compile(r"([157])/?([0-9]{6})(?:/?([0-9])|\(([0-9])\))")
_MAINLAND_TRAVEL: Final = re.compile(r"(?P<person>[HM][A-Z0-9][0-9]{7})(?P<issue>[0-9]{2})?")
_TAIWAN_TRAVEL: Final = re.compile(r"(?P<person>[0-9]{8})(?:(?P<issue>[0-9]{2})(?:\([A-Z0-9]\))?)?")
_PASSPORT: Final = re.compile(r"[A-Z0-9]{1,9}")
_PLACES: Final[Mapping[DocumentKind, str]] = {
    DocumentKind.RESIDENT_IDENTITY_CARD: MAINLAND,
    DocumentKind.RESIDENCE_PERMIT: MAINLAND,
    DocumentKind.PERMANENT_RESIDENCE_CARD: MAINLAND,
    DocumentKind.HK_IDENTITY_CARD: HONG_KONG,
    DocumentKind.MACAO_IDENTITY_CARD: MACAO,
    DocumentKind.MAINLAND_TRAVEL_PERMIT: MAINLAND,
    DocumentKind.TAIWAN_TRAVEL_PERMIT: MAINLAND,
}
_KIND_OF: Final[Mapping[IdentityKind, DocumentKind]] = {
    IdentityKind.RESIDENCE_PERMIT: DocumentKind.RESIDENCE_PERMIT,
    IdentityKind.FOREIGN_PERMANENT_RESIDENT: DocumentKind.PERMANENT_RESIDENCE_CARD,
}
_OF_EIGHTEEN: Final = frozenset({DocumentKind.RESIDENT_IDENTITY_CARD, *_KIND_OF.values()})
_READERS: Final[Mapping[DocumentKind, Callable[[str], _Read]]] = {
    DocumentKind.RESIDENT_IDENTITY_CARD: _resident,
    DocumentKind.RESIDENCE_PERMIT: _residence_permit,
    DocumentKind.PERMANENT_RESIDENCE_CARD: _permanent_resident,
    DocumentKind.HK_IDENTITY_CARD: _hk,
    DocumentKind.MACAO_IDENTITY_CARD: _macao,
    DocumentKind.MAINLAND_TRAVEL_PERMIT: _mainland_travel,
    DocumentKind.TAIWAN_TRAVEL_PERMIT: _taiwan_travel,
}
