"""References, registration numbers and permit cards."""

import pytest

from domain.permit_cards import CardForm, card_form, normalise_card_number
from domain.references import approval_number, find_reference, is_approval_number, reference_from


def test_a_reference_is_made_of_the_bytes_alone_and_read_back() -> None:
    reference = reference_from("HT", bytes.fromhex("0123456789"))
    assert reference == reference_from("HT", bytes.fromhex("0123456789"))
    assert len(reference) == len("HT-XXXX-XXXX-C")
    assert find_reference(reference) == reference
    assert find_reference(reference.lower().replace("-", "")) == reference


def test_every_change_of_one_character_is_noticed() -> None:
    reference = reference_from("HT", b"\xde\xad\xbe\xef\x05")
    for at in (3, 4, 5, 6, 8, 9, 10, 11, 13):
        for other in "0123456789ABCDEFGHJKMNPQRSTVWXYZ":
            if other != reference[at]:
                assert find_reference(reference[:at] + other + reference[at + 1 :]) is None


@pytest.mark.parametrize("text", ["", "HT", "HT-0000-0000-F", "XX-0000-0000-E", "HT-0000-000\u0660-E", "x" * 500])
def test_other_texts_are_no_reference(text: str) -> None:
    assert find_reference(text) is None


def test_five_bytes_are_needed() -> None:
    with pytest.raises(ValueError, match="5 bytes"):
        reference_from("HT", b"1234")


def test_a_registration_number_has_year_sequence_and_check_character() -> None:
    assert approval_number("HR", 2026, 123) == "HR-2026-000123-P"
    assert is_approval_number("HR-2026-000123-P")
    assert not is_approval_number("HR-2026-000124-P")
    assert not is_approval_number("HR-2026-123-P")
    assert not is_approval_number("WR-2026-000123-P")
    assert is_approval_number(approval_number("WR", 2026, 123))
    assert is_approval_number(approval_number("HR", 2026, 1_000_000))


@pytest.mark.parametrize(("year", "sequence"), [(26, 1), (2026, 0), (12026, 1)])
def test_a_registration_number_outside_its_form_is_not_made(year: int, sequence: int) -> None:
    with pytest.raises(ValueError, match="sequence"):
        approval_number("HR", year, sequence)


@pytest.mark.parametrize(
    ("number", "form"),
    [
        ("C12345678", CardForm.CARD),
        ("CA1234567", CardForm.CARD),
        ("CI1234567", CardForm.OTHER),
        ("CO1234567", CardForm.OTHER),
        ("W12345678", CardForm.OLD_BOOKLET),
        ("C1234567", CardForm.OTHER),
        ("H12345678", CardForm.OTHER),
        ("C1234567\u0668", CardForm.OTHER),
    ],
)
def test_the_form_of_a_card_number(number: str, form: CardForm) -> None:
    assert card_form(number) == form


def test_a_card_number_is_kept_compact() -> None:
    assert normalise_card_number(" c1234 ５678 ") == "C12345678"
