"""Whoever asks for changes since the last one it saw misses none, however late a transaction commits."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest_asyncio

from cases.case.file import open_case
from cases.case.reads import list_cases
from cases.shared.context import Context
from domain.acts import Act
from programmes.talent_permit.registration import accept
from programmes.talent_permit.requests import RegistrationRequest
from tests.cases.contexts import EMPLOYER_A, Clock, key, load_samples, open_context, registration_body

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest_asyncio.fixture
async def context(clean_database: str) -> AsyncIterator[Context]:
    async with open_context(clean_database, Clock()) as context:
        await load_samples(context)
        yield context


async def _take_on(context: Context, number: str) -> str:
    body = registration_body(identity_number=number)
    accepted = await accept(context, EMPLOYER_A, RegistrationRequest.model_validate(body), key())
    return accepted.reference


async def _changed(context: Context, after: datetime) -> list[tuple[str, datetime]]:
    items, _ = await list_cases(context, EMPLOYER_A, updated_after=after)
    return [(item.reference, item.updated_at) for item in items]


async def test_a_change_that_commits_late_is_not_overtaken(context: Context) -> None:
    late, early = await _take_on(context, "44030419900307123X"), await _take_on(context, "11010519491231002X")
    seen = (await _changed(context, LONG_AGO))[-1][1]
    async with open_case(context, late) as (slow, connection):
        slow.record(Act.REMINDED, EMPLOYER_A, context.clock())
        await slow.save(connection)
        slow.keep_as_stored()
        async with open_case(context, early) as (quick, _):
            quick.record(Act.REMINDED, EMPLOYER_A, context.clock())
        # Written first and not committed yet: what was written after it is held back.
        assert await _changed(context, seen) == []
        slow._entries.clear()
    assert [reference for reference, _ in await _changed(context, seen)] == [late, early]


async def test_the_plain_list_shows_what_was_just_stored(context: Context) -> None:
    reference = await _take_on(context, "44030419900307123X")
    items, _ = await list_cases(context, EMPLOYER_A)
    assert [item.reference for item in items] == [reference]
