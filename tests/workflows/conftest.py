"""Fixtures of the workflow tests: a park of its own for each test."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.client import Client

from tests.workflows.world import World, open_world


@pytest.fixture
def parameters(request: pytest.FixtureRequest) -> str:
    """The limits of the park: those of the embedded stack, or those that a test names."""
    return str(getattr(request, "param", "embedded"))


@pytest_asyncio.fixture
async def world(clean_database: str, temporal_client: Client, parameters: str) -> AsyncIterator[World]:
    """A park with its worker, at ten o'clock on a Monday."""
    async with open_world(clean_database, temporal_client, parameters=parameters) as world:
        yield world
