"""Rosters of work permits: what is wrong with a row is told by its column, and nothing of it is taken on."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from cases.shared.context import Context
from domain.roster import OnDefect
from programmes.work_permit.rosters import WorkPermitRoster
from register.rosters.intake import RosterFile, receive
from register.rosters.reads import get_rows
from register.rosters.work import work_once
from store.tables import cases
from tests.cases.contexts import EMPLOYER_A, Clock, key, load_samples, open_context

HEADERS = (
    "name_en,passport_number,nationality,birth_date,language,category,position,work_site,location,salary_year,"
    "contract_start,contract_end,client_reference"
)
ROW = "Jane Sample,{number},GB,{born},en,B,Materials scientist,SZP-001,440304,300000.00,2026-01-01,2028-12-31,{own}"


@pytest_asyncio.fixture
async def context(clean_database: str) -> AsyncIterator[Context]:
    async with open_context(clean_database, Clock()) as context:
        await load_samples(context)
        yield context


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_birth_date_to_come_is_refused_at_its_row_by_its_column(context: Context, dry_run: bool) -> None:
    today = context.clock().date().isoformat()
    rows = ((1, "2099-01-01"), (2, today), (3, "1990-05-20"))
    lines = [HEADERS, *(ROW.format(number=f"12345678{n}", born=born, own=f"WP-{n}") for n, born in rows)]
    content = "\n".join(lines).encode()
    file = RosterFile(content, "text/csv", "", WorkPermitRoster.APPLY, dry_run=dry_run, on_defect=OnDefect.SKIP)
    reply = await receive(context, EMPLOYER_A, file, key("POST /v1/rosters", body=content))
    while await work_once(context):
        pass
    shown = (await get_rows(context, EMPLOYER_A, reply.body["id"]))[0]
    taken = "new" if dry_run else "registered"
    assert [(row.result, [(each.field, each.code) for each in row.errors]) for row in shown] == [
        ("defect", [("birth_date", "date_order")]),
        (taken, []),
        (taken, []),
    ]
    async with context.database.begin() as connection:
        assert len((await connection.execute(cases.select())).all()) == (0 if dry_run else 2)
