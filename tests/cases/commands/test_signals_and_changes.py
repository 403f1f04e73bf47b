"""Rows R33 and R34 of states.md: decisions that another system signals, and changes of a registration."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import date
from uuid import UUID

import pytest
import pytest_asyncio

from cases.commands.signals import decision_hash, take_signalled
from domain.actors import Role
from domain.commands import CommandKind
from domain.errors import Refused
from domain.messages import DecisionSignal
from proof.statements import ActorStatement, sign
from store import tables
from tests.cases.contexts import EMPLOYER_A, OFFICER
from tests.cases.driver import OFFICER_2, Case, Park, china, open_park


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:  # a Monday
        yield park


def _signal(park: Park, case: Case, action: str = "approve", *, said: str | None = None) -> DecisionSignal:
    key_id, signing_key = park.context.keyring.signing_key()
    unsigned = DecisionSignal(message_id="m-1", action=action, round=1, reasons=(), statement="")
    statement = ActorStatement(
        key_id=key_id,
        issuer="test",
        subject="officer-1",
        role=Role.OFFICER,
        employer_id=None,
        command_id="m-1",
        reference=case.reference,
        kind="decide",
        body_hash=decision_hash(unsigned.model_copy(update={"action": said or action})),
        at=park.clock.at,
    )
    return unsigned.model_copy(update={"statement": sign(statement, signing_key)})


async def test_r33_a_signalled_decision_of_a_named_officer_is_applied_once(park: Park) -> None:
    case = await park.review()
    for _ in range(2):
        await take_signalled(park.context, case.reference, _signal(park, case), park.clock.at)
    await case.step()
    assert await case.stage() == "approved"
    (row,) = await park.rows(tables.ledger, tables.ledger.c.act == "decided")
    assert row["actor_subject"] == "officer-1"


@pytest.mark.parametrize("fault", ["another action", "broken", "another action known", "unknown action"])
async def test_r33_a_signal_that_proves_nothing_leaves_a_ledger_row_and_a_line_for_the_operator(
    park: Park, fault: str
) -> None:
    case = await park.review()
    signals = {
        "another action": _signal(park, case, said="refuse"),
        "broken": _signal(park, case).model_copy(update={"statement": "x.y"}),
        "another action known": _signal(park, case).model_copy(update={"message_id": "m-2"}),
        "unknown action": _signal(park, case, "grant"),
    }
    await take_signalled(park.context, case.reference, signals[fault], park.clock.at)
    await case.step()
    assert await case.stage() == "under_review"
    assert (await case.ledger())[-1] == "request_refused"
    assert [i["kind"] for i in await park.rows(tables.incidents)] == ["decision_signal"]


async def test_r33_a_signal_may_propose_a_refusal_and_a_refused_one_is_shown_to_the_operator(park: Park) -> None:
    case = await park.review()
    await case.approve(by=OFFICER_2)
    await take_signalled(park.context, case.reference, _signal(park, case), park.clock.at)
    await case.step()
    assert (await case.ledger())[-1] == "request_refused"
    assert [i["reason"] for i in await park.rows(tables.incidents)] == ["already_decided"]
    assert "decision_not_taken" not in await case.tasks()


async def test_r34_contact_and_language_change_at_once(park: Park) -> None:
    case = await park.approved()
    await case.do(EMPLOYER_A, CommandKind.CHANGE, email="new@example.com", language="en", phone=None)
    assert (await case.row())["facts_version"] == 2
    assert (await case.view())["person"]["language"] == "en"
    assert "change" not in await case.tasks()


async def test_r34_names_and_contract_wait_for_an_officer_and_add_up(park: Park) -> None:
    case = await park.approved()
    await case.do(EMPLOYER_A, CommandKind.CHANGE, name_zh="冯澄泽")
    await case.do(EMPLOYER_A, CommandKind.CHANGE, contract_end="2029-12-31")
    assert (await case.tasks())["change"]["detail"]["fields"] == ["contract_end", "name_zh"]
    assert (await case.row())["contract_end"] == date(2028, 12, 31)
    await case.do(OFFICER, CommandKind.ANSWER_TASK, task_id=await case.task_id("change"), action="take")
    row = await case.row()
    assert (row["contract_end"], row["facts_version"]) == (date(2029, 12, 31), 2)
    assert await case.told("change_taken") == Counter(employer=1)
    assert [str(d.date()) for d in (await case.deadlines())["contract_reminder"]] == ["2029-11-01", "2029-12-01"]


async def test_r34_a_change_of_an_open_case_plans_nothing_before_its_approval(park: Park) -> None:
    case = await park.review()
    await case.do(EMPLOYER_A, CommandKind.CHANGE, contract_end="2026-04-30")
    await case.do(OFFICER, CommandKind.ANSWER_TASK, task_id=await case.task_id("change"), action="take")
    assert "contract_reminder" not in await case.deadlines()
    assert await case.stage() == "under_review"


async def test_r34_an_officer_declines_and_nothing_changes(park: Park) -> None:
    case = await park.approved()
    await case.do(EMPLOYER_A, CommandKind.CHANGE, contract_end="2029-12-31")
    await case.do(OFFICER, CommandKind.ANSWER_TASK, task_id=await case.task_id("change"), action="decline")
    assert (await case.row())["contract_end"] == date(2028, 12, 31)
    assert (await case.ledger())[-1] == "change_declined"
    assert await case.told("change_declined") == Counter(employer=1)
    assert await case.told("change_taken") == Counter()


async def test_r34_a_contract_that_would_end_before_it_began_is_refused(park: Park) -> None:
    case = await park.approved()
    assert await case.refused(EMPLOYER_A, CommandKind.CHANGE, contract_end="2020-01-01") == "invalid"


async def test_a_task_that_is_closed_cannot_be_answered(park: Park) -> None:
    case = await park.approved()
    with pytest.raises(Refused, match="already_decided"):
        await case.do(OFFICER, CommandKind.ANSWER_TASK, task_id=UUID(int=1), action="done")
