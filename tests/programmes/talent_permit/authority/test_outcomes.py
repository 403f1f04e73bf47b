"""Rows P9 to P12, P17, P18, P20 and P23 to P27 of states.md: what the authority says, in order and out of it."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from cases.case.file import read_case
from domain.errors import Refused
from programmes.talent_permit.authority import inbox, outcomes
from programmes.talent_permit.authority.answers import AuthorityAnswer
from programmes.talent_permit.words import PermitCommand
from record.reconciliation.evidence import Difference
from record.reconciliation.reconcile import reconcile_case
from store import tables
from tests.api.engines import NoHistories
from tests.cases.contexts import EMPLOYER_A, OFFICER
from tests.cases.driver import AUTHORITY, Case, Park, china, open_park

ONE = {"destinations": ["HK"]}


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:  # a Monday
        yield park


async def _states(park: Park) -> dict[str, str]:
    return {row["outcome"]: row["state"] for row in await park.rows(tables.answers)}


async def _differences(case: Case) -> list[Difference]:
    """Return what the records of a case say otherwise; no histories were written."""
    _, found = await reconcile_case(case.park.context, NoHistories(), case.reference)
    return [each for each in found if "histor" not in each.code]


async def _sign_outcome(case: Case, outcome_id: str, **paper: object) -> None:
    """Propose an answer as one officer and confirm it as another."""
    await case.do(OFFICER, PermitCommand.ENTER_OUTCOME, destination="HK", outcome_id=outcome_id, **paper)
    await case.confirm_permit()


async def test_p9_accepted_moves_the_register_and_wakes_no_workflow(park: Park) -> None:
    case = await park.submitted(**ONE)
    assert await case.answer("accepted", authority_number="A-1") == (200, "recorded")
    permit = await case.permit()
    assert (permit["stage"], permit["authority_number"], str(permit["accepted_on"])) == (
        "accepted",
        "A-1",
        "2026-03-02",
    )
    assert await case.told("permit_accepted") == Counter(employer=1, person=1)
    assert [c for c in await park.rows(tables.commands) if c["kind"] == "answer"] == []


async def test_p10_issued_is_recorded_as_given(park: Park) -> None:
    case = await park.accepted(**ONE)
    assert await case.answer("issued") == (200, "recorded")
    view = (await case.view(EMPLOYER_A))["permits"][0]
    assert (view["stage"], view["authority_number"], view["valid_from"], view["valid_until"]) == (
        "issued",
        "C-HK-0001",
        "2026-03-10",
        "2029-03-09",
    )
    assert (view["stay_days"], view["entries"]) == (30, "multiple")
    assert await case.told("permit_issued") == Counter(employer=1, person=1)
    assert "authority_late" not in await case.deadlines()
    commands = [c["state"] for c in await park.rows(tables.commands) if c["kind"] == "answer"]
    assert commands == ["applied"]


async def test_p10_another_term_is_kept_and_shown(park: Park) -> None:
    case = await park.accepted(**ONE)
    await case.answer("issued", valid_until="2028-03-09", stay_days=14)
    permit = (await case.view())["permits"][0]
    assert (permit["valid_until"], permit["stay_days"]) == ("2028-03-09", 14)
    assert "authority_term_differs" in {finding["code"] for finding in permit["findings"]}


async def test_p10_issued_may_come_before_accepted(park: Park) -> None:
    case = await park.submitted(**ONE)
    await case.answer("issued")
    assert (await case.permit())["stage"] == "issued"


async def test_p11_the_reason_for_refusing_is_for_the_person_and_staff_only(park: Park) -> None:
    case = await park.accepted()
    await case.answer("refused", reason_code="X_9", reason_text="材料与事实不符")
    permit = await case.permit()
    assert permit["stage"] == "refused"
    assert "材料与事实不符".encode() not in permit["reason"]
    assert (await case.view())["permits"][0]["authority_reason"]["text"] == "材料与事实不符"
    assert "authority_reason" not in (await case.view(EMPLOYER_A))["permits"][0]
    assert await _text(case, "permit_refused", "person") != ""
    assert "材料与事实不符" in await _text(case, "permit_refused", "person")
    assert "材料与事实不符" not in await _text(case, "permit_refused", "employer")
    assert "X_9" not in await _text(case, "permit_refused", "employer")
    assert "材料" not in json.dumps([row["detail"] for row in await park.rows(tables.ledger)], ensure_ascii=False)
    assert (await case.stage(), (await case.permit("MO"))["stage"]) == ("approved", "submitted")


async def _text(case: Case, kind: str, recipient: str) -> str:
    """Return the text of a notice as it stands in the database, opened with the person's key."""
    (notice,) = await case.notices(kind, recipient)
    file = await read_case(case.park.context, case.reference)
    return json.dumps(file.open("notices", "body", str(notice["notice_id"]), notice["body"]), ensure_ascii=False)


