"""What happens to a talent permit's case beside the front half, and to each of its permits, as rows whose columns act.

The life of a registration is R20 to R34 of docs/states.md, the following of a permit P1 to P26.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from cases.case.file import CaseFile
from cases.case.moves import NO_STAGE, At, Closes, Condition, Counted, Move, Moves, Notice, Opens, Track, Who
from cases.case.signers import is_same, need_signer
from cases.deadlines.stated import within_decision_days
from cases.moves.changing import CHANGING_MOVES
from cases.moves.front_half import (
    COOLED,
    EMPLOYER,
    ENGINE,
    FRONT_HALF,
    OFFICER,
    PERSON,
    TIMER,
    Event,
    last_signer,
    need_no_proposal,
    of_case,
    proposed,
    rejected,
    second_signer,
)
from cases.moves.objecting import OBJECTING, set_aside
from cases.moves.renewals import RENEWAL_MOVES
from cases.moves.transfer import TRANSFER_MOVES
from domain.actors import STAFF, Actor, Role
from domain.acts import Act
from domain.answers import AnswerState
from domain.clock import day_of
from domain.errors import Refused, need
from domain.notices import NoticeKind
from domain.stages import IN_REVIEW, LIVE, Stage
from domain.tasks import REVIEW_TASKS, TaskKind
from programmes.talent_permit import routes, terms
from programmes.talent_permit.limits import limits_in
from programmes.talent_permit.notices import PermitNotice
from programmes.talent_permit.permit_stages import PERMIT_FINAL, PERMIT_WITH_AUTHORITY, Destination, PermitStage
from programmes.talent_permit.tables import (
    PERMIT_TERMS,
    PERMITS,
    PermitRow,
    destinations_of,
    permit_rows,
    talent_permit,
)
from programmes.talent_permit.words import PermitAct, PermitProposal, PermitTask


class LifeEvent(StrEnum):
    """What can happen to a registration once it is decided, and what its employer's standing and changes do."""

    EMPLOYER_SUSPENDED = "employer_suspended"
    EMPLOYER_REINSTATED = "employer_reinstated"
    EMPLOYER_LEFT = "employer_left"
    DEPART = "depart"
    PROPOSE_DEPARTURE = "propose_departure"
    CONFIRM_DEPARTURE = "confirm_departure"
    REJECT_DEPARTURE = "reject_departure"
    DISPUTE = "dispute"
    ANSWER_DISPUTE = "answer_dispute"
    EMPLOYMENT_OVER = "employment_over"
    REVOKE = "revoke"
    CONFIRM_REVOCATION = "confirm_revocation"
    REJECT_REVOCATION = "reject_revocation"
    REVOKED = "revoked"
    RECALL_REVOCATION = "recall_revocation"
    CONTRACT_REMINDER_DUE = "contract_reminder_due"
    CONTRACT_GRACE_OVER = "contract_grace_over"
    CONTRACT_END_TAKEN = "contract_end_taken"
    SET_ASIDE_REVOCATION = "set_aside_revocation"
    SET_ASIDE_WITHHOLDING = "set_aside_withholding"
    RENEWED = "renewed"
    ASK_MOVE = "ask_move"
    ANSWER_MOVE = "answer_move"


