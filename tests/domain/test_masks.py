"""Each kind of thing that is known of a person has a mask of its own, which shows little of it."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.masks import MASKS
from programmes.talent_permit.requests import Person

NOT_MASKED = {"permit_card_valid_until", "language"}


def test_every_field_of_a_person_that_names_or_reaches_them_has_a_mask() -> None:
    assert set(MASKS) == set(Person.model_fields) - NOT_MASKED


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("identity_number", "44030419900307123X", "4403**********123X"),
        ("identity_number", "810000199003071231", "8100**********1231"),
        ("identity_number", "911156199003071230", "9*************1230"),
        ("permit_card_number", "C12345678", "C******78"),
        ("permit_card_number", "CA1234567", "C******67"),
        ("permit_card_number", "W12345678", "W******78"),
        ("permit_card_number", "C1234", "*****"),
        ("email", "feng@example.com", "f***@example.com"),
        ("email", "f@example.com", "f***@example.com"),
        ("phone", "+8613812345678", "+86*********78"),
        ("phone", "+85261234567", "+852******67"),
        ("name_zh", "曹承泽", "曹○○"),
        ("name_zh", "欧阳娜娜", "欧○○○"),
        ("name_zh", "曹", "○"),
        ("name_zh", "阿不都·热合曼", "阿○○·○○○"),
        ("name_zh", "𠮷承", "𠮷○"),
        ("name_en", "Li Shili", "L○○ S○○"),
        ("name_en", "Jean-Luc O'Neil", "J○○-L○○ O○○'N○○"),
        ("name_en", "Éva", "É○○"),
    ],
)
def test_a_value_is_shown_as_its_kind_is(field: str, value: str, shown: str) -> None:
    assert MASKS[field](value) == shown


@given(st.text(min_size=2, max_size=40))
@example("0.")
def test_no_mask_shows_a_whole_value_or_fails(value: str) -> None:
    for mask in MASKS.values():
        assert mask(value) != value or not value.strip("*○·・.'’- ")
