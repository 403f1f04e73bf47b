"""Rosters: what they ask for, their columns, and where they and their rows stand."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from domain.errors import FieldError
from domain.field_errors import FieldCode

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


def columns_for(act: RosterAct) -> tuple[str, ...]:
    """Return the columns that a roster of an act may have."""
    return REGISTER_COLUMNS if act is RosterAct.REGISTER else DEPARTURE_COLUMNS


def too_long(row: Mapping[str, str]) -> list[FieldError]:
    """Return the cells of a row that are longer than any may be."""
    return [
        FieldError(column, FieldCode.TOO_LONG, "The cell is too long.")
        for column, text in row.items()
        if len(text) > LINE_LIMIT
    ]
