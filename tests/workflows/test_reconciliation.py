"""What a hostile owner of the database changes is found and named, each change with its place."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest_asyncio
from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.commands import CommandKind
from domain.messages import (
    RECONCILIATION_WORKFLOW,
    REGISTRATION_QUEUE,
    ReconciliationCount,
)
from programmes import CASE_TYPES
from record.reconciliation.reconcile import list_differences, reconcile_case
from record.seal.sealer import seal
from sandbox.stack.postgres import PostgresServer
from store import tables
from store.rows.base import from_json
from temporal.histories import Run, TemporalHistories
from tests.record.reconciliation.tampering import as_owner, forge, open_cluster
from tests.workflows.test_archive import archive_round, closed_run
from tests.workflows.world import EMPLOYER_A, Case, World

Tamper = Callable[[AsyncConnection, str], Awaitable[Any]]


@pytest_asyncio.fixture
async def owner(postgres: PostgresServer, database_name: str) -> AsyncIterator[AsyncEngine]:
    """Whoever owns the cluster, past triggers and policies."""
    async with open_cluster(postgres, database_name) as engine:
        yield engine


def _sql(statement: str, **more: Any) -> Tamper:
    async def tamper(connection: AsyncConnection, reference: str) -> None:
        assert (await connection.execute(text(statement), {"r": reference, **more})).rowcount > 0

    return tamper


async def _rows(connection: AsyncConnection, reference: str, order: str) -> list[dict[str, Any]]:
    query = text(f"SELECT to_jsonb(l) FROM ledger l WHERE chain = :r ORDER BY seq {order}")
    return [from_json(tables.ledger, row) for row in (await connection.execute(query, {"r": reference})).scalars()]


async def _add(connection: AsyncConnection, reference: str) -> None:
    last = (await _rows(connection, reference, "DESC"))[0]
    forged = {**last, "act": "decided", "outcome": "approve", "seq": last["seq"] + 1, "previous": last["hash"]}
    await forge(connection, {**forged, "actor_role": "officer", "statement_hash": None})


async def _add_as_the_engine(connection: AsyncConnection, reference: str) -> None:
    rows = await _rows(connection, reference, "DESC")
    of_step = next(row for row in rows if row["workflow_id"] == CASE_TYPES.id_of(reference))
    await forge(connection, {**of_step, "seq": rows[0]["seq"] + 1, "previous": rows[0]["hash"]})


async def _rewrite(connection: AsyncConnection, reference: str) -> None:
    """Alter one row and hash the chain again from there on, so that it is whole by itself."""
    rows = await _rows(connection, reference, "ASC")
    await connection.execute(text("DELETE FROM ledger WHERE chain = :r AND seq >= 3"), {"r": reference})
    previous = rows[1]["hash"]
    for row in rows[2:]:
        row["previous"] = previous
        row["actor_subject"] = "somebody-else" if row["seq"] == 3 else row["actor_subject"]
        await forge(connection, row)
        previous = row["hash"]


def _copy(act: str) -> Tamper:
    """Write a row of an act once more at the end of the chain."""

    async def tamper(connection: AsyncConnection, reference: str) -> None:
        rows = await _rows(connection, reference, "DESC")
        row = next(row for row in rows if row["act"] == act)
        await forge(connection, {**row, "seq": rows[0]["seq"] + 1, "previous": rows[0]["hash"]})

    return tamper


_SWAP = """
    UPDATE ledger SET seq = CASE seq WHEN -3 THEN 4 ELSE 3 END WHERE chain = :r AND seq IN (-3, -4)
