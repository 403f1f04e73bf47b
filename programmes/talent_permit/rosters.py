"""Rows of rosters, as codes: registrations to take on, and departures of people who are registered."""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, Self

from pydantic import ValidationError, model_validator

from cases.programme import Roster, RosterRow
from domain.bodies import Body
from domain.documents import document_of_eighteen
from domain.errors import FieldError, Refused
from domain.field_errors import field_errors
from domain.fields import Day, IdentityNumberField, Label, refusal
from domain.masks import MASKS
from domain.roster import (
    CLIENT_REFERENCE,
    EMAIL,
    IDENTITY_NUMBER,
    LANGUAGE,
    NAME_EN,
    NAME_ZH,
    PHONE,
    Column,
    day_in,
    too_long,
)
from domain.stages import Stage
from programmes.talent_permit.reasons import departure_reason
from programmes.talent_permit.requests import DepartureRequest, RegistrationRequest
from programmes.talent_permit.words import PermitCommand

_PERSON: Final = (
    "name_zh",
    "name_en",
    "identity_number",
    "permit_card_number",
    "permit_card_valid_until",
    "email",
    "phone",
    "language",
)
_EMPLOYMENT: Final = ("position", "work_site", "employment_kind", "contract_start", "contract_end")


class PermitRoster(StrEnum):
    """What a roster of this programme asks for each of its rows."""

    REGISTER = "register"
    DEPARTURE = "departure"


class DepartureRow(Body):
    """One departure of a roster: the person by one of two keys, the last day and why."""

    client_reference: Label | None = None
    identity_number: IdentityNumberField | None = None
    last_day: Day
    reason: Label

    @model_validator(mode="after")
    def _has_a_key(self) -> Self:
        if self.client_reference is None and self.identity_number is None:
            raise refusal("required", "Give client_reference or identity_number.")
        return self


def registration_of(row: Mapping[str, str]) -> RegistrationRequest | list[FieldError]:
    """Return the registration that a row asks for, or what is wrong with it, column by column."""
    cells = {column: row[column].strip() for column in _REGISTER if column in row}
    long = too_long(cells)
    if long:
        return long
    body: dict[str, object] = {
        "person": {name: cells[name] for name in _PERSON if cells.get(name)},
        "employment": {
            **{name: cells[name] for name in _EMPLOYMENT if cells.get(name)},
            **_state_worker(cells.get("state_worker", "")),
            **_consent_letter(cells.get("consent_letter", "")),
        },
        "destinations": [code.strip().upper() for code in cells.get("destinations", "").split("+") if code.strip()],
    }
    if cells.get("client_reference"):
        body["client_reference"] = cells["client_reference"]
    try:
        return RegistrationRequest.model_validate(body)
    except ValidationError as error:
        return _by_column(field_errors(error))


def departure_of(row: Mapping[str, str]) -> DepartureRow | list[FieldError]:
    """Return the departure that a row reports, or what is wrong with it, column by column."""
    cells = {column: text for column in _DEPARTURE if (text := row.get(column, "").strip())}
    long = too_long(cells)
    if long:
        return long
    try:
        return DepartureRow.model_validate(cells)
    except ValidationError as error:
        return [
            found if found.field else FieldError("client_reference", found.code, found.message)
            for found in field_errors(error)
        ]


def _state_worker(text: str) -> dict[str, object]:
    if not text:
        return {}
    # Another word stays text, which the strict flag then refuses.
    return {"state_worker": {"yes": True, "no": False}.get(text.casefold(), text)}


def _consent_letter(text: str) -> dict[str, object]:
    if not text:
        return {}
    parts = [part.strip() for part in text.split("|")]
    return {"consent_letter": dict(zip(("issuer", "number", "date"), parts, strict=True)) if len(parts) == 3 else text}


def _by_column(errors: Iterable[FieldError]) -> list[FieldError]:
    """Return the errors under the names of their columns: `person.name_zh` is `name_zh`."""
    return [FieldError(_column(error.field), error.code, error.message) for error in errors]


def _column(path: str) -> str:
    parts = path.split("[")[0].split(".")
    if "consent_letter" in parts:
        return "consent_letter"
    return parts[-1]


def _new_case(row: Mapping[str, str]) -> RosterRow | list[FieldError]:
    read = registration_of(row)
    return read if isinstance(read, list) else RosterRow(read.client_reference, read.subject.document, form=read)


def _departure(row: Mapping[str, str]) -> RosterRow | list[FieldError]:
    read = departure_of(row)
    if isinstance(read, list):
        return read
    try:
        departure_reason(read.reason)
    except Refused as refused:
        return [FieldError("reason", refused.code, refused.detail)]
    asked = DepartureRequest(last_day=read.last_day, reason=read.reason)
    document = document_of_eighteen(read.identity_number) if read.identity_number else None
    return RosterRow(read.client_reference, document, asked=asked)


def _dated_letter(text: str) -> str | FieldError:
    """Return a letter with its day in ISO, where the day can be read; otherwise the whole as it is."""
    parts = re.split(r"[|｜]", text)
    if len(parts) != 3 or not parts[2].strip():
        return text
    day = day_in("consent_letter", parts[2])
    return day if isinstance(day, FieldError) else "|".join([*parts[:2], day])


REGISTER_COLUMNS: Final = (
    CLIENT_REFERENCE,
    NAME_ZH.needed(),
    NAME_EN,
    IDENTITY_NUMBER.needed(),
    Column(
        name="permit_card_number",
        names_person=True,
        mask=MASKS["permit_card_number"],
        looks=re.compile(r"[Cc][0-9A-Za-z][0-9]{7}").fullmatch,
    ),
    Column(name="permit_card_valid_until", is_day=True),
    Column(name="position", is_required=True),
    Column(name="work_site", is_required=True),
    Column(name="employment_kind", is_required=True),
    Column(name="contract_start", is_day=True, is_required=True),
    Column(name="contract_end", is_day=True),
    EMAIL,
    PHONE,
    LANGUAGE.needed(),
    Column(name="destinations", joins=True, is_required=True),
    Column(name="state_worker", is_required=True),
    Column(name="consent_letter", reads=_dated_letter),
)
DEPARTURE_COLUMNS: Final = (
    CLIENT_REFERENCE,
    IDENTITY_NUMBER,
    Column(name="last_day", is_day=True, is_required=True),
    Column(name="reason", is_required=True),
)
_REGISTER: Final = [column.name for column in REGISTER_COLUMNS]
_DEPARTURE: Final = [column.name for column in DEPARTURE_COLUMNS]
ROSTERS: Final[Mapping[str, Roster]] = {
    PermitRoster.REGISTER: Roster(columns=REGISTER_COLUMNS, read=_new_case, person=IDENTITY_NUMBER.name),
    PermitRoster.DEPARTURE: Roster(
        columns=DEPARTURE_COLUMNS,
        read=_departure,
        person=IDENTITY_NUMBER.name,
        asks=PermitCommand.DEPART,
        stages=frozenset({Stage.APPROVED}),
        elsewhere="A departure is reported of an approved registration; an open one is withdrawn.",
    ),
}
