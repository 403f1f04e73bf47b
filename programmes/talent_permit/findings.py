"""What the rules of a talent permit find: stored and published as it stands here, never changed."""

from enum import StrEnum
from typing import Final


class FindingCode(StrEnum):
    """What a rule looks for; where states.md, section 5, has a reason of the same name, it is the ground it gives."""

    EMPLOYER_KIND_NOT_LISTED = "employer_kind_not_listed"
    EMPLOYER_STANDING = "employer_standing"
    EMPLOYER_NOT_IN_PARK = "employer_not_in_park"
    WORK_SITE_UNKNOWN = "work_site_unknown"
    IDENTITY_NUMBER_WRONG = "identity_number_wrong"
    NOT_MAINLAND_RESIDENT = "not_mainland_resident"
    BIRTH_DATE_IMPLAUSIBLE = "birth_date_implausible"
    EMPLOYMENT_DATES_WRONG = "employment_dates_wrong"
    LIVE_REGISTRATION_EXISTS = "live_registration_exists"
    CONSENT_LETTER_MISSING = "consent_letter_missing"
    PERMIT_CARD_MISSING = "permit_card_missing"
    PERMIT_CARD_WRONG = "permit_card_wrong"
    PERMIT_CARD_ENDS_EARLY = "permit_card_ends_early"
    REGISTRATION_NOT_IN_FORCE = "registration_not_in_force"
    DESTINATION_NOT_ASKED = "destination_not_asked"
    AUTHORITY_TERM_DIFFERS = "authority_term_differs"


# Found when the authority answered, from its answer and not from the kept facts, so that no rule finds it again.
ABOUT_ANSWERS: Final = frozenset({FindingCode.AUTHORITY_TERM_DIFFERS})
