"""The hash of a case's state names its form, and covers the case, its programme and every table that this declares."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import ClassVar, Final

import pytest
import pytest_asyncio
from sqlalchemy import Column, Integer, MetaData, Table, Text, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from temporalio.client import Client

from cases.case import file, state
from cases.commands.intake import accept
from domain.case_types import CaseType
from domain.forms import Form, need_form
from domain.spellings import STATE_FORMS, StateForm
from domain.stages import Stage
from programmes import PROGRAMMES
from record.reconciliation.reconcile import reconcile_case
from sandbox.stack.postgres import OWNER, PostgresServer
from store.case_tables import CaseTable
from store.rows.base import TableRow
from store.rows.register import CaseRow
from store.tables import ledger
from temporal.histories import TemporalHistories
from tests.e2e.people import identity_number
from tests.programmes.toy.programme import TOY
from tests.programmes.toy.requests import ToyRequest
from tests.workflows.world import EMPLOYER_A, MONDAY, Case, World, new_key, open_world

THIRD: Final = STATE_FORMS[3]
assert isinstance(THIRD, StateForm)
# As a later version may have it: one column that is hashed no more.
FOURTH: Final = THIRD._replace(case_names=tuple(name for name in THIRD.case_names if name != "clock"))


@dataclass(slots=True, kw_only=True)
class _Part(TableRow):
    """A part of a toy."""

    TABLE: ClassVar[Table] = Table(
        "toy_parts",
        MetaData(),
        Column("reference", Text, primary_key=True),
        Column("part", Text, primary_key=True),
        Column("employer_id", Text, nullable=False),
        Column("colour", Text),
        Column("painted", Integer, nullable=False),
    )
    reference: str
    part: str
    employer_id: str
    colour: str | None = None
    painted: int = 0


_PARTS: Final = CaseTable(
    row=_Part, key="part", hashed=("colour", "employer_id", "part", "reference"), unhashed=frozenset({"painted"})
)


def _parts(form: Form, row: CaseRow) -> dict[str, list[TableRow]]:
    toy = need_form(form, ToyRequest).wish.toy
    return {
        _PARTS.name: [
            _Part(reference=row.reference, employer_id=row.employer_id, part=part, colour=toy)
            for part in ("wheel", "head")
        ]
    }


_TOY: Final = replace(TOY, tables=(_PARTS,), own_rows=_parts)
# Another that keeps the same: nothing but the code tells its cases from the toy's.
_TWIN: Final = replace(_TOY, code="twin", path="twins", prefix="TW", workflow=CaseType("Twin", "twin/"))


@pytest_asyncio.fixture
async def parts(clean_database: str, postgres: PostgresServer, database_name: str) -> AsyncIterator[None]:
    """The toy's own table, while a test runs."""
    engine = create_async_engine(
        postgres.url(role=OWNER, database=database_name).replace("postgresql://", "postgresql+asyncpg://", 1)
    )
    async with engine.begin() as connection:
        await connection.run_sync(_Part.TABLE.create)
        await connection.execute(text("GRANT SELECT, INSERT, UPDATE ON toy_parts TO hetao_app"))
    try:
        yield
    finally:
        await _drop(engine)


