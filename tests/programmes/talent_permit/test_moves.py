"""Every stage against every event: listed in states.md, sections 2 and 3, or refused."""

from itertools import product

import pytest

from cases.case.moves import NO_STAGE
from cases.moves.changing import ChangeEvent
from cases.moves.front_half import Event
from cases.moves.objecting import ObjectionEvent
from cases.moves.renewals import RenewalEvent
from cases.moves.transfer import TransferEvent
from domain.errors import Refused
from domain.notices import NoticeKind
from domain.stages import CLOSED, Stage
from programmes.talent_permit.notices import NOTICES, PermitNotice
from programmes.talent_permit.permit_stages import PERMIT_FINAL, PermitStage
from programmes.talent_permit.stages import MOVES, PERMIT, TRACKS, LifeEvent, PermitEvent

PERMIT_MOVES = TRACKS[PERMIT].moves
_RECEIVED, _ASSESSING, _CORRECTION = Stage.RECEIVED, Stage.ASSESSING, Stage.CORRECTION_REQUESTED
_REVIEW, _CONFIRM, _APPROVED = Stage.UNDER_REVIEW, Stage.AWAITING_CONFIRMATION, Stage.APPROVED
_OPEN = {_RECEIVED, _ASSESSING, _CORRECTION, _REVIEW, _CONFIRM}
_BOTH = {_REVIEW, _CONFIRM}
_DECIDED = {_APPROVED, *CLOSED}

