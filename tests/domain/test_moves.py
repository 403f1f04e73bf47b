"""Every stage against every event: listed in states.md, sections 2 and 3, or refused."""

from itertools import product

import pytest

from domain.errors import Refused
from domain.moves import MOVES, PERMIT_MOVES, Event, PermitEvent, find_move, get_move, get_permit_move
from domain.notices import NoticeKind
from domain.stages import CLOSED, PermitStage, Stage

_RECEIVED, _ASSESSING, _CORRECTION = Stage.RECEIVED, Stage.ASSESSING, Stage.CORRECTION_REQUESTED
_REVIEW, _CONFIRM, _APPROVED = Stage.UNDER_REVIEW, Stage.AWAITING_CONFIRMATION, Stage.APPROVED
_OPEN = {_RECEIVED, _ASSESSING, _CORRECTION, _REVIEW, _CONFIRM}
_BOTH = {_REVIEW, _CONFIRM}

# As states.md, section 2, has it: from which stages, and to which; None is a stage that stays.
ROWS: dict[Event, tuple[set[Stage], Stage | None]] = {
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
    Event.RECALL: ({_APPROVED}, _REVIEW),
    Event.APPROVE_OVER_FAIL: ({_REVIEW}, _CONFIRM),
    Event.RETURN: ({_REVIEW}, _CORRECTION),
    Event.REFUSE: ({_REVIEW}, _CONFIRM),
    Event.CONFIRM_APPROVAL: ({_CONFIRM}, _APPROVED),
    Event.CONFIRM_REFUSAL: ({_CONFIRM}, Stage.REFUSED),
    Event.REJECT: ({_CONFIRM}, _REVIEW),
    Event.WITHDRAW: (_OPEN, Stage.WITHDRAWN),
    Event.HOLD: (_BOTH, None),
    Event.HOLD_REVIEW_DUE: (_BOTH, None),
    Event.REVIEW_REMINDER_DUE: (_BOTH, None),
    Event.REVIEW_OVER: (_BOTH, None),
    Event.EMPLOYER_SUSPENDED: (_OPEN | {_APPROVED}, None),
    Event.EMPLOYER_REINSTATED: (_OPEN | {_APPROVED}, None),
    Event.DEPART: ({_APPROVED}, None),
    Event.PROPOSE_DEPARTURE: ({_APPROVED}, None),
    Event.CONFIRM_DEPARTURE: ({_APPROVED}, None),
    Event.REJECT_DEPARTURE: ({_APPROVED}, None),
    Event.DISPUTE: ({_APPROVED, Stage.ENDED}, None),
    Event.EMPLOYMENT_OVER: ({_APPROVED}, Stage.ENDED),
    Event.REVOKE: ({_APPROVED}, None),
    Event.CONFIRM_REVOCATION: ({_APPROVED}, Stage.ENDED),
    Event.REJECT_REVOCATION: ({_APPROVED}, None),
    Event.CONTRACT_REMINDER_DUE: ({_APPROVED}, None),
    Event.CONTRACT_GRACE_OVER: ({_APPROVED}, None),
    Event.FAULT: (set(Stage), None),
    Event.CHANGE: (_OPEN | {_APPROVED}, None),
}

_ELIGIBLE, _SUBMITTED, _ACCEPTED, _ISSUED = (
    PermitStage.ELIGIBLE,
    PermitStage.SUBMITTED,
    PermitStage.ACCEPTED,
    PermitStage.ISSUED,
)
_SENT = {_ELIGIBLE, _SUBMITTED, _ACCEPTED}  # an answer proves an entry whose 2xx was lost (P4)
_ENDED = PermitStage.ENDED

