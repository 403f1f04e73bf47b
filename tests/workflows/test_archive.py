"""The archive of histories: every closed run is kept once, in clear under the archive's own keys, and replays."""

import json
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

import worker
from activities.archive import ArchiveSteps
from domain.errors import Defect, KeyUnknown, Unavailable
from domain.messages import ARCHIVE_WORKFLOW, REGISTRATION_QUEUE, ArchiveCount
from programmes import CASE_TYPES
from record import archive
from store import tables
from store.database import Database
from store.rows.archive import ArchivedRow
from temporal.histories import Run, RunHistory, TemporalHistories
from tests.workflows.world import Case, World
from worker import workflow_runner


async def archive_round(world: World) -> ArchiveCount:
    """Run one round as the Schedule would."""
    counted: ArchiveCount = await world.client.execute_workflow(
        ARCHIVE_WORKFLOW, id=f"archive-{uuid4()}", task_queue=REGISTRATION_QUEUE, result_type=ArchiveCount
    )
    return counted


async def closed_run(world: World) -> Case:
    """Carry a case to where its first run has gone on as new."""
    case = await world.submit()
    await case.approve()
    await case.issue()
    await case.idle()
    return case


async def _archived(case: Case) -> list[archive.Archived]:
    async with case.world.context.database.begin() as connection:
        return await archive.archived_runs(connection, case.reference)


async def test_a_closed_run_is_archived_once_with_its_hash_in_the_ledger(world: World) -> None:
    case = await closed_run(world)
    # The worker dies between the close and the copy: the step is tried again.
    with patch.object(archive, "archive", side_effect=[Unavailable("database"), Defect("never reached")]):
        steps = ArchiveSteps(world.context, TemporalHistories(world.client))
        (run, _open) = await TemporalHistories(world.client).runs_of(CASE_TYPES.id_of(case.reference))
        with pytest.raises(Unavailable):
            await steps.copy([run])
    assert await _archived(case) == []

    await archive_round(world)
    again = await archive_round(world)

    assert await world.rows(tables.cursors, name="round/archive", value="ended")
    (kept,) = await _archived(case)
    assert (kept.run, again.archived) == (run, 1)  # the round before, which had closed by then
    content = kept.open(world.context)
    assert b"hetao-aes-gcm" not in content
    (row,) = await world.rows(tables.ledger, chain=case.reference, act="history_archived")
    assert row["detail"] | {"closed_at": ""} == {
        "workflow": CASE_TYPES.id_of(case.reference),
        "run": run.run_id,
        "status": "continued_as_new",
        "events": len(json.loads(content)["events"]),
        "sha256": kept.sha256.hex(),
        "closed_at": "",
    }
    assert row["workflow_id"].startswith("archive-")
    assert (bool(row["run_id"]), row["event_id"]) == (True, 3)
    await _replays(content)
    # The chain has grown beside the workflow, which goes on with it.
    await case.answer("HK", "revoked", authority_number="R-1")
    assert (await case.acts())[-2:] == ["answer_received", "answer_applied"]


async def _replays(content: bytes) -> None:
    replayer = Replayer(
        workflows=worker.case_workflows(CASE_TYPES),
        data_converter=pydantic_data_converter,
        workflow_runner=workflow_runner(),
    )
    await replayer.replay_workflow(WorkflowHistory.from_json("archived", content.decode()))


async def test_the_archive_is_bound_to_its_place_and_never_changed(world: World) -> None:
    run, content = await _one_round(world)
    assert await archive.archive(world.context, [RunHistory(run, content)]) == 1
    assert await archive.archive(world.context, [RunHistory(run, content)]) == 0
    (row,) = await world.rows(tables.archived_histories, run_id=run.run_id)
    assert row["reference"] is None
    assert len(await world.rows(tables.ledger, chain=f"workflow/{run.workflow_id}")) == 1
    kept = archive.archived(ArchivedRow.from_mapping(row))
    assert kept.open(world.context) == content
    for changed in ({"run_id": "another"}, {"content": bytes(row["content"])[:-1] + b"x"}, {"events": 1}):
        with pytest.raises(Defect):
            archive.archived(ArchivedRow.from_mapping({**row, **changed})).open(world.context)
    for statement in ("UPDATE archived_histories SET events = 1", "DELETE FROM archived_histories"):
        with pytest.raises(ProgrammingError, match="permission denied"):
            await _execute(world.context.database, statement)


async def test_a_run_that_cannot_be_read_is_put_before_the_operator_and_stops_no_other(world: World) -> None:
    run, _ = await _one_round(world)
    steps = ArchiveSteps(world.context, TemporalHistories(world.client))
    with patch.object(TemporalHistories, "fetch", side_effect=ValueError("payload: altered")):
        assert await steps.copy([run]) == await steps.copy([run]) == 0
    (incident,) = await world.rows(tables.incidents, kind="history_missing")
    assert (incident["step"], incident["reason"]) == (run.workflow_id, f"{run.run_id} unreadable")
    assert await steps.copy([run]) == 1


async def test_a_run_under_a_key_that_is_not_here_is_no_incident_and_is_copied_when_the_key_has_come(
    world: World,
) -> None:
    run, _ = await _one_round(world)
    before = await archive.find_cursor(world.context)

    async def this_run(*_: object) -> AsyncIterator[list[Run]]:
        yield [run]

    # Alone, since runs of other tests may be under keys that are gone for good.
    with patch.object(TemporalHistories, "closed_since", this_run):
        with patch.object(TemporalHistories, "fetch", side_effect=KeyUnknown("codec", "c9")):
            waited = await archive_round(world)
        assert (waited.archived, await archive.find_cursor(world.context)) == (0, before)
        assert await world.rows(tables.incidents) == []
        await archive_round(world)
    assert len(await world.rows(tables.archived_histories, run_id=run.run_id)) == 1
    assert await archive.find_cursor(world.context) != before


async def _one_round(world: World) -> tuple[Any, bytes]:
    """Return a closed run that belongs to no case."""
    handle = await world.client.start_workflow(ARCHIVE_WORKFLOW, id=f"a-{uuid4()}", task_queue=REGISTRATION_QUEUE)
    await handle.result()
    histories = TemporalHistories(world.client)
    (run,) = await histories.runs_of(handle.id)
    fetched = await histories.fetch(run)
    assert fetched is not None
    return run, fetched.content


async def _execute(database: Database, statement: str) -> None:
    async with database.begin() as connection:
        await connection.execute(text(statement))