# As states.md, section 2, has it: from which stages, and to which; None is a stage that stays.
ROWS: dict[str, tuple[set[Stage], Stage | None]] = {
    Event.STARTED: ({_RECEIVED}, _ASSESSING),
    Event.ASSESSED_COMPLETE: ({_ASSESSING}, _REVIEW),
    Event.ASSESSED_INCOMPLETE: ({_ASSESSING}, _CORRECTION),
    Event.CORRECT: ({_CORRECTION}, _ASSESSING),
    Event.CONTEST: ({_CORRECTION}, _REVIEW),
    Event.RECORD_FACT: ({_REVIEW, _APPROVED}, None),
    Event.CONTEST_FACT: (_OPEN | {_APPROVED}, None),
    Event.CORRECTION_REMINDER_DUE: ({_CORRECTION}, None),
    Event.CORRECTION_OVER: ({_CORRECTION}, Stage.LAPSED),
    Event.CLAIM: (set(Stage), None),
    Event.APPROVE: ({_REVIEW}, _APPROVED),
    Event.SETTLED: ({_APPROVED}, None),
    Event.RECALL: ({_APPROVED, _CONFIRM}, _REVIEW),
    Event.APPROVE_OVER_FAIL: ({_REVIEW}, _CONFIRM),
    Event.RETURN: ({_REVIEW}, _CORRECTION),
    Event.REFUSE: ({_REVIEW}, _CONFIRM),
    Event.CONFIRM_APPROVAL: ({_CONFIRM}, _APPROVED),
    Event.CONFIRM_REFUSAL: ({_CONFIRM}, None),
    Event.REFUSED: ({_CONFIRM}, Stage.REFUSED),
    Event.REJECT: ({_CONFIRM}, _REVIEW),
    Event.WITHDRAW: (_OPEN, Stage.WITHDRAWN),
    Event.HOLD: (_BOTH, None),
    Event.HOLD_REVIEW_DUE: (_BOTH, None),
    Event.REVIEW_REMINDER_DUE: (_BOTH, None),
    Event.REVIEW_OVER: (_BOTH, None),
    LifeEvent.EMPLOYER_SUSPENDED: (_OPEN | {_APPROVED}, None),
    LifeEvent.EMPLOYER_REINSTATED: (_OPEN | {_APPROVED}, None),
    LifeEvent.DEPART: ({_APPROVED}, None),
    LifeEvent.PROPOSE_DEPARTURE: ({_APPROVED}, None),
    LifeEvent.CONFIRM_DEPARTURE: ({_APPROVED}, None),
    LifeEvent.REJECT_DEPARTURE: ({_APPROVED}, None),
    LifeEvent.DISPUTE: ({_APPROVED, Stage.ENDED}, None),
    LifeEvent.EMPLOYMENT_OVER: ({_APPROVED}, Stage.ENDED),
    LifeEvent.REVOKE: ({_APPROVED}, None),
    LifeEvent.CONFIRM_REVOCATION: ({_APPROVED}, None),
    LifeEvent.REVOKED: ({_APPROVED}, Stage.ENDED),
    LifeEvent.RECALL_REVOCATION: ({_APPROVED}, None),
    LifeEvent.REJECT_REVOCATION: ({_APPROVED}, None),
    LifeEvent.CONTRACT_REMINDER_DUE: ({_APPROVED}, None),
    LifeEvent.CONTRACT_GRACE_OVER: ({_APPROVED}, None),
    Event.FAULT: (set(Stage), None),
    ChangeEvent.CHANGE: (_OPEN | {_APPROVED}, None),
    ChangeEvent.ASK_CHANGE: (_OPEN | {_APPROVED}, None),
    ChangeEvent.TAKE_CHANGE: (set(Stage), None),
    ChangeEvent.DECLINE_CHANGE: (set(Stage), None),
    ChangeEvent.TAKE_PART: (set(Stage), None),
    ChangeEvent.DECLINE_PART: (set(Stage), None),
    LifeEvent.CONTRACT_END_TAKEN: (set(Stage), None),
    LifeEvent.ANSWER_DISPUTE: ({_APPROVED, Stage.ENDED}, None),
    Event.SIGNATURE_REMINDER_DUE: ({_CONFIRM, *_DECIDED}, None),
    Event.DEFECTS_NAMED_OVER: (_OPEN, None),
    Event.REPLACE_FACT: ({_REVIEW, _APPROVED}, None),
    Event.ANSWER_FACT: (set(Stage), None),
    Event.SIGN: ({_CONFIRM, *_DECIDED}, None),
    ObjectionEvent.OBJECT: (_DECIDED, None),
    ObjectionEvent.WITHDRAW_OBJECTION: (_DECIDED, None),
    ObjectionEvent.REJECT_OBJECTION: (_DECIDED, None),
    ObjectionEvent.OBJECTION_OVER: (set(Stage), None),
    ObjectionEvent.PROPOSE_SET_ASIDE: (_DECIDED, None),
    ObjectionEvent.REJECT_SET_ASIDE: (_DECIDED, None),
    ObjectionEvent.SET_ASIDE_REFUSAL: ({Stage.REFUSED}, _REVIEW),
    ObjectionEvent.SET_ASIDE_LAPSE: ({Stage.LAPSED}, _CORRECTION),
    LifeEvent.SET_ASIDE_REVOCATION: ({Stage.ENDED}, _APPROVED),
    LifeEvent.SET_ASIDE_WITHHOLDING: ({_APPROVED}, None),
    Event.SUBMITTED: (set(), Stage.RECEIVED),
    LifeEvent.RENEWED: ({_APPROVED}, None),
    LifeEvent.ASK_MOVE: ({_APPROVED}, None),
    LifeEvent.ANSWER_MOVE: ({_APPROVED}, None),
    **{event: ({_APPROVED}, None) for event in RenewalEvent},
    RenewalEvent.SET_ASIDE_RENEWAL_REFUSAL: ({_APPROVED, Stage.ENDED}, None),
    TransferEvent.ASK_DEPARTURE: ({_APPROVED}, None),
    TransferEvent.DENY_DEPARTURE: ({_APPROVED}, None),
    TransferEvent.DEPARTURE_UNANSWERED: ({_APPROVED}, None),
    TransferEvent.END_TRANSFER: ({_APPROVED}, None),
    TransferEvent.ASK_NO_MORE: ({_APPROVED}, None),
    TransferEvent.APPROVE_TO_FOLLOW: ({_REVIEW}, _APPROVED),
    TransferEvent.CONFIRM_TO_FOLLOW: ({_CONFIRM}, _APPROVED),
    TransferEvent.LET_FOLLOW: (_OPEN | {_APPROVED}, None),
    TransferEvent.TRANSFER_OFF: (_OPEN, None),
}
# What happens from other stages too, and goes elsewhere.
SECOND_ROWS: dict[str, tuple[set[Stage], Stage | None]] = {
    Event.CORRECT: ({_REVIEW}, None),  # an amendment under review (R5a)
    TransferEvent.TRANSFER_OFF: ({_APPROVED}, _REVIEW),  # an approval that waited for the case before (R57)
}

_ELIGIBLE, _SUBMITTED, _ACCEPTED, _ISSUED = (
    PermitStage.ELIGIBLE,
    PermitStage.SUBMITTED,
    PermitStage.ACCEPTED,
    PermitStage.ISSUED,
)
_SENT = {_ELIGIBLE, _SUBMITTED, _ACCEPTED}  # an answer proves an entry whose 2xx was lost (P4)
_ENDED = PermitStage.ENDED
_RENEWABLE: set[PermitStage | None] = {_ISSUED, PermitStage.EXPIRED}  # where a further term may come

