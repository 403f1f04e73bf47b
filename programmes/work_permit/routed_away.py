"""Who needs no work permit: people of Hong Kong, Macao, Taiwan and the mainland, told before anything is kept."""

from collections.abc import Mapping
from typing import Any, Final

from domain.documents import DocumentKind
from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from domain.issuing_places import HONG_KONG, MACAO, MAINLAND

_COMPATRIOT_PLACES: Final = frozenset({HONG_KONG, MACAO, "TW"})
_COMPATRIOT_KINDS: Final = frozenset(
    {
        DocumentKind.HK_IDENTITY_CARD,
        DocumentKind.MACAO_IDENTITY_CARD,
        DocumentKind.MAINLAND_TRAVEL_PERMIT,
        DocumentKind.TAIWAN_TRAVEL_PERMIT,
        DocumentKind.RESIDENCE_PERMIT,
    }
)
# Names in the catalogue of refusals.
_COMPATRIOT: Final = "work_permit_not_for_compatriots"
_MAINLAND: Final = "work_permit_not_for_mainland"
_MESSAGE: Final = "Work permits are for foreigners, by nationality and passport."


def turn_away(given: Any) -> Any:
    """Return what was given of a form as it is, or of parts of one, before any of it is looked at otherwise.

    A foreigner who is a permanent resident of Hong Kong is a foreigner here, by the passport: nationality and the place
    that issued it say who somebody is, and a card of Hong Kong says it only where no other nationality is given.

    Raises:
        Refused: `wrong_programme`, with the field that says so and the way that is this person's.
    """
    person = given.get("person") if isinstance(given, Mapping) else None
    if isinstance(person, Mapping):
        field, words = _found(person)
        if field is not None:
            wrong = FieldError(f"person.{field}", FieldCode.UNKNOWN_VALUE, _MESSAGE, words=words)
            raise Refused("wrong_programme", errors=[wrong], words=words)
    return given


def _found(person: Mapping[Any, Any]) -> tuple[str | None, str]:
    document = person.get("document")
    document = document if isinstance(document, Mapping) else {}
    kind, nationality = document.get("kind"), _upper(person.get("nationality"))
    place = _upper(document.get("place")) if kind == DocumentKind.PASSPORT else ""
    for field, code in (("nationality", nationality), ("document.place", place)):
        if code in _COMPATRIOT_PLACES or (code == MAINLAND and kind in _COMPATRIOT_KINDS):
            return field, _COMPATRIOT
        if code == MAINLAND:
            return field, _MAINLAND
    if kind == DocumentKind.RESIDENT_IDENTITY_CARD:
        return "document.kind", _MAINLAND
    if kind == DocumentKind.RESIDENCE_PERMIT or (kind in _COMPATRIOT_KINDS and not nationality):
        return "document.kind", _COMPATRIOT
    return None, ""


def _upper(text: object) -> str:
    return text.strip().upper() if isinstance(text, str) else ""
