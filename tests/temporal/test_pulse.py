"""The pulse of a worker: ready only while Temporal hands it work and PostgreSQL takes what it writes."""

import asyncio
from unittest.mock import MagicMock
from urllib.error import HTTPError
from urllib.request import urlopen
from uuid import uuid4

import orjson
import pytest
from prometheus_client import REGISTRY
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from domain.errors import Unavailable
from sandbox.stack.ports import free_port
from temporal.deployments import Deployment, Deployments
from temporal.exposition import serve_metrics
from temporal.pulse import (
    ANSWERED_WITHIN,
    POLLED_WITHIN,
    REFUSED_FOR,
    SILENT_FOR,
    TURNED_WITHIN,
    WRITTEN_WITHIN,
    Polls,
    Pulse,
    keep_looking,
    keep_pulse,
)
from temporal.serving import UNAVAILABLE, NotServedError
from temporal.version_watch import keep_watching_versions
from workflows import ensured


class _Clock:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def _status(pulse: Pulse) -> tuple[int, str, str]:
    status, _, body = pulse.ready()
    told = orjson.loads(body)
    return int(status.split()[0]), told["temporal"], told["postgresql"]


def test_a_worker_is_ready_while_all_of_it_goes_and_says_what_it_lacks() -> None:
    clock = _Clock()
    pulse = Pulse(clock=clock, queues=("cases", "notices"))
    assert _status(pulse) == (503, "not_polled", "not_written")
    assert pulse.live()[0].startswith("503")
    pulse.turned = pulse.written = clock.at
    pulse.answer({"cases"})
    assert _status(pulse) == (503, "not_polled", "written")
    assert orjson.loads(pulse.ready()[2])["queues"] == {"cases": "polled", "notices": "not_polled"}
    pulse.answer({"notices"})
    assert _status(pulse) == (200, "polled", "written")
    clock.at += WRITTEN_WITHIN + 1
    pulse.answer(())
    assert _status(pulse) == (503, "polled", "not_written")
    assert pulse.live()[0].startswith("200")
    clock.at += TURNED_WITHIN
    pulse.written = clock.at
    pulse.answer(())
    assert _status(pulse) == (503, "polled", "written")
    assert pulse.live()[0].startswith("503")
    pulse.turned = clock.at
    clock.at = 1000.0 + POLLED_WITHIN + 1
    pulse.answer(())
    assert _status(pulse)[1] == "not_polled"


def test_a_temporal_that_went_is_told_within_seconds_and_a_queue_that_is_quiet_for_long_is_no_alarm() -> None:
    clock = _Clock()
    pulse = Pulse(clock=clock, queues=("cases",))
    pulse.answer({"cases"})
    began = clock.at
    while clock.at - began < 2 * 60.0:  # a long poll is held for a minute, and noted when it begins
        clock.at += 5.0
        pulse.turned = pulse.written = clock.at
        pulse.answer(())
        assert _status(pulse)[:2] == (200, "polled")
    clock.at += ANSWERED_WITHIN - 1
    pulse.miss(UNAVAILABLE)
    assert _status(pulse)[1] == "polled"
    clock.at += 2
    assert _why(pulse) == ("not_polled", None)  # whether or not anybody looks
    pulse.miss(UNAVAILABLE)
    assert _why(pulse) == ("not_polled", UNAVAILABLE)
    assert pulse.answer(())
    assert _why(pulse) == ("not_polled", None)  # another one may have come back: its own note counts
    assert not pulse.answer({"cases"})
    assert _why(pulse) == ("polled", None)
    pulse.miss("namespace_not_found")  # an answer, and at once
    assert _why(pulse) == ("not_polled", "namespace_not_found")
    assert not pulse.is_lost()
    clock.at += REFUSED_FOR
    assert pulse.is_lost()
    pulse.miss(UNAVAILABLE)
    clock.at += SILENT_FOR - 1
    pulse.miss(UNAVAILABLE)
    assert not pulse.is_lost()
    clock.at += 1
    assert pulse.is_lost()
    pulse.tell("permission_denied")
    assert _why(pulse) == ("not_polled", "permission_denied")


def test_the_metrics_tell_whether_temporal_hands_out_work() -> None:
    pulse = Pulse(queues=("cases",))
    pulse.answers()
    assert REGISTRY.get_sample_value("hetao_temporal_polled") == 0
    pulse.answer({"cases"})
    assert REGISTRY.get_sample_value("hetao_temporal_polled") == 1


def _why(pulse: Pulse) -> tuple[str, str | None]:
    told = orjson.loads(pulse.ready()[2])
    return told["temporal"], told.get("temporal_why")


@activity.defn
async def _nothing() -> None:
    """Be there to be polled for."""