class PermitEvent(StrEnum):
    """What can happen to the following of a talent permit."""

    ELIGIBLE = "eligible"
    NOT_CLEAR = "not_clear"
    PROPOSE_WITHHOLD = "propose_withhold"
    WITHHOLD = "withhold"
    REJECT_WITHHOLD = "reject_withhold"
    WITHHELD = "withheld"
    RECALL_WITHHOLD = "recall_withhold"
    SENT = "sent"
    SENDING_DELAYED = "sending_delayed"
    SENDING_REJECTED = "sending_rejected"
    SEND_AGAIN = "send_again"
    SENDING_HELD = "sending_held"
    REGISTRATION_ENDED = "registration_ended"
    ACCEPTED = "accepted"
    ISSUED = "issued"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"
    KEPT = "kept"
    REVOKED = "revoked"
    REPLACED = "replaced"
    APPLICANT_REMINDER_DUE = "applicant_reminder_due"
    APPLICANT_INACTIVE = "applicant_inactive"
    AUTHORITY_LATE = "authority_late"
    NEXT_ASKED = "next_asked"
    NEXT_SENT = "next_sent"
    NEXT_ACCEPTED = "next_accepted"
    NEXT_ISSUED = "next_issued"
    NEXT_REFUSED = "next_refused"
    NEXT_WITHDRAWN = "next_withdrawn"
    NEXT_CLOSED = "next_closed"
    TERM_ENDED = "term_ended"
    CARD_LOST = "card_lost"
    EXPIRY_REMINDER_DUE = "expiry_reminder_due"
    EXPIRED = "expired"
    ANSWER_HELD = "answer_held"
    PROPOSE_OUTCOME = "propose_outcome"
    CONFIRM_OUTCOME = "confirm_outcome"
    REJECT_OUTCOME = "reject_outcome"
    WITHHOLDING_SET_ASIDE = "withholding_set_aside"
    REGISTRATION_RESTORED = "registration_restored"
    GIVEN_UP = "given_up"
    CHANGE_REJECTED = "change_rejected"
    SUBMITTED_ELSEWHERE = "submitted_elsewhere"
    ACCEPTED_ELSEWHERE = "accepted_elsewhere"
    ISSUED_ELSEWHERE = "issued_elsewhere"
    MOVED_AWAY = "moved_away"
    ASKED_ANEW = "asked_anew"
    ENDED_MEANWHILE = "ended_meanwhile"
    LEFT = "left"


def _need_another_than_reported(file: CaseFile, actor: Actor, track: At | None) -> None:
    departure = talent_permit(file).departure or {}
    if is_same(actor, departure.get("by")) or is_same(actor, departure.get("confirmed_by")):
        raise Refused("role_not_allowed", words="own_departure")


def _permit(file: CaseFile, track: At | None) -> PermitRow | None:
    return permit_rows(file).get(Destination(need(track, "track").key))


def _proposed_of_permit(file: CaseFile, track: At | None) -> Mapping[str, Any] | None:
    permit = _permit(file, track)
    return None if permit is None else permit.pending


def _signer(*acts: str) -> Who:
    """Return who may sign what was proposed of a permit."""

    def need_one(file: CaseFile, actor: Actor, track: At | None) -> None:
        permit = _permit(file, track)
        waits = permit is not None and permit.pending_act in acts
        need_signer(actor, permit.pending if permit is not None and waits else None)

    return Who("second signer", STAFF, need=need_one)


def _need_no_proposal(file: CaseFile, actor: Actor, track: At | None) -> None:
    permit = _permit(file, track)
    if permit is not None and permit.pending_act is not None:
        raise Refused("already_decided", WAITS_FOR_DESTINATION)


def _need_to_answer(file: CaseFile, actor: Actor, track: At | None) -> None:
    _need_no_proposal(file, actor, track)
    waiting, key = (AnswerState.HELD, AnswerState.EARLY), need(track, "track").key
    if not any(a.destination == key and a.state in waiting for a in file.answers):
        raise Refused("not_found", "No answer about this permit is held.")


def _departure(file: CaseFile, at: datetime) -> Mapping[str, Any]:
    return {"last_day": file.row.ended_on, "end_reason": file.row.end_reason}


def _of_departure(file: CaseFile) -> str:
    return f"{file.round}/{file.row.ended_on}"


def _end(file: CaseFile, at: datetime) -> Mapping[str, Any]:
    return {"ended_on": need(file.row.ended_on, "ended_on"), "end_reason": file.row.end_reason}


def _in_early_answer_days(file: CaseFile, at: datetime) -> datetime:
    return file.calendar.deadline(day_of(at), limits_in(file.context).early_answer_days).at


WAITS_FOR_DESTINATION: Final = "A proposal for this destination waits for its second signature."
_APPROVED: Final = frozenset({Stage.APPROVED})
_EVER: Final = frozenset(Stage)
_REVIEWED: Final = (*sorted(REVIEW_TASKS), TaskKind.TRANSFER, PermitTask.PERMIT_MOVE)
# Whoever the supervisors' change of a standing reaches it by, the engine brings it to each case.
_STANDING: Final = Who("supervisor", frozenset({Role.SYSTEM}), asked=False)
_LEFT: Final = Who("supervisor, signed twice", frozenset({Role.SYSTEM}), asked=False)
_DEPARTURE: Final = Notice(PermitNotice.DEPARTURE_RECORDED, facts=_departure, occasion=_of_departure)
_ENDED: Final = Notice(PermitNotice.REGISTRATION_ENDED, facts=_end)

