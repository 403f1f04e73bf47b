"""Each gauge moves with what it tells of, and comes back when that is mended."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import pytest_asyncio
from alembic.script import ScriptDirectory
from prometheus_client import REGISTRY
from sqlalchemy import text, update

from cases.deadlines.calendar_loads import load_published
from cases.health import figures, rounds
from cases.health.figures import read_figures
from cases.health.gauges import read_gauges
from cases.health.process_metrics import tell_process
from cases.health.rounds import Round
from cases.incidents.stopped import open_incident
from domain.clock import CHINA
from domain.errors import Unavailable
from domain.notices import Channel
from store import tables
from store.build_info import code_schema
from store.database import Database
from store.migrate import configuration
from tests.cases.contexts import SUPERVISOR
from tests.cases.driver import Park, china, open_park

_HOUR = 3600.0
PEOPLE = ("33010619860128072X", "110105199003071239", "110105199103071236")


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


async def _told(park: Park, name: str, after: timedelta = timedelta(), **labels: str) -> float | None:
    """Read the gauges some time later and return what one of them says."""
    park.clock.at += after
    await read_gauges(park.context)
    return REGISTRY.get_sample_value(f"hetao_{name}", labels)


async def test_a_command_that_nobody_applies_grows_old(park: Park) -> None:
    assert await _told(park, "commands_oldest_unapplied_seconds") == 0
    case = await park.take_on()
    assert await _told(park, "commands_oldest_unapplied_seconds", timedelta(hours=1)) == _HOUR
    assert await _told(park, "commands_unapplied") == 1
    await case.step()
    assert await _told(park, "commands_oldest_unapplied_seconds", timedelta(hours=1)) == 0
    assert await _told(park, "commands_unapplied") == 0


async def test_a_case_that_is_stuck_is_an_incident_and_no_late_command(park: Park) -> None:
    case = await park.take_on()
    await open_incident(park.context, case.reference, "advance", "poisoned", park.clock.at)
    assert await _told(park, "commands_oldest_unapplied_seconds", timedelta(hours=1)) == 0
    assert await _told(park, "incidents_open", kind="stuck") == 1
    async with park.context.database.begin() as connection:
        await connection.execute(update(tables.incidents).values(state="resumed"))
    assert await _told(park, "incidents_open", kind="stuck") == 0
    assert await _told(park, "commands_oldest_unapplied_seconds") == _HOUR


async def test_alike_incidents_are_one_cause_whatever_their_number(park: Park) -> None:
    for number, reason in enumerate(("KeyError: a", "KeyError: b", "sealed_value_altered")):
        case = await park.take_on(identity_number=PEOPLE[number])
        await open_incident(park.context, case.reference, "advance", reason, park.clock.at)
    assert await _told(park, "incidents_open", kind="stuck") == 3
    assert await _told(park, "incident_causes_open", kind="stuck") == 2
    async with park.context.database.begin() as connection:
        await connection.execute(update(tables.incidents).values(state="resumed"))
    assert await _told(park, "incident_causes_open", kind="stuck") == 0


async def test_calls_to_the_authority_that_nobody_makes_grow_old(park: Park) -> None:
    case = await park.approved()
    assert await _told(park, "calls_oldest_due_seconds", timedelta(hours=1)) == _HOUR
    assert await _told(park, "calls_due") == 2
    # Held back while its employer is suspended: due to nobody.
    await case.set_row(standing_hold=True)
    assert await _told(park, "calls_due") == 0
    await case.set_row(standing_hold=False)
    await case.make_calls()
    assert await _told(park, "calls_oldest_due_seconds", timedelta(hours=1)) == 0


async def test_a_delivery_held_up_grows_old_by_channel_whatever_its_next_attempt(park: Park) -> None:
    assert await _told(park, "deliveries_due", channel="mail") == 0
    await park.approved()
    d = tables.deliveries
    # Failed once and waiting for its next attempt: as late as before.
    async with park.context.database.begin() as connection:
        later = update(d).where(d.c.channel == "mail").values(next_attempt=park.clock.at + timedelta(hours=2))
        assert (await connection.execute(later)).rowcount
    assert (await _told(park, "deliveries_oldest_due_seconds", timedelta(hours=1), channel="mail") or 0) >= _HOUR
    assert (await _told(park, "deliveries_due", channel="mail") or 0) > 0
    assert await _told(park, "deliveries_due", channel="sms") == 0
    async with park.context.database.begin() as connection:
        await connection.execute(update(d).values(status="sent", sent_at=park.clock.at))
    assert await _told(park, "deliveries_due", channel="mail") == 0
    assert await _told(park, "deliveries_oldest_due_seconds", channel="mail") == 0


async def test_a_delivery_whose_time_has_not_come_is_not_late(park: Park) -> None:
    await park.approved()
    tomorrow = park.clock.at + timedelta(days=1) + park.context.limits.notice_retry
    async with park.context.database.begin() as connection:
        await connection.execute(update(tables.deliveries).values(give_up_at=tomorrow))
    assert (await read_figures(park.context)).deliveries[Channel.MAIL].count == 0


async def test_live_cases_by_stage(park: Park) -> None:
    await park.review()
    assert await _told(park, "cases_live", stage="under_review") == 1
    assert await _told(park, "cases_live", stage="approved") == 0
    # What is closed is no series at all.
    assert REGISTRY.get_sample_value("hetao_cases_live", {"stage": "refused"}) is None


async def test_the_calendar_ends_where_the_next_notice_is_missing(park: Park) -> None:
    await load_published(park.context, SUPERVISOR)
    end = datetime.fromtimestamp(await _told(park, "calendar_end_timestamp_seconds") or 0, CHINA)
    async with park.context.database.begin() as connection:
        years = {row.day.year for row in await connection.execute(tables.calendar_days.select())}
    # From 21 December on the year after has a say.
    assert (end.year, end.month, end.day) == (max(years), 12, 20)


async def test_a_round_that_never_ended_counts_from_the_first_look(park: Park) -> None:
    begun = park.clock.at
    assert await _told(park, "round_last_end_timestamp_seconds", round="retention") == begun.timestamp()
    assert (
        await _told(park, "round_last_end_timestamp_seconds", timedelta(hours=30), round="retention")
        == begun.timestamp()
    )
    await rounds.note_end(park.context, Round.RETENTION)
    assert await _told(park, "round_last_end_timestamp_seconds", round="retention") == park.clock.at.timestamp()
    assert await _told(park, "round_last_end_timestamp_seconds", round="archive") == begun.timestamp()


async def test_figures_that_cannot_be_read_are_seen_to_be_old(park: Park) -> None:
    read = await _told(park, "figures_timestamp_seconds")
    away = Database("postgresql://nobody@127.0.0.1:1/none", pool_size=1)
    park.clock.at += timedelta(hours=1)
    with pytest.raises(Unavailable):
        await read_gauges(replace(park.context, database=away))
    await away.close()
    assert REGISTRY.get_sample_value("hetao_figures_timestamp_seconds") == read


async def test_the_pool_tells_what_is_in_use(park: Park, clean_database: str) -> None:
    database = Database(clean_database, pool_size=1)
    database.engine.pool._timeout = 0.01  # type: ignore[attr-defined]
    tell_process(replace(park.context, database=database, sealer_database=None))

    def told(name: str) -> float | None:
        return REGISTRY.get_sample_value(f"hetao_database_pool_{name}", {"pool": "application"})

    timeouts = REGISTRY.get_sample_value("hetao_database_pool_timeouts_total") or 0
    assert (told("in_use"), told("size")) == (0, 1)
    async with database.begin():
        assert told("in_use") == 1
        with pytest.raises(Unavailable):
            async with database.begin():
                pass
    assert told("in_use") == 0
    assert REGISTRY.get_sample_value("hetao_database_pool_timeouts_total") == timeouts + 1
    await database.close()


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (figures.COMMANDS, "ix_commands_"),
        (figures.CALLS, "ix_calls_"),  # of few rows either index serves
        (figures.DELIVERIES, "ix_deliveries_"),
        (figures.INCIDENTS, "ix_incidents_"),
        (figures.STAGES, "ix_cases_"),
    ],
)
async def test_figures_are_read_from_what_waits_and_not_from_what_sleeps(park: Park, query: str, index: str) -> None:
    given = {
        "channels": "'{mail}'::text[]",
        "begun": "now()",
        "stages": "'{received}'::text[]",
        "held": "'{list_entry}'::text[]",
    }
    for name, value in given.items():
        query = query.replace(f":{name}", value)
    async with park.context.database.begin() as connection:
        await connection.execute(text("SET LOCAL enable_seqscan = off"))
        plan = list((await connection.execute(text(f"EXPLAIN ANALYZE {query}"))).scalars())
    assert index in "\n".join(plan)
    # What a policy would ask of another kind of session is planned too, and not done for the park.
    assert [line for line in plan if "Seq Scan" in line and "never executed" not in line] == []


def test_the_build_names_the_newest_migration() -> None:
    assert ScriptDirectory.from_config(configuration("postgresql://x/y")).get_current_head() == code_schema()
