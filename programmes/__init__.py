"""The programmes, one room each, and the registry of them, which the edge hands to the core; their texts at once."""

from collections.abc import Mapping
from typing import Final

from cases.programme import Programme
from domain.case_types import CaseTypes
from programmes.appraisal.programme import APPRAISAL
from programmes.talent_permit.programme import TALENT_PERMIT
from programmes.work_permit.programme import WORK_PERMIT
from store.case_tables import OwnTables
from texts.catalogue import hand_over

# By the code that each case carries.
PROGRAMMES: Final[Mapping[str, Programme]] = {each.code: each for each in (TALENT_PERMIT, WORK_PERMIT, APPRAISAL)}
# By what references of their cases begin with.
CASE_TYPES: Final = CaseTypes(PROGRAMMES)

hand_over(*(each.texts for each in PROGRAMMES.values()))


def own_tables() -> OwnTables:
    """Return the tables of all programmes, each with the code of its own."""
    return tuple((each.code, table) for each in PROGRAMMES.values() for table in each.tables)