OWN_MOVES: Final[tuple[Move, ...]] = (
    Move("R20, R27", LIVE, LifeEvent.EMPLOYER_SUSPENDED, _STANDING),
    Move("R20, R27", LIVE, LifeEvent.EMPLOYER_REINSTATED, _STANDING),
    Move("R21", IN_REVIEW, LifeEvent.EMPLOYER_LEFT, _LEFT),
    Move(
        "R22", _APPROVED, LifeEvent.DEPART, EMPLOYER,
        closes=(PermitTask.EMPLOYMENT_CHECK, TaskKind.TRANSFER), notices=(_DEPARTURE,),
    ),
    proposed("R22", _APPROVED, LifeEvent.PROPOSE_DEPARTURE, who=Who("officer on proof", STAFF, need=need_no_proposal)),
    Move(
        "R22", _APPROVED, LifeEvent.CONFIRM_DEPARTURE, second_signer(PermitProposal.DEPARTURE),
        closes=(TaskKind.CONFIRM, PermitTask.EMPLOYMENT_CHECK, TaskKind.TRANSFER), notices=(_DEPARTURE,),
    ),
    rejected("R22", _APPROVED, LifeEvent.REJECT_DEPARTURE, second_signer(PermitProposal.DEPARTURE)),
    Move(
        "R22, R30", frozenset({Stage.APPROVED, Stage.ENDED}), LifeEvent.DISPUTE, PERSON,
        opens=(Opens(PermitTask.DEPARTURE_DISPUTED, due=within_decision_days),),
    ),
    Move(
        "R22, R30", frozenset({Stage.APPROVED, Stage.ENDED}), LifeEvent.ANSWER_DISPUTE,
        Who("another officer than who reported or signed it", STAFF, need=_need_another_than_reported),
        closes=(PermitTask.DEPARTURE_DISPUTED,),
    ),
    Move(
        "R23", _APPROVED, LifeEvent.EMPLOYMENT_OVER,
        # A revocation that is not signed lets an end that waited for it come about.
        Who("timer", frozenset({Role.SYSTEM}) | STAFF, asked=False),
        Stage.ENDED, closes=_REVIEWED, notices=(_ENDED,),
    ),
    proposed("R24", _APPROVED, LifeEvent.REVOKE, who=Who("officer", STAFF, need=need_no_proposal)),
    Move(
        "R25", _APPROVED, LifeEvent.CONFIRM_REVOCATION, second_signer(PermitProposal.REVOKE),
        closes=(TaskKind.CONFIRM,),
    ),
    Move(
        "R25", _APPROVED, LifeEvent.REVOKED, COOLED, Stage.ENDED,
        closes=_REVIEWED, notices=(Notice(PermitNotice.REGISTRATION_REVOKED),),
    ),
    Move("R25a", _APPROVED, LifeEvent.RECALL_REVOCATION, last_signer(of_case)),
    rejected("R26", _APPROVED, LifeEvent.REJECT_REVOCATION, second_signer(PermitProposal.REVOKE)),
    Move("R28", _APPROVED, LifeEvent.EMPLOYER_LEFT, _LEFT, Stage.ENDED, closes=_REVIEWED, notices=(_ENDED,)),
    Move(
        "R29", _APPROVED, LifeEvent.CONTRACT_REMINDER_DUE, TIMER,
        notices=(Notice(PermitNotice.CONTRACT_ENDING),),
    ),
    Move(
        "R29", _APPROVED, LifeEvent.CONTRACT_GRACE_OVER, TIMER,
        opens=(Opens(PermitTask.EMPLOYMENT_CHECK, due=within_decision_days),),
    ),
    Move("R29", _EVER, LifeEvent.CONTRACT_END_TAKEN, OFFICER, closes=(PermitTask.EMPLOYMENT_CHECK,)),
    set_aside("R68", frozenset({Stage.ENDED}), LifeEvent.SET_ASIDE_REVOCATION, to=Stage.APPROVED),
    set_aside("R69", _APPROVED, LifeEvent.SET_ASIDE_WITHHOLDING),
    Move("R41", _APPROVED, LifeEvent.RENEWED, TIMER, notices=(Notice(NoticeKind.CONTACT_CHANGED, given=True),)),
    Move(
        "R58", _APPROVED, LifeEvent.ASK_MOVE, ENGINE,
        opens=(Opens(PermitTask.PERMIT_MOVE, due=within_decision_days),),
    ),
    Move("R59", _APPROVED, LifeEvent.ANSWER_MOVE, OFFICER, closes=(PermitTask.PERMIT_MOVE,)),
)  # fmt: skip


