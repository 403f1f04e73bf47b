"""The nightly look at the seal: it is durable, goes on where it broke off, and names what it finds."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.seal_check import SealSteps
from domain.errors import Unavailable
from domain.messages import REGISTRATION_QUEUE, SEAL_CHECK_WORKFLOW, SealCount, SealRound
from record.reconciliation.evidence import Difference
from record.reconciliation.reconcile import list_differences
from record.seal import check
from sandbox.stack.postgres import PostgresServer
from store import tables
from tests.record.seal.sealed import seal_all
from tests.workflows.world import MONDAY, World


async def test_a_night_checks_the_whole_seal_and_names_what_was_altered(
    world: World, postgres: PostgresServer, database_name: str
) -> None:
    await world.submit()
    await seal_all(world.context)
    first = await _night(world)
    assert (first.leaves, first.differences) == (len(await world.rows(tables.seal_leaves)), 0)
    assert await world.rows(tables.cursors, name="round/seal_check", value="ended")
    altered = "UPDATE seal_nodes SET hash = sha256('x') WHERE (level, index) = (1, 0)"
    postgres.run_sql(f"SET session_replication_role = replica; {altered}", database=database_name)
    assert (await _night(world)).differences >= 1
    listed, _ = await list_differences(world.context)
    assert listed[0].place | {"rows": ""} == {
        "table": "seal_nodes", "level": 1, "index": 0, "leaf": 0, "to_leaf": 1, "rows": "",
    }  # fmt: skip


async def _night(world: World) -> SealCount:
    counted: SealCount = await world.client.execute_workflow(
        SEAL_CHECK_WORKFLOW,
        id=f"seal-check-{uuid4()}",
        task_queue=REGISTRATION_QUEUE,
        result_type=SealCount,
        execution_timeout=timedelta(seconds=60),
    )
    return counted


async def test_a_round_that_broke_off_goes_on_after_its_last_heartbeat(world: World) -> None:
    await world.submit()
    await seal_all(world.context)
    asked, steps = SealRound(at=MONDAY), SealSteps(world.context)
    begun: list[int] = []
    inner = partial(check.check_next, most=2)

    async def check_next(database: Any, signers: Any, progress: check.Progress) -> Sequence[Difference]:
        begun.append(progress.leaf)
        if len(begun) == 3:
            raise Unavailable("database")
        return await inner(database, signers, progress)

    beats: list[tuple[Any, ...]] = []
    with patch.object(check, "check_next", check_next):
        environment = ActivityEnvironment()
        environment.on_heartbeat = lambda *details: beats.append(details)
        with pytest.raises(ApplicationError, match="database"):
            await environment.run(steps.check_seal, asked)
        again = ActivityEnvironment()
        again.info = again.info.__class__(**{**vars(again.info), "heartbeat_details": beats[-1]})
        counted = await again.run(steps.check_seal, asked)
    leaves = len(await world.rows(tables.seal_leaves))
    assert (counted.leaves, counted.differences) == (leaves, 0)
    assert begun == [0, 2, 4, *range(4, leaves, 2)]
