"""What load says of cases: what waits, whose turn it was, and which promises were kept."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
import pytest_asyncio

from cases.health.figures import count_live
from cases.load import counts
from cases.load.reads import read_load
from cases.load.views import Bucket
from domain.actors import Actor, Role
from domain.commands import CommandKind
from domain.errors import Refused
from domain.languages import Language
from domain.stages import LIVE
from programmes import PROGRAMMES
from record.review import draw_sample
from store import tables
from tests.cases.contexts import EMPLOYER_A, OFFICER, SUPERVISOR, SUPERVISOR_2
from tests.cases.driver import MENDED, Park, china, open_park

AUDITOR = Actor(issuer="test", subject="auditor", role=Role.AUDITOR)
_CODE = "talent_permit"
OTHER: dict[str, Any] = {"identity_number": "33010619860128072X"}


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:  # a Monday
        yield park


async def _load(park: Park, **asked: Any) -> dict[str, dict[Any, float]]:
    """Return the numbers that are not zero of each series, by day and key where they have a day, else by key."""
    given: dict[str, Any] = {
        "first": None, "last": None, "bucket": Bucket.DAY, "programme": None, "employer_id": None,
        "language": Language.EN, **asked,
    }  # fmt: skip
    of = {each.programme: each for each in (await read_load(park.context, **given)).programmes}
    assert set(of) == ({*PROGRAMMES} if given["programme"] is None else {given["programme"]})
    others = [point for code, each in of.items() if code != _CODE for series in each.series for point in series.points]
    assert not any(point.value for point in others), "what is counted of one programme is counted of another"
    load = of[_CODE]
    return {
        each.code: {(p.key if p.on is None else (str(p.on), p.key)): p.value for p in each.points if p.value}
        for each in load.series
    }


async def test_what_waits_is_counted_by_stage_age_employer_and_holder(park: Park) -> None:
    case = await park.review()
    await case.claim("review")
    await (await park.take_on(employment={"state_worker": True}, **OTHER)).step()
    park.clock.at = china("2026-03-05")
    load = await _load(park)
    assert load["waiting"] == {"under_review": 1, "correction_requested": 1}
    assert load["oldest"] == {"under_review": 3, "correction_requested": 3}
    assert load["waiting_by_age"] == {"2-3": 2}
    assert load["waiting_by_holder"] == {"park": 1, "employer": 1}
    assert load["waited_by_holder"] == {"park": 3, "employer": 3}
    assert load["waiting_by_employer"] == {"emp-a": 2}
    assert load["tasks_by_officer"] == {"officer-1": 1}
    assert load["taken_on"] == {("2026-03-02", "taken_on"): 2}
    assert load["overdue"] == load["decided"] == load["promises"] == {}


async def test_promises_are_counted_by_day_officer_and_employer(park: Park) -> None:
    kept, missed = await park.review(), await park.review(**OTHER)
    await kept.at("2026-03-09", "23:59:59")  # the last second of the day that was promised
    await kept.decide("approve")
    park.clock.at = china("2026-03-10", "00:00")
    await missed.step()
    assert (await _load(park))["overdue"] == {"under_review": 1}
    await missed.decide("approve", by=SUPERVISOR)
    load = await _load(park)
    assert load["promises"] == {("2026-03-09", "kept"): 1, ("2026-03-10", "missed"): 1}
    assert load["decided"] == {("2026-03-09", "approve"): 1, ("2026-03-10", "approve"): 1}
    assert (load["kept_by_officer"], load["missed_by_officer"]) == ({"officer-1": 1}, {SUPERVISOR.subject: 1})
    assert (load["kept_by_employer"], load["missed_by_employer"]) == ({"emp-a": 1}, {"emp-a": 1})
    by_week = await _load(park, bucket=Bucket.WEEK)
    assert by_week["promises"] == {("2026-03-09", "kept"): 1, ("2026-03-09", "missed"): 1}


async def test_a_case_that_was_decided_twice_counts_once(park: Park) -> None:
    case = await park.review()
    await case.decide("approve")
    await case.do(OFFICER, CommandKind.RECALL, reason="Pressed the wrong button.")
    assert (await _load(park))["decided"] == {}
    await case.refuse()
    assert (await _load(park))["decided"] == {("2026-03-02", "refuse"): 1}


async def test_refused_set_aside_and_approved_counts_one_decision(park: Park) -> None:
    case = await park.review()
    await case.refuse()
    assert "settled" in await case.ledger()
    assert (await _load(park))["decided"] == {("2026-03-02", "refuse"): 1}
    await case.do(SUPERVISOR, CommandKind.SET_ASIDE, reasons=[{"code": "decided_in_error"}])
    assert (await _load(park))["decided"] == {("2026-03-02", "refuse"): 1}
    await case.confirm(by=SUPERVISOR_2)
    load = await _load(park)
    assert load["decided"] == load["promises"] == load["kept_by_officer"] == {}
    assert load["waiting"] == {"under_review": 1}
    await case.decide("approve")
    await case.after(hours=1)
    load = await _load(park)
    assert load["decided"] == {("2026-03-02", "approve"): 1}
    assert load["promises"] == {("2026-03-02", "kept"): 1}
    assert (load["kept_by_officer"], load["kept_by_employer"]) == ({"officer-1": 1}, {"emp-a": 1})
    assert load["taken_on"] == {("2026-03-02", "taken_on"): 1}
    assert await count_live(park.context) == {stage: int(stage == "approved") for stage in LIVE}
    # An auditor draws from what people did, and never from its settling.
    park.clock.at = china("2026-03-03")
    begins, ends = china("2026-03-02", "00:00"), park.clock.at
    sample = await draw_sample(park.context, AUDITOR, seed="s", size=50, begins=begins, ends=ends, purpose=None)
    drawn = Counter(row.act for row in sample.items)
    assert drawn == {"decided": 2, "confirmed": 1, "set_aside_proposed": 1, "set_aside": 1}
    assert sample.population == drawn.total()


async def test_whose_turn_it_was_is_counted_when_it_is_anothers(park: Park) -> None:
    case = await park.take_on(employment={"state_worker": True})
    await case.at("2026-03-03")  # a day of the park's before it is sent back
    park.clock.at = china("2026-03-05")
    await case.do(EMPLOYER_A, CommandKind.CORRECT, **MENDED)
    load = await _load(park)
    assert load["time_by_holder"] == {("2026-03-03", "park"): 1, ("2026-03-05", "employer"): 2}
    assert load["turns_by_holder"] == {("2026-03-03", "park"): 1, ("2026-03-05", "employer"): 1}


async def test_tracks_are_counted_where_somebody_is_waited_for(park: Park) -> None:
    case = await park.submitted()
    await case.answer("accepted")
    load = await _load(park)
    assert load["track_waiting"] == {"accepted": 1, "submitted": 1}
    assert load["track_waiting_by_key"] == {"HK": 1, "MO": 1}
    assert load["track_events"] == {("2026-03-02", "sent"): 2, ("2026-03-02", "accepted"): 1}


async def test_a_programme_and_an_employer_narrow_it(park: Park) -> None:
    await park.review()
    assert (await _load(park, employer_id="emp-a"))["waiting"] == {"under_review": 1}
    assert (await _load(park, employer_id="emp-b"))["waiting"] == {}
    assert (await _load(park, programme="talent_permit"))["waiting"] == {"under_review": 1}


@pytest.mark.parametrize(
    ("asked", "field", "words"),
    [
        ({"first": date(2026, 3, 2), "last": date(2026, 3, 1)}, "from", "turned_round"),
        ({"last": date(2026, 3, 3)}, "to", "not_over_yet"),
        ({"first": date(2025, 11, 30)}, "from", "too_many_days"),
        ({"first": date(2025, 3, 1), "bucket": Bucket.WEEK}, "from", "too_many_weeks"),
        ({"programme": "unheard_of"}, "programme", ""),
    ],
)
async def test_what_cannot_be_counted_is_refused(park: Park, asked: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(Refused, match="invalid") as refused:
        await _load(park, **asked)
    assert [(error.field, error.words) for error in refused.value.errors] == [(field, words)]


async def test_a_time_in_which_too_much_happened_is_refused(park: Park, monkeypatch: pytest.MonkeyPatch) -> None:
    await park.review()
    await _load(park)
    monkeypatch.setattr(counts, "MOST_COUNTED", 0)
    with pytest.raises(Refused, match="invalid") as refused:
        await _load(park)
    assert [error.words for error in refused.value.errors] == ["too_much_happened"]


async def test_an_employer_that_nobody_knows_is_not_found(park: Park) -> None:
    with pytest.raises(Refused, match="not_found"):
        await _load(park, employer_id="emp-z")


async def test_every_series_and_label_is_said_in_the_readers_language(park: Park) -> None:
    await park.review()
    for language in Language:
        given: dict[str, Any] = {"first": None, "last": None, "bucket": Bucket.DAY, "programme": None}
        loads = (await read_load(park.context, **given, employer_id=None, language=language)).programmes
        assert {load.programme for load in loads} == {*PROGRAMMES}
        drawn = [each for load in loads for each in load.series]
        said = {point.label for each in drawn for point in each.points if each.by not in ("employer", "officer")}
        assert all(each.title for each in drawn)
        assert not {label for label in said if "_" in label or (language is not Language.EN and label.isascii())}


async def test_the_ledger_keeps_what_the_figures_rest_on(park: Park) -> None:
    case = await park.review()
    await case.decide("approve")
    assert (await case.last("decided"))["promise"] == {"by": "2026-03-09T23:59:59+08:00", "kept": True}
    assert (await park.rows(tables.cases))[0]["holder_since"] is not None
