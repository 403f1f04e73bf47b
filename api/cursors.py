"""Cursors of lists: signed, and bound to the route, the query and the caller they were given to."""

import hmac
import json
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from domain.errors import Refused
from proof.base64_text import from_base64url, to_base64url

_MAC_BYTES: Final = 16
_LONGEST: Final = 1000


class Cursors:
    """Writes cursors with one key, and reads those of any that it was given, so that open lists outlive a rotation."""

    def __init__(self, writing: bytes, reading: Iterable[bytes] = ()) -> None:
        self._writing, self._reading = writing, (writing, *reading)

    def write(self, position: Any, *, binding: tuple[str, ...]) -> str:
        """Return the cursor of a position in a list."""
        content = json.dumps(position, default=_tagged, ensure_ascii=False, separators=(",", ":")).encode()
        return to_base64url(_mac(self._writing, content, binding) + content)

    def read(self, cursor: str, *, binding: tuple[str, ...]) -> Any:
        """Return the position that a cursor holds.

        Raises:
            Refused: `cursor_invalid`, when it was altered or belongs to another list.
        """
        try:
            raw = from_base64url(cursor)
        except ValueError:
            raise _invalid() from None
        mac, content = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        # Every key is tried, so that the time taken does not tell which one fits.
        fits = [hmac.compare_digest(mac, _mac(key, content, binding)) for key in self._reading]
        if len(cursor) > _LONGEST or not any(fits):
            raise _invalid()
        position = json.loads(content, object_hook=_untagged)
        return tuple(position) if isinstance(position, list) else position


def _mac(key: bytes, content: bytes, binding: tuple[str, ...]) -> bytes:
    bound = json.dumps(binding, ensure_ascii=False).encode()
    return hmac.digest(key, len(bound).to_bytes(4) + bound + content, "sha256")[:_MAC_BYTES]


def _tagged(value: object) -> dict[str, str]:
    if isinstance(value, datetime):
        return {"time": value.isoformat()}
    if isinstance(value, date):
        return {"day": value.isoformat()}
    if isinstance(value, UUID):
        return {"id": value.hex}
    raise TypeError(type(value).__name__)


def _untagged(tagged: dict[str, str]) -> object:
    match tagged:
        case {"time": text}:
            return datetime.fromisoformat(text)
        case {"day": text}:
            return date.fromisoformat(text)
        case {"id": text}:
            return UUID(text)
    raise _invalid()


def _invalid() -> Refused:
    return Refused("cursor_invalid", "The cursor does not belong to this list; ask for the first page again.")
