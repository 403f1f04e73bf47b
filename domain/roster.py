"""Rosters: the columns in three languages, and the way from a row to a registration or a departure."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final, Self

from pydantic import ValidationError, model_validator

from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode, field_errors
from domain.fields import Day, IdentityNumberField, Label, refusal
from domain.registration import Body, RegistrationRequest

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


# Column, then its header in simplified and traditional characters; the column's own name is the English header.
REGISTER_HEADERS: Final[dict[str, tuple[str, ...]]] = {
    "client_reference": ("内部编号", "內部編號"),
    "name_zh": ("姓名", "中文姓名"),
    "name_en": ("英文姓名",),
    "identity_number": ("公民身份号码", "身份证号码", "公民身份號碼"),
    "permit_card_number": ("往来港澳通行证号码", "往來港澳通行證號碼"),
    "permit_card_valid_until": ("往来港澳通行证有效期至", "往來港澳通行證有效期至"),
    "position": ("职务", "職位", "職務"),
    "work_site": ("工作地点", "工作地點"),
    "employment_kind": ("用工形式", "僱用形式"),
    "contract_start": ("合同起始日", "合約起始日"),
    "contract_end": ("合同终止日", "合約終止日"),
    "email": ("电子邮箱", "電郵"),
    "phone": ("电话", "電話"),
    "language": ("语言", "語言"),
    "destinations": ("目的地",),
    "state_worker": ("国家工作人员", "國家工作人員"),
    "consent_letter": ("同意函",),
}
DEPARTURE_HEADERS: Final[dict[str, tuple[str, ...]]] = {
    "client_reference": REGISTER_HEADERS["client_reference"],
    "identity_number": REGISTER_HEADERS["identity_number"],
    "last_day": ("最后工作日", "最後工作日"),
    "reason": ("原因",),
}
_REQUIRED: Final[dict[RosterAct, frozenset[str]]] = {
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


def columns_of(headers: Sequence[str], act: RosterAct) -> tuple[str, ...]:
    """Return the column that each header names; letter case, width and spaces around do not matter.

    Raises:
        Refused: `invalid`, naming by its place a header that is not known or comes twice, or a column that is missing.
    """
    known = REGISTER_HEADERS if act is RosterAct.REGISTER else DEPARTURE_HEADERS
    names = {_plain(header): column for column, others in known.items() for header in (column, *others)}
    columns = [names.get(_plain(header)) for header in headers]
    errors = [
        FieldError(f"header[{at}]", FieldCode.UNKNOWN_FIELD, "The header is not known, or its column comes twice.")
        for at, column in enumerate(columns)
        if column is None or column in columns[:at]
    ]
    errors += [
        FieldError(column, FieldCode.REQUIRED, "The column is required.")
        for column in sorted(_REQUIRED[act].difference(column for column in columns if column is not None))
    ]
    if errors:
        raise Refused("invalid", "The headers of the roster do not hold.", errors)
    return tuple(column for column in columns if column is not None)


def registration_of(row: Mapping[str, str]) -> RegistrationRequest | list[FieldError]:
    """Return the registration that a row asks for, or what is wrong with it, column by column."""
    long = _too_long(row)
    if long:
        return long
    cells = {column: text.strip() for column, text in row.items()}
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
    long = _too_long(row)
    if long:
        return long
    try:
        return DepartureRow.model_validate({name: text.strip() for name, text in row.items() if text.strip()})
    except ValidationError as error:
        return [
            found if found.field else FieldError("client_reference", found.code, found.message)
            for found in field_errors(error)
        ]


def _plain(header: str) -> str:
    return unicodedata.normalize("NFKC", header).strip().lstrip("\ufeff").casefold()


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
