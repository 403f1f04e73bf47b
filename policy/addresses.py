"""Addresses folded to one form: width, script, numerals, spaces and punctuation no longer tell them apart."""

import re
import unicodedata
from typing import Final

from opencc import OpenCC

_TO_SIMPLIFIED: Final = OpenCC("t2s")  # read once, when the module is loaded
_DIGITS: Final = {mark: value for value, mark in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "○": 0}
_UNITS: Final = {"十": 10, "百": 100, "千": 1000}
_NUMERAL: Final = re.compile(f"[{''.join(_DIGITS)}{''.join(_UNITS)}]+")
_BETWEEN_DIGITS: Final = re.compile(r"(?<=[0-9])[\W_]+(?=[0-9])")
_OTHER_DASH: Final = re.compile(r"(?<![0-9])-|-(?![0-9])")
# An address may begin with as much of the way to the district as its writer liked.
_PREFIX: Final = re.compile(r"^(中国)?(中华人民共和国)?(广东省?)?(深圳市?)?(福田区)?")


def fold_address(text: str) -> str:
    """Return an address as it is compared: simplified, half-width, in small letters and digits, without punctuation."""
    text = _TO_SIMPLIFIED.convert(unicodedata.normalize("NFKC", text)).casefold()
    text = _NUMERAL.sub(lambda found: _number(found[0]), text)
    text = _BETWEEN_DIGITS.sub("-", text)  # 1-23 and 12-3 stay apart
    text = "".join(mark for mark in _OTHER_DASH.sub("", text) if mark.isalnum() or mark == "-")
    return _PREFIX.sub("", text)


def _number(numeral: str) -> str:
    """Return a Chinese numeral in digits: 二十三 and 二三 are both 23."""
    if not any(mark in _UNITS for mark in numeral):
        return "".join(str(_DIGITS[mark]) for mark in numeral)
    total, digits = 0, ""
    for mark in numeral:
        if mark in _DIGITS:
            digits += str(_DIGITS[mark])
        else:
            total += (int(digits) if digits.strip("0") else 1) * _UNITS[mark]
            digits = ""
    return str(total + int(digits or "0"))
