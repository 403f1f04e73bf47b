"""Rosters: headers in three languages, rows as registrations and departures."""

from datetime import date

import pytest

from domain.errors import Refused
from domain.registration import RegistrationRequest
from domain.roster import (
    DEPARTURE_HEADERS,
    REGISTER_HEADERS,
    DepartureRow,
    RosterAct,
    columns_of,
    departure_of,
    registration_of,
)
from domain.stages import Destination

ROW = {
    "client_reference": "A-1",
    "name_zh": "李示例",
    "name_en": "",
    "identity_number": "44030419900307123X",
    "permit_card_number": "",
    "permit_card_valid_until": "",
    "position": "研究员",
    "work_site": "SZP-001",
    "employment_kind": "contract",
    "contract_start": "2024-01-01",
    "contract_end": "",
    "email": "",
    "phone": "",
    "language": "zh-Hans",
    "destinations": "HK+MO",
    "state_worker": "yes",
    "consent_letter": "示例局|示字1号|2025-10-01",
}


def errors_of(row: dict[str, str]) -> list[tuple[str, str]]:
    """Return the columns and codes that a row is refused with."""
    found = registration_of(row)
    assert isinstance(found, list)
    return [(error.field, error.code) for error in found]


def test_headers_are_known_in_three_languages() -> None:
    for headers, act in ((REGISTER_HEADERS, RosterAct.REGISTER), (DEPARTURE_HEADERS, RosterAct.DEPARTURE)):
        columns = tuple(headers)
        assert columns_of(columns, act) == columns
        assert columns_of([others[0] for others in headers.values()], act) == columns
        assert columns_of([others[-1] for others in headers.values()], act) == columns


def test_width_case_and_a_byte_order_mark_do_not_matter_in_headers() -> None:
    headers = ["\ufeffClient_Reference ", "LAST_DAY", "ｒｅａｓｏｎ"]
    assert columns_of(headers, RosterAct.DEPARTURE) == ("client_reference", "last_day", "reason")


def test_unknown_doubled_and_missing_headers_are_refused_by_place() -> None:
    with pytest.raises(Refused) as refused:
        columns_of(["client_reference", "李示例", "原因", "reason"], RosterAct.DEPARTURE)
    assert [(error.field, error.code) for error in refused.value.errors] == [
        ("header[1]", "unknown_field"),
        ("header[3]", "unknown_field"),
        ("last_day", "required"),
    ]


def test_a_row_becomes_a_registration() -> None:
    request = registration_of(ROW)
    assert isinstance(request, RegistrationRequest)
    assert request.destinations == (Destination.HK, Destination.MO)
    assert request.employment.state_worker is True
    assert request.employment.consent_letter is not None
    assert request.employment.consent_letter.date == date(2025, 10, 1)
    assert request.person.email is None


@pytest.mark.parametrize(
    ("column", "text", "code"),
    [
        ("identity_number", "440304199003071239", "check_digit"),
        ("name_zh", "", "required"),
        ("destinations", "", "required"),
        ("destinations", "SG", "unknown_value"),
        ("destinations", "HK+HK", "unknown_value"),
        ("state_worker", "perhaps", "wrong_type"),
        ("state_worker", "", "required"),
        ("consent_letter", "only an issuer", "wrong_type"),
        ("consent_letter", "a|b|tomorrow", "impossible_date"),
        ("contract_end", "2023-01-01", "date_order"),
        ("position", "x" * 3000, "too_long"),
        ("phone", "1", "bad_phone"),
    ],
)
def test_a_defect_is_named_by_its_column(column: str, text: str, code: str) -> None:
    assert errors_of({**ROW, column: text}) == [(column, code)]


def test_a_departure_needs_one_of_two_keys() -> None:
    row = {"client_reference": "A-1", "last_day": "2026-03-02", "reason": "resigned"}
    assert isinstance(departure_of(row), DepartureRow)
    assert isinstance(
        departure_of({**row, "client_reference": "", "identity_number": "44030419900307123x"}), DepartureRow
    )
    found = departure_of({**row, "client_reference": ""})
    assert isinstance(found, list)
    assert [(error.field, error.code) for error in found] == [("client_reference", "required")]
    long = departure_of({**row, "reason": "x" * 3000})
    assert isinstance(long, list)
    assert long[0].code == "too_long"
