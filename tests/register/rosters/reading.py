"""Rows of rosters as the talent permit reads them: a registration, a departure, or what is wrong."""

from collections.abc import Mapping

from domain.errors import FieldError
from domain.forms import need_form
from domain.roster import RosterAct
from programmes.talent_permit.programme import TALENT_PERMIT
from programmes.talent_permit.requests import DepartureRequest, RegistrationRequest
from register.rosters import check

Read = RegistrationRequest | DepartureRequest


def read_row(cells: Mapping[str, str], act: RosterAct) -> Read | list[FieldError]:
    """Return what a row asks for, or what is wrong with it."""
    read = check.read_row(cells, act, TALENT_PERMIT.rosters[act])
    if isinstance(read, list):
        return read
    if read.form is not None:
        return need_form(read.form, RegistrationRequest)
    assert isinstance(read.asked, DepartureRequest)
    return read.asked
