"""Identity numbers, with a test for each trap of the library (domain reference, section 10; peers, section 9)."""

from datetime import date

import pytest
from stdnum.cn import ric

from domain.identity_numbers import (
    IdentityKind,
    IdentityNumberError,
    mask_identity_number,
    normalise_identity_number,
    parse_identity_number,
)


@pytest.mark.parametrize(
    ("number", "kind", "born"),
    [
        ("11010519491231002X", IdentityKind.MAINLAND_RESIDENT, date(1949, 12, 31)),
        ("44030419900307123X", IdentityKind.MAINLAND_RESIDENT, date(1990, 3, 7)),
        ("810000199408230021", IdentityKind.RESIDENCE_PERMIT, date(1994, 8, 23)),
        ("820000199408230029", IdentityKind.RESIDENCE_PERMIT, date(1994, 8, 23)),
        ("830000199408230026", IdentityKind.RESIDENCE_PERMIT, date(1994, 8, 23)),
        ("911840199001010018", IdentityKind.FOREIGN_PERMANENT_RESIDENT, date(1990, 1, 1)),
        ("911124198108030024", IdentityKind.FOREIGN_PERMANENT_RESIDENT, date(1981, 8, 3)),
    ],
)
def test_a_right_number_is_read_with_its_kind_and_birth_date(number: str, kind: IdentityKind, born: date) -> None:
    number = number[:17] + ric.calc_check_digit(number)
    parsed = parse_identity_number(number)
    assert (parsed.number, parsed.kind, parsed.birth_date) == (number, kind, born)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("440304199003071239", "check_digit"),
        ("130503670401001", "check_digit"),  # 15 digits, the old form
        ("", "check_digit"),
        ("44030419900307123X1", "too_long"),
        ("4403041990030712XX", "bad_characters"),
        ("44030419900307123Y", "bad_characters"),
        ("4403041990030712\u0663X", "bad_characters"),  # an Arabic-Indic digit is no digit here
        ("440304199002301230", "impossible_date"),
        ("440304199013011230", "impossible_date"),
        ("440304000001011230", "impossible_date"),
    ],
)
def test_a_wrong_number_is_refused_with_a_code(number: str, code: str) -> None:
    if code == "impossible_date":
        number = number[:17] + ric.calc_check_digit(number)
    with pytest.raises(IdentityNumberError) as refused:
        parse_identity_number(number)
    assert refused.value.code == code
    assert not number or number not in str(refused.value)


def test_width_spaces_and_a_small_x_are_taken_as_written_by_people() -> None:
    assert normalise_identity_number(" 440304 19900307 123x ") == "44030419900307123X"
    assert parse_identity_number("４４０３０４１９９００３０７１２３Ｘ").number == "44030419900307123X"


def test_an_area_outside_every_province_is_told_apart_and_not_refused() -> None:
    number = "99030419900307123X"
    assert parse_identity_number("16030419900307123" + ric.calc_check_digit("16030419900307123X")).kind == (
        IdentityKind.UNKNOWN_AREA
    )
    assert parse_identity_number(number[:17] + ric.calc_check_digit(number)).kind == (
        IdentityKind.FOREIGN_PERMANENT_RESIDENT
    )


@pytest.mark.parametrize("number", ["810000199408230021", "911840199001010018"])
def test_the_library_refuses_numbers_of_this_projects_applicants_and_we_do_not(number: str) -> None:
    assert not ric.is_valid(number)
    assert parse_identity_number(number).number == number


def test_the_library_accepts_a_birth_date_to_come_and_we_leave_it_to_a_rule() -> None:
    number = "44030420990307123X"
    number = number[:17] + ric.calc_check_digit(number)
    assert ric.is_valid(number)
    assert parse_identity_number(number).birth_date == date(2099, 3, 7)


def test_the_librarys_check_digit_wants_the_number_with_its_check_digit() -> None:
    assert ric.calc_check_digit("44030419900307123X") == "X"
    assert ric.calc_check_digit("44030419900307123") != "X"


def test_a_number_is_masked_but_for_four_characters_at_each_end() -> None:
    assert mask_identity_number("44030419900307123X") == "4403**********123X"
    assert parse_identity_number("44030419900307123X").masked == "4403**********123X"
    assert mask_identity_number("1234") == "****"
