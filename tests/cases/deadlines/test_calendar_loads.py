"""The working calendar: loading it, reading it, and the cases that are counted again."""

from collections.abc import AsyncIterator
from datetime import date

import asyncpg
import pytest
import pytest_asyncio
from pydantic import ValidationError
from sqlalchemy import func, insert, select, update

from cases.deadlines.calendar_loads import load_calendar, load_published, recount_cases
from cases.shared.calendar import current_calendar
from cases.shared.context import CalendarShelf, Context
from domain.actors import system
from domain.calendars import CalendarFile, DayKind, day_kind
from policy.calendars import mainland_calendar, published_year
from programmes.talent_permit.requests import RegistrationRequest
from store.tables import calendar_days, commands, cursors, deadlines, ledger
from tests.cases.contexts import EMPLOYER_A, Clock, key, load_samples, open_context, registration_body
from tests.cases.driver import Park, china, open_park
from tests.cases.taking_on import accept

LOADER = system("calendar_load")


@pytest_asyncio.fixture
async def context(clean_database: str) -> AsyncIterator[Context]:
    async with open_context(clean_database, Clock()) as context:
        yield context


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-12-01")) as park:
        yield park


async def _version(context: Context) -> str | None:
    async with context.database.begin() as connection:
        query = select(cursors.c.value).where(cursors.c.name == "calendar")
        return (await connection.execute(query)).scalar_one_or_none()


async def _recounts(context: Context) -> int:
    async with context.database.begin() as connection:
        query = select(func.count()).where(commands.c.kind == "recount")
        return int((await connection.execute(query)).scalar_one())


def _year(year: int, *days_off: date) -> CalendarFile:
    return CalendarFile(year=year, source="a notice", days_off=days_off)


async def test_the_library_stands_in_until_a_year_is_loaded(context: Context) -> None:
    async with context.database.begin() as connection:
        calendar = await current_calendar(context, connection, await _version(context))
    assert calendar.version == mainland_calendar().version


async def test_loading_the_library_twice_changes_nothing(context: Context) -> None:
    first = await load_published(context, LOADER)
    second = await load_published(context, LOADER)
    assert first == second == await _version(context)
    async with context.database.begin() as connection:
        rows = (await connection.execute(select(func.count()).select_from(calendar_days))).scalar_one()
        acts = (await connection.execute(select(func.count()).where(ledger.c.act == "calendar_loaded"))).scalar_one()
    assert rows == len(mainland_calendar().days)
    assert acts == 1


async def test_a_year_loaded_by_hand_is_not_undone_by_the_library(context: Context) -> None:
    holiday = date(2026, 3, 3)
    by_hand = await load_calendar(context, LOADER, _year(2026, holiday).days())
    assert await load_published(context, LOADER) == by_hand
    async with context.database.begin() as connection:
        calendar = await current_calendar(context, connection, by_hand)
    assert not calendar.is_working_day(holiday)


async def test_another_process_reads_the_calendar_again_when_its_version_moved(context: Context) -> None:
    await load_published(context, LOADER)
    shelf = CalendarShelf(version="old", calendar=mainland_calendar())
    other = Context(
        **{f: getattr(context, f) for f in ("database", "keyring", "packs", "limits", "clock", "programmes")},
        own_limits=context.own_limits,
        calendars=shelf,
    )
    holiday = date(2026, 3, 3)
    version = await load_calendar(context, LOADER, _year(2026, holiday).days())
    async with other.database.begin() as connection:
        calendar = await current_calendar(other, connection, version)
    assert calendar.version == version
    assert not calendar.is_working_day(holiday)


async def test_a_case_whose_deadline_moves_is_asked_to_count_again_once(context: Context) -> None:
    await load_samples(context)
    await load_published(context, LOADER)
    await accept(context, EMPLOYER_A, RegistrationRequest.model_validate(registration_body()), key())
    holiday = date(2026, 3, 4)
    await load_calendar(context, LOADER, _year(2026, holiday).days())
    assert await _recounts(context) == 1
    await load_calendar(context, LOADER, _year(2026, holiday).days())
    assert await _recounts(context) == 1


async def test_a_load_cut_short_is_finished_by_the_next(context: Context, owner_url: str) -> None:
    await load_samples(context)
    await load_published(context, LOADER)
    await accept(context, EMPLOYER_A, RegistrationRequest.model_validate(registration_body()), key())
    await load_calendar(context, LOADER, _year(2026, date(2026, 3, 4)).days())
    async with context.database.begin() as connection:
        await connection.execute(update(cursors).where(cursors.c.name == "calendar_recounted").values(value="old"))
    owner = await asyncpg.connect(owner_url)  # the application deletes no command
    await owner.execute("SET hetao.tenant = '*'; DELETE FROM commands WHERE kind = 'recount'")
    await owner.close()
    assert await recount_cases(context) == 1
    assert await recount_cases(context) == 0


async def test_a_case_whose_deadline_stands_is_left_alone(context: Context) -> None:
    await load_samples(context)
    await load_published(context, LOADER)
    await accept(context, EMPLOYER_A, RegistrationRequest.model_validate(registration_body()), key())
    await load_calendar(context, LOADER, _year(2028).days())
    assert await _recounts(context) == 0


