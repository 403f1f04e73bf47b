"""What the rules of work permits look for; stored and published, never changed."""

from enum import StrEnum


class WorkPermitFinding(StrEnum):
    """A code for each rule."""

    EMPLOYER_STANDING = "work_permit_employer_standing"
    TOO_YOUNG = "work_permit_too_young"
    WAGE_BELOW_MINIMUM = "work_permit_wage_below_minimum"
    CONTRACT_DATES_WRONG = "work_permit_contract_dates_wrong"
    CATEGORY_NOT_REACHED = "work_permit_category_not_reached"
    CATEGORY_NOT_PROVED = "work_permit_category_not_proved"
    POST_NOT_SPECIAL = "work_permit_post_not_special"
    HEALTH_NOT_PROVED = "work_permit_health_not_proved"
    RECORD_NOT_PROVED = "work_permit_record_not_proved"
    EXTENSION_LATE = "work_permit_extension_late"
    SKILLS_NOT_PROVED = "work_permit_skills_not_proved"