async def test_the_server_tells_whether_this_worker_polls_and_nobody_elses_polls_count(
    temporal_client: Client,
) -> None:
    queue = f"pulse-{uuid4()}"
    polls = Polls(temporal_client, (queue,), temporal_client.identity)
    others = Polls(temporal_client, (queue,), "somebody-else")
    assert await polls.look() == set()
    async with Worker(temporal_client, task_queue=queue, activities=[_nothing]), asyncio.timeout(30):
        while await polls.look() != {queue}:  # noqa: ASYNC110 - the server notes a poll when it comes
            await asyncio.sleep(0.02)
        while await polls.look():  # noqa: ASYNC110 - the worker's further polls come one after the other
            await asyncio.sleep(0.02)
        assert await others.look() == set()


async def test_a_temporal_that_is_away_or_refuses_is_no_poll(
    temporal_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = temporal_client.config()
    config["namespace"] = "nowhere"
    pulse, lost, stopping = Pulse(queues=("any",)), asyncio.Event(), asyncio.Event()
    polls = Polls(Client(**config), pulse.queues, temporal_client.identity)
    with pytest.raises(NotServedError, match="namespace_not_found"):
        await polls.look()
    monkeypatch.setattr("temporal.pulse.REFUSED_FOR", 0.0)
    looking = keep_looking(pulse, polls, lost, is_stopping=stopping.is_set, every=0.01)
    async with asyncio.timeout(20):
        task = asyncio.create_task(looking)
        await lost.wait()
        stopping.set()
        await task

    async def away(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(temporal_client.workflow_service, "describe_task_queue", away, raising=False)
    with pytest.raises(NotServedError, match=UNAVAILABLE):
        await Polls(temporal_client, ("any",), temporal_client.identity).look()


async def test_a_temporal_that_is_back_has_what_runs_once_for_all_made_sure_of_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:

    rounds, back, also = asyncio.Queue[int](), asyncio.Event(), asyncio.Event()
    looks: list[NotServedError | set[str]] = [NotServedError(UNAVAILABLE), set(), set()]

    class Back(Polls):
        def __init__(self) -> None:
            self.queues = ("any",)

        async def look(self) -> set[str]:
            said = looks.pop(0)
            if isinstance(said, Exception):
                raise said
            return said

    async def ensure(_client: object) -> None:
        await rounds.put(rounds.qsize())

    async def take_first(*_: object, **__: object) -> bool:
        await rounds.put(rounds.qsize())
        return False

    async def read(*_: object) -> Deployment:
        return Deployment("any", "this", (), 0)

    monkeypatch.setattr(ensured, "ensure_all", ensure)
    monkeypatch.setattr(Deployments, "take_first", take_first)

    async def read_forsaken(*_: object) -> tuple[()]:
        return ()

    monkeypatch.setattr(Deployments, "read", read)
    monkeypatch.setattr(Deployments, "read_forsaken", read_forsaken)
    stopping, client = asyncio.Event(), MagicMock(spec=Client)
    tasks = [
        asyncio.create_task(ensured.keep_ensuring(client, back=back, is_stopping=stopping.is_set)),
        asyncio.create_task(keep_watching_versions(Deployments(client, "any"), "this", stopping, back=also)),
    ]
    try:
        async with asyncio.timeout(10):
            for _ in tasks:
                await rounds.get()
            pulse, events = Pulse(queues=("any",)), (back, also)
            looking = keep_looking(pulse, Back(), asyncio.Event(), back=events, is_stopping=lambda: not looks, every=0)
            await looking
            for _ in tasks:  # a minute before their time
                await rounds.get()
    finally:
        stopping.set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_the_pulse_is_told_beside_the_metrics_and_misses_the_beat_of_a_register_that_takes_no_write() -> None:
    pulse, port, writes = Pulse(), free_port(), asyncio.Event()
    stopping = asyncio.Event()
    taken = True

    async def write() -> None:
        writes.set()
        if not taken:
            raise Unavailable("database")

    server = serve_metrics(port, beside=pulse.answers())
    assert server is not None
    beating = asyncio.create_task(keep_pulse(pulse, write, is_stopping=stopping.is_set, every=0.01))
    try:
        async with asyncio.timeout(20):
            await writes.wait()
            assert await asyncio.to_thread(_get, port, "live") == (200, {"status": "alive"})
            status, told = await asyncio.to_thread(_get, port, "ready")
            assert (status, told["temporal"], told["postgresql"]) == (503, "not_polled", "written")
            taken = False
            for _ in range(2):  # the second begins after the first has ended
                writes.clear()
                await writes.wait()
            before = pulse.written
            writes.clear()
            await writes.wait()
            assert pulse.written == before
    finally:
        stopping.set()
        await beating
        server.shutdown()
        server.server_close()


def _get(port: int, name: str) -> tuple[int, dict[str, str]]:
    try:
        with urlopen(f"http://127.0.0.1:{port}/health/{name}") as answer:
            return answer.status, orjson.loads(answer.read())
    except HTTPError as error:
        with error:
            return error.code, orjson.loads(error.read())
