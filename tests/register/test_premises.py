"""Premises as dated data."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from itertools import pairwise

import pytest
import pytest_asyncio
from sqlalchemy import select

from cases.shared.context import Context
from domain.dated import Placement, Span, place
from domain.employers import PremisesEntry, PremisesRequest
from domain.errors import Refused
from register.premises import get_premises, put_premises
from store.tables import ledger, premises
from tests.cases.contexts import SUPERVISOR, Clock, key, open_context


@pytest_asyncio.fixture
async def context(clean_database: str) -> AsyncIterator[Context]:
    async with open_context(clean_database, Clock()) as context:
        yield context


def _request(*entries: PremisesEntry) -> PremisesRequest:
    return PremisesRequest(premises=entries)


def _entry(
    begins: date, ends: date | None = None, *, address: str = "深圳市福田区桂花路1号", code: str = "P-1"
) -> PremisesEntry:
    return PremisesEntry(code=code, address=address, valid_from=begins, valid_to=ends)


async def _spans(context: Context) -> list[tuple[date, date | None]]:
    async with context.database.begin() as connection:
        rows = await connection.execute(select(premises).order_by(premises.c.valid_from))
        return [(row.valid_from, row.valid_to) for row in rows]


@pytest.mark.parametrize(
    ("existing", "new", "expected"),
    [
        pytest.param([], Span(date(2026, 1, 1), None), Placement(None, ()), id="first"),
        pytest.param(
            [Span(date(2024, 1, 1), None)],
            Span(date(2026, 1, 1), None),
            Placement(None, (date(2024, 1, 1),)),
            id="ends the one before",
        ),
        pytest.param(
            [Span(date(2024, 1, 1), date(2025, 12, 31))],
            Span(date(2026, 1, 1), None),
            Placement(None, ()),
            id="one that ended already stays",
        ),
        pytest.param(
            [Span(date(2024, 1, 1), date(2026, 1, 1))],
            Span(date(2026, 1, 1), None),
            Placement(None, (date(2024, 1, 1),)),
            id="one that ends on the first day is cut",
        ),
        pytest.param(
            [Span(date(2027, 1, 1), None)],
            Span(date(2026, 1, 1), None),
            Placement(date(2026, 12, 31), ()),
            id="a later one ends it",
        ),
        pytest.param(
            [Span(date(2027, 1, 1), None)],
            Span(date(2026, 1, 1), date(2026, 12, 30)),
            Placement(date(2026, 12, 30), ()),
            id="its own end is earlier",
        ),
        pytest.param(
            [Span(date(2026, 1, 1), None)], Span(date(2026, 1, 1), None), Placement(None, ()), id="same day is replaced"
        ),
    ],
)
def test_a_version_takes_its_place(existing: list[Span], new: Span, expected: Placement) -> None:
    assert place(existing, new) == expected


async def test_a_new_address_ends_the_one_before_it(context: Context) -> None:
    await put_premises(context, SUPERVISOR, _request(_entry(date(2024, 1, 1))), key())
    reply = await put_premises(context, SUPERVISOR, _request(_entry(date(2026, 6, 1), address="市花路2号")), key())
    assert await _spans(context) == [(date(2024, 1, 1), date(2026, 5, 31)), (date(2026, 6, 1), None)]
    assert [item["valid_to"] for item in reply.body["items"]] == ["2026-05-31", None]


async def test_the_same_key_gets_the_first_answer_and_writes_one_row(context: Context) -> None:
    request = _request(_entry(date(2024, 1, 1)))
    first = await put_premises(context, SUPERVISOR, request, key(name="k"))
    second = await put_premises(context, SUPERVISOR, request, key(name="k"))
    assert first == second
    async with context.database.begin() as connection:
        acts = (await connection.execute(select(ledger.c.act).where(ledger.c.chain == "premises/P-1"))).scalars().all()
    assert acts == ["premises_recorded"]


async def test_the_same_key_with_another_body_is_refused(context: Context) -> None:
    request = _request(_entry(date(2024, 1, 1)))
    await put_premises(context, SUPERVISOR, request, key(name="k"))
    with pytest.raises(Refused) as refused:
        await put_premises(context, SUPERVISOR, request, key(name="k", body=b"[]"))
    assert refused.value.code == "idempotency_key_reused"


async def test_two_writers_at_once_leave_one_line_of_versions(context: Context) -> None:
    days = [date(2026, month, 1) for month in range(1, 9)]
    await asyncio.gather(*(put_premises(context, SUPERVISOR, _request(_entry(day)), key()) for day in days))
    spans = await _spans(context)
    assert [begins for begins, _ in spans] == days
    assert all(ends is not None and ends < after[0] for (_, ends), after in pairwise(spans))


async def test_premises_are_listed_by_day_and_by_page(context: Context) -> None:
    entries = [_entry(date(2024, 1, 1), code=f"P-{n}", address=f"桂花路{n}号") for n in range(5)]
    await put_premises(context, SUPERVISOR, _request(*entries, _entry(date(2027, 1, 1), code="P-9")), key())
    first, after = await get_premises(context, SUPERVISOR, limit=4)
    second, end = await get_premises(context, SUPERVISOR, after=after, limit=4)
    assert [item.code for item in (*first, *second)] == ["P-0", "P-1", "P-2", "P-3", "P-4", "P-9"]
    assert end is None
    today, _ = await get_premises(context, SUPERVISOR, on=date(2026, 1, 1))
    assert "P-9" not in {item.code for item in today}
