"""Figures of request bodies: sums of money as decimal text, never as JSON numbers, and whole numbers within bounds."""

import re
from decimal import Decimal
from typing import Annotated, Final

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from domain.fields import refusal

_MONEY: Final = r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,2})?"
_MONEY_FORM: Final = re.compile(_MONEY)


def _money(given: object) -> object:
    if isinstance(given, Decimal):
        return given
    if not isinstance(given, str):
        raise refusal("wrong_type", 'Give the amount as text with a point for cents, such as "450000.00".')
    if not _MONEY_FORM.fullmatch(given):
        raise refusal(
            "bad_characters",
            'Give an amount in yuan of at most 12 digits and 2 behind the point, such as "450000.00".',
        )
    return Decimal(given)


def whole(least: int, most: int) -> BeforeValidator:
    """Return the check of a whole number within bounds, both of them in, which says them where it refuses."""

    def checked(given: object) -> object:
        bounds = {"least": least, "most": most}
        if type(given) is not int:
            raise PydanticCustomError("wrong_type", "Give a whole number from {least} to {most}.", bounds)
        if not least <= given <= most:
            raise PydanticCustomError("unknown_value", "Give a whole number from {least} to {most}.", bounds)
        return given

    return BeforeValidator(checked)


# In yuan; kept and shown as it was given, to the cent.
Money = Annotated[
    Decimal,
    BeforeValidator(_money),
    WithJsonSchema({"type": "string", "pattern": f"^{_MONEY}$", "examples": ["450000.00"]}),
]
