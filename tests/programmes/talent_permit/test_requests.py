"""Request bodies: strict shapes, published field-error codes, and messages that never quote a value."""

import json
from datetime import date
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from domain.case_requests import ContestRequest, WithdrawalRequest
from domain.field_errors import MESSAGES, FieldCode, field_errors, path_of
from domain.fields import is_printable
from domain.languages import Language
from programmes.talent_permit.changes import CHANGING
from programmes.talent_permit.permit_stages import Destination
from programmes.talent_permit.requests import ChangeRequest, CorrectionRequest, DepartureRequest, RegistrationRequest

BODY: dict[str, Any] = {
    "client_reference": "HR-1",
    "person": {
        "name_zh": "李示例",
        "name_en": "Li Shili",
        "identity_number": "44030419900307123x",
        "permit_card_number": "c12345678",
        "permit_card_valid_until": "2035-01-01",
        "email": "Li@Example.com",
        "phone": "138 1234 5678",
        "language": "zh-Hans",
    },
    "employment": {
        "position": "研究员",
        "work_site": "SZP-001",
        "employment_kind": "contract",
        "contract_start": "2024-01-01",
        "contract_end": "2027-12-31",
        "state_worker": True,
        "consent_letter": {"issuer": "示例局", "number": "1", "date": "2025-10-01"},
    },
    "destinations": ["MO", "HK"],
}


def with_value(path: str, value: object) -> dict[str, Any]:
    """Return the body with one value changed, or removed where it is `...`."""
    body: dict[str, Any] = json.loads(json.dumps(BODY))
    *parents, last = path.split(".")
    part = body
    for parent in parents:
        part = part[parent]
    if value is ...:
        del part[last]
    else:
        part[last] = value
    return body


def errors_of(model: type[BaseModel], body: object) -> list[tuple[str, str]]:
    """Return the fields and codes that a body is refused with."""
    with pytest.raises(ValidationError) as refused:
        model.model_validate(body)
    return [(error.field, error.code) for error in field_errors(refused.value)]


def test_a_whole_body_is_taken_and_brought_into_one_form() -> None:
    request = RegistrationRequest.model_validate(BODY)
    assert request.person.identity_number == "44030419900307123X"
    assert request.person.permit_card_number == "C12345678"
    assert request.person.email == "Li@example.com"
    assert request.person.phone == "+8613812345678"
    assert request.destinations == (Destination.HK, Destination.MO)
    assert request.undertaking_version
    assert RegistrationRequest.model_validate_json(request.model_dump_json()) == request


@pytest.mark.parametrize(
    "path",
    [
        "client_reference",
        "person.name_en",
        "person.permit_card_number",
        "person.permit_card_valid_until",
        "person.email",
        "person.phone",
        "employment.contract_end",
        "employment.consent_letter",
    ],
)
def test_what_is_optional_may_be_left_out_or_null(path: str) -> None:
    left_out = RegistrationRequest.model_validate(with_value(path, ...))
    assert RegistrationRequest.model_validate(with_value(path, None)) == left_out


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("person", ..., "required"),
        ("person", None, "required"),
        ("person", [], "wrong_type"),
        ("person.name_zh", ..., "required"),
        ("person.name_zh", None, "required"),
        ("person.name_zh", "", "required"),
        ("person.name_zh", "   ", "required"),
        ("person.name_zh", "李" * 101, "too_long"),
        ("person.name_zh", 7, "wrong_type"),
        ("person.name_zh", "李\x00", "bad_characters"),
        ("person.name_zh", "李\u202e", "bad_characters"),
        ("person.name_zh", "李\n示", "bad_characters"),
        ("person.name_zh", "\ud800", "bad_characters"),
        ("person.identity_number", "440304199003071239", "check_digit"),
        ("person.identity_number", "130503670401001", "check_digit"),
        ("person.identity_number", "1" * 500, "too_long"),
        ("person.identity_number", "ABC", "bad_characters"),
        ("person.identity_number", 440304199003071239, "wrong_type"),
        ("person.permit_card_valid_until", "2035-02-30", "impossible_date"),
        ("person.permit_card_valid_until", "2035-2-3", "impossible_date"),
        ("person.permit_card_valid_until", "9999-12-31", "impossible_date"),
        ("person.permit_card_valid_until", 20350101, "wrong_type"),
        ("person.email", "nobody", "bad_email"),
        ("person.phone", "+1 202 555 0123", "bad_phone"),
        ("person.language", "fr", "unknown_value"),
        ("person.nickname", "x", "unknown_field"),
        ("employment.employment_kind", "gig", "unknown_value"),
        ("employment.contract_end", "2023-12-31", "date_order"),
        ("employment.state_worker", "yes", "wrong_type"),
        ("employment.state_worker", 1, "wrong_type"),
        ("employment.consent_letter", {"issuer": "x", "number": "1"}, "required"),
        ("destinations", [], "required"),
        ("destinations", ["HK", "HK"], "unknown_value"),
        ("destinations", ["HK", "MO", "HK"], "too_long"),
        ("destinations", "HK", "wrong_type"),
        ("client_reference", "x" * 65, "too_long"),
    ],
)
def test_a_wrong_field_is_named_with_its_code(path: str, value: object, code: str) -> None:
    ((field, found),) = errors_of(RegistrationRequest, with_value(path, value))
    assert found == code
    assert field == {"employment.consent_letter": "employment.consent_letter.date"}.get(path, path)


