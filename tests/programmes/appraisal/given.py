"""Claims of the tests: those of the third hard case, and the versions of the pack."""

from datetime import date
from typing import Any, Final

from policy.pack import PackShelf
from policy.packs import load_rule_packs
from programmes.appraisal.rules.claims import AppraisalClaims
from programmes.appraisal.rules.points import PACKS

SHELF: Final = PackShelf(load_rule_packs(PACKS))
FIRST: Final = SHELF.version("2025-01-01")
SECOND: Final = SHELF.version("2026-07-01")
ON: Final = date(2026, 3, 31)  # in force: the first
STAR: Final = {"name": "样例之星人才计划", "given_on": "2024-05-20"}


def claims(**changed: object) -> AppraisalClaims:
    """Return claims of 90, 80 and 84 in the three dimensions, with others in the place of some."""
    given: dict[str, Any] = {
        "education": "doctor",
        "listed_school": True,
        "publications": 5,
        "experience_years": 8,
        "patents": 2,
        "projects_led": 2,
        "income_year": "500000.00",
        "assessment_mark": "34.00",
    }
    return AppraisalClaims.model_validate(given | changed)