async def test_a_provisional_deadline_is_counted_again_though_its_day_stays(context: Context) -> None:
    await load_samples(context)
    await load_published(context, LOADER)
    accepted = await accept(context, EMPLOYER_A, RegistrationRequest.model_validate(registration_body()), key())
    calendar = mainland_calendar()
    counted = calendar.deadline(date(2028, 5, 8), 5)
    assert counted.provisional
    async with context.database.begin() as connection:
        row = {
            "reference": accepted.reference,
            "kind": "contract_grace",
            "employer_id": "emp-a",
            "state": "waiting",
            "at": counted.at,
            "counted_from": date(2028, 5, 8),
            "counted_days": 5,
            "provisional": True,
            "calendar_version": calendar.version,
        }
        await connection.execute(insert(deadlines).values(row))
    await load_calendar(context, LOADER, _year(2028).days())
    assert await _recounts(context) == 1


async def test_a_notice_that_moves_settled_days_of_december_counts_every_open_case_again(park: Park) -> None:
    """A limit that was counted as settled, on the notice of 2026, ends by the notice of 2027."""
    await load_published(park.context, LOADER)
    park.clock.at = china("2026-12-28")
    waits = await park.take_on()
    park.identity_number = "33010619860128072X"
    reviewed = await park.review(permit_card_number="C87654321")
    assert (await reviewed.row())["due_at"] == china("2027-01-04", "23:59:59")
    # As an engine counted it that took a year's own notice for all of its December.
    async with park.context.database.begin() as connection:
        await connection.execute(update(deadlines).values(provisional=False))
    notice = CalendarFile(
        year=2027, source="a notice", days_off=(date(2026, 12, 31), date(2027, 1, 1)), workdays=(date(2026, 12, 26),)
    )
    await load_calendar(park.context, LOADER, notice.days())
    assert await _recounts(park.context) == 2
    for case in (waits, reviewed):
        await case.step()
        row = await case.row()
        assert (row["due_at"], row["due_provisional"]) == (china("2027-01-06", "23:59:59"), False)
    versions = {row["calendar_version"] for row in await park.rows(deadlines, deadlines.c.counted_from.is_not(None))}
    assert versions == {await _version(park.context)}


async def test_what_the_library_learns_of_december_with_the_next_year_is_taken(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The year itself was loaded by hand and stays; the end of its December is the next notice's."""
    holiday, moved = date(2026, 3, 3), date(2026, 12, 31)
    await load_calendar(context, LOADER, _year(2026, holiday).days())

    def published(year: int) -> dict[date, bool] | None:
        days = published_year(year)
        return {**_year(2027, date(2027, 1, 1)).days(), moved: False} if year == 2027 else days

    monkeypatch.setattr("cases.deadlines.calendar_loads.published_year", published)
    version = await load_published(context, LOADER)
    async with context.database.begin() as connection:
        calendar = await current_calendar(context, connection, version)
    assert [calendar.is_working_day(day) for day in (holiday, moved, date(2027, 1, 1))] == [False, False, False]


async def test_a_january_day_of_a_notice_does_not_keep_the_next_year_from_being_loaded(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_year = CalendarFile(year=2026, source="a notice", days_off=(), workdays=(date(2027, 1, 2),))
    await load_calendar(context, LOADER, new_year.days())
    later = _year(2027).days()
    monkeypatch.setattr(
        "cases.deadlines.calendar_loads.published_year", lambda year: later if year == 2027 else published_year(year)
    )
    version = await load_published(context, LOADER)
    async with context.database.begin() as connection:
        calendar = await current_calendar(context, connection, version)
    assert 2027 in calendar.years()


@pytest.mark.parametrize(
    ("day", "worked", "kind"),
    [
        (date(2026, 3, 2), True, DayKind.WORKING_DAY),
        (date(2026, 3, 2), False, DayKind.HOLIDAY),
        (date(2026, 3, 7), False, DayKind.WEEKEND),
        (date(2026, 3, 7), True, DayKind.MAKE_UP_DAY),
    ],
)
def test_a_day_is_named_by_what_the_calendar_makes_of_it(day: date, worked: bool, kind: DayKind) -> None:
    assert day_kind(day, worked=worked) is kind


def test_a_year_of_a_file_has_every_day() -> None:
    days = CalendarFile(
        year=2028, source="a notice", days_off=(date(2028, 10, 2),), workdays=(date(2028, 9, 30),)
    ).days()
    assert len(days) == 366
    assert not days[date(2028, 10, 2)]
    assert days[date(2028, 9, 30)]
    assert days[date(2028, 10, 3)]


@pytest.mark.parametrize("day", [date(2027, 11, 30), date(2029, 2, 1), date(2072, 12, 31), date(2028, 1, 1)])
def test_a_file_with_a_day_far_from_its_year_or_a_day_twice_is_refused(day: date) -> None:
    with pytest.raises(ValidationError):
        CalendarFile(year=2028, source="a notice", days_off=(day, date(2028, 1, 1)))