def _is_withholding(file: CaseFile, track: At | None) -> bool:
    permit = _permit(file, track)
    return permit is not None and permit.pending_act == PermitProposal.WITHHOLD


def _is_entry_refused(file: CaseFile, track: At | None) -> bool:
    task = file.find_task(PermitTask.AUTHORITY_REJECTED, need(track, "track").key)
    return task is not None and "what" not in task.detail


def _holds_none(file: CaseFile, track: At | None) -> bool:
    key = need(track, "track").key
    return not any(a.state == AnswerState.HELD and a.destination == key for a in file.answers)


def _waits_for_none(file: CaseFile, track: At | None) -> bool:
    rows = terms.term_rows(file, Destination(need(track, "track").key))
    return terms.find_pending(rows) is None


_NONE: Final[frozenset[PermitStage | None]] = frozenset({None})
_ELIGIBLE: Final[frozenset[PermitStage | None]] = frozenset({PermitStage.ELIGIBLE})
_AT_AUTHORITY: Final[frozenset[PermitStage | None]] = frozenset(PERMIT_WITH_AUTHORITY)
_ISSUED: Final[frozenset[PermitStage | None]] = frozenset({PermitStage.ISSUED})
# Where a further term may come, and what waits for it waits beside the permit.
_RENEWABLE: Final[frozenset[PermitStage | None]] = frozenset({PermitStage.ISSUED, PermitStage.EXPIRED})
_OVER: Final[frozenset[PermitStage | None]] = frozenset(PERMIT_FINAL)
# What the authority ended, and not its own last day.
_ENDED_THERE: Final = _OVER - {PermitStage.EXPIRED}
# A 2xx that was lost on the way is proved as well by any answer of the authority (P4).
_SENT: Final = _AT_AUTHORITY | _ELIGIBLE
_ANY: Final[frozenset[PermitStage | None]] = frozenset({None, *PermitStage})

_WEIGHED: Final = Who("engine; officer with a reason", frozenset({Role.SYSTEM}) | STAFF, need=_need_no_proposal)
_REGISTRATION: Final = Who("registration", frozenset(Role), asked=False)
# An answer that contradicts another is applied by two officers, one that was lost by the engine.
_AUTHORITY: Final = Who("authority", frozenset({Role.AUTHORITY, Role.SYSTEM}) | STAFF, asked=False)
_PROPOSER: Final = Who("officer", STAFF, need=_need_no_proposal)
_SET_ASIDE: Final = Who("second signer", STAFF, asked=False)

_ASKED: Final = Notice(NoticeKind.SECOND_SIGNATURE_REQUESTED)
_NOT_SIGNED: Final = Notice(NoticeKind.SECOND_SIGNATURE_REJECTED)
_CLOSED: Final = Notice(PermitNotice.PERMIT_CLOSED)
_MOVED: Final = Notice(PermitNotice.PERMIT_MOVED)
# What waits until the authority's answer: asked of officers, or proposed and not signed.
_WAITING: Final = (
    PermitTask.PERMIT_ELIGIBILITY,
    PermitTask.APPLICANT_INACTIVE,
    PermitTask.AUTHORITY_LATE,
    PermitTask.AUTHORITY_REJECTED,
    Closes(TaskKind.CONFIRM, Condition("where withholding is proposed", _is_withholding)),
)
_WITHOUT_NEXT: Final = Condition("where no further term is under way", _waits_for_none)
_WAITING_FOR_NONE: Final = tuple(each if isinstance(each, Closes) else Closes(each, _WITHOUT_NEXT) for each in _WAITING)
# A change that the authority's system refused is still to be told of a permit that is issued meanwhile.
_UNTIL_ISSUED: Final = (
    *(each for each in _WAITING if each != PermitTask.AUTHORITY_REJECTED),
    Closes(PermitTask.AUTHORITY_REJECTED, Condition("where a list entry was refused", _is_entry_refused)),
)
_SIGN: Final = Opens(TaskKind.CONFIRM)
_WEIGH: Final = Opens(PermitTask.PERMIT_ELIGIBILITY, due=within_decision_days, shared=True)

