"""Rows P28 to P33 of states.md: terms of a permit, one after the other, as the authority gives them."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import update

from cases.calls import making
from cases.case.file import open_case, read_case
from domain.actors import system
from domain.answers import AnswerState
from domain.errors import Refused
from programmes.talent_permit import permits
from programmes.talent_permit.permit_stages import Destination
from programmes.talent_permit.tables import permit_terms
from programmes.talent_permit.words import PermitCommand
from record.reconciliation.reconcile import reconcile_case
from store import tables
from tests.api.engines import NoHistories
from tests.cases.contexts import EMPLOYER_A, OFFICER
from tests.cases.driver import Case, Park, china, open_park

# The first term ends on 2029-03-09.
ONE = {"destinations": ["HK"], "employment": {"contract_end": "2035-12-31"}}
NEXT: dict[str, Any] = {"authority_number": "C-2", "valid_from": "2029-03-10", "valid_until": "2032-03-09"}


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:  # a Monday
        yield park


async def _in_third_year(park: Park, day: str = "2029-02-05") -> Case:
    case = await park.issued(**ONE)
    park.clock.at = china(day)
    return case


async def _permit(case: Case) -> dict[str, Any]:
    permit: dict[str, Any] = (await case.view())["permits"][0]
    return permit


async def _terms(case: Case) -> list[tuple[Any, ...]]:
    found = (await _permit(case))["terms"]
    return [(t["number"], t["stage"], t["authority_number"], t["valid_until"], t["end_reason"]) for t in found]


async def _differences(case: Case) -> list[str]:
    _, found = await reconcile_case(case.park.context, NoHistories(), case.reference)
    return [each.code for each in found if "histor" not in each.code]


async def _text(case: Case, kind: str, recipient: str = "person") -> str:
    """Return the text of the newest notice of a kind, opened with the person's key."""
    notice = (await case.notices(kind, recipient))[-1]
    file = await read_case(case.park.context, case.reference)
    return json.dumps(file.open("notices", "body", str(notice["notice_id"]), notice["body"]), ensure_ascii=False)


async def test_a_new_number_accepted_and_issued_opens_the_next_term(park: Park) -> None:
    case = await _in_third_year(park)
    await case.step()
    told = await case.told("permit_expiring")
    assert await case.answer("accepted", authority_number="C-2") == (200, "recorded")
    permit = await _permit(case)
    assert (permit["stage"], permit["in_force"], permit["authority_number"]) == ("issued", True, "C-HK-0001")
    assert [each["stage"] for each in permit["terms"]] == ["issued", "accepted"]
    assert "2029年3月9日" in await _text(case, "permit_accepted")
    assert (await case.view())["holder"] == "authority"
    assert await case.answer("issued", **NEXT) == (200, "recorded")
    assert await _terms(case) == [
        (1, "issued", "C-HK-0001", "2029-03-09", None),
        (2, "issued", "C-2", "2032-03-09", None),
    ]
    permit = await _permit(case)
    # The one in force stands for the permit, until the next begins.
    assert (permit["authority_number"], permit["valid_until"], permit["in_force"]) == ("C-HK-0001", "2029-03-09", True)
    assert "authority_late" not in await case.deadlines()
    await case.at("2029-03-10", "00:30")
    permit = await _permit(case)
    assert (permit["stage"], permit["in_force"], permit["authority_number"]) == ("issued", True, "C-2")
    assert await case.told("permit_expired") == Counter()
    assert await case.told("permit_expiring") == told
    assert await case.tasks() == {}
    assert await _differences(case) == []
    # Time counts to the last day of the last term.
    await case.at("2031-12-10")
    assert (await case.told("permit_expiring"))["person"] == told["person"] + 1
    await case.at("2032-03-10")
    assert ((await _permit(case))["stage"], await case.told("permit_expired")) == (
        "expired",
        Counter(employer=1, person=1),
    )
    assert [each[1] for each in await _terms(case)] == ["expired", "expired"]
    assert await _differences(case) == []


