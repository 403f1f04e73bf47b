"""Rosters of toys: wishes row by row, and wishes that are taken back."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from pydantic import ValidationError

from cases.programme import Roster, RosterRow
from domain.case_requests import WithdrawalRequest
from domain.commands import CommandKind
from domain.documents import document_of_eighteen
from domain.errors import FieldError
from domain.field_errors import field_errors
from domain.identity_numbers import parse_identity_number
from domain.roster import IDENTITY_NUMBER, NAME_ZH, Column
from tests.programmes.toy.requests import ToyRequest


class ToyRoster(StrEnum):
    """What a roster of toys asks for each of its rows."""

    WISH = "toy_wish"
    TAKEN_BACK = "toy_taken_back"


def _wish(row: Mapping[str, str]) -> RosterRow | list[FieldError]:
    person = {name: row[name] for name in ("name_zh", "identity_number") if name in row}
    wish = {name: row[name] for name in ("toy", "workshop") if name in row}
    try:
        form = ToyRequest.model_validate({"person": person, "wish": wish})
    except ValidationError as error:
        return [
            FieldError(each.field.rpartition(".")[2], each.code, each.message, allowed=each.allowed)
            for each in field_errors(error)
        ]
    return RosterRow(None, form.subject.document, form=form)


def _taken_back(row: Mapping[str, str]) -> RosterRow | list[FieldError]:
    try:
        number = parse_identity_number(row.get("identity_number", "")).number
        asked = WithdrawalRequest(reason=row.get("reason"))
    except ValidationError as error:
        return field_errors(error)
    except ValueError:
        return [FieldError("identity_number", "check_digit", "The number is not right.")]
    return RosterRow(None, document_of_eighteen(number), asked=asked)


ROSTERS: Final[Mapping[str, Roster]] = {
    ToyRoster.WISH: Roster(
        columns=(
            NAME_ZH.needed(),
            IDENTITY_NUMBER.needed(),
            Column(name="toy", is_required=True),
            Column(name="workshop"),
        ),
        read=_wish,
        person="identity_number",
    ),
    ToyRoster.TAKEN_BACK: Roster(
        columns=(IDENTITY_NUMBER.needed(), Column(name="reason")),
        read=_taken_back,
        person="identity_number",
        asks=CommandKind.WITHDRAW,
    ),
}