PERMIT_MOVES: Final[tuple[Move, ...]] = (
    Move("P1", _NONE, PermitEvent.ELIGIBLE, _WEIGHED, PermitStage.ELIGIBLE, closes=(PermitTask.PERMIT_ELIGIBILITY,)),
    Move("P2", _NONE, PermitEvent.NOT_CLEAR, ENGINE, opens=(_WEIGH,)),
    Move(
        "P3", _NONE, PermitEvent.PROPOSE_WITHHOLD, _PROPOSER,
        opens=(_SIGN,), closes=(PermitTask.PERMIT_ELIGIBILITY,), notices=(_ASKED,),
    ),
    Move(
        "P3", _NONE, PermitEvent.WITHHOLD, _signer(PermitProposal.WITHHOLD), closes=(TaskKind.CONFIRM,),
    ),
    Move(
        "P3", _NONE, PermitEvent.WITHHELD, COOLED, PermitStage.ENDED,
        closes=_WAITING, notices=(Notice(PermitNotice.PERMIT_WITHHELD),),
    ),
    Move(
        "P3a", _NONE, PermitEvent.RECALL_WITHHOLD, last_signer(_proposed_of_permit),
        opens=(Opens(PermitTask.PERMIT_ELIGIBILITY, due=within_decision_days),),
    ),
    Move(
        "P3", _NONE, PermitEvent.REJECT_WITHHOLD, _signer(PermitProposal.WITHHOLD),
        opens=(Opens(PermitTask.PERMIT_ELIGIBILITY, due=within_decision_days),),
        closes=(TaskKind.CONFIRM,), notices=(_NOT_SIGNED,),
    ),
    Move(
        "P4", _ELIGIBLE, PermitEvent.SENT, _AUTHORITY, PermitStage.SUBMITTED,
        closes=(PermitTask.AUTHORITY_REJECTED,), notices=(Notice(PermitNotice.PERMIT_SUBMITTED),),
    ),
    Move("P5", _ELIGIBLE | _RENEWABLE, PermitEvent.SENDING_DELAYED, ENGINE),
    Move(
        "P6", _ELIGIBLE | _RENEWABLE, PermitEvent.SENDING_REJECTED, ENGINE,
        opens=(Opens(PermitTask.AUTHORITY_REJECTED, shared=True),),
    ),
    Move("P6", _ELIGIBLE | {PermitStage.EXPIRED}, PermitEvent.SEND_AGAIN, OFFICER),
    Move("P7", _ELIGIBLE, PermitEvent.SENDING_HELD, _REGISTRATION),
    Move(
        "P8", _NONE | _ELIGIBLE, PermitEvent.REGISTRATION_ENDED, _REGISTRATION, PermitStage.ENDED,
        closes=_WAITING, notices=(_CLOSED,),
    ),
    Move(
        "P9", frozenset({PermitStage.ELIGIBLE, PermitStage.SUBMITTED}), PermitEvent.ACCEPTED, _AUTHORITY,
        PermitStage.ACCEPTED, closes=(PermitTask.APPLICANT_INACTIVE,), notices=(Notice(PermitNotice.PERMIT_ACCEPTED),),
    ),
    Move(
        "P10", _SENT, PermitEvent.ISSUED, _AUTHORITY, PermitStage.ISSUED,
        closes=_UNTIL_ISSUED, notices=(Notice(PermitNotice.PERMIT_ISSUED),),
    ),
    Move(
        "P11", _SENT, PermitEvent.REFUSED, _AUTHORITY, PermitStage.REFUSED,
        closes=_WAITING, notices=(Notice(PermitNotice.PERMIT_REFUSED),),
    ),
    Move(
        "P12", _AT_AUTHORITY, PermitEvent.WITHDRAWN, _AUTHORITY, PermitStage.ENDED,
        closes=_WAITING, notices=(_CLOSED,),
    ),
    Move("P12", _ISSUED, PermitEvent.CANCELLED, _AUTHORITY, PermitStage.ENDED, closes=_WAITING, notices=(_CLOSED,)),
    Move("P13", _AT_AUTHORITY | {PermitStage.EXPIRED}, PermitEvent.REGISTRATION_ENDED, _REGISTRATION),
    Move(
        "P14", frozenset({PermitStage.SUBMITTED}) | _RENEWABLE, PermitEvent.APPLICANT_REMINDER_DUE, TIMER,
        notices=(Notice(PermitNotice.PERMIT_ACTION_NEEDED),),
    ),
    Move(
        "P14", frozenset({PermitStage.SUBMITTED}) | _RENEWABLE, PermitEvent.APPLICANT_INACTIVE, TIMER,
        opens=(Opens(PermitTask.APPLICANT_INACTIVE, due=within_decision_days, shared=True),),
    ),
    Move(
        "P15", frozenset({PermitStage.ACCEPTED}) | _RENEWABLE, PermitEvent.AUTHORITY_LATE, TIMER,
        opens=(Opens(PermitTask.AUTHORITY_LATE),), notices=(Notice(PermitNotice.AUTHORITY_LATE),),
    ),
    Move(
        "P16", _ISSUED, PermitEvent.REGISTRATION_ENDED, _REGISTRATION, notices=(Notice(PermitNotice.PERMIT_REPORTED),)
    ),
    Move("P17", _ISSUED, PermitEvent.KEPT, _AUTHORITY, notices=(Notice(PermitNotice.PERMIT_KEPT),)),
    Move(
        "P18", _ISSUED, PermitEvent.REVOKED, _AUTHORITY, PermitStage.REVOKED,
        closes=_WAITING, notices=(Notice(PermitNotice.PERMIT_REVOKED),),
    ),
    Move(
        "P19", _ISSUED, PermitEvent.CARD_LOST,
        Who("person, employer, officer", frozenset({Role.PERSON, Role.EMPLOYER}) | STAFF),
        notices=(Notice(PermitNotice.CARD_LOST_RECORDED),),
    ),
    Move("P20", _ISSUED, PermitEvent.REPLACED, _AUTHORITY, notices=(Notice(PermitNotice.PERMIT_ISSUED),)),
    Move(
        "P21", _ISSUED, PermitEvent.EXPIRY_REMINDER_DUE, TIMER,
        notices=(Notice(PermitNotice.PERMIT_EXPIRING, given=True),),
    ),
    Move(
        "P22", _ISSUED, PermitEvent.EXPIRED, TIMER, PermitStage.EXPIRED,
        closes=_WAITING_FOR_NONE, notices=(Notice(PermitNotice.PERMIT_EXPIRED, given=True),),
    ),
    Move(
        "P26", _ANY, PermitEvent.ANSWER_HELD, _AUTHORITY,
        opens=(Opens(PermitTask.AUTHORITY_CONFLICT, due=_in_early_answer_days),),
        notices=(Notice(PermitNotice.AUTHORITY_CONFLICT),),
    ),
    Move("P3, P26", _ANY, Event.SIGN, _signer(PermitProposal.WITHHOLD, PermitProposal.OUTCOME), notices=(_ASKED,)),
    Move(
        "P26", _ANY, PermitEvent.PROPOSE_OUTCOME, Who("officer", STAFF, need=_need_to_answer),
        opens=(_SIGN,), notices=(_ASKED,),
    ),
    Move(
        "P26", _ANY, PermitEvent.CONFIRM_OUTCOME, _signer(PermitProposal.OUTCOME),
        closes=(
            TaskKind.CONFIRM,
            Closes(PermitTask.AUTHORITY_CONFLICT, Condition("once no answer is held", _holds_none)),
        ),
    ),
    Move(
        "P26", _ANY, PermitEvent.REJECT_OUTCOME, _signer(PermitProposal.OUTCOME),
        closes=(TaskKind.CONFIRM,), notices=(_NOT_SIGNED,),
    ),
    Move("P28", _RENEWABLE, PermitEvent.NEXT_ASKED, _REGISTRATION),
    Move(
        "P29", _RENEWABLE, PermitEvent.NEXT_SENT, _AUTHORITY,
        closes=(PermitTask.AUTHORITY_REJECTED,), notices=(Notice(PermitNotice.PERMIT_SUBMITTED),),
    ),
    Move(
        "P30", _RENEWABLE, PermitEvent.NEXT_ACCEPTED, _AUTHORITY,
        closes=(PermitTask.APPLICANT_INACTIVE,), notices=(Notice(PermitNotice.PERMIT_ACCEPTED),),
    ),
    Move(
        "P31", _RENEWABLE, PermitEvent.NEXT_ISSUED, _AUTHORITY, PermitStage.ISSUED,
        closes=_WAITING, notices=(Notice(PermitNotice.PERMIT_ISSUED),),
    ),
    Move(
        "P32", _RENEWABLE, PermitEvent.NEXT_REFUSED, _AUTHORITY,
        closes=_WAITING, notices=(Notice(PermitNotice.PERMIT_REFUSED),),
    ),
    Move("P32", _RENEWABLE, PermitEvent.NEXT_WITHDRAWN, _AUTHORITY, closes=_WAITING, notices=(_CLOSED,)),
    Move(
        "P33", _ISSUED, PermitEvent.TERM_ENDED, _AUTHORITY,
        notices=(Notice(PermitNotice.PERMIT_CLOSED, given=True), Notice(PermitNotice.PERMIT_REVOKED, given=True)),
    ),
    Move("P34", _RENEWABLE, PermitEvent.NEXT_CLOSED, _REGISTRATION, closes=(PermitTask.AUTHORITY_REJECTED,)),
    Move("P50", frozenset({PermitStage.ENDED}), PermitEvent.WITHHOLDING_SET_ASIDE, _SET_ASIDE, NO_STAGE),
    Move("P51", frozenset({PermitStage.ENDED}), PermitEvent.REGISTRATION_RESTORED, _SET_ASIDE, NO_STAGE),
    Move("P52", _AT_AUTHORITY | _ISSUED, PermitEvent.REGISTRATION_RESTORED, _SET_ASIDE),
    Move(
        "P40", _NONE | _ELIGIBLE, PermitEvent.GIVEN_UP, _REGISTRATION, PermitStage.ENDED,
        closes=_WAITING, notices=(_CLOSED,),
    ),
    Move("P41", _AT_AUTHORITY | _RENEWABLE, PermitEvent.GIVEN_UP, _REGISTRATION),
    Move(
        "P42", _AT_AUTHORITY | _ISSUED, PermitEvent.CHANGE_REJECTED, ENGINE,
        opens=(Opens(PermitTask.AUTHORITY_REJECTED, shared=True),),
    ),
    Move("P42", _AT_AUTHORITY | _ISSUED, PermitEvent.SEND_AGAIN, OFFICER),
    Move("P60", _NONE, PermitEvent.SUBMITTED_ELSEWHERE, OFFICER, PermitStage.SUBMITTED, notices=(_MOVED,)),
    Move("P60", _NONE, PermitEvent.ACCEPTED_ELSEWHERE, OFFICER, PermitStage.ACCEPTED, notices=(_MOVED,)),
    Move("P60", _NONE, PermitEvent.ISSUED_ELSEWHERE, OFFICER, PermitStage.ISSUED, notices=(_MOVED,)),
    Move("P61", _AT_AUTHORITY | _ISSUED, PermitEvent.MOVED_AWAY, _REGISTRATION, PermitStage.ENDED, closes=_WAITING),
    Move("P53", _OVER, PermitEvent.ASKED_ANEW, _REGISTRATION, NO_STAGE, closes=(PermitTask.PERMIT_ENDED,)),
    Move(
        "P54", _ENDED_THERE, PermitEvent.ENDED_MEANWHILE, _REGISTRATION,
        opens=(Opens(PermitTask.PERMIT_ENDED, due=within_decision_days),),
    ),
    Move("P55", _ENDED_THERE, PermitEvent.LEFT, _REGISTRATION, closes=(PermitTask.PERMIT_ENDED,)),
)  # fmt: skip


