"""Employers and premises as dated data."""

from datetime import date
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from domain.employers import EmployerRequest, PremisesEntry, PremisesRequest, RegisterFile, StandingRequest
from domain.field_errors import field_errors

EMPLOYER: dict[str, Any] = {
    "uscc": "91440300ma5h0wey05",
    "name_zh": "深圳示例科技有限公司",
    "kind": "tech_enterprise",
    "premises": ["SZP-001"],
    "contact": {"email": "hr@example.com", "language": "zh-Hans"},
    "valid_from": "2026-01-01",
}
PREMISES: dict[str, Any] = {"code": "SZP-001", "address": "桂花路1号", "valid_from": "2026-01-01"}


def codes_of(model: type[BaseModel], body: object) -> list[tuple[str, str]]:
    """Return the fields and codes that a body is refused with."""
    with pytest.raises(ValidationError) as refused:
        model.model_validate(body)
    return [(error.field, error.code) for error in field_errors(refused.value)]


def test_an_employer_is_taken_with_its_code_in_one_form() -> None:
    assert EmployerRequest.model_validate(EMPLOYER).uscc == "91440300MA5H0WEY05"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"uscc": "91440300MA5H0WEY06"}, ("uscc", "check_digit")),
        ({"uscc": "91440300MA5H0WEYO5"}, ("uscc", "bad_characters")),
        ({"uscc": "9" * 30}, ("uscc", "too_long")),
        ({"kind": "bank"}, ("kind", "unknown_value")),
        ({"premises": ["SZP-001", "SZP-001"]}, ("premises", "unknown_value")),
        ({"premises": ["no spaces"]}, ("premises[0]", "bad_characters")),
        ({"valid_to": "2025-12-31"}, ("valid_to", "date_order")),
        ({"standing": "good"}, ("standing", "unknown_field")),
        ({"contact": {"email": "x", "language": "en"}}, ("contact.email", "bad_email")),
    ],
)
def test_a_wrong_employer_is_refused(change: dict[str, Any], expected: tuple[str, str]) -> None:
    assert codes_of(EmployerRequest, {**EMPLOYER, **change}) == [expected]


def test_premises_hold_from_their_first_day_to_their_last() -> None:
    entry = PremisesEntry.model_validate({**PREMISES, "valid_to": "2026-06-30"})
    assert [entry.is_in_force(date(2026, month, day)) for month, day in ((1, 1), (6, 30), (7, 1))] == [
        True,
        True,
        False,
    ]
    assert not entry.is_in_force(date(2025, 12, 31))
    assert PremisesEntry.model_validate(PREMISES).is_in_force(date(2199, 1, 1))


def test_premises_are_given_in_a_list_that_is_not_empty() -> None:
    assert codes_of(PremisesRequest, {"premises": []}) == [("premises", "required")]
    assert codes_of(PremisesRequest, {"premises": [{**PREMISES, "valid_to": "2025-01-01"}]}) == [
        ("premises[0].valid_to", "date_order")
    ]


def test_a_standing_is_one_of_three() -> None:
    assert StandingRequest.model_validate({"standing": "left_park", "valid_from": "2026-01-01"}).standing == "left_park"
    assert codes_of(StandingRequest, {"standing": "fine", "valid_from": "2026-01-01"}) == [
        ("standing", "unknown_value")
    ]


def test_a_register_file_names_no_premises_that_it_does_not_have() -> None:
    employer = {**EMPLOYER, "employer_id": "emp-x"}
    file = RegisterFile.model_validate({"premises": [PREMISES], "employers": [employer]})
    assert file.employers[0].standing == "good"
    assert codes_of(RegisterFile, {"premises": [], "employers": [employer]}) == [("", "unknown_value")]
