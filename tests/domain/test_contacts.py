"""Phone numbers and mail addresses."""

import pytest

from domain.contacts import EmailError, PhoneError, normalise_email, normalise_phone


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("13812345678", "+8613812345678"),
        ("+86 138-1234-5678", "+8613812345678"),
        ("0086 138 1234 5678", "+8613812345678"),
        ("(0755) 8273 1234", "+8675582731234"),
        ("+852 9123 4567", "+85291234567"),
        ("+853 6612 3456", "+85366123456"),
    ],
)
def test_a_phone_number_is_kept_in_one_form(text: str, kept: str) -> None:
    assert normalise_phone(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "123",
        "91234567",
        "+1 202 555 0123",
        "+44 20 7946 0018",
        "+86 999",
        "13812345678 ext. 4",
        "phone",
        "1" * 300,
        "138OO138OOO",
        "138ОО138000",
        "1380013800Ｏ",
        "tel:+8613812345678",
        "13812345678x",
    ],
)
def test_other_numbers_are_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(PhoneError) as refused:
        normalise_phone(text)
    assert str(refused.value) == ""


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("A.B@Example.COM", "A.B@example.com"),
        ("x@例子.cn", "x@xn--fsqu00a.cn"),
        ("li+hk@mail.example", "li+hk@mail.example"),
    ],
)
def test_a_mail_address_keeps_its_local_part_and_an_ascii_domain(text: str, kept: str) -> None:
    assert normalise_email(text) == kept


@pytest.mark.parametrize(
    "text",
    ["", "a", "a@b", "a@b.test", "a@localhost", "李@example.com", "A <a@example.com>", "a@[127.0.0.1]", "a\n@b.cn"],
)
def test_other_addresses_are_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(EmailError) as refused:
        normalise_email(text)
    assert str(refused.value) == ""
