"""The pulse of a worker: whether its loop turns, Temporal hands it work, and PostgreSQL takes what it writes.

It is told on the port of metrics, by threads that wait for nothing: `/health/live` and `/health/ready`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import orjson
import prometheus_client
import structlog
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from domain.errors import Unavailable
from temporal.exposition import Answer
from temporal.serving import UNAVAILABLE, NotServedError, answering

EVERY: Final = 5.0
_SOON: Final = 1.0
# A poll is held open for a minute, and the server notes it when it begins.
POLLED_WITHIN: Final = 150.0
# The server is asked for its note all the while, so that one that went is told long before a poll would be missed. Two
# looks may be lost on the way.
ANSWERED_WITHIN: Final = 20.0
WRITTEN_WITHIN: Final = 30.0
TURNED_WITHIN: Final = 60.0
# What Temporal refused for so long it does not give by itself: the worker is built anew once it does.
REFUSED_FOR: Final = 5.0
# Silent for so long it may wait for another certificate or be somewhere else: the worker connects anew. Until then the
# connection is left to mend itself, and what the worker keeps of its runs is kept.
SILENT_FOR: Final = 120.0
_JSON: Final = "application/json"
_POLLED: Final = prometheus_client.Gauge(
    "hetao_temporal_polled", "Whether Temporal hands this worker work: 1, or 0 where it is away or refuses."
)
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Pulse:
    """When each was last seen to go, in seconds of a clock that only goes forward; None before the first time."""

    clock: Callable[[], float] = time.monotonic
    turned: float | None = None
    polled: dict[str, float] = field(default_factory=dict)
    answered: float | None = None
    has_missed: bool = False
    # Since when Temporal has not answered as it should, and whether it was silent.
    lost: tuple[float, bool] | None = None
    written: float | None = None
    queues: tuple[str, ...] = ()
    # Why no work is asked for, as a word; None while it is.
    why: str | None = None

    def answers(self) -> Mapping[str, Answer]:
        """Return what is answered beside the metrics, and tell those whether Temporal hands out work."""
        _POLLED.set_function(lambda: float(self.is_polled()))
        return {"/health/live": self.live, "/health/ready": self.ready}

    def live(self) -> tuple[str, str, bytes]:
        """Say whether the loop of the process turns: 503 where it has stood still for a minute."""
        is_alive = self._is_within(self.turned, TURNED_WITHIN)
        return _answer(is_alive, {"status": "alive" if is_alive else "standing_still"})

    def ready(self) -> tuple[str, str, bytes]:
        """Say whether the worker can do its work: 503 with what it lacks."""
        polls = self._polls()
        lacks = {
            "temporal": self.is_polled(),
            "postgresql": self._is_within(self.written, WRITTEN_WITHIN),
            "loop": self._is_within(self.turned, TURNED_WITHIN),
        }
        is_ready = all(lacks.values())
        told = {
            "status": "ready" if is_ready else "not_ready",
            "temporal": "polled" if lacks["temporal"] else "not_polled",
            "postgresql": "written" if lacks["postgresql"] else "not_written",
            "queues": {queue: "polled" if is_polled else "not_polled" for queue, is_polled in polls.items()},
        }
        if self.why is not None:
            told["temporal_why"] = self.why
        return _answer(is_ready, told)

    def is_polled(self) -> bool:
        """Whether Temporal hands out work of each queue."""
        polls = self._polls()
        return all(polls.values()) and bool(polls)

    def _polls(self) -> dict[str, bool]:
        is_there = self.why is None and self.is_answered()
        return {queue: is_there and self._is_within(self.polled.get(queue), POLLED_WITHIN) for queue in self.queues}

    def tell(self, why: str | None) -> None:
        """Hear why no work is asked for, or that it is anew: then the polls of before count no more."""
        self.why = why
        self.lost = None
        self.polled.clear()

    def miss(self, why: str) -> None:
        """Hear why Temporal gave no answer; one that is only silent may answer the next time."""
        self.has_missed = True
        is_silent = why == UNAVAILABLE
        if self.lost is None or self.lost[1] is not is_silent:
            self.lost = (self.clock(), is_silent)
        if why == self.why or (is_silent and self.is_answered()):
            return
        self.why = why
        # Whoever comes back may be another one: what was polled of the one before says nothing of it.
        self.polled.clear()
        _log.warning("temporal_away", step="poll", why=why)

    def answer(self, polled: Iterable[str]) -> bool:
        """Hear which queues Temporal noted as polled; return whether it was away before that, however shortly."""
        if self.why is not None:
            _log.info("temporal_answers", step="poll", after=self.why)
        self.why = self.lost = None
        self.answered = self.clock()
        self.polled |= dict.fromkeys(polled, self.answered)
        is_back, self.has_missed = self.has_missed, False
        return is_back

    def is_lost(self) -> bool:
        """Whether Temporal has refused or been silent for so long that it is better reached anew."""
        if self.lost is None:
            return False
        since, is_silent = self.lost
        return self.clock() - since >= (SILENT_FOR if is_silent else REFUSED_FOR)

    def is_answered(self) -> bool:
        """Whether Temporal answered lately."""
        return self._is_within(self.answered, ANSWERED_WITHIN)

    def _is_within(self, at: float | None, seconds: float) -> bool:
        return at is not None and self.clock() - at <= seconds


class Polls:
    """Looks at the server's own note of this worker's polls.

    Only whether the noted time moves is looked at, so that two clocks that differ say nothing wrong.
    """

    def __init__(self, client: Client, queues: tuple[str, ...], identity: str) -> None:
        self._client, self.queues, self._identity = client, queues, identity
        self._noted: dict[str, datetime] = {}

    async def look(self) -> set[str]:
        """Return the queues that were polled since the last look.

        Raises:
            NotServedError: Temporal is away or refuses.
        """
        async with answering():
            noted = await asyncio.gather(*(self._noted_at(queue) for queue in self.queues))
        polled = set()
        for queue, at in zip(self.queues, noted, strict=True):
            if at is not None and at != self._noted.get(queue):
                self._noted[queue] = at
                polled.add(queue)
        return polled

    async def _noted_at(self, queue: str) -> datetime | None:
        """Return the newest poll for workflow tasks or for activities: each says that the worker is served."""
        mine: list[datetime] = []
        for kind in (TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY):
            asked = DescribeTaskQueueRequest(
                namespace=self._client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
            )
            answer = await self._client.workflow_service.describe_task_queue(asked)
            mine += [each.last_access_time.ToDatetime() for each in answer.pollers if each.identity == self._identity]
        return max(mine, default=None)


async def keep_pulse(
    pulse: Pulse, write: Callable[[], Awaitable[None]], *, is_stopping: Callable[[], bool], every: float = EVERY
) -> None:
    """Take the pulse until the worker stops; what does not answer is a missing beat and nothing else."""
    await asyncio.gather(
        _keep(is_stopping, every, lambda: _turn(pulse)), _keep(is_stopping, every, lambda: _write(pulse, write))
    )


async def keep_looking(
    pulse: Pulse,
    polls: Polls,
    lost: asyncio.Event,
    *,
    back: Sequence[asyncio.Event] = (),
    is_stopping: Callable[[], bool],
    every: float = EVERY,
) -> None:
    """Look whether Temporal hands out work; that it went, and that it is back, is a line each.

    `lost` is set where it is better reached anew: one that refuses the SDK would poll for a minute, and then end the
    worker. Those of `back` are set where it is back: it may be an empty one that needs what runs once for all.
    """
    await _keep(is_stopping, every, lambda: _look(pulse, polls, lost, back))


async def _keep(is_stopping: Callable[[], bool], every: float, beat: Callable[[], Awaitable[bool]]) -> None:
    while not is_stopping():
        is_well = False
        try:
            is_well = await beat()
        except Unavailable:
            pass
        except Exception as error:  # noqa: BLE001 - a beat that fails is missing, and the next one is tried
            _log.warning("pulse_missed", error=type(error).__name__)
        # Sooner while it is not well, so that a worker is ready as soon as it can be.
        await asyncio.sleep(every if is_well else min(every, _SOON))


async def _turn(pulse: Pulse) -> bool:
    pulse.turned = pulse.clock()
    return True


async def _look(pulse: Pulse, polls: Polls, lost: asyncio.Event, back: Sequence[asyncio.Event]) -> bool:
    try:
        polled = await polls.look()
    except NotServedError as error:
        pulse.miss(error.why)
        if pulse.is_lost():
            lost.set()
        return False
    if pulse.answer(polled):
        for each in back:
            each.set()
    return set(pulse.polled) == set(pulse.queues)


async def _write(pulse: Pulse, write: Callable[[], Awaitable[None]]) -> bool:
    await write()
    pulse.written = pulse.clock()
    return True


def _answer(is_well: bool, told: Mapping[str, Any]) -> tuple[str, str, bytes]:
    return "200 OK" if is_well else "503 Service Unavailable", _JSON, orjson.dumps(told)
