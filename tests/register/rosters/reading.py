"""Rosters of the talent permit, and rows as it reads them: a registration, a departure, or what is wrong."""

from collections.abc import Mapping
from typing import Final

from domain.errors import FieldError
from domain.forms import need_form
from domain.languages import Language
from programmes.talent_permit.programme import TALENT_PERMIT
from programmes.talent_permit.requests import DepartureRequest, RegistrationRequest
from programmes.talent_permit.rosters import PermitRoster
from register.rosters import check
from register.rosters.kinds import RosterKind
from texts.roster import words_of

Read = RegistrationRequest | DepartureRequest
REGISTER: Final = RosterKind(PermitRoster.REGISTER, TALENT_PERMIT)
DEPARTURE: Final = RosterKind(PermitRoster.DEPARTURE, TALENT_PERMIT)
SAID: Final = words_of(TALENT_PERMIT.texts)
COLUMNS: Final = SAID.columns
VALUES: Final = SAID.values


def read_row(cells: Mapping[str, str], kind: RosterKind) -> Read | list[FieldError]:
    """Return what a row asks for, or what is wrong with it."""
    read = check.read_row(cells, kind)
    if isinstance(read, list):
        return read
    if read.form is not None:
        return need_form(read.form, RegistrationRequest)
    assert isinstance(read.asked, DepartureRequest)
    return read.asked


def allowed(column: str, language: Language) -> list[str]:
    """Return what a column of either may hold."""
    return REGISTER.allowed(column, language) or DEPARTURE.allowed(column, language)


def words_allowed(column: str, language: Language) -> list[str]:
    """Return the words that a column of either may hold; none for a day."""
    return allowed(column, language) if column in VALUES else []
