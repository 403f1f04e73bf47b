"""Canonical JSON: the quick way writes what the slow one writes."""

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from domain.acts import Act
from programmes.talent_permit.permit_stages import Destination
from proof.canonical import canonical

_TEXT = st.text(alphabet=st.characters(codec="utf-8"))
_CODE = st.sampled_from([*Act, *Destination])
_NUMBER = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
_LEAF = st.none() | st.booleans() | _NUMBER | _TEXT | _CODE
_VALUE = st.recursive(
    _LEAF, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=6), max_leaves=20
)


@given(_VALUE)
def test_every_value_has_the_bytes_of_rfc_8785(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


def test_names_are_in_the_order_of_utf_16() -> None:
    assert canonical({"\ufb33": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufb33":1}'.encode()


@pytest.mark.parametrize("value", [2**53, "\ud800", {"a": ["\ud800"]}, float("inf")])
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises((rfc8785.CanonicalizationError, UnicodeEncodeError)):
        canonical(value)


def test_a_row_with_codes_goes_the_quick_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rfc8785, "dumps", None)
    assert canonical({"b": list(Destination), "a": Act.SUBMITTED}) == b'{"a":"submitted","b":["HK","MO"]}'
