"""The talent permit's own words, beside those of any case: stored and published as they stand here, never changed."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from domain.deadlines import DeadlineMeaning
from domain.tasks import TaskAction, TaskMeaning
from domain.words import CORE_WORDS, Words


class PermitCommand(StrEnum):
    """What is asked of a talent permit and of no other case."""

    REVOKE = "revoke"
    DEPART = "depart"
    DISPUTE = "dispute"
    CHANGE = "change"
    CARD_LOST = "card_lost"
    ELIGIBILITY = "eligibility"
    PERMIT_CONFIRM = "permit_confirm"
    ENTER_OUTCOME = "enter_outcome"
    ANSWER = "answer"


class PermitDeadline(StrEnum):
    """What ends, or is due, at a deadline of a talent permit."""

    SENDING_EXPECTED = "sending_expected"
    REPORT_EXPECTED = "report_expected"
    EARLY_ANSWER = "early_answer"
    APPLICANT_REMINDER = "applicant_reminder"
    APPLICANT_INACTIVE = "applicant_inactive"
    AUTHORITY_LATE = "authority_late"
    PERMIT_EXPIRING = "permit_expiring"
    PERMIT_EXPIRED = "permit_expired"
    CONTRACT_REMINDER = "contract_reminder"
    CONTRACT_GRACE = "contract_grace"
    EMPLOYMENT_OVER = "employment_over"


DEADLINES: Final[Mapping[str, DeadlineMeaning]] = {
    **dict.fromkeys(PermitDeadline, DeadlineMeaning()),
    **dict.fromkeys((PermitDeadline.EARLY_ANSWER, PermitDeadline.AUTHORITY_LATE), DeadlineMeaning(by_schedule=True)),
    **dict.fromkeys((PermitDeadline.PERMIT_EXPIRING, PermitDeadline.PERMIT_EXPIRED), DeadlineMeaning(outlives=True)),
}


class PermitTask(StrEnum):
    """What a person is asked to do about a talent permit."""

    PERMIT_ELIGIBILITY = "permit_eligibility"
    EMPLOYMENT_CHECK = "employment_check"
    DEPARTURE_DISPUTED = "departure_disputed"
    APPLICANT_INACTIVE = "applicant_inactive"
    AUTHORITY_LATE = "authority_late"
    AUTHORITY_CONFLICT = "authority_conflict"
    AUTHORITY_REJECTED = "authority_rejected"


TASKS: Final[Mapping[str, TaskMeaning]] = {
    **dict.fromkeys(PermitTask, TaskMeaning()),
    PermitTask.EMPLOYMENT_CHECK: TaskMeaning(answers=(TaskAction.NEW_CONTRACT_END, TaskAction.DEPARTED)),
    PermitTask.DEPARTURE_DISPUTED: TaskMeaning(answers=(TaskAction.UPHOLD, TaskAction.SET_ASIDE)),
    PermitTask.AUTHORITY_REJECTED: TaskMeaning(answers=(TaskAction.SEND_AGAIN,)),
    PermitTask.APPLICANT_INACTIVE: TaskMeaning(answers=(TaskAction.DONE,)),
    PermitTask.AUTHORITY_LATE: TaskMeaning(answers=(TaskAction.DONE,)),
}

WORDS: Final = CORE_WORDS | Words(deadlines=DEADLINES, tasks=TASKS)
