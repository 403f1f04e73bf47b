"""Rows R9 to R15 of states.md: claims, decisions, recall and second signatures."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import product
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from cases.shared import sign_ins
from cases.tasks import inbox
from domain.commands import CommandKind
from domain.errors import Refused
from domain.task_lists import TaskChoice
from domain.tasks import TaskKind
from programmes.talent_permit.tables import permits
from store import tables
from tests.cases.contexts import EMPLOYER_A, OFFICER, SUPERVISOR, key
from tests.cases.driver import MENDED, OFFICER_2, PERSON, Case, Park, china, open_park

FAILING = {"contract_end": "2026-02-28"}  # before the day of acceptance: a `fail` that the employer sees


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:  # a Monday
        yield park


async def _failing(park: Park) -> Case:
    """Return a case under review of which a finding failed."""
    case = await park.review(employment=FAILING)
    assert (await case.view())["assessment"] == "needs_officer"
    return case


async def test_r9_a_claim_keeps_others_away(park: Park) -> None:
    case = await park.review()
    await case.claim("review")
    with pytest.raises(Refused, match="task_held"):
        await case.claim("review", by=OFFICER_2)
    given = {"action": "approve", "round": 1}
    assert await case.refused(OFFICER_2, CommandKind.DECIDE, **given) == "task_held"


async def test_r9_two_officers_never_get_the_same_next_task(park: Park) -> None:
    await park.review()
    await park.review(identity_number="33010619860128072X")
    first = await inbox.claim_next(park.context, OFFICER, None, key())
    second = await inbox.claim_next(park.context, OFFICER_2, None, key())
    assert first.body["id"] != second.body["id"]
    assert (await inbox.claim_next(park.context, OFFICER, None, key())).progress == "nothing"


async def test_r9_the_inbox_shows_overdue_tasks_first_and_then_the_earliest(park: Park) -> None:
    early = await park.review()
    park.clock.at = china("2026-03-04")
    later = await park.review(identity_number="33010619860128072X")
    items, _ = await inbox.list_tasks(park.context, SUPERVISOR)
    assert [item.reference for item in items] == [early.reference, later.reference]
    await later.set_row(overdue=True)
    async with park.context.database.begin() as connection:
        overdue = tables.tasks.update().where(tables.tasks.c.reference == later.reference).values(overdue=True)
        await connection.execute(overdue)
    items, position = await inbox.list_tasks(park.context, SUPERVISOR, limit=1)
    assert [item.reference for item in items] == [later.reference]
    rest, _ = await inbox.list_tasks(park.context, SUPERVISOR, after=position)
    assert [item.reference for item in rest] == [early.reference]


async def test_every_filter_of_the_inbox_can_be_read(park: Park) -> None:
    case = await park.review()
    due = (await case.tasks())["review"]["due_at"]
    after = (False, due, china("2026-01-01"), str(uuid4()))
    for actor in (SUPERVISOR, OFFICER):
        for kind, holder, employer in product((None, TaskKind.REVIEW), (None, "none"), (None, "emp-a")):
            for before, is_in in ((due, False), (due + timedelta(seconds=1), True)):
                chosen: dict[str, Any] = {"kind": kind, "holder": holder, "employer_id": employer, "due_before": before}
                for place in (None, after):
                    items, _ = await inbox.list_tasks(park.context, actor, TaskChoice(**chosen), after=place)
                    assert [item.reference for item in items] == [case.reference] * is_in, chosen
        for holder in ("me", "officer-2"):
            assert await inbox.list_tasks(park.context, actor, TaskChoice(holder=holder, due_before=due)) == ([], None)


async def test_r9_a_supervisor_assigns_and_others_release(park: Park) -> None:
    case = await park.review()
    task_id = await case.task_id("review")
    await sign_ins.record(park.context, OFFICER_2, b"token")
    await inbox.assign(park.context, SUPERVISOR, task_id, "officer-2", key())
    await case.claim("review", by=OFFICER_2)
    with pytest.raises(Refused, match="task_held"):
        await inbox.release(park.context, OFFICER, task_id, False, key())
    await inbox.release(park.context, OFFICER_2, task_id, False, key())
    assert (await case.tasks())["review"]["holder"] is None
    assert await case.ledger() == ["submitted", "started", "assessed", "assigned", "released"]


async def test_r9_a_conflict_of_interest_bars_the_officer_from_the_case(park: Park) -> None:
    case = await park.review()
    await inbox.release(park.context, OFFICER, await case.task_id("review"), True, key())
    with pytest.raises(Refused, match="role_not_allowed"):
        await case.claim("review")
    await sign_ins.record(park.context, OFFICER, b"token")
    with pytest.raises(Refused, match="role_not_allowed"):
        await inbox.assign(park.context, SUPERVISOR, await case.task_id("review"), "officer-1", key())
    assert await case.refused(OFFICER, CommandKind.DECIDE, action="approve", round=1) == "role_not_allowed"
    assert (await inbox.claim_next(park.context, OFFICER, None, key())).progress == "nothing"
    await case.decide("refuse", "employment_unproved", by=OFFICER_2)
    assert await case.refused(OFFICER, CommandKind.CONFIRM, action="confirm", round=1) == "role_not_allowed"
    held = {"action": "place", "reason": "legal_question"}
    assert await case.refused(OFFICER, CommandKind.HOLD, **held) == "role_not_allowed"


async def test_r9_a_claim_without_an_act_returns_after_one_working_day(park: Park) -> None:
    case = await park.review()
    await case.claim("review")
    park.clock.at = china("2026-03-03", "23:59:58")
    await park.watch()
    assert (await case.tasks())["review"]["holder"] is not None
    park.clock.at = china("2026-03-04", "00:00")
    await park.watch()
    assert (await case.tasks())["review"]["holder"] is None
    assert (await case.ledger())[-1] == "claim_lapsed"


async def test_r9_deciding_a_free_task_claims_it(park: Park) -> None:
    case = await park.review()
    await case.decide("approve")
    (task,) = await park.rows(tables.tasks, tables.tasks.c.kind == "review")
    assert (task["state"], task["holder"]) == ("done", "test officer-1")


async def test_r9_the_own_proposal_is_never_the_next_task(park: Park) -> None:
    case = await park.review()
    await case.decide("refuse", "employment_unproved")
    assert (await inbox.claim_next(park.context, OFFICER, None, key())).progress == "nothing"
    with pytest.raises(Refused, match="same_signer"):
        await case.claim("confirm")
    assert (await inbox.claim_next(park.context, OFFICER_2, TaskKind.CONFIRM, key())).progress == "applied"


async def test_r10_an_approval_registers_and_settles_before_anyone_is_told(park: Park) -> None:
    case = await park.review()
    view = await case.decide("approve")
    assert view["stage"] == "approved"
    assert view["registration_number"].startswith("HR-2026-")
    row = await case.row()
    assert (row["due_at"], row["clock"], row["settled"]) == (None, "stopped", False)
    (notice,) = await case.notices("registration_approved")
    deliveries = await park.rows(tables.deliveries, tables.deliveries.c.notice_id == notice["notice_id"])
    assert {d["next_attempt"] for d in deliveries} == {park.clock.at + timedelta(minutes=10)}
    assert await park.rows(permits) == []
    await case.after(minutes=9)
    assert await park.rows(permits) == []
    await case.after(minutes=1)
    assert {p["stage"] for p in await park.rows(permits)} == {"eligible"}
    assert await case.told("registration_approved") == Counter(employer=1, person=1)


async def test_r10_outsiders_see_a_settling_approval_as_under_review(park: Park) -> None:
    case = await park.review()
    due = (await case.view(EMPLOYER_A))["due_at"]
    await case.decide("approve")
    for reader in (EMPLOYER_A, PERSON):
        view = await case.view(reader)
        assert (view["stage"], view["registration_number"], view["permits"]) == ("under_review", None, [])
        assert (view["due_at"], view["due_kind"], view["clock"], view["holder"]) == (
            due,
            "park_decision",
            "running",
            "park",
        )
        assert not view["in_force"]
    await case.after(minutes=10)
    assert (await case.view(EMPLOYER_A))["stage"] == "approved"


async def test_r10_questions_left_open_are_noted_when_no_reason_is_given(park: Park) -> None:
    case = await park.review(permit_card_number=None, permit_card_valid_until=None)
    assert (await case.view())["assessment"] == "needs_officer"
    await case.decide("approve")
    assert (await case.last("decided"))["overrides_unexplained"] is True


async def test_r10_override_reasons_are_recorded(park: Park) -> None:
    case = await park.review(permit_card_number=None, permit_card_valid_until=None)
    await case.decide("approve", "permit_card_missing")
    decided = await case.last("decided")
    assert (decided["reason_codes"], decided["overrides_unexplained"]) == (["permit_card_missing"], False)


async def test_r10a_a_recall_undoes_what_nobody_has_heard_of(park: Park) -> None:
    case = await park.review()
    number = (await case.decide("approve"))["registration_number"]
    await case.after(minutes=9)
    view = await case.do(OFFICER, CommandKind.RECALL, reason="误操作")
    assert (view["stage"], view["round"], view["registration_number"]) == ("under_review", 2, None)
    assert await case.due() == "2026-03-09"
    assert {n["status"] for n in await case.notices("registration_approved")} == {"suppressed"}
    assert list(await case.tasks()) == ["review"]
    assert "settled" not in await case.deadlines()
    assert (await case.decide("approve"))["registration_number"] != number
    assert {n["status"] for n in await case.notices("registration_approved")} == {"suppressed", "queued"}


async def test_r10a_only_the_one_who_gave_the_approval_effect_recalls_it(park: Park) -> None:
    case = await park.review()
    await case.decide("approve")
    assert await case.refused(OFFICER_2, CommandKind.RECALL, reason="不同意") == "role_not_allowed"
    await case.after(minutes=10)
    assert await case.refused(OFFICER, CommandKind.RECALL, reason="太晚了") == "wrong_stage"


async def test_r10a_after_two_signatures_the_second_signer_recalls(park: Park) -> None:
    case = await _failing(park)
    await case.decide("approve", "document_seen")
    await case.confirm()
    assert await case.refused(OFFICER, CommandKind.RECALL, reason="误操作") == "role_not_allowed"
    await case.do(OFFICER_2, CommandKind.RECALL, reason="误操作")
    assert await case.stage() == "under_review"


async def test_r10a_a_recall_keeps_a_case_overdue_and_reminds_of_nothing_twice(park: Park) -> None:
    case = await park.review()
    await case.at("2026-03-10")
    told = await case.told()
    await case.decide("approve", by=SUPERVISOR)
    await case.do(SUPERVISOR, CommandKind.RECALL, reason="误操作")
    await case.step()
    assert (await case.row())["overdue"]
    assert (await case.told())["decision_delayed/employer"] == told["decision_delayed/employer"] == 1
    assert (await case.told())["due_soon/park"] == told["due_soon/park"]
    assert (await case.tasks())["review"]["overdue"]


async def test_r10a_what_an_employer_would_hand_over_is_suppressed_too(park: Park) -> None:
    case = await park.review(email=None, phone=None)
    await case.decide("approve")
    await case.do(OFFICER, CommandKind.RECALL, reason="误操作")
    handed = [n for n in await case.notices("hand_over_requested") if "approved" in n["occasion"]]
    assert [n["status"] for n in handed] == ["suppressed"]


async def test_r11_an_approval_over_a_failed_finding_needs_a_second_signature(park: Park) -> None:
    case = await _failing(park)
    assert await case.refused(OFFICER, CommandKind.DECIDE, action="approve", round=1) == "reason_missing"
    view = await case.decide("approve", "document_seen")
    assert (view["stage"], view["pending_act"]) == ("awaiting_confirmation", "approve")
    assert await case.told("second_signature_requested") == Counter(officers=1, supervisors=1)
    assert list(await case.tasks()) == ["confirm"]
    assert await case.refused(OFFICER, CommandKind.CONFIRM, action="confirm", round=1) == "same_signer"
    assert (await case.confirm())["stage"] == "approved"
    await case.after(minutes=10)
    assert await case.told("registration_approved") == Counter(employer=1, person=1)


async def test_r11_an_approval_over_a_missing_fact_counts_as_one_over_a_fail(park: Park) -> None:
    case = await park.review(employment={"state_worker": True})
    await case.do(EMPLOYER_A, CommandKind.CONTEST, note="不是公职人员")
    assert (await case.decide("approve", "finding_mistaken"))["stage"] == "awaiting_confirmation"


async def test_r12_a_return_stops_the_clock_and_lists_the_defects(park: Park) -> None:
    case = await park.review()
    await case.decide("return", "name_differs", "document_unreadable")
    row = await case.row()
    assert (row["stage"], row["clock"], row["holder"], row["returns"]) == (
        "correction_requested",
        "stopped",
        "employer",
        1,
    )
    assert await case.told("correction_requested") == Counter(employer=1)
    assert await case.tasks() == {}


async def test_r12_a_second_return_names_only_what_was_named_or_brought(park: Park) -> None:
    case = await park.review()
    await case.decide("return", "name_differs")
    await case.do(EMPLOYER_A, CommandKind.CORRECT, person={"permit_card_number": "C87654321"})
    new = {"action": "return", "round": 2, "reasons": [{"code": "contact_unusable"}]}
    assert await case.refused(OFFICER, CommandKind.DECIDE, **new) == "return_not_allowed"
    await case.decide("return", "name_differs")
    assert await case.stage() == "correction_requested"


async def test_r12_a_defect_that_the_correction_brought_may_be_named(park: Park) -> None:
    case = await park.review()
    await case.decide("return", "name_differs")
    await case.do(EMPLOYER_A, CommandKind.CORRECT, employment={"work_site": "别处"})
    await case.decide("return", "work_site_unknown")
    assert await case.stage() == "correction_requested"


async def test_r12_a_supervisor_may_name_a_new_defect_and_nobody_returns_a_fourth_time(park: Park) -> None:
    case = await park.review()
    await case.decide("return", "name_differs")
    for code in ("contact_unusable", "document_unreadable"):
        await case.do(EMPLOYER_A, CommandKind.CORRECT, employment={"position": "工程师"})
        await case.decide("return", code, by=SUPERVISOR)
    await case.do(EMPLOYER_A, CommandKind.CORRECT, employment={"position": "研究员"})
    last = {"action": "return", "round": 4, "reasons": [{"code": "name_differs"}]}
    assert await case.refused(SUPERVISOR, CommandKind.DECIDE, **last) == "return_not_allowed"


async def test_r12_reasons_have_to_be_published_and_of_the_right_use(park: Park) -> None:
    case = await park.review()
    for reasons, code in (
        ([], "reason_missing"),
        (["nonsense"], "reason_unknown"),
        (["resigned"], "reason_not_allowed"),
    ):
        given = {"action": "return", "round": 1, "reasons": [{"code": c} for c in reasons]}
        assert await case.refused(OFFICER, CommandKind.DECIDE, **given) == code


async def test_r13_a_refusal_is_a_proposal_and_the_clock_runs_on(park: Park) -> None:
    case = await park.review()
    due = await case.due()
    await case.decide("refuse", "employment_unproved", note="仅供内部")
    row = await case.row()
    assert (row["stage"], row["pending_act"], row["clock"]) == ("awaiting_confirmation", "refuse", "running")
    assert await case.due() == due
    assert await case.told("second_signature_requested") == Counter(officers=1, supervisors=1)


async def test_r13_outsiders_see_nothing_of_a_proposal(park: Park) -> None:
    case = await park.review()
    await case.decide("refuse", "employment_unproved", note="仅供内部")
    await case.store(OFFICER_2, CommandKind.HOLD, action="place", reason="legal_question")
    await case.step()
    view = await case.view(EMPLOYER_A)
    assert view["stage"] == "under_review"
    for name in ("pending_act", "pending", "hold", "standing_hold", "tasks", "returns", "contested"):
        assert name not in view
    assert "employment_unproved" not in str(view)
    assert {finding["audience"] for finding in view["findings"]} == {"employer"}
    staff = await case.view()
    assert (staff["stage"], staff["pending"]["note"]) == ("awaiting_confirmation", "仅供内部")


async def test_r13_a_refused_act_tells_an_outsider_nothing_of_the_stage(park: Park) -> None:
    case = await park.review()
    await case.decide("refuse", "employment_unproved")
    with pytest.raises(Refused) as refused:
        await case.do(EMPLOYER_A, CommandKind.CORRECT, **MENDED)
    assert refused.value.code == "wrong_stage"
    assert "confirmation" not in refused.value.detail


async def test_r14_the_second_signature_refuses_by_a_letter(park: Park) -> None:
    case = await park.review()
    reasons = [{"code": "employment_unproved", "note": "合同缺页"}]
    await case.do(OFFICER, CommandKind.DECIDE, action="refuse", round=1, reasons=reasons, note="仅供内部")
    await case.confirm()
    row = await case.row()
    assert (row["stage"], row["pending_act"], row["due_at"]) == ("refused", None, None)
    assert await case.told("registration_refused") == Counter(employer=1, person=1)
    assert (await case.last("confirmed"))["reason_codes"] == ["employment_unproved"]
    assert await case.tasks() == {}
    assert await case.deadlines() == {}
    assert case.course is not None
    assert case.course.finished


async def test_r14_a_decision_on_a_decided_round_is_refused(park: Park) -> None:
    case = await park.review()
    await case.decide("refuse", "employment_unproved")
    assert await case.refused(OFFICER_2, CommandKind.DECIDE, action="approve", round=1) == "already_decided"
    await case.confirm()
    assert await case.refused(OFFICER_2, CommandKind.CONFIRM, action="confirm", round=1) == "case_closed"


async def test_r15_a_rejection_gives_the_review_back_to_the_proposer(park: Park) -> None:
    case = await park.review()
    await case.decide("refuse", "employment_unproved")
    wrong = {"action": "reject", "round": 1, "reasons": []}
    assert await case.refused(OFFICER_2, CommandKind.CONFIRM, **wrong) == "reason_missing"
    await case.confirm("reject", "reason_not_supported")
    row = await case.row()
    assert (row["stage"], row["round"], row["pending_act"]) == ("under_review", 2, None)
    assert (await case.tasks())["review"]["holder"] == "test officer-1"
    assert await case.told("second_signature_rejected") == Counter(proposer=1)
    assert "decided" in await case.ledger()
    assert await case.refused(OFFICER, CommandKind.DECIDE, action="approve", round=1) == "stale_round"
    await case.approve()
    assert await case.stage() == "approved"


async def test_a_second_signature_that_is_late_is_asked_for_again(park: Park) -> None:
    case = await park.review()
    await case.decide("refuse", "employment_unproved")
    await case.at("2026-03-04", "00:00")
    assert await case.told("second_signature_requested") == Counter(officers=2, supervisors=2)
