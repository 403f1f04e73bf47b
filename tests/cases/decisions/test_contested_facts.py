"""Facts that officers saw, contested and answered, and what the record says of them."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cases.case.requests import list_requests
from domain.commands import CommandKind
from domain.languages import Language
from domain.purposes import Purpose
from record.re_evaluation import evaluate_again
from sandbox.stack.postgres import PostgresServer
from tests.cases.contexts import EMPLOYER_A, OFFICER, SUPERVISOR
from tests.cases.driver import OFFICER_2, PERSON, Case, Park, china, open_park
from tests.cases.facts import AUDITOR, LAST_DAY, SHORT, differences, found, record
from tests.record.reconciliation.tampering import as_owner, open_cluster


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


@pytest_asyncio.fixture
async def cluster(postgres: PostgresServer, database_name: str) -> AsyncIterator[AsyncEngine]:
    async with open_cluster(postgres, database_name) as engine:
        yield engine


# Contesting.


async def test_a_contest_reaches_an_officer_with_its_words(park: Park) -> None:
    case = await park.review(**SHORT)
    await record(case, LAST_DAY, "2036-05-31")
    view = await case.do(EMPLOYER_A, CommandKind.CONTEST_FACT, fact=1, note="这是旧证件")
    assert view["reference"] == case.reference
    task = (await case.tasks())["fact_contested"]
    assert task["detail"] == {"facts": [1]}
    assert (await case.view(EMPLOYER_A))["recorded_facts"][0]["contest"] == "open"
    items, _ = await list_requests(park.context, OFFICER_2, case.reference, Purpose.CASE_REVIEW)
    assert [each.content for each in items if each.kind == "contest_fact"] == [{"fact": 1, "note": "这是旧证件"}]
    assert await case.refused(EMPLOYER_A, CommandKind.CONTEST_FACT, fact=1, note="x") == "already_decided"
    assert await case.refused(EMPLOYER_A, CommandKind.CONTEST_FACT, fact=2, note="x") == "not_found"


async def test_whoever_recorded_a_fact_does_not_answer_its_contest(park: Park) -> None:
    case = await park.review(**SHORT)
    await record(case, LAST_DAY, "2036-05-31")
    await case.do(PERSON, CommandKind.CONTEST_FACT, fact=1, note="x")
    task_id = await case.task_id("fact_contested")
    answer = {"task_id": task_id, "action": "uphold"}
    assert await case.refused(OFFICER, CommandKind.ANSWER_TASK, **answer) == "same_signer"
    assert await case.refused(OFFICER_2, CommandKind.ANSWER_TASK, task_id=task_id, action="done") == "invalid"
    await case.do(OFFICER_2, CommandKind.ANSWER_TASK, **answer)
    shown = (await case.view())["recorded_facts"][0]
    assert (shown["state"], shown["contest"]) == ("stands", "answered")
    assert await found(case, "permit_card_ends_early") == "pass"
    assert "fact_contested" not in await case.tasks()


async def test_employer_and_person_may_each_contest_a_fact_once(park: Park) -> None:
    case = await park.review(**SHORT)
    await record(case, LAST_DAY, "2036-05-31")
    await case.do(EMPLOYER_A, CommandKind.CONTEST_FACT, fact=1, note="x")
    task_id = await case.task_id("fact_contested")
    await case.do(OFFICER_2, CommandKind.ANSWER_TASK, task_id=task_id, action="uphold")
    assert await case.told("fact_upheld") == Counter(employer=1)
    await case.after(minutes=1)
    await case.do(PERSON, CommandKind.CONTEST_FACT, fact=1, note="y")
    assert (await case.view())["recorded_facts"][0]["contest"] == "open"
    assert await case.task_id("fact_contested") != task_id
    assert await case.refused(PERSON, CommandKind.CONTEST_FACT, fact=1, note="y") == "already_decided"
    await case.do(OFFICER_2, CommandKind.ANSWER_TASK, task_id=await case.task_id("fact_contested"), action="uphold")
    assert await case.told("fact_upheld") == Counter(employer=1, person=1)  # each of its own contest
    assert await differences(case) == set()


async def test_a_fact_set_aside_lets_what_was_given_hold_again(park: Park) -> None:
    case = await park.review(**SHORT)
    await record(case, LAST_DAY, "2036-05-31")
    await case.do(EMPLOYER_A, CommandKind.CONTEST_FACT, fact=1, note="x")
    task_id = await case.task_id("fact_contested")
    await case.do(OFFICER_2, CommandKind.ANSWER_TASK, task_id=task_id, action="set_aside")
    assert (await case.view())["recorded_facts"][0]["state"] == "set_aside"
    assert await case.told("fact_set_aside") == Counter(employer=1, person=1)
    assert await case.told("fact_upheld") == Counter()
    assert await found(case, "permit_card_ends_early") == "fail"
    assert await case.refused(EMPLOYER_A, CommandKind.CONTEST_FACT, fact=1, note="x") == "wrong_stage"


async def test_of_several_contested_facts_those_named_are_set_aside(park: Park) -> None:
    case = await park.review(**SHORT)
    await record(case, LAST_DAY, "2036-05-31")
    await record(case, "employment.position", "工程师")
    for number in (1, 2):
        await case.do(EMPLOYER_A, CommandKind.CONTEST_FACT, fact=number, note="x")
    task = (await case.tasks())["fact_contested"]
    assert task["detail"] == {"facts": [1, 2]}
    wrong = {"task_id": task["task_id"], "action": "set_aside", "facts": [3]}
    assert await case.refused(OFFICER_2, CommandKind.ANSWER_TASK, **wrong) == "invalid"
    await case.do(OFFICER_2, CommandKind.ANSWER_TASK, task_id=task["task_id"], action="set_aside", facts=[2])
    states = [(each["state"], each["contest"]) for each in (await case.view())["recorded_facts"]]
    assert states == [("stands", "answered"), ("set_aside", "answered")]


async def test_a_contest_is_answered_after_the_case_has_closed_too(park: Park) -> None:
    case = await park.review(**SHORT)
    await record(case, LAST_DAY, "2036-05-31")
    await case.do(EMPLOYER_A, CommandKind.CONTEST_FACT, fact=1, note="x")
    await case.do(EMPLOYER_A, CommandKind.WITHDRAW)
    assert list(await case.tasks()) == ["fact_contested"]
    task_id = await case.task_id("fact_contested")
    await case.do(OFFICER_2, CommandKind.ANSWER_TASK, task_id=task_id, action="uphold")
    assert await case.tasks() == {}
    assert await differences(case) == set()


async def test_a_contested_fact_that_is_recorded_anew_needs_no_answer(park: Park) -> None:
    case = await park.review(**SHORT)
    await record(case, LAST_DAY, "2028-01-01")
    await case.do(EMPLOYER_A, CommandKind.CONTEST_FACT, fact=1, note="有新证件")
    await record(case, LAST_DAY, "2036-05-31", by=SUPERVISOR)
    assert sorted(await case.tasks()) == ["review"]


# The record.


async def _walked(park: Park) -> Case:
    case = await park.review(**SHORT)
    await record(case, LAST_DAY, "2028-01-01")
    await case.after(minutes=1)
    await record(case, LAST_DAY, "2036-05-31")
    await case.after(minutes=1)
    await record(case, "employment.position", "工程师")
    await case.after(minutes=1)
    await case.do(EMPLOYER_A, CommandKind.CONTEST_FACT, fact=3, note="x")
    await case.after(minutes=1)
    await case.do(OFFICER_2, CommandKind.ANSWER_TASK, task_id=await case.task_id("fact_contested"), action="set_aside")
    await case.after(minutes=1)
    await case.decide("approve")
    await case.confirm()
    await case.after(minutes=10)
    return case


async def test_the_records_of_a_case_with_facts_agree_and_its_rules_find_the_same_again(park: Park) -> None:
    case = await _walked(park)
    assert await differences(case) == set()
    again = await evaluate_again(park.context, AUDITOR, case.reference, Language.EN)
    assert again.same
    by_scope = {run.scope: run for run in again.assessments}
    assert [each.number for each in by_scope["HK"].recorded_facts] == [2]
    assert by_scope["HK"].turned == ["permit_card_ends_early"]
    (first,) = [run for run in again.assessments if (run.scope, run.seq) == ("registration", 1)]
    assert (first.recorded_facts, first.turned) == ([], [])


CHANGED = {
    "a fact replaced": ("UPDATE case_facts SET body = 'x' WHERE number = 2", "ledger_row_without_counterpart"),
    "a fact taken away": ("DELETE FROM case_facts WHERE number = 2", "ledger_row_without_counterpart"),
    "another field": ("UPDATE case_facts SET field = 'employment.position' WHERE number = 2", "register_row_untold"),
    "another officer": (
        """UPDATE case_facts SET seen_by = seen_by || '{"subject": "x"}' WHERE number = 2""",
        "ledger_row_without_counterpart",
    ),
    "a fact set aside by nobody": ("UPDATE case_facts SET state = 'set_aside' WHERE number = 2", "register_row_untold"),
    "a fact let stand again": ("UPDATE case_facts SET state = 'stands' WHERE number = 3", "register_row_untold"),
    "a replaced one let stand again": (
        "UPDATE case_facts SET state = 'stands' WHERE number = 1",
        "register_row_untold",
    ),
    "a contest taken away": (
        "UPDATE case_facts SET contest = NULL, contested_by = '{}' WHERE number = 3",
        "ledger_row_without_counterpart",
    ),
    "a contest of nobody": ("UPDATE case_facts SET contested_by = '{person}' WHERE number = 2", "register_row_untold"),
    "a fact that nobody recorded": (
        """INSERT INTO case_facts SELECT reference, 9, employer_id, field, state, contest, contested_by, facts_version,
        round, body, seen_by, at FROM case_facts WHERE number = 2""",
        "register_row_untold",
    ),
}


async def test_a_change_to_recorded_facts_is_named(park: Park, cluster: AsyncEngine) -> None:
    case, missed = await _walked(park), []
    for name, (change, code) in CHANGED.items():
        async with as_owner(cluster) as connection:
            await connection.execute(text("CREATE TABLE kept_facts AS TABLE case_facts"))
            assert (await connection.execute(text(change))).rowcount == 1
        if code not in {each for each, _ in await differences(case)}:
            missed.append(name)
        async with as_owner(cluster) as connection:
            await connection.execute(text("DELETE FROM case_facts"))
            await connection.execute(text("INSERT INTO case_facts SELECT * FROM kept_facts"))
            await connection.execute(text("DROP TABLE kept_facts"))
    assert missed == []
    assert await differences(case) == set()
