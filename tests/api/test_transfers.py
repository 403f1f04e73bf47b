"""A change of employer: agreed to by the person, answered by the employer before, who never sees the other one."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest_asyncio
from sqlalchemy import select, text

from store import tables
from tests.api.conftest import Stage
from tests.api.employer_change import MAIL, PATH, Change, registered
from tests.api.persons import sign_in
from tests.api.walk import identity_number

EMPLOYER_C = {
    "uscc": "91440300MA5H0WEY05", "name_zh": "第三示例有限公司", "kind": "tech_enterprise", "premises": ["SZP-101"],
    "contact": {"email": "c@example.com", "language": "zh-Hans"}, "valid_from": "2026-01-01",
}  # fmt: skip


@pytest_asyncio.fixture
async def change(stage: Stage) -> Change:
    return await registered(stage)


def _code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


async def test_a_person_goes_to_another_employer_and_each_moment_has_one_live_case(change: Change) -> None:
    refused = await change.submit()
    assert _code(refused) == (409, "live_registration_exists")
    assert "/v1/me/transfers" in refused.json()["detail"]
    assert change.old not in refused.text
    assert "emp-a" not in refused.text
    agreed = await change.agree()
    assert (agreed.status_code, agreed.json()["state"]) == (202, "agreed"), agreed.text
    # Nobody but the person is told before the other employer makes use of it.
    assert await change.told(change.old) == await change.told(change.old) | {"transfer_agreed": {"person"}}
    before = await change.walk.case("employer-a", change.old)
    assert before["due_kind"] is None

    taken = await change.submit()
    assert taken.status_code == 202, taken.text
    new = taken.json()["reference"]
    await change.step(change.old)

    asked = await change.walk.case("employer-a", change.old)
    assert (asked["holder"], asked["due_kind"], asked["stage"]) == ("employer", "departure_answer", "approved")
    assert asked["due_at"].startswith("2026-03-09")
    assert (await change.told(change.old))["departure_asked"] == {"employer"}
    waiting = await change.stage.as_("employer-a").get("/v1/registrations", needs="employer")
    assert [each["reference"] for each in waiting.json()["items"]] == [change.old]
    assert await change.stages(change.old, new) == [("approved", False), ("under_review", True)]
    # A second employer's, and this one's own again, are refused as ever.
    again = await change.submit()
    assert _code(again) == (409, "live_registration_exists")
    assert new in again.json()["detail"]

    # It is decided meanwhile; its approval has no effect and is told to nobody before the one before has ended.
    assert (await change.approve(new)).status_code == 200
    await change.pass_time(new, hours=1)
    seen = await change.walk.case("employer-b", new)
    assert (seen["stage"], seen["registration_number"], seen["in_force"]) == ("under_review", None, False)
    assert "registration_approved" not in await change.told(new)
    confirmed = await change.answer({"action": "confirm", "last_day": "2026-03-04"})
    assert confirmed.status_code == 202, confirmed.text
    asked = await change.walk.case("employer-a", change.old)
    assert (asked["ended_on"], asked["due_kind"]) == ("2026-03-04", None)
    await change.pass_time(change.old, new, days=1)
    assert await change.stages(change.old, new) == [("approved", False), ("approved", True)]
    await change.pass_time(change.old, new, days=2)

    assert await change.stages(change.old, new) == [("ended", False), ("approved", False)]
    seen = await change.walk.case("employer-b", new)
    assert (seen["stage"], seen["in_force"]) == ("approved", True)
    assert (await change.told(new))["registration_approved"] == {"employer", "person"}
    assert "transfer_done" in await change.acts(new)
    assert "settled" in await change.acts(new)
    (shown,) = (await change.me().get(PATH)).json()["items"]
    assert (shown["state"], shown["employer_id"]) == ("done", "emp-b")
    await change.reconciled(change.old, new)


async def test_neither_employer_ever_sees_the_other(change: Change) -> None:
    new = await change.begin()
    await change.answer({"action": "deny"})
    await change.pass_time(change.old, new, hours=1)
    for persona, own, hidden in (
        ("employer-a", change.old, (new, "emp-b")),
        ("employer-b", new, (change.old, "emp-a")),
    ):
        other = new if own == change.old else change.old
        seen = (await change.stage.as_(persona).get(f"/v1/registrations/{own}")).text
        seen += (await change.stage.as_(persona).get("/v1/registrations")).text
        for word in hidden:
            assert word not in seen, (persona, word)
        async with change.stage.context.database.begin("emp-a" if persona == "employer-a" else "emp-b") as connection:
            assert (await connection.execute(select(tables.transfers))).all() == []
            for table in ("ledger", "commands", "notices", "cases", "case_parties"):
                rows = "\n".join((await connection.execute(text(f"SELECT t::text FROM {table} t"))).scalars())
                for word in hidden:
                    assert word not in rows, (persona, table, word)
        assert (await change.stage.as_(persona).get(f"/v1/registrations/{other}")).status_code == 404


async def test_an_address_on_the_new_case_alone_agrees_to_nothing(change: Change) -> None:
    by_link = await sign_in(change.stage, change.old, email=MAIL)
    assert _code(await by_link.post(PATH, {"reference": "HT-0000-0000-E", "employer": "emp-b"})) == (
        404,
        "case_unknown",
    )
    other = await change.walk.register(identity_number=identity_number(702), email="new@example.com", phone=None)
    stranger = await sign_in(change.stage, other, email="new@example.com")
    assert _code(await stranger.post(PATH, {"reference": change.old, "employer": "emp-b"})) == (404, "case_unknown")
    assert _code(await change.submit()) == (409, "live_registration_exists")
    agreed = await by_link.post(PATH, {"reference": change.old.lower(), "employer": "emp-b"})
    assert agreed.status_code == 202, agreed.text
    assert (await change.submit()).status_code == 202


async def test_an_employer_to_whom_nobody_can_go_is_named(change: Change) -> None:
    for employer in ("emp-a", "emp-nobody", "91440300MA5H0WEY05"):
        answer = await change.agree(employer)
        assert _code(answer) == (422, "invalid"), employer
        assert [each["field"] for each in answer.json()["errors"]] == ["employer"]
    assert (await change.me().get(PATH)).json()["items"] == []


async def test_no_agreement_for_a_case_that_is_not_in_force_or_to_an_employer_out_of_standing(change: Change) -> None:
    async def standing(of: str) -> None:
        body = {"standing": of, "valid_from": str(change.stage.clock().date())}
        await change.walk.call("supervisor", "POST", "/v1/employers/emp-b/standing", body)

    await standing("suspended")
    assert _code(await change.agree()) == (409, "employer_not_in_good_standing")
    await standing("good")
    open_case = await change.walk.register(identity_number=identity_number(703), email="n@example.com", phone=None)
    person = await sign_in(change.stage, open_case, email="n@example.com")
    assert _code(await person.post(PATH, {"reference": open_case, "employer": "emp-b"})) == (409, "wrong_stage")
    await change.walk.act("employer-a", open_case, "withdrawal", {})
    assert _code(await person.post(PATH, {"reference": open_case, "employer": "emp-b"})) == (409, "case_closed")


async def test_an_agreement_is_given_once_taken_back_and_runs_out(change: Change) -> None:
    first = await change.agree()
    assert _code(await change.agree()) == (409, "already_decided")
    path = f"{PATH}/{first.json()['id']}/withdrawal"
    back = await change.me().post(path, {})
    assert (back.status_code, back.json()["state"]) == (200, "withdrawn")
    assert _code(await change.me().post(path, {})) == (409, "already_decided")
    assert _code(await change.submit()) == (409, "live_registration_exists")
    assert (await change.told(change.old))["transfer_taken_back"] == {"person"}
    second = await change.agree()
    assert second.status_code == 202, second.text
    await change.pass_time(days=60)
    assert {each["state"] for each in (await change.me().get(PATH)).json()["items"]} == {"run_out", "withdrawn"}
    assert _code(await change.submit()) == (409, "live_registration_exists")
    late = await change.me().post(f"{PATH}/{second.json()['id']}/withdrawal", {})
    assert _code(late) == (409, "already_decided")
    assert "departure_asked" not in await change.acts(change.old)


async def test_what_was_made_use_of_is_taken_back_no_more(change: Change) -> None:
    agreed = await change.agree()
    new = (await change.submit()).json()["reference"]
    late = await change.me().post(f"{PATH}/{agreed.json()['id']}/withdrawal", {})
    assert _code(late) == (409, "already_decided")
    assert await change.stages(change.old, new) == [("approved", False), ("under_review", True)]


async def test_silence_and_denial_bring_an_officer_who_ends_the_transfer_or_reports_the_departure(
    change: Change,
) -> None:
    new = await change.begin()
    assert (await change.approve(new)).status_code == 200
    await change.pass_time(change.old, days=5)
    assert (await change.stage.as_("officer-1").get("/v1/tasks", kind="transfer")).json()["items"] == []
    await change.pass_time(change.old, days=3)
    (task,) = (await change.stage.as_("officer-1").get("/v1/tasks", kind="transfer")).json()["items"]
    assert (task["reference"], task["answers"]) == (change.old, ["departed", "end_transfer"])
    assert _code(await change.answer({"action": "deny"})) == (409, "already_decided")
    ended = await change.stage.as_("officer-1").post(f"/v1/tasks/{task['id']}/answer", {"action": "end_transfer"})
    assert ended.status_code == 200, ended.text
    await change.step(new)

    # The approval goes back to its officer, and is not given again while the other one lives.
    assert await change.stages(change.old, new) == [("approved", False), ("under_review", True)]
    assert (await change.told(new))["transfer_not_confirmed"] == {"employer", "person"}
    assert (await change.walk.case("officer-1", new))["registration_number"] is None
    assert _code(await change.approve(new)) == (409, "live_registration_exists")
    await change.reconciled(change.old, new)
    # Once the one before has ended after all, it can be.
    body = {"last_day": str(change.stage.clock().date()), "reason": "resigned"}
    await change.walk.act("employer-a", change.old, "departure", body)
    await change.pass_time(change.old, new, days=1)
    assert await change.stages(change.old, new) == [("ended", False), ("under_review", False)]
    assert (await change.approve(new)).status_code == 200
    await change.pass_time(new, minutes=11)
    assert (await change.walk.case("employer-b", new))["in_force"] is True
    await change.reconciled(change.old, new)


async def test_an_officer_reports_the_last_day_on_proof_with_a_second_signature(change: Change) -> None:
    new = await change.begin()
    assert (await change.answer({"action": "deny"})).status_code == 202
    assert (await change.walk.case("employer-a", change.old))["due_kind"] is None
    (task,) = (await change.stage.as_("officer-1").get("/v1/tasks", kind="transfer")).json()["items"]
    path = f"/v1/tasks/{task['id']}/answer"
    assert _code(await change.stage.as_("officer-1").post(path, {"action": "departed"})) == (422, "invalid")
    told = await change.stage.as_("officer-1").post(path, {"action": "departed", "last_day": "2026-03-02"})
    assert told.status_code == 200, told.text
    assert await change.stages(change.old, new) == [("approved", False), ("under_review", True)]
    await change.walk.confirm(change.old)
    await change.pass_time(change.old, new, days=1)
    assert await change.stages(change.old, new) == [("ended", False), ("under_review", False)]
    assert (await change.stage.as_("officer-1").get("/v1/tasks", kind="transfer")).json()["items"] == []
    await change.reconciled(change.old, new)


async def test_an_answer_that_nobody_asked_for_or_without_its_day_is_refused(change: Change) -> None:
    assert _code(await change.answer({"action": "deny"})) == (409, "wrong_stage")
    await change.begin()
    for body in ({"action": "confirm"}, {"action": "deny", "last_day": "2026-03-04"}, {"action": "perhaps"}):
        assert _code(await change.answer(body)) == (422, "invalid"), body
    far = await change.answer({"action": "confirm", "last_day": "2020-01-01"})
    assert _code(far) == (422, "invalid")
    assert far.json()["errors"][0]["field"] == "last_day"
    assert (await change.answer({"action": "deny"}, "employer-b")).status_code == 404
    assert (await change.walk.case("employer-a", change.old))["holder"] == "employer"


async def test_the_one_before_is_asked_no_more_once_the_one_that_follows_has_closed(change: Change) -> None:
    new = await change.begin()
    await change.walk.act("employer-b", new, "withdrawal", {})
    await change.step(change.old)
    case = await change.walk.case("employer-a", change.old)
    assert (case["stage"], case["due_kind"], case["ended_on"]) == ("approved", None, None)
    assert (await change.told(change.old))["departure_asked_no_more"] == {"employer"}
    assert _code(await change.answer({"action": "deny"})) == (409, "wrong_stage")
    (shown,) = (await change.me().get(PATH)).json()["items"]
    assert shown["state"] == "given_up"
    await change.reconciled(change.old, new)
    # The person may agree anew.
    assert (await change.begin()) != new


async def test_a_departure_known_before_is_not_asked_for(change: Change) -> None:
    body = {"last_day": "2026-03-03", "reason": "resigned"}
    await change.walk.act("employer-a", change.old, "departure", body)
    new = await change.begin()
    assert (await change.walk.case("employer-a", change.old))["due_kind"] is None
    assert "departure_asked" not in await change.told(change.old)
    await change.pass_time(change.old, new, days=2)
    assert await change.stages(change.old, new) == [("ended", False), ("under_review", False)]


async def test_the_employer_reports_by_itself_while_it_is_asked(change: Change) -> None:
    new = await change.begin()
    await change.walk.act("employer-a", change.old, "departure", {"last_day": "2026-03-03", "reason": "resigned"})
    assert (await change.walk.case("employer-a", change.old))["due_kind"] is None
    assert _code(await change.answer({"action": "deny"})) == (409, "wrong_stage")
    await change.pass_time(change.old, new, days=10)
    assert (await change.stage.as_("officer-1").get("/v1/tasks", kind="transfer")).json()["items"] == []
    assert await change.stages(change.old, new) == [("ended", False), ("under_review", False)]


async def test_a_revocation_of_the_one_before_lets_the_other_take_its_place(change: Change) -> None:
    new = await change.begin()
    await change.walk.act("officer-1", change.old, "revocation", {"reasons": [{"code": "false_statement"}]})
    await change.walk.confirm(change.old)
    await change.pass_time(change.old, new, hours=1)
    assert await change.stages(change.old, new) == [("ended", False), ("under_review", False)]
    assert _code(await change.answer({"action": "deny"})) == (409, "case_closed")


async def test_of_two_employers_that_were_both_named_the_first_follows(change: Change) -> None:
    await change.walk.call(
        "supervisor", "PUT", "/v1/employers/{employer_id}", EMPLOYER_C, places={"employer_id": "emp-c"}
    )
    assert (await change.agree("emp-b")).status_code == 202
    assert (await change.agree("emp-c")).status_code == 202
    assert (await change.submit("employer-b")).status_code == 202
    late = await change.submit("employer-c")
    assert _code(late) == (409, "live_registration_exists")
    assert _code(await change.agree("emp-c")) == (409, "already_decided")


async def test_a_case_that_follows_is_corrected_to_nobody_else(change: Change) -> None:
    new = await change.begin()
    case = await change.walk.case("officer-1", new)
    body = {"action": "return", "round": case["round"], "reasons": [{"code": "identity_number_wrong"}]}
    await change.walk.act("officer-1", new, "decision", body)
    other = {"person": {"identity_number": identity_number(799)}}
    answer = await change.stage.as_("employer-b").post(f"/v1/registrations/{new}/correction", other)
    assert _code(answer) == (422, "invalid"), answer.text
    assert await change.stages(new) == [("correction_requested", True)]


async def test_a_double_click_takes_one_case_on(change: Change) -> None:
    agreed = await change.agree(key="t-1")
    assert (await change.agree(key="t-1")).text == agreed.text
    first = await change.submit(key="s-1")
    again = await change.submit(key="s-1")
    assert (first.status_code, again.text) == (202, first.text)
    async with change.stage.context.database.begin() as connection:
        assert len((await connection.execute(select(tables.cases))).all()) == 2


async def _differs(change: Change, reference: str) -> set[tuple[str, str]]:
    answer = await change.stage.as_("auditor").get(f"/v1/audit/cases/{reference}/reconciliation")
    found = answer.json()["differences"]
    return {(each["code"], each["place"].get("act", "")) for each in found if each["code"] != "history_missing"}


async def test_what_a_transfer_came_to_is_held_against_the_ledger_of_both_cases(change: Change) -> None:
    new = await change.begin()
    await change.answer({"action": "confirm", "last_day": "2026-03-04"})
    await change.pass_time(change.old, new, days=3)
    await change.step(new)
    await change.reconciled(change.old, new)
    untold = ("register_row_untold", "")
    differing: dict[str, tuple[set[tuple[str, str]], set[tuple[str, str]]]] = {
        # Neither side says that the person took it back, and the other case went on by it.
        "state = 'withdrawn'": ({untold}, {untold, ("ledger_row_without_counterpart", "transfer_done")}),
        "state = 'not_confirmed'": ({untold}, {("ledger_row_without_counterpart", "transfer_done")}),
        "state = 'given_up'": (set(), {untold, ("ledger_row_without_counterpart", "transfer_done")}),
        "taken_at = agreed_at - interval '1 hour'": (set(), {("ledger_row_without_counterpart", "transfer_begun")}),
    }
    for written, (of_old, of_new) in differing.items():
        async with change.stage.context.database.begin() as connection:
            (kept,) = (await connection.execute(select(tables.transfers.c.state, tables.transfers.c.taken_at))).all()
            await connection.execute(text(f"UPDATE transfers SET {written}"))
        assert await _differs(change, change.old) == of_old, written
        assert await _differs(change, new) == of_new, written
        async with change.stage.context.database.begin() as connection:
            await connection.execute(tables.transfers.update().values(**kept._mapping))
    await change.reconciled(change.old, new)


async def _answer_due(change: Change) -> datetime:
    d = tables.deadlines.c
    query = select(d.at).where(d.reference == change.old, d.kind == "departure_answer")
    async with change.stage.context.database.begin() as connection:
        due: datetime = (await connection.execute(query)).scalar_one()
    return due


async def _say(change: Change, body: Any) -> Any:
    """Store an answer of the employer before; the case does not hear of it yet."""
    return await change.stage.as_("employer-a").post(f"/v1/registrations/{change.old}/departure-answer", body)


async def test_an_answer_that_is_stored_in_time_comes_before_the_limit(change: Change) -> None:
    await change.begin()
    change.stage.clock.at = await _answer_due(change) - timedelta(seconds=1)
    change.stage._callers.clear()
    assert (await _say(change, {"action": "confirm", "last_day": "2026-03-06"})).status_code == 202
    # The case hears of both once the limit is over.
    await change.pass_time(change.old, minutes=1)
    assert "departure_unanswered" not in await change.acts(change.old)
    assert (await change.stage.as_("officer-1").get("/v1/tasks", kind="transfer")).json()["items"] == []
    assert (await change.walk.case("employer-a", change.old))["ended_on"] == "2026-03-06"


async def test_an_answer_at_the_very_moment_of_the_limit_is_taken_once_whichever_comes_first(change: Change) -> None:
    new = await change.begin()
    change.stage.clock.at = await _answer_due(change)
    change.stage._callers.clear()
    said, _ = await asyncio.gather(
        _say(change, {"action": "confirm", "last_day": "2026-03-06"}), change.step(change.old)
    )
    assert said.status_code == 202, said.text
    await change.step(change.old, change.old)
    acts = await change.acts(change.old)
    assert (acts.count("departure_reported"), acts.count("departure_unanswered") <= 1) == (1, True)
    # A task that the limit opened is closed by the answer: nobody is left with it.
    assert (await change.stage.as_("officer-1").get("/v1/tasks", kind="transfer")).json()["items"] == []
    assert (await change.walk.case("employer-a", change.old))["due_kind"] is None
    await change.pass_time(change.old, new, days=2)
    await change.step(new)
    assert (await change.acts(new)).count("transfer_done") == 1
    await change.reconciled(change.old, new)


async def test_a_denial_at_the_very_moment_of_the_limit_opens_one_task(change: Change) -> None:
    new = await change.begin()
    change.stage.clock.at = await _answer_due(change)
    change.stage._callers.clear()
    said, _ = await asyncio.gather(_say(change, {"action": "deny"}), change.step(change.old))
    assert said.status_code in (202, 409), said.text
    await change.step(change.old, change.old)
    acts = await change.acts(change.old)
    assert acts.count("departure_denied") + acts.count("departure_unanswered") == 1
    (task,) = (await change.stage.as_("officer-1").get("/v1/tasks", kind="transfer")).json()["items"]
    assert task["reference"] == change.old
    await change.reconciled(change.old, new)
