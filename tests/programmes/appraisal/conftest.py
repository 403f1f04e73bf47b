"""The park of these tests: the real API over real PostgreSQL and Temporal with time skipping."""

from collections.abc import AsyncIterator

import pytest_asyncio
from temporalio.client import Client

from tests.programmes.park import Park, served
from tests.workflows.world import MONDAY, open_world


@pytest_asyncio.fixture
async def park(clean_database: str, temporal_client: Client) -> AsyncIterator[Park]:
    async with (
        open_world(clean_database, temporal_client, start=MONDAY) as world,
        served(world, clean_database) as park,
    ):
        yield park