def _destinations(file: CaseFile) -> list[str]:
    """Return the destinations of a case; one that was given up is followed to its end."""
    return sorted({*(each.value for each in destinations_of(file)), *(each.value for each in permit_rows(file))})


PERMIT: Final = "permit"
MOVES: Final = Moves(*FRONT_HALF, *OBJECTING, *OWN_MOVES, *CHANGING_MOVES, *RENEWAL_MOVES, *TRANSFER_MOVES)
TRACKS: Final[Mapping[str, Track]] = {
    PERMIT: Track(
        table=PERMITS,
        stages=PermitStage,
        keyed_by=Destination,
        moves=Moves(*PERMIT_MOVES, called="permit", no_stage="not yet eligible"),
        keys=_destinations,
        path=routes.PERMITS,
        terms=PERMIT_TERMS,
        counted={
            "sent": Counted(PermitAct.PERMIT_SENT),
            "accepted": Counted(Act.ANSWER_APPLIED, "accepted"),
            "issued": Counted(Act.ANSWER_APPLIED, "issued"),
            "refused": Counted(Act.ANSWER_APPLIED, "refused"),
            "late": Counted(PermitAct.PERMIT_LATE),
        },
    )
}


def permit_of(destination: Destination) -> At:
    """Return the track of a destination's permit."""
    return At(PERMIT, destination.value)
