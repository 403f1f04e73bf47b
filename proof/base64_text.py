"""Base64 in the one way in which it is written here: another text of the same bytes counts as altered."""

import base64


def from_base64(text: str) -> bytes:
    """Return the bytes of a text with its padding.

    Raises:
        ValueError: when it is not base64, or bits that stand for nothing are set.
    """
    content = base64.b64decode(text, validate=True)
    if base64.b64encode(content).decode() != text:
        raise ValueError("not written as base64 is")
    return content


def to_base64url(content: bytes) -> str:
    """Return bytes as a text that an address may hold, without padding."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def from_base64url(text: str) -> bytes:
    """Return the bytes of a text that `to_base64url` wrote.

    Raises:
        ValueError: when it is not such a text.
    """
    content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if to_base64url(content) != text:
        raise ValueError("not written as base64url is")
    return content
