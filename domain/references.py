"""References of cases and registration numbers, both with a check character (ISO 7064 MOD 37,36).

A reference begins with two letters that are its programme's own, so that it says by itself which programme it is of.
"""

import re
from collections.abc import Container
from typing import Final

from stdnum.iso7064 import mod_37_36

# Without I, L, O and U, so that a reference read aloud or copied by hand is not mistaken.
REFERENCE_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
REFERENCE_BYTES: Final = 5  # forty random bits make eight characters
_REFERENCE: Final = re.compile(rf"([A-Z]{{2}})([{REFERENCE_ALPHABET}]{{4}})([{REFERENCE_ALPHABET}]{{4}})([0-9A-Z])")
_NUMBER: Final = re.compile(r"([A-Z]{2})-([0-9]{4})-([0-9]{6,})-([0-9A-Z])")
_LOOKS_LIKE: Final = re.compile(r"[0-9A-Za-z-]{11,20}")


def reference_from(prefix: str, entropy: bytes) -> str:
    """Return the reference `HT-XXXX-XXXX-C` of a programme's two letters and five random bytes."""
    if len(entropy) != REFERENCE_BYTES:
        raise ValueError(f"A reference is made of {REFERENCE_BYTES} bytes.")
    number = int.from_bytes(entropy)
    return checked(prefix, "".join(REFERENCE_ALPHABET[number >> shift & 31] for shift in range(35, -1, -5)))


def checked(prefix: str, body: str) -> str:
    """Return the reference of a prefix of two letters and eight characters, with its check character."""
    return f"{prefix}-{body[:4]}-{body[4:]}-{mod_37_36.calc_check_digit(prefix + body)}"


def find_reference(text: str, prefixes: Container[str] | None = None) -> str | None:
    """Return the reference in its one written form, or None where the text is none; case and hyphens do not matter.

    With `prefixes` it is one of their programmes; without, of any that there may be.
    """
    if not _LOOKS_LIKE.fullmatch(text):
        return None
    match = _REFERENCE.fullmatch(text.replace("-", "").upper())
    if match is None or mod_37_36.calc_check_digit(match[1] + match[2] + match[3]) != match[4]:
        return None
    if prefixes is not None and match[1] not in prefixes:
        return None
    return f"{match[1]}-{match[2]}-{match[3]}-{match[4]}"


def approval_number(prefix: str, year: int, sequence: int) -> str:
    """Return the number that an approval gives, as `HR-2026-000123-P`: our own form, since none is published."""
    if not (1000 <= year <= 9999 and sequence > 0):
        raise ValueError("The number of an approval has a year of four digits and a sequence from 1.")
    digits = f"{year:04d}{sequence:06d}"
    return f"{prefix}-{digits[:4]}-{digits[4:]}-{mod_37_36.calc_check_digit(prefix + digits)}"


def is_approval_number(text: str) -> bool:
    """Whether the text is the number of an approval of any programme, and its check character agrees."""
    match = _NUMBER.fullmatch(text)
    return match is not None and mod_37_36.calc_check_digit(match[1] + match[2] + match[3]) == match[4]