# As states.md, section 3, has it; a stage None is a destination that has none yet.
PERMIT_ROWS: dict[PermitEvent, list[tuple[set[PermitStage | None], PermitStage | None]]] = {
    PermitEvent.ELIGIBLE: [({None}, _ELIGIBLE)],
    PermitEvent.NOT_CLEAR: [({None}, None)],
    PermitEvent.WITHHOLD: [({None}, _ENDED)],
    PermitEvent.SENT: [({_ELIGIBLE}, _SUBMITTED)],
    PermitEvent.SENDING_DELAYED: [({_ELIGIBLE}, None)],
    PermitEvent.SENDING_REJECTED: [({_ELIGIBLE}, None)],
    PermitEvent.SENDING_HELD: [({_ELIGIBLE}, None)],
    PermitEvent.REGISTRATION_ENDED: [({None, _ELIGIBLE}, _ENDED), ({_SUBMITTED, _ACCEPTED, _ISSUED}, None)],
    PermitEvent.ACCEPTED: [({_ELIGIBLE, _SUBMITTED}, _ACCEPTED)],
    PermitEvent.ISSUED: [(set(_SENT), _ISSUED)],
    PermitEvent.REFUSED: [(set(_SENT), PermitStage.REFUSED)],
    PermitEvent.WITHDRAWN: [({_SUBMITTED, _ACCEPTED}, _ENDED)],
    PermitEvent.CANCELLED: [({_ISSUED}, _ENDED)],
    PermitEvent.APPLICANT_REMINDER_DUE: [({_SUBMITTED}, None)],
    PermitEvent.AUTHORITY_LATE: [({_ACCEPTED}, None)],
    PermitEvent.KEPT: [({_ISSUED}, None)],
    PermitEvent.REVOKED: [({_ISSUED}, PermitStage.REVOKED)],
    PermitEvent.CARD_LOST: [({_ISSUED}, None)],
    PermitEvent.REPLACED: [({_ISSUED}, None)],
    PermitEvent.EXPIRY_REMINDER_DUE: [({_ISSUED}, None)],
    PermitEvent.EXPIRED: [({_ISSUED}, PermitStage.EXPIRED)],
}


@pytest.mark.parametrize("event", [event for event in Event if event is not Event.EMPLOYER_LEFT])
@pytest.mark.parametrize("stage", Stage)
def test_a_stage_and_an_event_are_listed_or_refused(stage: Stage, event: Event) -> None:
    sources, to = ROWS[event]
    if stage in sources:
        assert get_move(stage, event).to is to
        return
    with pytest.raises(Refused) as refused:
        get_move(stage, event)
    assert refused.value.code == ("case_closed" if stage in CLOSED else "wrong_stage")
    assert refused.value.status == 409


@pytest.mark.parametrize("stage", Stage)
def test_an_employer_that_left_ends_what_is_registered_and_shows_in_a_review(stage: Stage) -> None:
    move = find_move(stage, Event.EMPLOYER_LEFT)
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
        assert get_permit_move(stage, event).to is listed[0]
        return
    with pytest.raises(Refused, match="wrong_stage"):
        get_permit_move(stage, event)


def test_no_pair_is_listed_twice() -> None:
    pairs = [(source, move.event) for move in MOVES for source in move.sources]
    assert len(pairs) == len(set(pairs))
    permit_pairs = [(source, move.event) for move in PERMIT_MOVES for source in move.sources]
    assert len(permit_pairs) == len(set(permit_pairs))


def test_nothing_leaves_a_closed_stage() -> None:
    for stage, event in product(CLOSED, Event):
        move = find_move(stage, event)
        assert move is None or move.to is None


def test_every_kind_of_notice_is_caused_by_a_row() -> None:
    caused = {kind for move in MOVES for kind in move.notices}
    caused |= {kind for move in PERMIT_MOVES for kind in move.notices}
    elsewhere = {
        NoticeKind.REGISTRATION_RECEIVED,  # R1: there is no stage before it
        NoticeKind.DUE_DATE_CHANGED,  # a calendar was loaded
        NoticeKind.ATTACHMENT_PROPOSED,  # an answer about a case that was lost, which moves nothing until it is signed
        NoticeKind.AUTHORITY_CONFLICT,  # P26: an answer that is no event
        NoticeKind.HAND_OVER_REQUESTED,  # a notice with no channel left
        NoticeKind.COMPLAINT_ANSWERED,  # of the person and the park alone
        NoticeKind.EMPLOYER_CONTACT_CHANGED,  # of an employer, and of no case
        NoticeKind.WEBHOOK_PAUSED,  # of a subscription, and of no case
        NoticeKind.SIGN_IN_LINK,  # asked for by the person, and no event of the case
    }
    assert set(NoticeKind) - caused == elsewhere
