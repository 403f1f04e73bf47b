"""Properties that hold for every input: refusals instead of exceptions, and counts that add up."""

from contextlib import suppress
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.contacts import EmailError, PhoneError, normalise_email, normalise_phone
from domain.field_errors import FieldCode, field_errors
from domain.identity_numbers import IdentityNumberError, parse_identity_number
from domain.references import REFERENCE_BYTES, find_reference, reference_from
from domain.uscc import UsccError, parse_uscc
from domain.working_days import ParkClock
from policy.addresses import fold_address
from policy.calendars import mainland_calendar
from programmes.talent_permit.known import PermitFacts
from programmes.talent_permit.requests import CorrectionRequest, RegistrationRequest

CALENDAR = mainland_calendar()
DAYS = st.dates(date(2024, 1, 1), date(2027, 12, 31))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=12,
)
FIELDS = [*RegistrationRequest.model_fields, "name_zh", "identity_number", "contract_end"]
BODIES = st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=10), JSON, max_size=6)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read, error in (
        (parse_identity_number, IdentityNumberError),
        (parse_uscc, UsccError),
        (normalise_phone, PhoneError),
        (normalise_email, EmailError),
    ):
        with suppress(error):
            read(text)
    find_reference(text)
    fold_address(text)


@given(BODIES)
@pytest.mark.parametrize("model", [RegistrationRequest, CorrectionRequest])
def test_any_body_is_taken_or_refused_with_published_codes(model: Any, body: dict[str, Any]) -> None:
    assert codes_of(model, body) <= set(FieldCode)


def codes_of(model: Any, body: dict[str, Any]) -> set[str]:
    """Return the codes that a body is refused with; none where it is taken."""
    try:
        model.model_validate(body)
    except ValidationError as error:
        return {found.code for found in field_errors(error)}
    return set()


@given(st.dictionaries(st.sampled_from(sorted(PermitFacts.model_fields)), JSON))
def test_any_facts_are_read_and_what_is_ill_typed_is_named(given_facts: dict[str, Any]) -> None:
    facts = PermitFacts.read(given_facts)
    for name in facts.ill_typed:
        if name in PermitFacts.model_fields:
            assert getattr(facts, name) is None or name == "ill_typed"


@given(st.binary(min_size=REFERENCE_BYTES, max_size=REFERENCE_BYTES))
def test_every_reference_is_found_again(entropy: bytes) -> None:
    assert find_reference(reference_from("HT", entropy)) == reference_from("HT", entropy)


@given(st.text(alphabet="桂花路三十百零一二〇号楼0123 -ＡＢabＡ１", max_size=30))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold_address(fold_address(text)) == fold_address(text)


@settings(max_examples=50)
@given(DAYS, st.integers(1, 60))
def test_the_nth_working_day_has_n_working_days_up_to_it(day0: date, n: int) -> None:
    last = CALENDAR.working_day(day0, n)
    assert CALENDAR.is_working_day(last)
    assert CALENDAR.working_days_between(day0, last) == n
    assert CALENDAR.working_days_between(day0, last - timedelta(days=1)) == n - 1


@settings(max_examples=50)
@given(DAYS, st.integers(0, 40), st.integers(0, 40), st.integers(1, 20))
def test_a_stopped_clock_loses_no_day_and_gives_at_least_one(day0: date, run: int, stand: int, limit: int) -> None:
    stopped_on = day0 + timedelta(days=run)
    resumed_on = stopped_on + timedelta(days=stand)
    clock = ParkClock.start(limit, day0).stop(stopped_on, CALENDAR).resume(resumed_on)
    ends = clock.deadline(CALENDAR)
    assert ends is not None
    used_after = CALENDAR.working_days_between(resumed_on, ends.at.date())
    assert used_after == max(1, limit - CALENDAR.working_days_between(day0, stopped_on))
