"""Unified social credit codes of organisations (GB 32100-2015), those of the A, N and Y authorities too."""

import re
import unicodedata
from typing import Final

from stdnum.cn import uscc as stdnum_uscc

ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # without I, O, S, V and Z
# The registering authority may be a letter (A military, N agriculture, Y other), which stdnum's own check refuses.
_FORM: Final = re.compile(rf"[{ALPHABET}]{{2}}[0-9]{{6}}[{ALPHABET}]{{10}}")
LENGTH: Final = 18


class UsccError(ValueError):
    """The text cannot be a unified social credit code; `code` is the published field-error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def normalise_uscc(text: str) -> str:
    """Return the code without spaces, hyphens or full-width forms, in capitals."""
    return "".join(unicodedata.normalize("NFKC", text).replace("-", "").split()).upper()


def parse_uscc(text: str) -> str:
    """Return the compact code.

    Raises:
        UsccError: the characters or the check character are wrong.
    """
    code = normalise_uscc(text)
    if len(code) > LENGTH:
        raise UsccError("too_long", "A unified social credit code has 18 characters.")
    # Form first: stdnum's calc_check_digit raises ValueError on letters outside the alphabet.
    if len(code) == LENGTH and not _FORM.fullmatch(code):
        raise UsccError("bad_characters", "A unified social credit code has digits and capitals but I, O, S, V and Z.")
    if len(code) != LENGTH or stdnum_uscc.calc_check_digit(code[:17]) != code[17]:
        raise UsccError("check_digit", "The check character does not agree with the rest of the code.")
    return code