async def test_issued_alone_opens_it_and_a_late_accepted_fills_it_in(park: Park) -> None:
    case = await _in_third_year(park)
    await case.answer("issued", **NEXT)
    late: dict[str, Any] = {"authority_number": "C-2", "occurred_at": china("2029-02-01")}
    assert await case.answer("accepted", **late) == (200, "recorded")
    assert [each["accepted_on"] for each in (await _permit(case))["terms"]] == ["2026-03-02", "2029-02-01"]
    assert await case.answer("accepted", **late | {"occurred_at": china("2029-02-02")}) == (202, "held")
    assert await _differences(case) == []


async def test_a_term_may_follow_after_the_end_and_a_gap_to_come_is_told(park: Park) -> None:
    case = await _in_third_year(park)
    await case.answer("issued", **NEXT | {"valid_from": "2029-04-01"})
    assert "2029年3月10日" in await _text(case, "permit_issued")
    assert "2029年3月31日" in await _text(case, "permit_issued", "employer")
    await case.at("2029-03-20")
    permit = await _permit(case)
    assert (permit["stage"], permit["in_force"], permit["valid_from"]) == ("issued", False, "2029-04-01")
    await case.at("2032-03-10")
    assert (await _permit(case))["stage"] == "expired"
    again: dict[str, Any] = {"authority_number": "C-3", "valid_from": "2032-04-01", "valid_until": "2035-03-31"}
    assert await case.answer("accepted", authority_number="C-3") == (200, "recorded")
    assert (await _permit(case))["stage"] == "expired"
    await case.answer("issued", **again)
    permit = await _permit(case)
    assert (permit["stage"], permit["in_force"], len(permit["terms"])) == ("issued", False, 3)
    await case.at("2032-04-01")
    assert (await _permit(case))["in_force"]
    assert await _differences(case) == []


@pytest.mark.parametrize("outcome", ["refused", "withdrawn"])
async def test_a_next_term_that_is_not_issued_leaves_the_one_in_force(park: Park, outcome: str) -> None:
    case = await _in_third_year(park)
    await case.answer("accepted", authority_number="C-2")
    more: dict[str, Any] = {"reason_code": "X_9", "reason_text": "材料与事实不符"} if outcome == "refused" else {}
    assert await case.answer(outcome, authority_number="C-2", **more) == (200, "recorded")
    permit = await _permit(case)
    assert (permit["stage"], permit["in_force"], permit["due_at"]) == ("issued", True, None)
    kind = "permit_refused" if outcome == "refused" else "permit_closed"
    assert await case.told(kind) == Counter(employer=1, person=1)
    assert "2029年3月9日" in await _text(case, kind)
    term = permit["terms"][1]
    assert (term["end_reason"], term["ended_on"]) == (outcome, "2029-02-05")
    (seen,) = (await case.view(EMPLOYER_A))["permits"]
    assert seen["terms"][1]["authority_reason"] is None
    assert (term["authority_reason"] or {}).get("text") == more.get("reason_text")
    assert "authority_late" not in await case.deadlines()
    # Nothing came of it, so the end of the one in force is told as ever.
    await case.at("2029-03-10")
    assert await case.told("permit_expired") == Counter(employer=1, person=1)
    assert await _differences(case) == []


async def test_a_refusal_that_comes_before_the_acceptance_waits_for_it(park: Park) -> None:
    case = await _in_third_year(park)
    assert await case.answer("refused", authority_number="C-2", occurred_at=china("2029-02-05")) == (202, "held")
    assert await case.tasks() == {}
    await case.answer("accepted", authority_number="C-2", occurred_at=china("2029-02-02"))
    assert [each[1] for each in await _terms(case)] == ["issued", "refused"]
    assert {row["state"] for row in await park.rows(tables.answers)} == {"applied"}


async def test_one_of_several_terms_ends_by_its_number_and_the_permit_goes_on(park: Park) -> None:
    case = await _in_third_year(park)
    await case.answer("issued", **NEXT)
    assert await case.answer("revoked", authority_number="C-2", reason_text="材料不实") == (200, "recorded")
    permit = await _permit(case)
    assert (permit["stage"], permit["in_force"], permit["valid_until"]) == ("issued", True, "2029-03-09")
    assert (permit["terms"][1]["stage"], permit["terms"][1]["authority_reason"]["text"]) == ("revoked", "材料不实")
    assert await case.told("permit_revoked") == Counter(employer=1, person=1)
    assert "2029年3月9日" in await _text(case, "permit_revoked", "employer")
    assert await _differences(case) == []
    await case.at("2029-03-10")
    assert (await _permit(case))["stage"] == "expired"


