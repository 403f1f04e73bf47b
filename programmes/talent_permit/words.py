"""The talent permit's own words, beside those of any case: stored and published as they stand here, never changed."""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Final

from domain.acts import ActMeaning
from domain.deadlines import DeadlineMeaning
from domain.tasks import TaskAction, TaskMeaning
from domain.words import CORE_WORDS, Words
from programmes.talent_permit.notices import NOTICES
from programmes.talent_permit.reasons import REASONS, USES


class PermitCommand(StrEnum):
    """What is asked of a talent permit and of no other case."""

    REVOKE = "revoke"
    DEPART = "depart"
    DISPUTE = "dispute"
    CARD_LOST = "card_lost"
    ELIGIBILITY = "eligibility"
    PERMIT_CONFIRM = "permit_confirm"
    PERMIT_RECALL = "permit_recall"
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
    MOVE_EXPECTED = "move_expected"


DEADLINES: Final[Mapping[str, DeadlineMeaning]] = {
    **dict.fromkeys(PermitDeadline, DeadlineMeaning()),
    **dict.fromkeys((PermitDeadline.EARLY_ANSWER, PermitDeadline.AUTHORITY_LATE), DeadlineMeaning(by_schedule=True)),
    **dict.fromkeys((PermitDeadline.PERMIT_EXPIRING, PermitDeadline.PERMIT_EXPIRED), DeadlineMeaning(outlives=True)),
}


class PermitProposal(StrEnum):
    """What is proposed of a talent permit, or of one of its permits, and waits for a second signature."""

    REVOKE = "revoke"
    DEPARTURE = "departure"
    WITHHOLD = "withhold"
    OUTCOME = "outcome"


# What the dispute of a departure is kept as being about: a stored spelling.
ABOUT_DEPARTURE: Final = "departure"


class PermitTask(StrEnum):
    """What a person is asked to do about a talent permit."""

    PERMIT_ELIGIBILITY = "permit_eligibility"
    EMPLOYMENT_CHECK = "employment_check"
    DEPARTURE_DISPUTED = "departure_disputed"
    APPLICANT_INACTIVE = "applicant_inactive"
    AUTHORITY_LATE = "authority_late"
    AUTHORITY_CONFLICT = "authority_conflict"
    AUTHORITY_REJECTED = "authority_rejected"
    PERMIT_MOVE = "permit_move"
    PERMIT_ENDED = "permit_ended"


class PermitAnswer(StrEnum):
    """What an officer's answer to a task of a talent permit does, and to no other."""

    SEND_AGAIN = "send_again"
    NEW_CONTRACT_END = "new_contract_end"
    DEPARTED = "departed"
    MOVE = "move"
    START_ANEW = "start_anew"
    ASK_ANEW = "ask_anew"
    LEAVE = "leave"


TASKS: Final[Mapping[str, TaskMeaning]] = {
    **dict.fromkeys(PermitTask, TaskMeaning()),
    PermitTask.EMPLOYMENT_CHECK: TaskMeaning(answers=(PermitAnswer.NEW_CONTRACT_END, PermitAnswer.DEPARTED)),
    PermitTask.DEPARTURE_DISPUTED: TaskMeaning(answers=(TaskAction.UPHOLD, TaskAction.SET_ASIDE)),
    PermitTask.AUTHORITY_REJECTED: TaskMeaning(answers=(PermitAnswer.SEND_AGAIN,)),
    PermitTask.PERMIT_MOVE: TaskMeaning(answers=(PermitAnswer.MOVE, PermitAnswer.START_ANEW)),
    PermitTask.PERMIT_ENDED: TaskMeaning(answers=(PermitAnswer.ASK_ANEW, PermitAnswer.LEAVE)),
    PermitTask.APPLICANT_INACTIVE: TaskMeaning(answers=(TaskAction.DONE,)),
    PermitTask.AUTHORITY_LATE: TaskMeaning(answers=(TaskAction.DONE,)),
}


class PermitAct(StrEnum):
    """What is done about a talent permit; one ledger row for each."""

    REVOCATION_PROPOSED = "revocation_proposed"
    REVOKED = "revoked"
    DEPARTURE_REPORTED = "departure_reported"
    DEPARTURE_PROPOSED = "departure_proposed"
    DEPARTURE_DISPUTED = "departure_disputed"
    ENDED = "ended"
    PERMIT_ELIGIBLE = "permit_eligible"
    PERMIT_NOT_CLEAR = "permit_not_clear"
    PERMIT_WITHHOLD_PROPOSED = "permit_withhold_proposed"
    PERMIT_WITHHELD = "permit_withheld"
    PERMIT_TERM_ASKED = "permit_term_asked"
    PERMIT_SENT = "permit_sent"
    PERMIT_REJECTED = "permit_rejected"
    PERMIT_REPORTED = "permit_reported"
    PERMIT_CLOSED = "permit_closed"
    PERMIT_EXPIRED = "permit_expired"
    PERMIT_LATE = "permit_late"
    CARD_LOST = "card_lost"
    PERMIT_REOPENED = "permit_reopened"
    PERMIT_RESTORED = "permit_restored"
    PERMIT_ASSESSED = "permit_assessed"
    PERMIT_MOVE_ASKED = "permit_move_asked"
    PERMIT_MOVED_AWAY = "permit_moved_away"
    PERMIT_TAKEN_OVER = "permit_taken_over"
    PERMIT_ASKED_ANEW = "permit_asked_anew"


ACTS: Final[Mapping[str, ActMeaning]] = {
    **dict.fromkeys(PermitAct, ActMeaning()),
    **dict.fromkeys(
        (PermitAct.DEPARTURE_REPORTED, PermitAct.CARD_LOST),
        ActMeaning(judges=True),
    ),
    **dict.fromkeys(
        (PermitAct.REVOCATION_PROPOSED, PermitAct.PERMIT_WITHHOLD_PROPOSED), ActMeaning(ruled=True, proposes=True)
    ),
    **dict.fromkeys((PermitAct.REVOKED, PermitAct.PERMIT_WITHHELD), ActMeaning(ruled=True, signs=True)),
    PermitAct.DEPARTURE_PROPOSED: ActMeaning(proposes=True),
    PermitAct.PERMIT_ELIGIBLE: ActMeaning(ruled=True, judges=True),
    PermitAct.PERMIT_NOT_CLEAR: ActMeaning(ruled=True),
    PermitAct.PERMIT_ASSESSED: ActMeaning(ruled=True),
    PermitAct.PERMIT_SENT: ActMeaning(from_outside=True),
}

WORDS: Final = replace(
    CORE_WORDS | Words(deadlines=DEADLINES, tasks=TASKS, acts=ACTS), notices=NOTICES, reasons=REASONS, uses=USES
)
