"""A plan is drawn from its seed alone, and strikes with everything."""

import pytest

from bench.faults.people import people
from bench.faults.plan import AWAY_SECONDS, AWAY_SECONDS_SHORT, BESIDE, KILLS, OF_AUTHORITY, OF_MAIL, Fault, plan
from sandbox.standins.moods import Mood
from workflows.timeouts import CALL_TIMEOUT, POLL_TIMEOUT


def test_a_seed_gives_the_same_run_again() -> None:
    assert plan(7, 1000) == plan(7, 1000)
    assert people(7, 50) == people(7, 50)
    assert plan(7, 1000) != plan(8, 1000)
    assert people(7, 50) != people(8, 50)


@pytest.mark.parametrize("cases", [20, 100, 1000])
def test_every_fault_strikes(cases: int) -> None:
    drawn = plan(3, cases)
    assert {strike.fault for strike in drawn.strikes} == set(Fault)
    assert [strike.number for strike in drawn.strikes] == list(range(1, len(drawn.strikes) + 1))
    assert any(strike.freeze for strike in drawn.strikes)


def test_more_cases_are_struck_more_often() -> None:
    assert len(plan(3, 1000).strikes) > 2 * len(plan(3, 100).strikes)
    assert plan(3, 1000).seconds < 720


def test_the_authority_is_away_for_longer_than_any_timeout() -> None:
    [strike] = [strike for strike in plan(3, 1000).strikes if strike.fault is Fault.AUTHORITY_AWAY]
    assert strike.seconds == AWAY_SECONDS > POLL_TIMEOUT.total_seconds()
    assert CALL_TIMEOUT.total_seconds() < AWAY_SECONDS_SHORT


def test_moods_are_those_of_the_stand_ins() -> None:
    assert {*OF_AUTHORITY.values(), *OF_MAIL.values()} <= {mood.value for mood in Mood}
    assert not {*KILLS, *OF_AUTHORITY, *OF_MAIL} & BESIDE
