"""The badge's own words: stored and published as they stand here, never changed."""

from enum import StrEnum
from typing import Final

from domain.acts import ActMeaning
from domain.deadlines import DeadlineMeaning
from domain.evidence import EVIDENCE_WORDS
from domain.notices import EMPLOYER, plan
from domain.words import CORE_WORDS, Words, owned_by_persons


class BadgeCommand(StrEnum):
    """What the employer asks of its part."""

    CONFIRM = "badge_confirm"
    DENY = "badge_deny"


class BadgeAct(StrEnum):
    """What is done about an employment; one ledger row for each."""

    ASKED = "badge_asked"
    CONFIRMED = "badge_confirmed"
    DENIED = "badge_denied"
    UNANSWERED = "badge_unanswered"


class BadgeDeadline(StrEnum):
    """Until when the employer is waited for."""

    CONFIRMATION = "badge_confirmation"


class BadgeNotice(StrEnum):
    """What the employer is told: the one notice of such a case that goes to it."""

    ASKED = "badge_asked"


class EmploymentStage(StrEnum):
    """Stages of an employment."""

    ASKED = "asked"
    CONFIRMED = "confirmed"
    DENIED = "denied"
    UNANSWERED = "unanswered"


WORDS: Final = owned_by_persons(CORE_WORDS | EVIDENCE_WORDS) | Words(
    acts={act: ActMeaning() for act in BadgeAct},
    deadlines={BadgeDeadline.CONFIRMATION: DeadlineMeaning()},
    notices={BadgeNotice.ASKED: plan(EMPLOYER)},
)
