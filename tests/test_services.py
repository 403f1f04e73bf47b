"""Tests of the servers that other tests use."""

import uuid
from datetime import timedelta

import asyncpg
from temporalio import workflow
from temporalio.testing import TimeSkipper
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from sandbox.postgres import PostgresServer


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
