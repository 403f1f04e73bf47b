"""Starts after the answer: one at a time, employers in turn, and nothing that the sweeper does by now."""

import asyncio
import json
import logging
from datetime import timedelta
from types import SimpleNamespace

import pytest

from api import starts
from api.starts import Starts
from cases.shared import pace
from domain.messages import StandingInput
from temporal.engine import Told
from temporal.telemetry import correlated
from tests.json_logs import logging_as_json


class SlowEngine:
    """Starts a case when it is let to, and says which were under way at once."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.under_way = 0
        self.most_under_way = 0
        self.let = asyncio.Event()
        self.fails: set[str] = set()

    async def start(self, reference: str, correlation_id: str = "", *, employer_id: str = "") -> bool:
        self.begun.append(reference)
        logging.getLogger("engine").info(reference)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await self.let.wait()
        self.under_way -= 1
        if reference in self.fails:
            raise ValueError(reference)
        return True

    async def decide(self, reference: str, command_id: str, correlation_id: str = "") -> Told:
        raise NotImplementedError

    async def nudge(
        self, reference: str, command_id: str, correlation_id: str = "", *, is_resume: bool = False
    ) -> bool:
        raise NotImplementedError

    async def start_standing(self, employer_id: str, standing: StandingInput, *, is_unspread: bool = False) -> bool:
        raise NotImplementedError

    async def is_up(self) -> bool:
        return True


async def test_starts_one_at_a_time_with_employers_in_turn() -> None:
    engine = SlowEngine()
    waiting = Starts(engine)
    for employer, reference in (("a", "a1"), ("a", "a2"), ("a", "a3"), ("b", "b1"), ("b", "b2"), ("c", "c1")):
        waiting.add(employer, reference, "")
        await asyncio.sleep(0)  # the first is under way by now
    assert engine.begun == ["a1"]

    engine.let.set()
    await waiting.drain()

    assert engine.begun == ["a1", "a2", "b1", "c1", "a3", "b2"]
    assert engine.most_under_way == 1


async def test_rests_as_long_as_a_start_took(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(starts, "get_running_loop", lambda: SimpleNamespace(time=lambda: clock.now))
    worked: list[float] = []

    async def rest(begun: float) -> None:
        worked.append(clock.now - begun)

    monkeypatch.setattr(pace, "rest", rest)
    engine = SlowEngine()
    waiting = Starts(engine)
    waiting.add("a", "a1", "")
    waiting.add("a", "a2", "")
    await asyncio.sleep(0)  # the first is under way
    clock.now += 3.0

    engine.let.set()
    await waiting.drain()

    assert worked == [3.0]


async def test_goes_on_after_a_start_that_met_a_defect_and_after_a_pause() -> None:
    engine = SlowEngine()
    engine.let.set()
    engine.fails = {"a1"}
    waiting = Starts(engine)
    waiting.add("a", "a1", "")
    waiting.add("a", "a2", "")
    await waiting.drain()

    waiting.add("a", "a3", "")
    await waiting.drain()

    assert engine.begun == ["a1", "a2", "a3"]


async def test_leaves_to_the_sweeper_what_waited_as_long_as_the_sweeper_lets_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = SlowEngine()
    waiting = Starts(engine)
    waiting.add("a", "a1", "")
    await asyncio.sleep(0)  # the first is under way
    monkeypatch.setattr(starts, "PATIENCE", timedelta(0))
    waiting.add("a", "a2", "")
    monkeypatch.undo()
    waiting.add("b", "b1", "")

    engine.let.set()
    await waiting.drain()

    assert engine.begun == ["a1", "b1"]


async def test_holds_so_many_of_an_employer_at_most_and_those_of_others_beside_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(starts, "_MOST_OF_AN_EMPLOYER", 2)
    engine = SlowEngine()
    waiting = Starts(engine)
    for reference in ("a1", "a2", "a3", "b1"):
        waiting.add(reference[0], reference, "")

    engine.let.set()
    await waiting.drain()

    assert engine.begun == ["a1", "b1", "a2"]


async def test_what_waits_when_the_process_ends_is_left_to_the_sweeper() -> None:
    engine = SlowEngine()
    waiting = Starts(engine)
    waiting.add("a", "a1", "")
    await asyncio.sleep(0)  # it is under way
    waiting.add("a", "a2", "")

    waiting.leave()
    engine.let.set()
    await waiting.drain()

    assert engine.begun == ["a1"]


async def test_what_a_start_logs_names_its_own_request(capsys: pytest.CaptureFixture[str]) -> None:
    engine = SlowEngine()
    engine.let.set()
    waiting = Starts(engine)
    with logging_as_json():
        with correlated("of-a"):
            waiting.add("a", "a1", "of-a")
        with correlated("of-b"):
            waiting.add("b", "b1", "of-b")
        await waiting.drain()

    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["event"], line["correlation_id"]) for line in lines] == [("a1", "of-a"), ("b1", "of-b")]