async def test_what_names_no_number_is_about_the_permit_with_all_its_terms(park: Park) -> None:
    case = await _in_third_year(park)
    await case.answer("issued", **NEXT)
    assert await case.answer("cancelled") == (200, "recorded")
    assert [each[1] for each in await _terms(case)] == ["ended", "ended"]
    permit = await _permit(case)
    assert (permit["stage"], permit["end_reason"], permit["in_force"]) == ("ended", "cancelled", False)
    assert await case.answer("issued", **NEXT | {"authority_number": "C-3", "valid_until": "2033-01-01"}) == (
        202,
        "held",
    )
    assert await _differences(case) == []


async def test_a_card_replaced_is_that_of_the_term_with_its_last_day(park: Park) -> None:
    case = await _in_third_year(park)
    await case.answer("issued", **NEXT)
    card: dict[str, Any] = {"valid_from": "2029-02-05", "valid_until": "2029-03-09"}
    await case.answer("replaced", authority_number="C-1-R", **card)
    await case.answer("replaced", **NEXT | {"authority_number": "C-2-R"})
    assert [(each[0], each[2], each[3]) for each in await _terms(case)] == [
        (1, "C-1-R", "2029-03-09"),
        (2, "C-2-R", "2032-03-09"),
    ]
    # The old number is still that of its term.
    await case.answer("revoked", authority_number="C-2")
    assert [each[1] for each in await _terms(case)] == ["issued", "revoked"]
    assert await _differences(case) == []


@pytest.mark.parametrize(
    ("before", "outcome", "more"),
    [
        pytest.param(
            (), "issued", NEXT | {"valid_from": "2029-03-01", "valid_until": "2029-03-09"}, id="ends no later"
        ),
        pytest.param((), "issued", NEXT | {"authority_number": "C-HK-0001"}, id="other dates under one number"),
        pytest.param(("revoked",), "issued", NEXT, id="after the permit was revoked"),
        pytest.param(("revoked",), "accepted", {"authority_number": "C-2"}, id="accepted after it was revoked"),
        pytest.param((), "refused", {}, id="refused, and nothing was asked"),
    ],
)
async def test_a_contradiction_opens_no_term(
    park: Park, before: tuple[str, ...], outcome: str, more: dict[str, Any]
) -> None:
    case = await _in_third_year(park)
    for each in before:
        await case.answer(each)
    terms = await _terms(case)
    assert await case.answer(outcome, **more) == (202, "held")
    assert (await _terms(case), list(await case.tasks())) == (terms, ["authority_conflict/HK"])


async def test_duplicates_of_a_next_term_change_nothing(park: Park) -> None:
    case = await _in_third_year(park)
    for outcome, more in (("accepted", {"authority_number": "C-2"}), ("issued", NEXT)):
        await case.answer(outcome, outcome_id=f"t-{outcome}", **more)
        terms = await _terms(case)
        assert await case.answer(outcome, outcome_id=f"t-{outcome}", **more) == (200, "already_recorded")
        assert await case.answer(outcome, outcome_id=f"again-{outcome}", **more) == (200, "already_recorded")
        assert await _terms(case) == terms
    assert (await case.told("permit_issued"))["person"] == 2


async def test_a_case_that_ended_takes_no_next_term_but_by_two_officers(park: Park) -> None:
    case = await park.issued(**ONE)
    await case.depart("2026-03-02")
    await case.at("2026-03-04")
    assert (await case.row())["stage"] == "ended"
    await case.make_calls()
    park.clock.at = china("2029-02-05")
    assert await case.answer("issued", outcome_id="next", **NEXT) == (202, "held")
    assert ([each[0] for each in await _terms(case)], list(await case.tasks())) == ([1], ["authority_conflict/HK"])
    await case.do(OFFICER, PermitCommand.ENTER_OUTCOME, destination="HK", outcome_id="next")
    await case.confirm_permit()
    assert [each[0] for each in await _terms(case)] == [1, 2]
    assert await _differences(case) == []


