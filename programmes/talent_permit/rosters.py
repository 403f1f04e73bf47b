"""Rows of rosters, as codes: registrations to take on, and departures of people who are registered."""

from collections.abc import Iterable, Mapping
from typing import Final, Self

from pydantic import ValidationError, model_validator

from cases.programme import Roster, RosterRow
from domain.bodies import Body
from domain.documents import document_of_eighteen
from domain.errors import FieldError, Refused
from domain.field_errors import field_errors
from domain.fields import Day, IdentityNumberField, Label, refusal
from domain.roster import DEPARTURE_COLUMNS, REGISTER_COLUMNS, RosterAct, too_long
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
    cells = {column: row[column].strip() for column in REGISTER_COLUMNS if column in row}
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
    cells = {column: text for column in DEPARTURE_COLUMNS if (text := row.get(column, "").strip())}
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


ROSTERS: Final[Mapping[RosterAct, Roster]] = {
    RosterAct.REGISTER: Roster(read=_new_case, person="identity_number"),
    RosterAct.DEPARTURE: Roster(read=_departure, person="identity_number", asks=PermitCommand.DEPART),
}