"""


async def _swap(connection: AsyncConnection, reference: str) -> None:
    await _sql("UPDATE ledger SET seq = -seq WHERE chain = :r AND seq IN (3, 4)")(connection, reference)
    await _sql(_SWAP)(connection, reference)


@dataclass(frozen=True)
class _Any:
    """A part of a place that the test cannot know."""


ANY, LAST, RUN = _Any(), "the number after the last", "the run that has closed"
Expected = list[tuple[str, dict[str, Any]]]
TAMPERINGS: dict[str, tuple[Tamper, Expected]] = {
    "a row deleted": (
        _sql("DELETE FROM ledger WHERE chain = :r AND seq = 4"),
        [("ledger_row_missing", {"seq": 4}), ("sealed_row_missing", {"seq": 4})],
    ),
    "a row altered": (
        _sql("UPDATE ledger SET actor_subject = 'somebody-else' WHERE chain = :r AND seq = 4"),
        [("ledger_row_altered", {"seq": 4})],
    ),
    "a row added": (_add, [("ledger_row_unsigned", {"seq": LAST, "act": "decided"})]),
    "a row added in the engine's name": (
        _add_as_the_engine,
        [("ledger_row_unwitnessed", {"seq": LAST, "run_id": ANY})],
    ),
    "the tail cut": (
        _sql("DELETE FROM ledger WHERE chain = :r AND seq > 5"),
        [
            ("ledger_tail_missing", {"table": "ledger", "seq": ANY}),
            ("sealed_row_missing", {"seq": 6}),
            ("register_differs_from_ledger", {"table": "permits", "column": "stage", "destination": "HK"}),
        ],
    ),
    "two rows swapped": (_swap, [("ledger_row_altered", {"seq": 3}), ("ledger_row_altered", {"seq": 4})]),
    "the chain written again": (
        _rewrite,
        [
            ("ledger_row_differs_from_history", {"seq": ANY, "run_id": RUN, "event_id": ANY}),
            ("ledger_row_differs_from_seal", {"seq": 3}),
        ],
    ),
    "an archived history replaced": (
        _sql(
            "UPDATE archived_histories SET content = :content, sha256 = sha256('x'::bytea) WHERE reference = :r",
            content=b"\x01" + bytes(64),
        ),
        [
            ("archived_history_altered", {"run_id": RUN}),
            ("archived_history_differs_from_ledger", {"run_id": RUN, "seq": ANY}),
        ],
    ),
    "an archived history deleted": (
        _sql("DELETE FROM archived_histories WHERE reference = :r"),
        [("history_missing", {"run_id": RUN, "seq": ANY})],
    ),
    "the register's stage changed": (
        _sql("UPDATE cases SET stage = 'refused' WHERE reference = :r"),
        [("register_differs_from_ledger", {"table": "registrations", "column": "stage"})],
    ),
    "the register changed where the ledger tells nothing": (
        _sql("UPDATE talent_permits SET contract_end = '2035-01-01' WHERE reference = :r"),
        [("register_state_altered", {"table": "registrations"})],
    ),
    "a permit's dates changed": (
        _sql("UPDATE permits SET valid_until = '2035-01-01' WHERE reference = :r AND destination = 'HK'"),
        [("register_differs_from_answer", {"table": "permits", "destination": "HK", "column": "valid_until"})],
    ),
    "an answer changed": (
        _sql("UPDATE answers SET outcome = 'refused' WHERE reference = :r AND destination = 'HK'"),
        [("answer_altered", {"table": "answers", "column": "outcome", "seq": ANY})],
    ),
    "an answer's body replaced": (
        _sql("UPDATE answers SET body = :body WHERE reference = :r AND destination = 'HK'", body=b"\x01" + bytes(64)),
        [("answer_altered", {"table": "answers", "column": "body"})],
    ),
    "an answer deleted": (
        _sql("DELETE FROM answers WHERE reference = :r AND destination = 'MO'"),
        [("answer_missing", {"table": "answers", "outcome_id": ANY})],
    ),
    "a row told of a run that nobody has": (
        _sql("UPDATE ledger SET run_id = 'nowhere' WHERE chain = :r AND seq = 3"),
        [("ledger_row_altered", {"seq": 3}), ("history_missing", {"run_id": "nowhere", "named_by_seq": 3})],
    ),
    "a command deleted": (
        _sql("DELETE FROM commands WHERE reference = :r AND kind = 'decide'"),
        [("command_missing", {"command_id": ANY, "run_id": RUN}), ("ledger_row_unsigned", {"act": "decided"})],
    ),
    "an archived run told twice": (
        _copy("history_archived"),
        [("ledger_row_without_counterpart", {"seq": LAST, "act": "history_archived", "against": "archived_histories"})],
    ),
}
# What is named as well, since the same change is seen from several sides.
BESIDES: dict[str, set[str]] = {
    "a row deleted": {"register_differs_from_ledger"},
    "a row altered": {"ledger_row_unsigned"},
    "a row added in the engine's name": {"ledger_row_unsigned", "ledger_row_without_counterpart"},
    "the tail cut": {"register_row_untold", "answer_unrecorded", "archived_history_unrecorded"},
    "two rows swapped": {
        "ledger_chain_broken",
        "ledger_row_differs_from_history",
        "history_differs_from_ledger",
        "ledger_row_differs_from_seal",
    },
    "a permit's dates changed": {"register_state_altered"},
    "an answer's body replaced": {"register_differs_from_answer"},  # a term has no answer that brought it
}


async def test_each_change_behind_the_service_is_found_and_named(world: World, owner: AsyncEngine) -> None:
    case = await closed_run(world)
    await archive_round(world)
    await seal(world.context)
    assert await _differences(case) == []
    (closed, _) = [run.run_id for run in await _runs(case)]
    missed: dict[str, Any] = {}
    for name, (tamper, expected) in TAMPERINGS.items():
        kept = await _keep(owner, case.reference)
        async with as_owner(owner) as connection:
            await tamper(connection, case.reference)
        found = await _differences(case)
        await _put_back(owner, case.reference, kept)
        known = {LAST: max(row["seq"] for row in kept["ledger"] if row["chain"] == case.reference) + 1, RUN: closed}
        wanted = [(code, {k: known.get(v, v) for k, v in place.items()}) for code, place in expected]
        is_named = all(any(_is_at(each, code, place) for each in found) for code, place in wanted)
        codes = {code for code, _ in wanted} | BESIDES.get(name, set())
        if not is_named or {each.code for each in found} != codes:
            missed[name] = [(each.code, dict(each.place)) for each in found]
    assert not missed, "\n".join(f"{name}: {found}" for name, found in missed.items())
    assert await _differences(case) == []


def _is_at(found: Any, code: str, place: dict[str, Any]) -> bool:
    """Say whether a difference is the one meant, with each part of its place, or any part that cannot be known."""
    parts = ((found.place.get(name), value) for name, value in place.items())
    return found.code == code and all(part == value or (value is ANY and part is not None) for part, value in parts)


async def _runs(case: Case) -> Sequence[Run]:
    return await TemporalHistories(case.world.client).runs_of(CASE_TYPES.id_of(case.reference))


async def _differences(case: Case) -> list[Any]:
    _, found = await reconcile_case(case.world.context, TemporalHistories(case.world.client), case.reference)
    return found


_KEPT = ("cases", "talent_permits", "permits", "answers", "commands", "archived_histories", "ledger")


async def _keep(owner: AsyncEngine, reference: str) -> dict[str, list[Any]]:
    async with as_owner(owner) as connection:
        return {
            name: list(
                (
                    await connection.execute(
                        text(f"SELECT to_jsonb(t) FROM {name} t WHERE reference = :r"), {"r": reference}
                    )
                ).scalars()
            )
            for name in _KEPT
        }


async def _put_back(owner: AsyncEngine, reference: str, kept: dict[str, list[Any]]) -> None:
    async with as_owner(owner) as connection:
        for name, rows in kept.items():
            table = tables.metadata.tables[name]
            await connection.execute(text(f"DELETE FROM {name} WHERE reference = :r"), {"r": reference})
            given = [{n: v for n, v in from_json(table, row).items() if n != "live"} for row in rows]
            columns = ", ".join(f'"{n}"' for n in given[0])
            values = ", ".join(f"(:{n})" for n in given[0])
            overriding = " OVERRIDING SYSTEM VALUE" if name == "commands" else ""
            statement = text(f"INSERT INTO {name} ({columns}){overriding} VALUES ({values})")
            await connection.execute(statement.bindparams(*_typed(table, given[0])), given)


def _typed(table: Any, row: dict[str, Any]) -> list[Any]:
    return [bindparam(name, type_=table.c[name].type) for name in row]


async def test_a_night_compares_all_cases_keeps_what_differs_and_names_it_to_operator_and_auditor(
    world: World, owner: AsyncEngine
) -> None:
    case = await closed_run(world)
    other = await world.submit(identity_number="33010619860128072X")
    await other.ask(EMPLOYER_A, CommandKind.WITHDRAW, {})
    await other.ended()
    first = await nightly_round(world)
    assert (first.cases, first.differing, first.unchecked) == (2, 0, 0)
    assert await world.rows(tables.cursors, name="round/reconciliation", value="ended")
    # The sweep archived what no round had copied.
    kept = await world.rows(tables.archived_histories)
    assert {case.reference, other.reference} <= {row["reference"] for row in kept}

    async with as_owner(owner) as connection:
        await _sql("UPDATE cases SET stage = 'refused' WHERE reference = :r")(connection, case.reference)
    for _ in range(2):
        night = await nightly_round(world)
        assert (night.cases, night.differing, night.differences) == (2, 1, 1)
    (listed,), _ = await list_differences(world.context)
    assert (listed.reference, listed.code) == (case.reference, "register_differs_from_ledger")
    assert (listed.expected, listed.found) == ("approved", "refused")
    (incident,) = await world.rows(tables.incidents, kind="record_differs")
    assert incident["reason"] == "table=registrations column=stage"
    rows = await world.rows(tables.ledger, act="reconciled")
    assert sorted(row["detail"]["differing"] for row in rows) == [0, 1, 1]

    async with as_owner(owner) as connection:
        await _sql("UPDATE cases SET stage = 'approved' WHERE reference = :r")(connection, case.reference)
    assert (await nightly_round(world)).differences == 0
    assert await list_differences(world.context) == ([], None)
    (incident,) = await world.rows(tables.incidents, kind="record_differs")
    assert (incident["state"], incident["closed_reason"]) == ("ended", "difference_gone")


async def nightly_round(world: World) -> ReconciliationCount:
    counted: ReconciliationCount = await world.client.execute_workflow(
        RECONCILIATION_WORKFLOW,
        id=f"night-{uuid4()}",
        task_queue=REGISTRATION_QUEUE,
        result_type=ReconciliationCount,
        execution_timeout=timedelta(seconds=60),
    )
    return counted


async def test_a_run_that_cannot_be_archived_is_named_with_the_days_that_temporal_keeps_it(world: World) -> None:
    case = await closed_run(world)
    histories = TemporalHistories(world.client)
    (closed, _) = await histories.runs_of(CASE_TYPES.id_of(case.reference))
    days = (await histories.retention()).days
    with patch.object(TemporalHistories, "fetch", side_effect=ValueError("payload: its key is not in the keyring")):
        await nightly_round(world)
    incidents = await world.rows(tables.incidents, kind="history_missing", step=f"registration/{case.reference}")
    assert [(each["reason"], each["reference"]) for each in incidents] == [
        (f"{closed.run_id} days_left={days - 1}", case.reference)
    ]
    await nightly_round(world)
    assert closed.run_id in {row["run_id"] for row in await world.rows(tables.archived_histories)}
    (incident,) = await world.rows(tables.incidents, kind="history_missing", step=f"registration/{case.reference}")
    assert (incident["state"], incident["closed_reason"]) == ("ended", "archived")