async def test_p11_a_refusal_that_nobody_can_deliver_opens_the_task_and_asks_no_employer(park: Park) -> None:
    case = await park.accepted(email=None, phone=None, **ONE)
    before = await case.told("hand_over_requested")
    await case.answer("refused", reason_text="材料与事实不符")
    assert await case.told("hand_over_requested") == before
    assert "undelivered/HK" in await case.tasks()


async def test_p12_withdrawn_before_issue_and_cancelled_after_it_end_the_following(park: Park) -> None:
    case = await park.accepted()
    await case.answer("withdrawn")
    permit = await case.permit()
    assert (permit["stage"], permit["end_reason"]) == ("ended", "withdrawn")
    await case.answer("issued", "MO")
    await case.answer("cancelled", "MO")
    permit = await case.permit("MO")
    assert (permit["stage"], permit["end_reason"]) == ("ended", "cancelled")
    assert await case.told("permit_closed", "MO") == Counter(employer=1, person=1)


async def test_p17_a_kept_permit_lives_on_to_its_own_end_although_its_workflow_closes(park: Park) -> None:
    case = await park.issued(**ONE)
    await case.depart("2026-03-02")
    await case.at("2026-03-03")
    await case.make_calls()
    await case.answer("kept")
    assert (await case.permit())["stage"] == "issued"
    assert case.course is not None
    assert case.course.finished
    assert await case.told("permit_kept") == Counter(employer=1, person=1)
    park.clock.at = china("2029-03-10", "00:00")
    await park.watch()
    assert (await case.permit())["stage"] == "expired"
    assert await case.told("permit_expired") == Counter(employer=1, person=1)


async def test_p17_an_answer_about_a_case_whose_workflow_closed_is_applied_at_once(park: Park) -> None:
    case = await park.issued(**ONE)
    await case.depart("2026-03-02")
    await case.at("2026-03-03")
    await case.make_calls()
    await case.answer("kept")
    given = {
        "outcome_id": "late",
        "case": f"{case.reference}/HK",
        "outcome": "revoked",
        "occurred_at": park.clock.at,
    }
    received = await outcomes.receive(park.context, AUTHORITY, AuthorityAnswer.model_validate(given))
    assert received.command_id is None
    assert (await case.permit())["stage"] == "revoked"


async def test_p19_a_card_lost_after_the_workflow_closed_is_the_operators_to_report(park: Park) -> None:
    case = await park.issued(**ONE)
    await case.depart("2026-03-02")
    await case.at("2026-03-03")
    await case.make_calls()
    await case.answer("kept")
    await case.store(OFFICER, PermitCommand.CARD_LOST, destination="HK", lost_on="2026-03-02")
    assert str((await case.permit())["card_lost_on"]) == "2026-03-02"
    assert [i["kind"] for i in await park.rows(tables.incidents)] == ["authority_unreached"]


async def test_p18_a_revoked_permit_ends_its_timers(park: Park) -> None:
    case = await park.issued(**ONE)
    await case.answer("revoked")
    permit = await case.permit()
    assert (permit["stage"], str(permit["decided_on"])) == ("revoked", "2026-03-02")
    assert "permit_expired" not in await case.deadlines()
    assert await case.told("permit_revoked") == Counter(employer=1, person=1)


