"""The data map of what is sent about work permits alone: one row for each field of each request body."""

# ruff: noqa: E501 - a table is read a row a line
from typing import Final

from domain.data_map import ALL, OUT, SIDES, DataClass, Kept, Retention, rows
from domain.evidence import rows_of_evidence

_PERSONAL: Final = DataClass.PERSONAL
_SENSITIVE: Final = DataClass.SENSITIVE
_SEALED: Final = Kept.SEALED
_PART: Final = Kept.IN_BODY
_CASE: Final = Retention.CASE
_DECLARED: Final = (
    "education experience_years months_in_china_a_year chinese listed_school_firm_ip_or_five_years provincial_bonus"
    " talent_programme achievement market_post entrepreneur outstanding_young vocational_certificate language_teacher"
)
_JOB: Final = "position work_site location salary_year contract_start contract_end local_average_wage_year local_minimum_wage_month"

BODIES: Final = (
    *rows("WorkPermitRequest", "client_reference", "the employer's own name for the case", SIDES, until=_CASE),
    *rows("WorkPermitRequest", "person job declared", "who is to work where, and what is declared for it", ALL, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("WorkPermitRequest", "category", "which category is applied for", ALL),
    *rows("WorkPermitCorrection", "round", "which round is given again under review", ALL),
    *rows("WorkPermitCorrection", "client_reference", "the employer's own name for the case", SIDES, until=_CASE),
    *rows("WorkPermitCorrection", "person job declared", "parts that are mended", ALL, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("WorkPermitCorrection", "category", "which category is applied for", ALL),
    *rows("WorkPermitPerson", "name_en name_zh nationality birth_date", "naming the person, and points by age", OUT, of=_PERSONAL, kept=_PART, until=_CASE),
    *rows("WorkPermitPerson", "document", "one live case a person; the passport that the permit is for", OUT, of=_SENSITIVE, kept=_PART, until=_CASE),
    *rows("WorkPermitPerson", "email phone language", "telling the person", ALL, of=_PERSONAL, kept=_PART, until=_CASE),
    *rows("WorkPermitPersonParts", "name_en name_zh nationality birth_date email phone language", "mending what was given", OUT, of=_PERSONAL, kept=_PART, until=_CASE),
    *rows("WorkPermitPersonParts", "document", "mending what was given", OUT, of=_SENSITIVE, kept=_PART, until=_CASE),
    *rows("WorkPermitJob", _JOB, "the job, and points and routes by it", ALL, of=_PERSONAL, kept=_PART, until=_CASE),
    *rows("WorkPermitJobParts", _JOB, "mending what was given", ALL, of=_PERSONAL, kept=_PART, until=_CASE),
    *rows("WorkPermitDeclared", _DECLARED, "points and routes", ALL, of=_PERSONAL, kept=_PART, until=_CASE),
    *rows("WorkPermitDeclared", "income_tax_year other_deductions", "the route by salary", ALL, of=_SENSITIVE, kept=_PART, until=_CASE),
    *rows("WorkPermitDeclaredParts", _DECLARED, "mending what was given", ALL, of=_PERSONAL, kept=_PART, until=_CASE),
    *rows("WorkPermitDeclaredParts", "income_tax_year other_deductions", "mending what was given", ALL, of=_SENSITIVE, kept=_PART, until=_CASE),
    *rows("WorkPermitOutcomeRequest", "outcome paper category", "what a numbered paper of the authority says", ALL),
    *rows("WorkPermitOutcomeRequest", "number valid_from valid_until", "the permit as the paper gives it", ALL, of=_PERSONAL, until=_CASE),
    *rows("WorkPermitEntryRequest", "entered_on", "from when the residence permit is due", ALL, of=_PERSONAL, until=_CASE),
    *rows("ResidenceApplicationRequest", "applied_on", "from when the residence permit is expected", ALL, of=_PERSONAL, until=_CASE),
    *rows("ResidenceOutcomeRequest", "outcome decided_on valid_until", "the residence permit as the authority gave it", ALL, of=_PERSONAL, until=_CASE),
    *rows("WorkPermitPerson", "new_passport", "the passport that is valid now", OUT, of=_SENSITIVE, kept=_PART, until=_CASE),
    *rows("WorkPermitChange", "email phone name_en name_zh position work_site salary_year contract_end category", "keeping what was given true", ALL, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("WorkPermitChange", "new_passport", "keeping what was given true", ALL, of=_SENSITIVE, kept=_SEALED, until=_CASE),
    *rows("WorkPermitChange", "proof", "what proves a change", ALL, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("WorkPermitChange", "happened_on", "since when it is so, and whether it was reported in time", ALL, until=_CASE),
    *rows("WorkPermitExtensionRequest", "changes", "what changes with an extension", ALL, of=_SENSITIVE, kept=_SEALED, until=_CASE),
    *rows("WorkPermitEndRequest", "ended_on", "until when the permit is to be cancelled", ALL, of=_PERSONAL, until=_CASE),
    *rows("WorkPermitCancellationRequest", "ended_on", "until when the permit is to be cancelled", ALL, of=_PERSONAL, until=_CASE),
    *rows("OwnWorkPermitCancellationRequest", "reference", "which permit", ALL),
    *rows("OwnWorkPermitCancellationRequest", "ended_on", "until when the permit is to be cancelled", ALL, of=_PERSONAL, until=_CASE),
    *rows_of_evidence("WorkPermitRequest", "WorkPermitCorrection", "WorkPermitEvidence"),
)  # fmt: skip
