"""Figures: money as text and exact, whole numbers within bounds; what is refused is told with what to give."""

import json
from decimal import Decimal
from typing import Annotated

import pytest
from pydantic import ValidationError

from domain.bodies import Body
from domain.field_errors import field_errors
from domain.figures import Money, whole


class _Sums(Body):
    salary: Money
    months: Annotated[int, whole(0, 12)]


@pytest.mark.parametrize("text", ["0", "0.05", "450000.00", "449999.99", "999999999999.99"])
def test_money_is_kept_as_it_was_given(text: str) -> None:
    sums = _Sums.model_validate_json(json.dumps({"salary": text, "months": 12}))
    assert sums.salary == Decimal(text)
    assert sums.model_dump(mode="json")["salary"] == text
    assert _Sums.model_validate(sums.model_dump()) == sums


@pytest.mark.parametrize(
    ("salary", "code"),
    [
        (450000, "wrong_type"),
        (450000.0, "wrong_type"),
        (True, "wrong_type"),
        ("450,000", "bad_characters"),
        ("450000.001", "bad_characters"),
        ("-1", "bad_characters"),
        ("1e5", "bad_characters"),
        ("NaN", "bad_characters"),
        ("007", "bad_characters"),
        ("４５", "bad_characters"),
        ("1000000000000", "bad_characters"),
        ("", "bad_characters"),
    ],
)
def test_other_money_is_refused(salary: object, code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        _Sums.model_validate({"salary": salary, "months": 0})
    (error,) = field_errors(refused.value)
    assert (error.field, error.code) == ("salary", code)
    assert '"450000.00"' in error.message


@pytest.mark.parametrize(
    ("months", "code"),
    [(13, "unknown_value"), (-1, "unknown_value"), (1.5, "wrong_type"), ("3", "wrong_type"), (True, "wrong_type")],
)
def test_a_whole_number_out_of_its_bounds_is_refused_with_them(months: object, code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        _Sums.model_validate({"salary": "1", "months": months})
    (error,) = field_errors(refused.value)
    assert (error.field, error.code, error.message) == ("months", code, "Give a whole number from 0 to 12.")