async def test_p20_a_replacement_keeps_the_old_number_beside_the_new(park: Park) -> None:
    case = await park.issued(**ONE)
    await case.do(OFFICER, PermitCommand.CARD_LOST, destination="HK", lost_on="2026-03-02")
    await case.answer("replaced", authority_number="C-HK-0002", valid_until="2028-12-31")
    permit = await case.permit()
    assert (permit["authority_number"], permit["card_lost_on"]) == ("C-HK-0002", None)
    assert [old["authority_number"] for old in permit["earlier"]] == ["C-HK-0001"]
    assert str((await case.deadlines())["permit_expired"][0].date()) == "2029-01-01"
    assert await case.told("permit_issued") == Counter(employer=2, person=2)


async def test_p23_a_duplicate_is_recorded_already_whatever_its_id(park: Park) -> None:
    case = await park.accepted(**ONE)
    assert await case.answer("issued", outcome_id="i-1") == (200, "recorded")
    told = await case.told()
    assert await case.answer("issued", outcome_id="i-1") == (200, "already_recorded")
    assert await case.answer("issued", outcome_id="i-2") == (200, "already_recorded")
    assert await case.told() == told


async def test_p23_a_message_id_seen_before_gets_the_first_answer_again(park: Park) -> None:
    case = await park.submitted(**ONE)
    given = {"outcome_id": "a", "case": f"{case.reference}/HK", "outcome": "accepted", "occurred_at": park.clock.at}
    said = AuthorityAnswer.model_validate(given)
    first = await outcomes.receive(park.context, AUTHORITY, said, message_id="m-1", body=b"x")
    before = len(await park.rows(tables.ledger))
    again = await outcomes.receive(park.context, AUTHORITY, said, message_id="m-1", body=b"x")
    assert (again.reply.progress, again.reply.body) == (first.reply.progress, first.reply.body)
    assert again.reply.body == {"status": "recorded"}
    assert len(await park.rows(tables.ledger)) == before


@pytest.mark.parametrize(
    "spelt", ["2026-03-02T03:30:00Z", "2026-03-02T11:30:00.000+08:00", "2026-03-02T04:30:00+01:00"]
)
async def test_p23_the_same_instant_written_otherwise_is_the_same_answer(park: Park, spelt: str) -> None:
    case = await park.accepted(**ONE)
    assert await case.answer("issued", outcome_id="a", occurred_at="2026-03-02T11:30:00+08:00") == (200, "recorded")
    assert await case.answer("issued", outcome_id="b", occurred_at=spelt) == (200, "already_recorded")
    assert await case.answer("issued", outcome_id="a", occurred_at=spelt) == (200, "already_recorded")
    assert "authority_conflict/HK" not in await case.tasks()


