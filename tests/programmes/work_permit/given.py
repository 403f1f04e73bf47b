"""Claims of the tests: those of the second hard case, and the versions of the pack."""

from datetime import date
from typing import Final

from policy.pack import PackShelf
from policy.packs import load_rule_packs
from programmes.work_permit.rules.claims import Claims
from programmes.work_permit.rules.points import PACKS

SHELF: Final = PackShelf(load_rule_packs(PACKS))
TRIAL: Final = SHELF.version("2017-04-01")
PACK: Final = SHELF.version("2018-01-01")
ON: Final = date(2026, 11, 30)


def claims(**changed: object) -> Claims:
    """Return the claims of a doctor of 35 in Shenzhen, with others in the place of some."""
    given: dict[str, object] = {
        "salary_year": "300000.00",
        "education": "doctor",
        "experience_years": 5,
        "months_in_china_a_year": 9,
        "chinese": "hsk4",
        "location": "440304",
        "birth_date": "1991-05-20",
        "listed_school_firm_ip_or_five_years": True,
        "provincial_bonus": 0,
    }
    return Claims.model_validate(given | changed)