async def _drop(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(_Part.TABLE.drop)
    await engine.dispose()


async def _differences(case: Case) -> list[str]:
    _, found = await reconcile_case(case.world.context, TemporalHistories(case.world.client), case.reference)
    return [each.code for each in found]


async def _told(case: Case) -> list[object]:
    rows = await case.world.rows(ledger, chain=case.reference)
    hashed = [row for row in rows if row["after_hash"] is not None]
    return [row["detail"].get("state_form") for row in sorted(hashed, key=lambda row: row["seq"])]


async def _change(case: Case, statement: str) -> None:
    """Change one row of a case past the code."""
    async with case.world.context.database.begin() as connection:
        done = await connection.execute(text(f"UPDATE {statement}"), {"r": case.reference})
        assert done.rowcount == 1


async def _is_found_and_mended(case: Case, table: str, column: str, value: str, key: str = "") -> None:
    """Alter a column of one row, see that this is all that is found, and set it back."""
    one = f"reference = :r{key}"
    async with case.world.context.database.begin() as connection:
        before = (
            await connection.execute(text(f"SELECT {column} FROM {table} WHERE {one}"), {"r": case.reference})
        ).scalar_one()
    await _change(case, f"{table} SET {column} = {value} WHERE {one}")
    assert await _differences(case) == ["register_state_altered"], (table, column)
    async with case.world.context.database.begin() as connection:
        back = text(f"UPDATE {table} SET {column} = :before WHERE {one}")
        await connection.execute(back, {"r": case.reference, "before": before})
    assert await _differences(case) == []


def _as_the_first_version_did(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "STATE_FORM", 1)
    monkeypatch.setattr(file, "form_told", dict)


async def test_rows_of_the_first_form_and_of_the_second_stand_in_one_chain(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        _as_the_first_version_did(before)
        case, other = await world.submit(), await world.submit(identity_number="33010619860128072X")
        for each in (case, other):
            await each.until_stage(Stage.UNDER_REVIEW)
            await each.idle()
    assert (set(await _told(case)), await _differences(case), await _differences(other)) == ({None}, [], [])
    await case.decide("return", "employment_dates_wrong")
    forms = await _told(case)
    assert (set(forms), forms[0], forms[-1]) == ({None, 3}, None, 3)
    assert (await _differences(case), await _differences(other)) == ([], [])
    await _is_found_and_mended(other, "talent_permits", "contract_end", "NULL")
    await _is_found_and_mended(case, "talent_permits", "contract_end", "NULL")


async def test_what_is_altered_of_a_case_or_in_a_table_of_its_programme_is_found(
    clean_database: str, temporal_client: Client, parts: None
) -> None:
    all_of = {**PROGRAMMES, _TOY.code: _TOY, _TWIN.code: _TWIN}
    async with open_world(clean_database, temporal_client, start=MONDAY, programmes=all_of) as world:
        permit = await world.submit()
        await permit.approve()
        await permit.issue()
        await permit.idle()
        toy = await _toy(world)
        assert (set(await _told(permit)), set(await _told(toy))) == ({3}, {3})
        assert await _differences(permit) == await _differences(toy) == []
        await _is_found_and_mended(permit, "cases", "clock", "'running '")
        await _is_found_and_mended(permit, "talent_permits", "undertaking_version", "'2020-01'")
        for table, column, value in (
            ("permits", "sent_at", "sent_at - interval '1 s'"),
            ("permit_terms", "issued_on", "issued_on - 1"),
        ):
            await _is_found_and_mended(permit, table, column, value, " AND destination = 'HK'")
        await _is_found_and_mended(toy, "toy_parts", "colour", "'black'", " AND part = 'head'")
        await _change(toy, "toy_parts SET painted = 1 WHERE reference = :r AND part = 'head'")
        assert await _differences(toy) == []


async def _toy(world: World) -> Case:
    person = {"name_zh": "欧阳娜", "identity_number": identity_number(0)}
    request = ToyRequest.model_validate({"person": person, "wish": {"toy": "木马"}})
    accepted = await accept(world.context, _TOY, EMPLOYER_A, request, new_key())
    case = Case(world, accepted.reference)
    world.started.append(case.reference)
    assert await world.engine.start(case.reference)
    await case.until_stage(Stage.UNDER_REVIEW)
    await case.idle()
    return case


async def test_a_form_that_is_not_known_here_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STATE_FORMS, 4, FOURTH)
    monkeypatch.setattr(state, "STATE_FORM", 4)
    case = await world.submit()
    await case.until_stage(Stage.UNDER_REVIEW)
    await case.idle()
    assert (set(await _told(case)), await _differences(case)) == ({4}, [])
    monkeypatch.undo()
    assert await _differences(case) == ["state_form_unknown"]
