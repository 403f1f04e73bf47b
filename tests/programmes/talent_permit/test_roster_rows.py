"""Rosters: rows of codes as registrations and departures."""

from datetime import date

import pytest

from programmes.talent_permit.permit_stages import Destination
from programmes.talent_permit.requests import RegistrationRequest
from programmes.talent_permit.rosters import DepartureRow, departure_of, registration_of

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
