"""What the rules of appraisal look for; stored and published, never changed."""

from enum import StrEnum


class AppraisalFinding(StrEnum):
    """A code for each rule."""

    EMPLOYER_STANDING = "appraisal_employer_standing"
    EMPLOYMENT_NOT_CONFIRMED = "appraisal_employment_not_confirmed"
    WORK_START_TOO_LATE = "appraisal_work_start_too_late"
    ROUTE_NOT_OPEN = "appraisal_route_not_open"
    ACHIEVEMENT_NOT_LISTED = "appraisal_achievement_not_listed"
    ACHIEVEMENT_NOT_PROVED = "appraisal_achievement_not_proved"
    TOO_YOUNG = "appraisal_too_young"
    TOO_OLD = "appraisal_too_old"
    MARK_ABOVE_MAXIMUM = "appraisal_mark_above_maximum"
    POINTS_NOT_REACHED = "appraisal_points_not_reached"
    POINTS_NOT_PROVED = "appraisal_points_not_proved"