async def _ask_next(case: Case) -> int:
    async with open_case(case.park.context, case.reference) as (file, _):
        return permits.next_term(file, system("renewal"), case.park.clock.at, Destination.HK)


async def test_the_list_entry_of_the_next_term_has_a_key_of_its_own(park: Park) -> None:
    case = await _in_third_year(park)
    assert await _ask_next(case) == 2
    with pytest.raises(Refused, match="wrong_stage"):
        await _ask_next(case)
    assert [each[1] for each in await _terms(case)] == ["issued", "eligible"]
    due = [row["key"] for row in await park.rows(tables.calls) if row["state"] == "due"]
    assert due == [f"permit/{case.reference}/HK/term/2"]
    await case.make_calls()
    assert [each[1] for each in await _terms(case)] == ["issued", "submitted"]
    assert (await case.view())["holder"] == "person"
    assert (await case.told("permit_submitted"))["person"] == 2
    await case.answer("accepted", authority_number="C-2")
    await case.answer("issued", **NEXT)
    assert [each[1] for each in await _terms(case)] == ["issued", "issued"]
    assert await _differences(case) == []


async def test_an_answer_proves_that_the_list_entry_of_the_next_term_was_taken(park: Park) -> None:
    case = await _in_third_year(park)
    await _ask_next(case)
    await case.answer("issued", **NEXT)
    assert [row["state"] for row in await park.rows(tables.calls)] == ["done", "done"]
    assert [(each[0], each[1]) for each in await _terms(case)] == [(1, "issued"), (2, "issued")]


async def test_an_end_of_the_registration_asks_for_no_next_term(park: Park) -> None:
    case = await _in_third_year(park)
    await _ask_next(case)
    refused = {f"permit/{case.reference}/HK/term/2": "invalid_person.permit_card_number"}
    await making.record(park.context, case.reference, refused, park.clock.at)
    assert list(await case.tasks()) == ["authority_rejected/HK"]
    await case.depart("2029-02-05")
    await case.at("2029-02-06")
    assert await case.tasks() == {}


async def test_an_end_of_the_registration_sends_no_entry_of_a_next_term(park: Park) -> None:
    case = await _in_third_year(park)
    await _ask_next(case)
    await case.depart("2029-02-05")
    await case.at("2029-02-06")
    states = {row["key"]: row["state"] for row in await park.rows(tables.calls)}
    assert states[f"permit/{case.reference}/HK/term/2"] == "cancelled"
    assert (await _terms(case))[1][4] == "registration_ended"
    assert (await _permit(case))["stage"] == "issued"


async def test_a_next_term_is_waited_for_beyond_the_end_of_the_one_before(park: Park) -> None:
    case = await _in_third_year(park, "2029-03-05")
    await case.answer("accepted", authority_number="C-2")
    await case.at("2029-03-12")
    assert (await case.told("permit_expired"))["person"] == 1  # nothing is held
    assert "authority_late" in await case.deadlines()
    await park.watch()
    await case.at("2029-03-20")
    await case.answer("issued", **NEXT | {"valid_from": "2029-03-20"})
    assert ((await _permit(case))["stage"], await case.tasks()) == ("issued", {})


async def test_what_was_kept_as_a_renewal_before_opens_its_term(park: Park) -> None:
    """As the migration leaves a case: answers as `renewal`, and the deadline of early answers due."""
    case = await _in_third_year(park)
    await case.answer("refused", outcome_id="kept", authority_number="C-2")
    async with park.context.database.begin() as connection:
        await connection.execute(
            update(tables.answers).where(tables.answers.c.outcome_id == "kept").values(state=AnswerState.RENEWAL.value)
        )
    await case.answer("accepted", authority_number="C-2", occurred_at=china("2029-02-04"))
    assert [each[1] for each in await _terms(case)] == ["issued", "refused"]


async def test_an_altered_term_is_found(park: Park) -> None:
    case = await _in_third_year(park)
    await case.answer("issued", **NEXT)
    async with park.context.database.begin() as connection:
        changed = update(permit_terms).where(permit_terms.c.number == 2)
        await connection.execute(changed.values(valid_until=china("2040-01-01").date()))
    assert set(await _differences(case)) == {"register_state_altered", "register_differs_from_answer"}
