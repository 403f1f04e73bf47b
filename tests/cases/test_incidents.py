"""Lines of the operator that are not about a stopped case."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from cases.answers import note_refused
from cases.context import Context
from cases.incidents import list_incidents, resume
from domain.actors import Actor, Role, system
from domain.errors import Refused
from tests.cases.contexts import Clock, key, load_samples, open_context

OPERATOR = Actor(issuer="test", subject="operator", role=Role.OPERATOR, correlation_id="incidents")


@pytest_asyncio.fixture
async def context(clean_database: str) -> AsyncIterator[Context]:
    async with open_context(clean_database, Clock()) as context:
        await load_samples(context)
        yield context


async def test_closing_a_line_twice_under_one_key_gives_the_first_answer_again(context: Context) -> None:
    await note_refused(context, system("receive"), "case_unknown")
    ((line,), _) = await list_incidents(context, OPERATOR)
    first, request = None, key()
    for _ in range(2):
        reply, reference, command_id = await resume(context, OPERATOR, _id(line), request)
        first = first or reply
        assert (reply.body, reference, command_id) == (first.body, None, None)
    assert await list_incidents(context, OPERATOR) == ([], None)


async def test_a_line_is_closed_once(context: Context) -> None:
    await note_refused(context, system("receive"), "case_unknown")
    ((line,), _) = await list_incidents(context, OPERATOR)
    await resume(context, OPERATOR, _id(line), key())
    with pytest.raises(Refused, match="already_decided"):
        await resume(context, OPERATOR, _id(line), key())


def _id(line: dict[str, Any]) -> UUID:
    return UUID(line["id"])