# As states.md, section 3, has it; a stage None is a destination that has none yet.
PERMIT_ROWS: dict[PermitEvent, list[tuple[set[PermitStage | None], str | None]]] = {
    PermitEvent.ELIGIBLE: [({None}, _ELIGIBLE)],
    PermitEvent.NOT_CLEAR: [({None}, None)],
    PermitEvent.WITHHOLD: [({None}, None)],
    PermitEvent.WITHHELD: [({None}, _ENDED)],
    PermitEvent.RECALL_WITHHOLD: [({None}, None)],
    PermitEvent.SENT: [({_ELIGIBLE}, _SUBMITTED)],
    PermitEvent.SENDING_DELAYED: [({_ELIGIBLE, *_RENEWABLE}, None)],
    PermitEvent.SENDING_REJECTED: [({_ELIGIBLE, *_RENEWABLE}, None)],
    PermitEvent.SENDING_HELD: [({_ELIGIBLE}, None)],
    PermitEvent.REGISTRATION_ENDED: [
        ({None, _ELIGIBLE}, _ENDED),
        ({_SUBMITTED, _ACCEPTED, *_RENEWABLE}, None),
    ],
    PermitEvent.ACCEPTED: [({_ELIGIBLE, _SUBMITTED}, _ACCEPTED)],
    PermitEvent.ISSUED: [(set(_SENT), _ISSUED)],
    PermitEvent.REFUSED: [(set(_SENT), PermitStage.REFUSED)],
    PermitEvent.WITHDRAWN: [({_SUBMITTED, _ACCEPTED}, _ENDED)],
    PermitEvent.CANCELLED: [({_ISSUED}, _ENDED)],
    PermitEvent.APPLICANT_REMINDER_DUE: [({_SUBMITTED, *_RENEWABLE}, None)],
    PermitEvent.AUTHORITY_LATE: [({_ACCEPTED, *_RENEWABLE}, None)],
    PermitEvent.NEXT_ASKED: [(_RENEWABLE, None)],
    PermitEvent.NEXT_SENT: [(_RENEWABLE, None)],
    PermitEvent.NEXT_ACCEPTED: [(_RENEWABLE, None)],
    PermitEvent.NEXT_ISSUED: [(_RENEWABLE, _ISSUED)],
    PermitEvent.NEXT_REFUSED: [(_RENEWABLE, None)],
    PermitEvent.NEXT_WITHDRAWN: [(_RENEWABLE, None)],
    PermitEvent.NEXT_CLOSED: [(_RENEWABLE, None)],
    PermitEvent.TERM_ENDED: [({_ISSUED}, None)],
    PermitEvent.KEPT: [({_ISSUED}, None)],
    PermitEvent.REVOKED: [({_ISSUED}, PermitStage.REVOKED)],
    PermitEvent.CARD_LOST: [({_ISSUED}, None)],
    PermitEvent.REPLACED: [({_ISSUED}, None)],
    PermitEvent.EXPIRY_REMINDER_DUE: [({_ISSUED}, None)],
    PermitEvent.EXPIRED: [({_ISSUED}, PermitStage.EXPIRED)],
    PermitEvent.PROPOSE_WITHHOLD: [({None}, None)],
    PermitEvent.REJECT_WITHHOLD: [({None}, None)],
    PermitEvent.SEND_AGAIN: [({_ELIGIBLE, _SUBMITTED, _ACCEPTED, *_RENEWABLE}, None)],
    PermitEvent.GIVEN_UP: [({None, _ELIGIBLE}, _ENDED), ({_SUBMITTED, _ACCEPTED, *_RENEWABLE}, None)],
    PermitEvent.ASKED_ANEW: [({*PERMIT_FINAL}, NO_STAGE)],
    PermitEvent.ENDED_MEANWHILE: [({_ENDED, PermitStage.REFUSED, PermitStage.REVOKED}, None)],
    PermitEvent.LEFT: [({_ENDED, PermitStage.REFUSED, PermitStage.REVOKED}, None)],
    PermitEvent.CHANGE_REJECTED: [({_SUBMITTED, _ACCEPTED, _ISSUED}, None)],
    PermitEvent.SUBMITTED_ELSEWHERE: [({None}, _SUBMITTED)],
    PermitEvent.ACCEPTED_ELSEWHERE: [({None}, _ACCEPTED)],
    PermitEvent.ISSUED_ELSEWHERE: [({None}, _ISSUED)],
    PermitEvent.MOVED_AWAY: [({_SUBMITTED, _ACCEPTED, _ISSUED}, _ENDED)],
    PermitEvent.APPLICANT_INACTIVE: [({_SUBMITTED, *_RENEWABLE}, None)],
    PermitEvent.ANSWER_HELD: [({None, *PermitStage}, None)],
    PermitEvent.PROPOSE_OUTCOME: [({None, *PermitStage}, None)],
    PermitEvent.CONFIRM_OUTCOME: [({None, *PermitStage}, None)],
    PermitEvent.REJECT_OUTCOME: [({None, *PermitStage}, None)],
    PermitEvent.WITHHOLDING_SET_ASIDE: [({_ENDED}, NO_STAGE)],
    PermitEvent.REGISTRATION_RESTORED: [({_ENDED}, NO_STAGE), ({_SUBMITTED, _ACCEPTED, _ISSUED}, None)],
}


