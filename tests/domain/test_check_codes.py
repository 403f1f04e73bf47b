"""Check codes as they are written: what is read for what, and that one character copied wrongly is no code."""

import pytest

from domain.check_codes import CODE_BITS, code_from, find_code
from domain.references import REFERENCE_ALPHABET, find_reference

_NUMBER = 0x9E3779B97F4A7C15F39CC0605
_CODE = code_from(_NUMBER)


def test_a_code_is_found_however_it_was_copied() -> None:
    assert [len(each) for each in _CODE.split("-")] == [5, 5, 5, 5, 1]
    plain = _CODE.replace("-", "")
    assert find_code(_CODE) == find_code(_CODE.lower()) == find_code(_CODE.replace("-", " ")) == plain
    assert find_code(plain.replace("0", "o").replace("1", "l")) == plain
    assert find_reference(_CODE) is None


@pytest.mark.parametrize("at", range(21))
def test_a_character_that_was_copied_wrongly_makes_no_code(at: int) -> None:
    plain = _CODE.replace("-", "")
    others = [mark for mark in REFERENCE_ALPHABET if mark != plain[at]]
    assert [find_code(plain[:at] + mark + plain[at + 1 :]) for mark in others] == [None] * len(others)


def test_nothing_else_is_a_code() -> None:
    assert [find_code(text) for text in ("", "X", "曹", _CODE + "0", _CODE[:-1], "HT-7K2M-9QXA-J")] == [None] * 6
    with pytest.raises(ValueError, match="100 bits"):
        code_from(1 << CODE_BITS)