async def test_p23_an_answer_kept_by_the_hash_of_its_spelling_is_known_by_another(
    park: Park, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = await park.accepted(**ONE)
    with monkeypatch.context() as before:
        before.setattr(inbox, "keyed_hash", inbox._keyed)  # how answers were kept once
        await case.answer("issued", outcome_id="a", occurred_at="2026-03-02T03:30:00Z")
    assert await case.answer("issued", occurred_at="2026-03-02T11:30:00+08:00") == (200, "already_recorded")
    assert await _differences(case) == []


async def test_p26_other_content_under_a_known_outcome_id_is_held(park: Park) -> None:
    case = await park.accepted(**ONE)
    await case.answer("issued", outcome_id="same")
    permit = await case.permit()
    assert await case.answer("issued", outcome_id="same", valid_until="2027-03-09") == (202, "held")
    assert await case.answer("issued", outcome_id="same", valid_until="2027-03-09") == (200, "already_recorded")
    assert await case.permit() == permit
    assert "authority_conflict/HK" in await case.tasks()
    assert (await case.last("answer_held"))["outcome_id"] == "same"
    await _sign_outcome(case, "same")
    assert str((await case.permit())["valid_until"]) == "2027-03-09"
    assert await _differences(case) == []


async def test_p26_other_content_under_a_known_message_id_is_held(park: Park) -> None:
    case = await park.accepted(**ONE)
    await case.answer("issued", outcome_id="a", message_id="m-1", body=b"a")
    assert await case.answer("revoked", outcome_id="b", message_id="m-1", body=b"b") == (202, "held")
    assert (await case.permit())["stage"] == "issued"
    assert "authority_conflict/HK" in await case.tasks()


@pytest.mark.parametrize("later", ["issued", "refused", "withdrawn"])
async def test_p24_a_late_accepted_fills_what_is_empty_and_never_goes_back(park: Park, later: str) -> None:
    case = await park.submitted(**ONE)
    await case.answer(later)
    stage = (await case.permit())["stage"]
    assert await case.answer("accepted", occurred_at=park.clock.at - timedelta(days=3)) == (200, "recorded")
    permit = await case.permit()
    assert (permit["stage"], str(permit["accepted_on"])) == (stage, "2026-02-27")
    assert await case.told("permit_accepted") == Counter()


@pytest.mark.parametrize(
    ("early", "then"), [("kept", "issued"), ("replaced", "issued"), ("cancelled", "ended"), ("revoked", "revoked")]
)
async def test_p25_an_early_answer_is_kept_and_applied_once_its_turn_has_come(
    park: Park, early: str, then: str
) -> None:
    case = await park.accepted(**ONE)
    assert await case.answer(early, occurred_at=park.clock.at + timedelta(hours=2)) == (202, "held")
    assert (await case.permit())["stage"] == "accepted"
    assert "authority_conflict/HK" not in await case.tasks()
    await case.answer("issued")
    assert (await case.permit())["stage"] == then
    assert await _states(park) == dict.fromkeys(("accepted", early, "issued"), "applied")
    assert "early_answer" not in await case.deadlines()


async def test_p25_several_early_answers_are_applied_in_the_order_in_which_they_were_given(park: Park) -> None:
    case = await park.accepted(**ONE)
    await case.answer("revoked", occurred_at=park.clock.at + timedelta(hours=3))
    await case.answer("kept", occurred_at=park.clock.at + timedelta(hours=2))
    await case.answer("issued")
    assert (await case.permit())["stage"] == "revoked"
    assert await case.told("permit_kept") == Counter(employer=1, person=1)


async def test_p25_after_its_limit_an_early_answer_is_an_officers(park: Park) -> None:
    case = await park.accepted(**ONE)
    await case.answer("revoked")
    park.clock.at = china("2026-03-04", "00:00")
    await park.watch()
    assert "authority_conflict/HK" in await case.tasks()
    assert await case.told("authority_conflict") == Counter(officers=1)
    assert await _states(park) == {"accepted": "applied", "revoked": "held"}


async def test_p25_an_early_answer_whose_turn_never_comes_is_a_contradiction(park: Park) -> None:
    case = await park.accepted(**ONE)
    await case.answer("revoked")
    await case.answer("refused")
    assert (await case.permit())["stage"] == "refused"
    assert "authority_conflict/HK" in await case.tasks()


@pytest.mark.parametrize(
    ("before", "then", "more"),
    [
        ("issued", "refused", {}),
        ("issued", "issued", {"authority_number": "C-HK-9999"}),
        ("issued", "issued", {"valid_until": "2027-01-01"}),
        ("refused", "issued", {}),
        ("withdrawn", "issued", {}),
        ("accepted", "accepted", {"occurred_at": china("2026-02-20")}),
    ],
    ids=["refused after issued", "another number", "other dates", "news after refused", "after withdrawn", "other day"],
)
async def test_p26_a_contradiction_is_held_for_an_officer(
    park: Park, before: str, then: str, more: dict[str, Any]
) -> None:
    case = await park.submitted(**ONE)
    await case.answer(before)
    permit = await case.permit()
    assert await case.answer(then, **more) == (202, "held")
    assert await case.permit() == permit
    assert await case.told("authority_conflict") == Counter(officers=1)
    assert "authority_conflict/HK" in await case.tasks()


async def test_p26_an_officer_applies_a_held_answer_with_a_second_signature(park: Park) -> None:
    case = await park.issued(**ONE)
    await case.answer("issued", outcome_id="other", authority_number="C-HK-9999")
    await case.claim("authority_conflict/HK")
    asked = {"destination": "HK", "outcome_id": "other"}
    await case.do(OFFICER, PermitCommand.ENTER_OUTCOME, **asked)
    assert (await case.permit())["pending_act"] == "outcome"
    assert await case.refused(OFFICER, PermitCommand.ENTER_OUTCOME, **asked) == "already_decided"
    confirmation = {"destination": "HK", "action": "confirm"}
    assert await case.refused(OFFICER, PermitCommand.PERMIT_CONFIRM, **confirmation) == "same_signer"
    await case.confirm_permit()
    permit = await case.permit()
    assert (permit["stage"], permit["authority_number"], permit["pending_act"]) == ("issued", "C-HK-9999", None)
    assert [old["authority_number"] for old in permit["earlier"]] == ["C-HK-0001"]
    assert await case.tasks() == {}


async def test_p26_a_rejected_signature_leaves_the_answer_held(park: Park) -> None:
    case = await park.issued(**ONE)
    await case.answer("refused", outcome_id="other")
    await case.do(OFFICER, PermitCommand.ENTER_OUTCOME, destination="HK", outcome_id="other")
    await case.confirm_permit("reject", "facts_incomplete")
    assert (await case.permit())["stage"] == "issued"
    assert list(await case.tasks()) == ["authority_conflict/HK"]
    await _sign_outcome(case, "other")
    assert (await case.permit())["stage"] == "refused"


async def test_p26_a_proposal_about_an_answer_outlives_the_end_of_the_registration(park: Park) -> None:
    case = await park.issued(**ONE)
    await case.answer("refused", outcome_id="other")
    await case.do(OFFICER, PermitCommand.ENTER_OUTCOME, destination="HK", outcome_id="other")
    await case.depart("2026-03-02")
    await case.at("2026-03-03")
    assert sorted(await case.tasks()) == ["authority_conflict/HK", "confirm/HK"]
    await case.confirm_permit()
    assert (await case.permit())["stage"] == "refused"


async def test_an_officer_enters_an_answer_from_a_numbered_paper(park: Park) -> None:
    case = await park.accepted(**ONE)
    paper = {
        "outcome": "issued",
        "authority_number": "C-HK-7",
        "occurred_at": "2026-03-02T09:00:00+08:00",
        "valid_from": "2026-03-10",
        "valid_until": "2029-03-09",
    }
    await case.do(OFFICER, PermitCommand.ENTER_OUTCOME, destination="HK", outcome_id="paper-7", **paper)
    await case.confirm_permit("reject", "facts_incomplete")
    # Entered again with what was mended: it stands in the first's place.
    await _sign_outcome(case, "paper-7", **paper | {"authority_number": "C-HK-8"})
    permit = await case.permit()
    assert (permit["stage"], permit["authority_number"]) == ("issued", "C-HK-8")
    (row,) = [row for row in await park.rows(tables.answers) if row["outcome_id"] == "paper-7"]
    assert (row["source"], row["state"]) == ("paper", "applied")
    again = {"destination": "HK", "outcome_id": "paper-7", **paper}
    assert await case.refused(OFFICER, PermitCommand.ENTER_OUTCOME, **again) == "already_decided"
    unknown = {"destination": "HK", "outcome_id": "nothing"}
    assert await case.refused(OFFICER, PermitCommand.ENTER_OUTCOME, **unknown) == "not_found"


async def test_p27_an_answer_about_an_unknown_case_leaves_a_row_and_a_line_only(park: Park) -> None:
    case = await park.review()
    with pytest.raises(Refused, match="case_unknown"):
        await case.answer("accepted")
    unknown = AuthorityAnswer.model_validate(
        {"outcome_id": "x", "case": f"{case.reference}/MO", "outcome": "accepted", "occurred_at": park.clock.at}
    )
    with pytest.raises(Refused, match="case_unknown"):
        await outcomes.receive(park.context, AUTHORITY, unknown)
    assert [i["reason"] for i in await park.rows(tables.incidents)] == ["case_unknown", "case_unknown"]
    refused = [row for row in await park.rows(tables.ledger) if row["act"] == "answer_refused"]
    assert len(refused) == 2
    assert await park.rows(tables.answers) == []
    assert "answer_received" not in await case.ledger()


async def test_two_terms_under_one_new_number_contradict_each_other(park: Park) -> None:
    case = await park.issued(**ONE)
    await case.answer("issued", authority_number="C-HK-0002", valid_from="2029-03-10", valid_until="2032-03-09")
    assert await case.answer(
        "issued", authority_number="C-HK-0002", valid_from="2029-03-10", valid_until="2033-03-09"
    ) == (202, "held")
    assert "authority_conflict/HK" in await case.tasks()
