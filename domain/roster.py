"""Rosters: what they ask for, their columns, and the way from a row of codes to a registration or a departure."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, Self

from pydantic import ValidationError, model_validator

from domain.bodies import Body
from domain.errors import FieldError
from domain.field_errors import FieldCode, field_errors
from domain.fields import Day, IdentityNumberField, Label, refusal
from domain.registration import RegistrationRequest

LINE_LIMIT: Final = 2000  # characters of one cell; more is refused before anything is read from it


class RosterAct(StrEnum):
    """What a roster asks for each of its rows."""

    REGISTER = "register"
    DEPARTURE = "departure"


class OnDefect(StrEnum):
    """What a row with a defect does to the rest of its roster: nothing of it is registered, or the row is left out."""

    STOP = "stop"
    SKIP = "skip"


class RosterStatus(StrEnum):
    """Where a roster stands; a dry run ends as `ready`."""

    CHECKING = "checking"
    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class RowResult(StrEnum):
    """What became of a row: found fit and still to be done, or how it ended."""

    NEW = "new"
    ALREADY_REGISTERED = "already_registered"
    DEFECT = "defect"
    DUPLICATE_IN_FILE = "duplicate_in_file"
    REGISTERED = "registered"


REGISTER_COLUMNS: Final = (
    "client_reference",
    "name_zh",
    "name_en",
    "identity_number",
    "permit_card_number",
    "permit_card_valid_until",
    "position",
    "work_site",
    "employment_kind",
    "contract_start",
    "contract_end",
    "email",
    "phone",
    "language",
    "destinations",
    "state_worker",
    "consent_letter",
)
DEPARTURE_COLUMNS: Final = ("client_reference", "identity_number", "last_day", "reason")
DAYS: Final = frozenset({"permit_card_valid_until", "contract_start", "contract_end", "last_day"})
REQUIRED: Final[dict[RosterAct, frozenset[str]]] = {
    RosterAct.REGISTER: frozenset(
        {
            "name_zh",
            "identity_number",
            "position",
            "work_site",
            "employment_kind",
            "contract_start",
            "language",
            "destinations",
            "state_worker",
        }
    ),
    RosterAct.DEPARTURE: frozenset({"last_day", "reason"}),
}
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


def columns_for(act: RosterAct) -> tuple[str, ...]:
    """Return the columns that a roster of an act may have."""
    return REGISTER_COLUMNS if act is RosterAct.REGISTER else DEPARTURE_COLUMNS


def registration_of(row: Mapping[str, str]) -> RegistrationRequest | list[FieldError]:
    """Return the registration that a row asks for, or what is wrong with it, column by column."""
    cells = {column: row[column].strip() for column in REGISTER_COLUMNS if column in row}
    long = _too_long(cells)
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
    long = _too_long(cells)
    if long:
        return long
    try:
        return DepartureRow.model_validate(cells)
    except ValidationError as error:
        return [
            found if found.field else FieldError("client_reference", found.code, found.message)
            for found in field_errors(error)
        ]


def _too_long(row: Mapping[str, str]) -> list[FieldError]:
    return [
        FieldError(column, FieldCode.TOO_LONG, "The cell is too long.")
        for column, text in row.items()
        if len(text) > LINE_LIMIT
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
