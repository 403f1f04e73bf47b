"""Tests of the servers that other tests use."""

import uuid
from datetime import timedelta

import asyncpg
from temporalio import workflow
from temporalio.testing import TimeSkipper
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from sandbox.stack.postgres import PostgresServer
from tests.rows import Rows


@workflow.defn(name="Rest")
class RestWorkflow:
    @workflow.run
    async def run(self) -> str:
        await workflow.sleep(timedelta(days=365 * 3))
        return workflow.now().isoformat()


async def test_database_answers_as_the_application_role(clean_database: str) -> None:
    connection = await asyncpg.connect(clean_database)
    try:
        role = await connection.fetchval("SELECT current_user")
        tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    finally:
        await connection.close()

    assert role == "hetao_app"
    assert tables > 0


async def _fill(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET hetao.tenant = '*'")
        await connection.execute("INSERT INTO cursors (name, value, at) VALUES ('test', '1', now())")
        return int(await connection.fetchval("SELECT count(*) FROM cursors"))
    finally:
        await connection.close()


async def test_the_rows_of_every_test_are_removed_before_the_next(rows: Rows, clean_database: str) -> None:
    for _ in range(2):
        assert await _fill(clean_database) == 1  # what the round before wrote is gone
        await rows.empty()


async def test_rows_that_many_tests_begin_with_are_put_back_only_where_there_are_none(
    rows: Rows, clean_database: str
) -> None:
    for _ in range(2):  # kept from the second time on that they are asked for
        await rows.empty()
        assert not await rows.put_back("of this test")
        await _fill(clean_database)
        await rows.keep("of this test")
    assert not await rows.put_back("of this test")
    await rows.empty()
    assert await rows.put_back("of this test")
    await rows.empty()


def test_an_empty_database_holds_no_table(postgres: PostgresServer, empty_database: str) -> None:
    assert (
        postgres.run_sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", database=empty_database) == "0"
    )


async def test_three_years_pass_in_a_moment(temporal_env: TimeSkipper) -> None:
    queue = f"rest-{uuid.uuid4()}"
    async with Worker(
        temporal_env.client, task_queue=queue, workflows=[RestWorkflow], workflow_runner=UnsandboxedWorkflowRunner()
    ):
        with temporal_env.with_time_skipping_disabled():
            handle = await temporal_env.client.start_workflow(
                RestWorkflow.run, id=queue, task_queue=queue, run_timeout=timedelta(days=365 * 4)
            )
        assert await temporal_env.fast_forward(handle, timedelta(days=365 * 2)) is True
        assert (await handle.describe()).status is not None
        assert await temporal_env.fast_forward(handle, timedelta(days=365 * 2)) is False
        assert await handle.result()
