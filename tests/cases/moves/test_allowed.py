"""What may be asked of a case now is what would be taken: by stage, role, track, signer and what waits."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from cases.case.file import read_case
from cases.moves.allowed import Allowed, allowed
from cases.programme import Programme
from domain.actors import Actor, Role
from domain.commands import CommandKind
from programmes import PROGRAMMES
from programmes.talent_permit.words import PermitCommand
from tests.cases.contexts import EMPLOYER_A, OFFICER, SUPERVISOR
from tests.cases.driver import AUTHORITY, MENDED, OFFICER_2, PERSON, Case, Park, china, open_park

_NONE_SUCH = "7b0a5a34-6a0e-4a5a-9d70-0c8c0b8a2f11"
_BODIES: dict[str, dict[str, Any]] = {
    CommandKind.CONTEST: {"note": "错"},
    CommandKind.CORRECT: MENDED,
    CommandKind.DECIDE: {"action": "approve", "round": 1},
    CommandKind.CONFIRM: {"action": "confirm", "round": 1},
    CommandKind.RECALL: {"reason": "decided_in_error"},
    CommandKind.HOLD: {"action": "place", "reason": "legal_question"},
    CommandKind.ANSWER_DEPARTURE: {"action": "deny"},
    CommandKind.OBJECT: {"against": "refusal", "grounds": "错"},
    CommandKind.WITHDRAW_OBJECTION: {"objection": _NONE_SUCH},
    CommandKind.DECIDE_OBJECTION: {
        "objection": _NONE_SUCH,
        "action": "reject",
        "reasons": [{"code": "grounds_unproved"}],
    },
    CommandKind.SET_ASIDE: {"reasons": [{"code": "decided_in_error"}]},
    CommandKind.CORRECT_RENEWAL: {},
    CommandKind.DECIDE_RENEWAL: {"action": "grant", "renewal": 1},
    CommandKind.RECALL_RENEWAL: {"reason": "decided_in_error"},
    PermitCommand.REVOKE: {"reasons": [{"code": "false_statement"}]},
    PermitCommand.DEPART: {"last_day": "2026-03-02", "reason": "resigned"},
    CommandKind.CHANGE: {"phone": "+85251234567"},
    PermitCommand.CARD_LOST: {"destination": "HK", "lost_on": "2026-03-02"},
    PermitCommand.ELIGIBILITY: {"destination": "HK", "action": "send", "reasons": [{"code": "document_seen"}]},
    PermitCommand.PERMIT_CONFIRM: {"destination": "HK", "action": "confirm"},
    PermitCommand.PERMIT_RECALL: {"destination": "HK", "reason": "decided_in_error"},
}
# These look at what is given before they look at the case.
_UNTRIED = frozenset({CommandKind.RECORD_FACT, CommandKind.CONTEST_FACT, CommandKind.ANSWER_TASK, "enter_outcome"})


_ABOUT_DECISIONS = (
    CommandKind.OBJECT,
    CommandKind.WITHDRAW_OBJECTION,
    CommandKind.DECIDE_OBJECTION,
    CommandKind.SET_ASIDE,
)

# Asked, and of no command: how a case is taken on, a claim, a signature of three, and what another row brings along.
_OF_NO_COMMAND = {"submitted", "claim", "sign", "replace_fact"}
_BROUGHT_ALONG = {
    "talent_permit": {"send_again", "submitted_elsewhere", "accepted_elsewhere", "issued_elsewhere"},
}


@pytest.mark.parametrize("programme", PROGRAMMES.values(), ids=PROGRAMMES)
def test_who_may_ask_a_command_is_who_may_bring_its_rows_about(programme: Programme) -> None:
    named = set[str]()
    for kind, command in programme.commands.items():
        moves = programme.moves if command.track is None else programme.tracks[command.track].moves
        rows = [row for row in moves if row.event in command.events and row.who.asked]
        roles = {role for row in rows for role in row.who.roles} - {Role.SYSTEM}
        assert set(command.by) == roles, kind
        assert set(command.events) <= set(moves.events), kind
        named |= set(command.events)
    tables = (programme.moves, *(track.moves for track in programme.tracks.values()))
    asked = {row.event for table in tables for row in table if row.who.asked}
    assert asked - named == _OF_NO_COMMAND | _BROUGHT_ALONG.get(programme.code, set())


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


async def _looked(case: Case, actor: Actor) -> dict[str, Allowed]:
    file = await read_case(case.park.context, case.reference)
    looked = allowed(file, actor, case.park.clock.at)
    return {each.command if each.track is None else f"{each.command}/{each.track.key}": each for each in looked}


async def _may(case: Case, actor: Actor) -> set[str]:
    return {name for name, each in (await _looked(case, actor)).items() if each.is_allowed}


async def _agrees(case: Case, actor: Actor) -> None:
    """Hold what is not allowed against what the case refuses it with."""
    for each in (await _looked(case, actor)).values():
        if each.why_not is None or each.command in _UNTRIED or (each.track and each.track.key != "HK"):
            continue
        body = _BODIES.get(each.command, {})
        if "round" in body:
            body = body | {"round": await case.round()}
        assert await case.refused(actor, each.command, **body) == each.why_not.code, each


async def test_before_an_officer_the_employer_withdraws_or_changes_and_the_officer_decides(park: Park) -> None:
    case = await park.review()
    assert await _may(case, EMPLOYER_A) == {CommandKind.CORRECT, CommandKind.WITHDRAW, CommandKind.CHANGE}
    assert await _may(case, OFFICER) == {CommandKind.DECIDE, CommandKind.HOLD, CommandKind.RECORD_FACT}
    assert await _may(case, PERSON) == {CommandKind.CHANGE}
    assert await _looked(case, AUTHORITY) == {}
    for actor in (EMPLOYER_A, OFFICER, SUPERVISOR):
        await _agrees(case, actor)


async def test_a_proposal_waits_for_another_than_who_made_it(park: Park) -> None:
    case = await park.review()
    await case.decide("refuse", "work_site_outside_park")
    by_proposer = (await _looked(case, OFFICER))[CommandKind.CONFIRM]
    assert by_proposer.why_not is not None
    assert by_proposer.why_not.code == "same_signer"
    by_second = (await _looked(case, OFFICER_2))[CommandKind.CONFIRM]
    assert by_second.events == ("confirm_refusal", "reject")
    for actor in (EMPLOYER_A, OFFICER):
        await _agrees(case, actor)


async def test_a_hold_and_a_claim_stand_in_the_way_of_a_decision(park: Park) -> None:
    case = await park.review()
    await case.claim("review")
    held = (await _looked(case, OFFICER_2))[CommandKind.DECIDE].why_not
    assert held is not None
    assert held.code == "task_held"
    await case.do(OFFICER, CommandKind.HOLD, action="place", reason="legal_question")
    on_hold = (await _looked(case, OFFICER))[CommandKind.DECIDE].why_not
    assert on_hold is not None
    assert on_hold.code == "on_hold"
    await _agrees(case, OFFICER)
    await _agrees(case, OFFICER_2)


async def test_an_approval_is_taken_back_by_who_gave_it_until_it_settles(park: Park) -> None:
    case = await park.review()
    await case.decide("approve")
    assert CommandKind.RECALL in await _may(case, OFFICER)
    assert CommandKind.RECALL not in await _may(case, OFFICER_2)
    assert PermitCommand.REVOKE not in await _may(case, OFFICER)
    for actor in (OFFICER, OFFICER_2, EMPLOYER_A):
        await _agrees(case, actor)
    await case.after(minutes=30)
    assert await _may(case, OFFICER) == {PermitCommand.REVOKE, PermitCommand.DEPART}
    assert await _may(case, EMPLOYER_A) == {PermitCommand.DEPART, CommandKind.CHANGE}
    for actor in (OFFICER, EMPLOYER_A):
        await _agrees(case, actor)


async def test_a_lost_card_is_told_of_the_permit_that_was_issued(park: Park) -> None:
    case = await park.issued()
    for actor in (EMPLOYER_A, OFFICER, PERSON):
        assert "card_lost/HK" in await _may(case, actor)
        assert "card_lost/MO" not in await _may(case, actor)
        await _agrees(case, actor)


async def test_a_departure_is_disputed_by_its_person_and_answered_by_another(park: Park) -> None:
    case = await park.approved()
    await case.depart("2026-03-02")
    assert CommandKind.ANSWER_TASK not in await _may(case, OFFICER)
    assert PermitCommand.DISPUTE in await _may(case, PERSON)
    await case.do(PERSON, PermitCommand.DISPUTE)
    assert PermitCommand.DISPUTE not in await _may(case, PERSON)
    assert "answer_dispute" in (await _looked(case, OFFICER))[CommandKind.ANSWER_TASK].events
    await _agrees(case, PERSON)


async def test_of_a_closed_case_nothing_is_asked(park: Park) -> None:
    case = await park.review()
    await case.do(EMPLOYER_A, CommandKind.WITHDRAW)
    for actor in (EMPLOYER_A, OFFICER):
        looked = await _looked(case, actor)
        # Of a case that closed without a decision against anybody nothing is contested either.
        not_of_case = {CommandKind.ANSWER_TASK, *_ABOUT_DECISIONS}
        contested = {
            refused.code for name in _ABOUT_DECISIONS if (each := looked.get(name)) and (refused := each.why_not)
        }
        assert contested == {"not_found"}
        codes = {
            each.why_not.code
            for name, each in looked.items()
            if each.why_not and each.track is None and name not in not_of_case
        }
        assert codes == {"case_closed"}
        assert await _may(case, actor) == set()
        await _agrees(case, actor)