def test_one_wrong_destination_is_named_by_its_place() -> None:
    assert errors_of(RegistrationRequest, with_value("destinations", ["HK", "SG"])) == [
        ("destinations[1]", "unknown_value")
    ]


def test_all_that_is_wrong_is_told_at_once() -> None:
    body = with_value("person.email", "nobody")
    body["employment"]["state_worker"] = "yes"
    assert len(errors_of(RegistrationRequest, body)) == 2


@pytest.mark.parametrize("path", ["person.name_zh", "person.identity_number", "person.email", "person.phone"])
def test_no_message_quotes_what_was_given(path: str) -> None:
    secret = "44030419900307\x0712399"
    with pytest.raises(ValidationError) as refused:
        RegistrationRequest.model_validate(with_value(path, secret))
    assert all("4403041990" not in error.message + error.field for error in field_errors(refused.value))


def test_a_field_name_made_up_by_the_sender_is_not_repeated() -> None:
    body = {**BODY, "44030419900307123X": 1, "nickname": 2}
    assert errors_of(RegistrationRequest, body) == [("?", "unknown_field"), ("nickname", "unknown_field")]


def test_the_part_of_the_request_is_left_out_of_the_path() -> None:
    assert path_of(("body", "person", "name_zh"), "body") == "person.name_zh"
    assert path_of(("body", "items", 3, "reference"), "body") == "items[3].reference"
    assert path_of(("body",), "body") == ""
    assert path_of(("body", "x")) == "body.x"


def test_every_code_has_a_message() -> None:
    assert set(MESSAGES) == set(FieldCode)


def test_no_more_than_a_hundred_errors_are_listed() -> None:
    assert len(errors_of(RegistrationRequest, {**BODY, **{f"x{'y' * n}": 1 for n in range(300)}})) == 100


def test_a_correction_changes_its_parts_and_keeps_the_rest() -> None:
    request = RegistrationRequest.model_validate(BODY)
    correction = CorrectionRequest.model_validate(
        {"person": {"name_zh": "李更正", "email": None}, "employment": {"consent_letter": None}, "destinations": ["HK"]}
    )
    whole = request.corrected(correction)
    assert (whole.person.name_zh, whole.person.email) == ("李更正", None)
    assert whole.person.identity_number == request.person.identity_number
    assert whole.employment.consent_letter is None
    assert whole.employment.contract_start == date(2024, 1, 1)
    assert whole.destinations == (Destination.HK,)
    assert whole.client_reference == "HR-1"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [("", "required")]),
        ({"person": {}}, [("person", "required")]),
        ({"person": {"nickname": "x"}}, [("person.nickname", "unknown_field")]),
        ({"person": {"identity_number": "1"}}, [("person.identity_number", "check_digit")]),
    ],
)
def test_a_correction_that_is_empty_or_wrong_is_refused(body: object, expected: list[tuple[str, str]]) -> None:
    assert errors_of(CorrectionRequest, body) == expected


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"employment": {"contract_end": "2020-01-01"}}, "employment.contract_end", "date_order"),
        ({"person": {"name_zh": None}}, "person.name_zh", "required"),
        ({"person": None}, "person", "required"),
        ({"destinations": None}, "destinations", "required"),
    ],
)
def test_a_correction_that_breaks_the_whole_is_refused(body: object, field: str, code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        RegistrationRequest.model_validate(BODY).corrected(CorrectionRequest.model_validate(body))
    assert [(error.field, error.code) for error in field_errors(refused.value)] == [(field, code)]


def test_a_change_is_split_into_what_is_at_once_and_what_an_officer_takes() -> None:
    change = ChangeRequest.model_validate(
        {"email": None, "language": "en", "contract_end": "2030-01-01", "name_en": "Li"}
    )
    assert CHANGING.asked_at_once(change) == {"email": None, "language": Language.EN}
    assert CHANGING.asked_of_officer(change) == {"contract_end": "2030-01-01", "name_en": "Li"}


@pytest.mark.parametrize("field", ["language", "contract_end", "name_zh"])
def test_a_change_cannot_remove_what_is_needed(field: str) -> None:
    assert errors_of(ChangeRequest, {field: None}) == [(field, "required")]


def test_a_change_of_nothing_is_refused() -> None:
    assert errors_of(ChangeRequest, {}) == [("", "required")]


def test_notes_may_have_lines_and_no_other_control_characters() -> None:
    assert ContestRequest(note="one\r\ntwo ").note == "one\ntwo"
    assert errors_of(ContestRequest, {"note": "one\x1b[2J"}) == [("note", "bad_characters")]
    assert errors_of(ContestRequest, {"note": "x" * 2001}) == [("note", "too_long")]
    assert WithdrawalRequest().reason is None


def test_a_departure_has_a_day_and_a_reason() -> None:
    assert DepartureRequest.model_validate({"last_day": "2026-03-02", "reason": "resigned"}).last_day == date(
        2026, 3, 2
    )
    assert errors_of(DepartureRequest, {"last_day": "soon"}) == [
        ("last_day", "impossible_date"),
        ("reason", "required"),
    ]


@pytest.mark.parametrize("text", ["a\u200bb", "a\x7f", "a\u2028b", "\ufeffa", "\ue000", "a\tb"])
def test_invisible_characters_are_not_printable(text: str) -> None:
    assert not is_printable(text)
    assert is_printable("李 示例 (A–B) é 𠮷")