def _rows(event: str) -> list[tuple[set[Stage], Stage | None]]:
    return [ROWS[event], *([SECOND_ROWS[event]] if event in SECOND_ROWS else [])]


def test_every_event_of_a_case_is_listed() -> None:
    named = {*Event, *ObjectionEvent, *LifeEvent, *ChangeEvent, *RenewalEvent, *TransferEvent}
    assert set(MOVES.events) == named == {*ROWS, LifeEvent.EMPLOYER_LEFT}


@pytest.mark.parametrize(
    "event",
    [event for event in MOVES.events if event != LifeEvent.EMPLOYER_LEFT],
)
@pytest.mark.parametrize("stage", Stage)
def test_a_stage_and_an_event_are_listed_or_refused(stage: Stage, event: str) -> None:
    listed = [to for sources, to in _rows(event) if stage in sources]
    if listed:
        assert MOVES.get(stage, event).to is listed[0]
        return
    with pytest.raises(Refused) as refused:
        MOVES.get(stage, event)
    assert refused.value.code == ("case_closed" if stage in CLOSED else "wrong_stage")
    assert refused.value.status == 409


@pytest.mark.parametrize("stage", Stage)
def test_an_employer_that_left_ends_what_is_registered_and_shows_in_a_review(stage: Stage) -> None:
    move = MOVES.find(stage, LifeEvent.EMPLOYER_LEFT)
    if stage is Stage.APPROVED:
        assert move is not None
        assert (move.no, move.to) == ("R28", Stage.ENDED)
    elif stage in _BOTH:
        assert move is not None
        assert (move.no, move.to) == ("R21", None)
    else:
        assert move is None


@pytest.mark.parametrize("event", PermitEvent)
@pytest.mark.parametrize("stage", [None, *PermitStage])
def test_a_permit_stage_and_an_event_are_listed_or_refused(stage: PermitStage | None, event: PermitEvent) -> None:
    listed = [to for sources, to in PERMIT_ROWS[event] if stage in sources]
    if listed:
        assert PERMIT_MOVES.get(stage, event).to is listed[0]
        return
    with pytest.raises(Refused, match="wrong_stage"):
        PERMIT_MOVES.get(stage, event)


def test_nothing_leaves_a_closed_stage_but_by_setting_a_decision_aside() -> None:
    for stage, event in product(CLOSED, MOVES.events):
        move = MOVES.find(stage, event)
        assert move is None or move.to is None or event.startswith("set_aside_")


def test_every_kind_of_notice_is_caused_by_a_row() -> None:
    caused = {notice.kind for move in MOVES for notice in move.notices}
    caused |= {notice.kind for move in PERMIT_MOVES for notice in move.notices}
    elsewhere = {
        NoticeKind.DUE_DATE_CHANGED,  # a calendar was loaded
        PermitNotice.ATTACHMENT_PROPOSED,  # an answer about a lost case, which moves nothing until it is signed
        NoticeKind.HAND_OVER_REQUESTED,  # a notice with no channel left
        NoticeKind.COMPLAINT_ANSWERED,  # of the person and the park alone
        NoticeKind.EMPLOYER_SUSPENDED,  # of an employer, and of no case
        NoticeKind.EMPLOYER_REINSTATED,
        NoticeKind.EMPLOYER_CONTACT_CHANGED,  # of an employer, and of no case
        NoticeKind.PERSONS_JOINED,  # of a person with all cases, and no event of one
        NoticeKind.PERSONS_PARTED,
        NoticeKind.TRANSFER_AGREED,  # of the person and the park alone
        NoticeKind.TRANSFER_TAKEN_BACK,
        NoticeKind.WEBHOOK_PAUSED,  # of a subscription, and of no case
        NoticeKind.SIGN_IN_LINK,  # asked for by the person, and no event of the case
    }
    assert set(NOTICES) - caused == elsewhere
