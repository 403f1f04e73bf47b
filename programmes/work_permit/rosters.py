"""Rosters of work permits: each row asks for the permit of one foreigner; evidence is given with the case itself."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from pydantic import ValidationError

from cases.programme import Roster, RosterRow
from domain.errors import FieldError, Refused
from domain.field_errors import field_errors
from domain.masks import MASKS
from domain.roster import CLIENT_REFERENCE, EMAIL, LANGUAGE, NAME_EN, NAME_ZH, PHONE, Column, too_long
from programmes.work_permit.requests import WorkPermitRequest


class WorkPermitRoster(StrEnum):
    """What a roster of work permits asks for each of its rows."""

    APPLY = "work_permit_apply"


_PASSPORT: Final = "passport_number"
_PERSON: Final = ("name_en", "name_zh", "nationality", "birth_date", "email", "phone", "language")
_JOB: Final = ("position", "work_site", "location", "salary_year", "contract_start", "contract_end")
_WORDS: Final = ("education", "chinese")
_NUMBERS: Final = ("experience_years", "months_in_china_a_year")
_COLUMN_OF: Final[Mapping[str, str]] = {"number": _PASSPORT, "place": "nationality", "kind": _PASSPORT}


def _application(row: Mapping[str, str]) -> RosterRow | list[FieldError]:
    cells = {column.name: text for column in _COLUMNS if (text := row.get(column.name, "").strip())}
    if long := too_long(cells):
        return long
    passport = {"kind": "passport", "place": cells.get("nationality"), "number": cells.get(_PASSPORT, "")}
    declared: dict[str, Any] = {name: cells[name] for name in _WORDS if name in cells}
    # Another word than a number stays text, which the form then refuses.
    declared |= {
        name: int(cells[name]) if cells[name].isdecimal() else cells[name] for name in _NUMBERS if name in cells
    }
    body: dict[str, Any] = {
        "person": {**{name: cells[name] for name in _PERSON if name in cells}, "document": passport},
        "job": {name: cells[name] for name in _JOB if name in cells},
        "declared": declared,
        **{name: cells[name] for name in ("category", "client_reference") if name in cells},
    }
    try:
        form = WorkPermitRequest.model_validate(body)
    except Refused as refused:
        return [_by_column(each) for each in refused.errors]
    except ValidationError as error:
        return [_by_column(each) for each in field_errors(error)]
    return RosterRow(form.client_reference, form.subject.document, form=form)


def _by_column(wrong: FieldError) -> FieldError:
    name = wrong.field.rpartition(".")[2]
    return FieldError(_COLUMN_OF.get(name, name), wrong.code, wrong.message, wrong.words, wrong.allowed)


_COLUMNS: Final = (
    CLIENT_REFERENCE,
    NAME_EN.needed(),
    NAME_ZH,
    Column(name=_PASSPORT, is_required=True, names_person=True, mask=MASKS["identity_number"]),
    Column(name="nationality", is_required=True),
    Column(name="birth_date", is_required=True, is_day=True, names_person=True),
    EMAIL,
    PHONE,
    LANGUAGE.needed(),
    Column(name="category", is_required=True),
    *(Column(name=name, is_required=True, is_day=name.startswith("contract")) for name in _JOB),
    *(Column(name=name) for name in (*_WORDS, *_NUMBERS)),
)
ROSTERS: Final[Mapping[str, Roster]] = {
    WorkPermitRoster.APPLY: Roster(columns=_COLUMNS, read=_application, person=_PASSPORT)
}
