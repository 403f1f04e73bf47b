"""Rows of before stand rightly in the schema of today."""

import asyncio

import asyncpg
from alembic import command
from alembic.script import ScriptDirectory

from sandbox.stack.postgres import OWNER, PostgresServer
from store.migrate import configuration, upgrade

_BEFORE = """
    SELECT set_config('hetao.tenant', '*', false);
    INSERT INTO incidents (incident_id, kind, step, reason, place, state, at, times)
    SELECT gen_random_uuid(), 'defect', 'GET /v1/tasks', 'KeyError', 'a/b.py:' || n || ' run', 'open', now(), n
    FROM generate_series(1, 3) n;
    INSERT INTO incidents (incident_id, kind, step, reason, state, at)
    SELECT ('00000000-0000-4000-8000-00000000000' || n)::uuid, 'record_differs', 'answer_missing', 'outcome_id=' || n,
        'open', now()
    FROM generate_series(1, 2) n;
    INSERT INTO differences (difference_id, reference, code, place, first_seen_at, last_seen_at, gone_at)
    SELECT incident_id, 'HT-X', step, '{}', now(), now(), CASE WHEN reason = 'outcome_id=1' THEN now() END
    FROM incidents WHERE kind = 'record_differs';
"""

_CAUSES = (
    "SELECT kind, state, closed_reason, cause_place, count(*) FROM incidents"
    " GROUP BY kind, state, closed_reason, cause_place, cause_id ORDER BY 1, 2"
)


def test_incidents_of_before_have_their_cause_and_those_that_had_healed_are_closed(
    postgres: PostgresServer, empty_database: str
) -> None:
    url = postgres.url(role=OWNER, database=empty_database)
    alembic = configuration(url)
    before = ScriptDirectory.from_config(alembic).get_revision("0032").down_revision
    command.upgrade(alembic, str(before))
    asyncio.run(_run(url, _BEFORE))
    upgrade(url)
    assert asyncio.run(_rows(url, _CAUSES)) == [
        ("defect", "open", None, "a/b.py run", 3),
        ("record_differs", "ended", "difference_gone", "", 1),
        ("record_differs", "open", None, "", 1),
    ]


_PERSONS = """
    SELECT set_config('hetao.tenant', '*', false);
    INSERT INTO data_keys (key_id, kek_id) VALUES ('00000000-0000-4000-8000-000000000001', 'k1');
    INSERT INTO persons (person_id, identity_hash, key_id)
    SELECT ('00000000-0000-4000-8000-0000000000' || n)::uuid, CASE WHEN n < 13 THEN ('x' || n)::bytea END,
        '00000000-0000-4000-8000-000000000001' FROM generate_series({first}, {last}) n;
"""


def test_persons_of_before_and_those_that_code_of_before_adds_or_erases_have_their_documents(
    postgres: PostgresServer, empty_database: str
) -> None:
    url = postgres.url(role=OWNER, database=empty_database)
    alembic = configuration(url)
    before = ScriptDirectory.from_config(alembic).get_revision("0038").down_revision
    command.upgrade(alembic, str(before))
    asyncio.run(_run(url, _PERSONS.format(first=11, last=13)))  # the last one was erased
    upgrade(url)
    query = "SELECT right(person_id::text, 2), lookup_hash, kind, number FROM person_documents ORDER BY 1"
    copied = [("11", b"x11", None, None), ("12", b"x12", None, None)]
    assert asyncio.run(_rows(url, query)) == copied
    asyncio.run(_run(url, _PERSONS.format(first=10, last=10).replace("000000001", "000000002")))
    assert asyncio.run(_rows(url, query)) == [("10", b"x10", None, None), *copied]
    erasing = "SELECT set_config('hetao.tenant', '*', false); UPDATE persons SET identity_hash = NULL"
    asyncio.run(_run(url, f"{erasing} WHERE identity_hash = 'x11'"))
    assert [row[0] for row in asyncio.run(_rows(url, query))] == ["10", "12"]


_CASES = """
    SELECT set_config('hetao.tenant', '*', false);
    INSERT INTO data_keys (key_id, kek_id) VALUES ('00000000-0000-4000-8000-000000000001', 'k1');
    INSERT INTO persons (person_id, key_id)
    SELECT ('00000000-0000-4000-8000-0000000000' || n)::uuid, '00000000-0000-4000-8000-000000000001'
    FROM generate_series(11, 15) n;
    INSERT INTO employers (employer_id, key_id, uscc, contact, language)
    VALUES ('emp-x', '00000000-0000-4000-8000-000000000001', 'u', '', 'en');
"""
_CASE = """
    SELECT set_config('hetao.tenant', '*', false);
    INSERT INTO cases (reference, employer_id, person_id, correlation_id, programme, stage, accepted_at,
        policy_version, clock, holder, erased_at)
    SELECT 'HT-' || n, 'emp-x', ('00000000-0000-4000-8000-0000000000' || n)::uuid, '', 'talent_permit', 'refused',
        '2026-03-02 04:00Z', 'p', 'stopped', 'nobody', CASE WHEN n = 12 THEN timestamptz '2026-03-05 04:00Z' END
    FROM generate_series($1, $2) n;
"""
_PARTIES = (
    "SELECT reference, part, kind, right(party_id, 2), since = '2026-03-02 04:00Z', until IS NOT NULL, programme,"
    " employer_id FROM case_parties ORDER BY 1, 2, 6 DESC, since"
)


def test_cases_of_before_and_those_that_come_are_corrected_or_erased_have_their_parties(
    postgres: PostgresServer, empty_database: str
) -> None:
    url = postgres.url(role=OWNER, database=empty_database)
    alembic = configuration(url)
    before = ScriptDirectory.from_config(alembic).get_revision("0040").down_revision
    command.upgrade(alembic, str(before))
    asyncio.run(_run(url, _CASES + _CASE.replace("$1", "11").replace("$2", "12")))
    upgrade(url)
    rest = ("talent_permit", "emp-x")

    def parties(number: str, *, erased: bool = False) -> list[tuple[object, ...]]:
        owner, subject = ("owner", "employer", "-x", True, False), ("subject", "person", number, True, erased)
        return [(f"HT-{number}", *owner, *rest), (f"HT-{number}", *subject, *rest)]

    copied = [*parties("11"), *parties("12", erased=True)]
    assert asyncio.run(_rows(url, _PARTIES)) == copied
    asyncio.run(_run(url, _CASE.replace("$1", "13").replace("$2", "13")))
    assert asyncio.run(_rows(url, _PARTIES)) == [*copied, *parties("13")]
    park = "SELECT set_config('hetao.tenant', '*', false);"
    asyncio.run(
        _run(
            url,
            f"{park} UPDATE cases SET person_id = '00000000-0000-4000-8000-000000000014'"
            f" WHERE reference = 'HT-13'; UPDATE cases SET erased_at = now() WHERE reference = 'HT-11'",
        )
    )
    corrected = [
        *parties("13")[:1],
        ("HT-13", "subject", "person", "13", True, True, *rest),
        ("HT-13", "subject", "person", "14", False, False, *rest),
    ]
    assert asyncio.run(_rows(url, _PARTIES)) == [*parties("11", erased=True), *parties("12", erased=True), *corrected]


async def _run(url: str, script: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(script)
    finally:
        await connection.close()


async def _rows(url: str, query: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SELECT set_config('hetao.tenant', '*', false)")
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()
