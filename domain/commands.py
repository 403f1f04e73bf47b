"""Commands: everything a caller asks of a case, stored first as one row and applied once by the case's workflow."""

from enum import StrEnum


# Of any case; a programme declares what else can be asked of its own.
class CommandKind(StrEnum):
    """What is asked."""

    START = "start"
    CORRECT = "correct"
    CONTEST = "contest"
    WITHDRAW = "withdraw"
    DECIDE = "decide"
    CONFIRM = "confirm"
    RECALL = "recall"
    HOLD = "hold"
    STANDING = "standing"
    ANSWER_TASK = "answer_task"
    RECORD_FACT = "record_fact"
    CONTEST_FACT = "contest_fact"
    OBJECT = "object"
    WITHDRAW_OBJECTION = "withdraw_objection"
    DECIDE_OBJECTION = "decide_objection"
    SET_ASIDE = "set_aside"
    CHANGE = "change"
    RENEW = "renew"
    CORRECT_RENEWAL = "correct_renewal"
    DECIDE_RENEWAL = "decide_renewal"
    RECALL_RENEWAL = "recall_renewal"
    WITHDRAW_RENEWAL = "withdraw_renewal"
    RECOUNT = "recount"
    RESUME = "resume"
    # A change of employer (R50 to R57): asked of, and told to, the case that ends by it and the one that follows it.
    ASK_DEPARTURE = "ask_departure"
    ANSWER_DEPARTURE = "answer_departure"
    ASK_NO_MORE = "ask_no_more"
    LET_FOLLOW = "let_follow"
    TRANSFER_OFF = "transfer_off"
    LET_REST = "let_rest"


class CommandState(StrEnum):
    """Where a command stands: stored by the caller's transaction, then applied or refused by a step."""

    STORED = "stored"
    APPLIED = "applied"
    REFUSED = "refused"
