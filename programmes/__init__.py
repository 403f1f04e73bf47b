"""The programmes, one room each, and the registry of them, which the edge hands to the core; their texts at once."""

from collections.abc import Mapping
from typing import Final

from cases.programme import Programme
from domain.case_types import CaseTypes
from programmes.appraisal.programme import APPRAISAL
from programmes.talent_permit.programme import TALENT_PERMIT
from programmes.work_permit.programme import WORK_PERMIT
from store.case_tables import OwnTables
from texts.catalogue import CORE, hand_over

# By the code that each case carries.
PROGRAMMES: Final[Mapping[str, Programme]] = {each.code: each for each in (TALENT_PERMIT, WORK_PERMIT, APPRAISAL)}
# By what references of their cases begin with.
CASE_TYPES: Final = CaseTypes(PROGRAMMES)

hand_over(*(each.texts for each in PROGRAMMES.values()))


def find_programme(reference: str) -> Programme | None:
    """Return the programme whose cases have such references; None where no programme has."""
    prefix = reference.partition("-")[0].upper()
    return next((each for each in PROGRAMMES.values() if each.prefix == prefix), None)


def room_of(reference: str | None) -> str:
    """Return the package with the texts of a case's programme, by its reference; that of the core where none has it."""
    programme = find_programme(reference or "")
    return CORE if programme is None else programme.texts


def own_tables() -> OwnTables:
    """Return the tables of all programmes, each with the code of its own."""
    return tuple((each.code, table) for each in PROGRAMMES.values() for table in each.tables)
