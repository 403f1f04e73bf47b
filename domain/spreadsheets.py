"""Texts of others in files that are opened with a spreadsheet."""

from typing import Final

# What a spreadsheet takes for the beginning of a formula, in its wide forms as well.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def is_like_a_formula(text: str) -> bool:
    """Whether a spreadsheet would work a text out as a formula."""
    return text.startswith(_FORMULA)


def defused(text: str) -> str:
    """Return a cell's text, with an apostrophe before it where a spreadsheet would work it out as a formula."""
    return f"'{text}" if is_like_a_formula(text) else text
