"""Fixtures of the workflow tests: a park of its own for each test."""

from collections.abc import AsyncIterator
from datetime import datetime

import pytest
import pytest_asyncio
from temporalio.client import Client

from tests.workflows.world import MONDAY, World, open_world


@pytest.fixture
def parameters() -> str:
    """The limits of the park: those of the embedded stack, unless a test names others."""
    return "embedded"


@pytest.fixture
def start() -> datetime:
    """When the test begins, in business time."""
    return MONDAY


@pytest_asyncio.fixture
async def world(clean_database: str, temporal_client: Client, parameters: str, start: datetime) -> AsyncIterator[World]:
    """A park with its worker."""
    async with open_world(clean_database, temporal_client, start=start, parameters=parameters) as world:
        yield world
