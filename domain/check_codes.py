"""Check codes: a hundred random bits by which anyone who was given one asks whether a case is in force.

A code says nothing by itself: neither reference nor number, nor whose case it is of.
"""

from typing import Final

from stdnum.iso7064 import mod_37_36

from domain.bodies import Body
from domain.references import REFERENCE_ALPHABET

CODE_BITS: Final = 100
_LENGTH: Final = CODE_BITS // 5
_GROUP: Final = 5
# What is read for what, where a code was copied by hand.
_READ_AS: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


class CheckCodeRequest(Body):
    """A check code is asked for."""


class CheckCodeWithdrawal(Body):
    """A check code is withdrawn."""


def code_from(number: int) -> str:
    """Return the code `XXXXX-XXXXX-XXXXX-XXXXX-C` of a hundred random bits, its last character a check on the others.

    Raises:
        ValueError: for a number of more bits.
    """
    if not 0 <= number < 1 << CODE_BITS:
        raise ValueError(f"A check code is made of {CODE_BITS} bits.")
    body = "".join(REFERENCE_ALPHABET[number >> shift & 31] for shift in range(CODE_BITS - 5, -1, -5))
    groups = [body[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP)]
    return "-".join([*groups, mod_37_36.calc_check_digit(body, REFERENCE_ALPHABET)])


def find_code(text: str) -> str | None:
    """Return a code in the one form in which it is looked up, or None where the text is none.

    Case, hyphens and blanks do not matter, and O, I and L are read as the digits that they look like.
    """
    plain = text.upper().translate(_READ_AS)
    if len(plain) != _LENGTH + 1 or any(mark not in REFERENCE_ALPHABET for mark in plain):
        return None
    return plain if mod_37_36.calc_check_digit(plain[:-1], REFERENCE_ALPHABET) == plain[-1] else None
