"""Row-level security: a query without WHERE shows a tenant its own rows only, and no rows at all without a tenant."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from sqlalchemy import Column, Table, func, select, text
from sqlalchemy.exc import ProgrammingError

from domain.actors import PARK
from domain.data_map_fences import PARK as PARK_TABLES
from programmes.talent_permit.tables import permits
from store import tables
from store.case_reads import fence
from store.database import Database
from tests.cases.contexts import EMPLOYER_A, EMPLOYER_B, NOON
from tests.cases.driver import Park, china, open_park

_TENANT_TABLES = [table for table in tables.metadata.sorted_tables if "employer_id" in table.c]
_FILLED = (
    "cases", "applications", "assessments", "permits", "tasks", "deadlines", "commands", "idempotency",
    "notices", "deliveries", "calls", "ledger", "employers", "employer_versions",
)  # fmt: skip


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


async def _employers(park: Park, table: Table, tenant: str) -> set[str | None]:
    async with park.context.database.begin(tenant) as connection:
        return set((await connection.execute(select(table.c.employer_id))).scalars())


async def test_a_query_without_where_shows_a_tenant_its_own_rows(park: Park) -> None:
    await park.issued(by=EMPLOYER_A)
    park.identity_number = "33010619860128072X"
    await park.issued(by=EMPLOYER_B, employment={"work_site": "SZP-101"}, permit_card_number="C87654321")
    for table in _TENANT_TABLES:
        everyone = await _employers(park, table, PARK)
        if table.name in _FILLED:
            assert {"emp-a", "emp-b"} <= everyone, table.name
        assert await _employers(park, table, "emp-a") <= {"emp-a"}, table.name
        assert await _employers(park, table, "emp-c") == set(), table.name


async def test_without_a_tenant_there_are_no_rows(park: Park) -> None:
    await park.issued()
    async with park.context.database.engine.begin() as connection:
        for table in (*_TENANT_TABLES, tables.persons, tables.person_documents, tables.data_keys):
            count = select(func.count()).select_from(table)
            assert (await connection.execute(count)).scalar_one() == 0, table.name


# What such a table takes of a column is one of a few.
_ONE_OF = {"person_joinings": {"kind": "joining"}, "takeovers": {"consent": "person", "state": "released"}}


async def test_an_employer_meets_nothing_of_what_is_the_parks_alone(park: Park) -> None:
    """Rows of every such table stand there, as copies whose other columns do not matter."""
    await park.issued(by=EMPLOYER_A)
    closed = [table for table in tables.metadata.sorted_tables if table.name in PARK_TABLES]
    assert len(closed) == len(PARK_TABLES)
    for table in closed:
        row = {column.name: _filler(column) for column in table.c if not column.foreign_keys}
        row |= _ONE_OF.get(table.name, {})
        keys = {c.name: await _any_key(park, c) for c in table.c if c.foreign_keys and not c.nullable}
        for tenant in ("emp-a", "emp-b"):
            with pytest.raises(ProgrammingError, match="row-level security"):
                async with park.context.database.begin(tenant) as connection:
                    await connection.execute(table.insert().values(row | keys))
        async with park.context.database.begin() as connection:
            await connection.execute(table.insert().values(row | keys))
        async with park.context.database.begin("emp-a") as connection:
            assert (await connection.execute(select(func.count()).select_from(table))).scalar_one() == 0, table.name


async def test_keys_and_persons_are_changed_by_the_park_alone(park: Park) -> None:
    await park.issued(by=EMPLOYER_A)
    shared = (tables.persons, tables.person_documents, tables.data_keys)
    before = [await park.rows(table) for table in shared]
    assert all(before)
    for statement in (
        "UPDATE persons SET identity_hash = NULL",
        "UPDATE person_documents SET number = NULL",
        "UPDATE data_keys SET wrapped = NULL",
    ):
        with pytest.raises(ProgrammingError, match="row-level security"):
            async with park.context.database.begin("emp-a") as connection:
                await connection.execute(text(statement))
    async with park.context.database.begin("emp-a") as connection:
        assert (await connection.execute(text("DELETE FROM person_documents"))).rowcount == 0
    for table in ("objections", "persons", "data_keys"):
        for tenant in ("emp-a", PARK):
            with pytest.raises(ProgrammingError, match="permission denied"):
                async with park.context.database.begin(tenant) as connection:
                    await connection.execute(text(f"DELETE FROM {table}"))
    assert [await park.rows(table) for table in shared] == before


def _filler(column: Column[Any]) -> Any:
    kind = column.type.python_type
    made: dict[type, Any] = {str: "x", int: 1, bytes: b"x", UUID: UUID(int=1), datetime: NOON, bool: False}
    return NOON.date() if kind is date else made.get(kind, {})


async def _any_key(park: Park, column: Column[Any]) -> Any:
    (key,) = column.foreign_keys
    async with park.context.database.begin() as connection:
        return (await connection.execute(select(key.column).limit(1))).scalar_one()


async def test_a_tenant_writes_no_row_of_another(park: Park) -> None:
    case = await park.review(by=EMPLOYER_A)
    row = await case.row()
    async with park.context.database.begin("emp-b") as connection:
        changed = await connection.execute(tables.cases.update().values(stage="approved"))
        assert changed.rowcount == 0
    stolen = {
        "reference": row["reference"],
        "version": 9,
        "employer_id": "emp-a",
        "body": b"",
        "given_at": park.clock.at,
    }
    with pytest.raises(ProgrammingError, match="row-level security"):
        await _insert(park, "emp-b", stolen | {"version": 9})


async def test_a_transaction_fenced_to_cases_sees_no_row_of_another(park: Park) -> None:
    mine = await park.issued(by=EMPLOYER_A)
    park.identity_number = "33010619860128072X"
    other = await park.issued(by=EMPLOYER_B, employment={"work_site": "SZP-101"}, permit_card_number="C87654321")
    for case in (mine, other):
        await _insert_objection(park, case.reference)
    fenced = (
        tables.cases, tables.applications, permits, tables.notices, tables.commands, tables.objections,
    )  # fmt: skip
    for references in ([mine.reference], [mine.reference, other.reference], []):
        async with park.context.database.begin() as connection:
            await fence(connection, references)
            for table in fenced:
                seen = set((await connection.execute(select(table.c.reference))).scalars())
                assert seen == set(references), table.name
    async with park.context.database.begin() as connection:  # the fence ends with its transaction
        assert len(set((await connection.execute(select(permits.c.reference))).scalars())) == 2


async def _insert_objection(park: Park, reference: str) -> None:
    row = {c.name: _filler(c) for c in tables.objections.c if not c.foreign_keys and c.name != "objection_id"}
    keys = {c.name: await _any_key(park, c) for c in tables.objections.c if c.foreign_keys}
    async with park.context.database.begin() as connection:
        given = row | keys | {"objection_id": uuid4(), "reference": reference}
        await connection.execute(tables.objections.insert().values(given))


async def _insert(park: Park, tenant: str, row: dict[str, Any]) -> None:
    async with park.context.database.begin(tenant) as connection:
        await connection.execute(tables.applications.insert().values(row))


async def test_the_application_role_passes_over_no_policy(park: Park) -> None:
    async with park.context.database.begin() as connection:
        query = text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert (await connection.execute(query)).scalar_one() is False
        forced = text("SELECT relname FROM pg_class WHERE relforcerowsecurity")
        assert {table.name for table in _TENANT_TABLES} <= set((await connection.execute(forced)).scalars())


async def test_a_process_that_stands_for_the_park_sees_another_tenant_alone_where_it_says_so(
    park: Park, clean_database: str
) -> None:
    await park.take_on(by=EMPLOYER_A)
    park.identity_number = "33010619860128072X"
    await park.take_on(by=EMPLOYER_B)
    database = Database(clean_database, pool_size=1, stands_for=PARK)
    query = select(tables.cases.c.employer_id)
    for tenant, seen in ((PARK, {"emp-a", "emp-b"}), ("emp-b", {"emp-b"}), (PARK, {"emp-a", "emp-b"})):
        for opened in (database.statement(tenant), database.begin(tenant)):
            async with opened as connection:
                assert set((await connection.execute(query)).scalars()) == seen
    await database.close()


async def test_what_is_read_after_the_lock_of_a_case_is_never_older_than_the_lock(park: Park) -> None:
    case = await park.take_on()
    database = park.context.database
    read = text("SELECT count(*) FROM calls WHERE reference = :reference").bindparams(reference=case.reference)

    async def count() -> int:
        async with database.begin(case=case.reference) as connection:
            return int((await connection.execute(read)).scalar_one())

    async with database.begin(case=case.reference) as connection:
        second = asyncio.create_task(count())
        waiting = text(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
        )
        for _ in range(500):
            if (await connection.execute(waiting)).first() is not None:
                break
            await asyncio.sleep(0.01)
        # The row of the case stays as it is, and yet the second one has to see what was stored beside it.
        row = {"key": "k", "attempt": 1, "reference": case.reference, "employer_id": "emp-a", "what": "list_entry"}
        await connection.execute(tables.calls.insert().values(**row, state="due", at=park.clock.at))
    assert await second == 1
