"""Unified social credit codes, with the traps of the library (domain reference, section 10)."""

import pytest
from stdnum.cn import uscc as library

from domain.uscc import UsccError, parse_uscc


@pytest.mark.parametrize("code", ["91110000600037341L", "91440300MA5H0WEY05", "N2440300MF12345673"])
def test_a_right_code_is_taken(code: str) -> None:
    assert parse_uscc(code) == code


@pytest.mark.parametrize("first", ["A", "N", "Y"])
def test_codes_of_letter_authorities_are_taken_though_the_library_refuses_them(first: str) -> None:
    body = f"{first}2440300MF1234567"
    code = body + library.calc_check_digit(body)
    assert not library.is_valid(code)
    assert parse_uscc(code) == code


def test_a_bad_letter_is_refused_where_the_librarys_check_raises() -> None:
    with pytest.raises(ValueError, match="substring"):
        library.calc_check_digit("9144030OMA5H0WEY0")
    with pytest.raises(UsccError) as refused:
        parse_uscc("91440300MA5H0WEYO5")
    assert refused.value.code == "bad_characters"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("91440300MA5H0WEY06", "check_digit"),
        ("91440300MA5H0WEY0", "check_digit"),
        ("", "check_digit"),
        ("91440300MA5H0WEY055", "too_long"),
        ("91440A00MA5H0WEY05", "bad_characters"),
        ("91440300MA5H0WEY\u0660\u0665", "bad_characters"),
    ],
)
def test_a_wrong_code_is_refused_with_a_code(code: str, expected: str) -> None:
    with pytest.raises(UsccError) as refused:
        parse_uscc(code)
    assert refused.value.code == expected


def test_hyphens_spaces_width_and_small_letters_do_not_matter() -> None:
    assert parse_uscc(" ９１44-0300 ma5h 0wey 05") == "91440300MA5H0WEY05"
