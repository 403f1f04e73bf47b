"""A second programme through the real engine, with a workflow type, ids and an outward call of its own."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import Client

from cases.commands import reviving, submit
from cases.commands.intake import accept
from cases.commands.sweeper import sweep
from cases.load.reads import read_load
from cases.load.views import Bucket
from domain import spellings
from domain.case_types import CaseType, CaseTypes, reference_of
from domain.commands import CommandKind
from domain.decisions import DecisionAction, DecisionRequest
from domain.errors import Defect, Refused
from domain.languages import Language
from domain.messages import LastRun
from domain.stages import Stage
from programmes import PROGRAMMES
from record import archive
from record.reconciliation.reconcile import list_differences
from temporal.build_id import build_id
from temporal.case_workflows import CaseWorkflows
from temporal.histories import TemporalHistories
from tests.e2e.people import identity_number
from tests.programmes.toy.programme import TOY
from tests.programmes.toy.requests import ToyCorrection, ToyRequest
from tests.programmes.toy.tables import makings
from tests.programmes.toy.words import MakingStage
from tests.workflows.test_archive import archive_round
from tests.workflows.test_reconciliation import nightly_round
from tests.workflows.world import EMPLOYER_A, MONDAY, OFFICER, Case, World, new_key, open_world

BOTH = {**PROGRAMMES, TOY.code: TOY}


@pytest_asyncio.fixture
async def world(toy_database: str, temporal_client: Client) -> AsyncIterator[World]:
    async with open_world(toy_database, temporal_client, start=MONDAY, programmes=BOTH) as world:
        yield world


async def _toy(world: World, number: int = 0, *, start: bool = True) -> Case:
    person = {"name_zh": "欧阳娜", "identity_number": identity_number(number)}
    request = ToyRequest.model_validate({"person": person, "wish": {"toy": "木马"}})
    accepted = await accept(world.context, TOY, EMPLOYER_A, request, new_key())
    case = Case(world, accepted.reference)
    world.started.append(case.reference)
    if start:
        assert await world.engine.start(case.reference)
        await case.until_stage(Stage.UNDER_REVIEW)
    return case


async def _greeted(case: Case) -> None:
    reply = await case.decide("approve")
    assert reply.progress == "applied", reply
    await case.skip(case.world.context.limits.settling + timedelta(seconds=5))
    await case.until(lambda file: file.row.settled and not file.calls)
    await case.skip(timedelta(days=8))
    file = await case.until(lambda file: makings(file)["wood"].stage == MakingStage.MADE)
    assert (file.stage, file.row.end_reason) == (Stage.ENDED, "toy_made")
    await case.ended()


async def test_a_wish_is_given_again_under_review_and_decided_in_the_next_round(world: World) -> None:
    toy = await _toy(world)
    await toy.ask(EMPLOYER_A, CommandKind.CORRECT, ToyCorrection.model_validate({"wish": {"toy": "布马"}, "round": 1}))
    file = await toy.until(lambda file: file.round == 2)
    assert (file.stage, file.application.given_of("wish.toy")) == (Stage.UNDER_REVIEW, "布马")
    assert [each["fields"] for each in file.row.amendments or ()] == [["wish.toy"]]
    with pytest.raises(Refused, match="stale_round"):
        await toy.ask(OFFICER, CommandKind.DECIDE, DecisionRequest(action=DecisionAction.APPROVE, round=1))
    assert (await toy.decide("approve")).body["stage"] == "approved"


async def test_each_programme_shows_its_load(world: World) -> None:
    await _toy(world)
    asked: dict[str, Any] = {"first": None, "last": None, "bucket": Bucket.DAY, "programme": None, "employer_id": None}
    load = await read_load(world.context, **asked, language=Language.EN)
    shown = {each.programme: {one.code: one for one in each.series} for each in load.programmes}
    assert shown.keys() == BOTH.keys()
    assert [point.value for point in shown[TOY.code]["waiting"].points] == [1]
    assert shown[spellings.TALENT_PERMIT]["waiting"].points == []
    made = {point.label for point in shown[TOY.code]["track_events"].points}
    assert made == {"made"}


async def test_a_toy_is_decided_makes_its_call_and_is_archived_beside_a_registration(world: World) -> None:
    toy = await _toy(world)
    assert toy.handle.id == f"toy/{toy.reference}"
    assert (await toy.handle.describe()).workflow_type == "Toy"
    await _greeted(toy)
    permit = await world.submit(identity_number=identity_number(9))
    assert (await permit.handle.describe()).workflow_type == "Registration"
    key = f"greeting/{toy.reference}"
    assert world.authority.reports == {key: {"case": toy.reference, "toy": "木马"}}
    assert (await toy.acts()).count("call_answered") == 1

    histories = TemporalHistories(world.client)
    (closed,) = await histories.runs_of(toy.handle.id)
    assert (closed.status, closed.workflow_type) == ("completed", "Toy")
    await archive_round(world)
    async with world.context.database.begin() as connection:
        (kept,) = await archive.archived_runs(connection, toy.reference)
    assert (kept.run.workflow_type, kept.run.run_id) == ("Toy", closed.run_id)

    night = await nightly_round(world)
    assert (await list_differences(world.context))[0] == []
    assert (night.cases, night.differing, night.unchecked, night.without_workflow) == (2, 0, 0, 0)
    listed = {each async for page in CaseWorkflows(world.client, world.context.case_types).ids() for each in page}
    assert {toy.handle.id, permit.handle.id} <= listed


async def test_a_toy_whose_workflow_is_gone_is_found_and_revived(world: World) -> None:
    toy = await _toy(world)
    decision = DecisionRequest.model_validate({"action": "approve", "round": 1})
    await submit.ask(world.context, OFFICER, toy.reference, CommandKind.DECIDE, decision, new_key())
    await toy.end()
    world.clock.jump(reviving.LATE + timedelta(seconds=1))
    assert (await nightly_round(world)).without_workflow == 1
    done = await reviving.revive_due(world.context, world.engine, starts_a_second=1000.0)
    assert done.revived == Counter({LastRun.TERMINATED: 1})
    await toy.until_stage(Stage.APPROVED)
    assert (await toy.handle.describe()).workflow_type == "Toy"


async def test_what_was_not_handed_a_programme_leaves_its_cases_to_those_that_were(world: World) -> None:
    toy = await _toy(world, start=False)
    former = replace(world.context, programmes=PROGRAMMES)
    none_yet = timedelta()
    assert await sweep(former, world.engine, older_than=none_yet) == 0
    with pytest.raises(Defect, match="programme_unknown"):
        former.case_types.id_of(toy.reference)


def test_a_case_is_found_by_its_reference_and_its_workflow() -> None:
    types = CaseTypes(BOTH)
    assert types.workflows == tuple(each.workflow.workflow for each in BOTH.values())
    assert types.id_of("TY-7K2M-9QXA-3") == "toy/TY-7K2M-9QXA-3"
    assert reference_of("toy/TY-7K2M-9QXA-3") == "TY-7K2M-9QXA-3"
    assert [reference_of(each) for each in ("standing/emp-a/TY-1", "notification/mail", "archive")] == [None] * 3
    assert (types.knows("HT-7K2M-9QXA-3"), types.knows("ZZ-7K2M-9QXA-3")) == (True, False)
    with pytest.raises(ValueError, match="small letters"):
        CaseType("Toy", "Toy/")


def test_a_programme_more_is_another_build() -> None:
    assert build_id(CaseTypes(PROGRAMMES).workflows) != build_id(CaseTypes(BOTH).workflows)
