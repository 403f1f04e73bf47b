"""The pulse of a worker: whether its loop turns, Temporal hands it work, and PostgreSQL takes what it writes.

It is told on the port of metrics, by threads that wait for nothing: `/health/live` and `/health/ready`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import orjson
import structlog
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.exceptions import TemporalError

from domain.errors import Unavailable
from temporal.exposition import Answer

EVERY: Final = 5.0
_SOON: Final = 1.0
# A poll is held open for a minute, and the server notes it when it begins.
POLLED_WITHIN: Final = 150.0
WRITTEN_WITHIN: Final = 30.0
TURNED_WITHIN: Final = 60.0
_ASK_SECONDS: Final = 4.0
_AWAY: Final = (TemporalError, TimeoutError, RuntimeError, OSError)
_JSON: Final = "application/json"
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Pulse:
    """When each was last seen to go, in seconds of a clock that only goes forward; None before the first time."""

    clock: Callable[[], float] = time.monotonic
    turned: float | None = None
    polled: dict[str, float] = field(default_factory=dict)
    written: float | None = None
    queues: tuple[str, ...] = ()

    def answers(self) -> Mapping[str, Answer]:
        """Return what is answered beside the metrics."""
        return {"/health/live": self.live, "/health/ready": self.ready}

    def live(self) -> tuple[str, str, bytes]:
        """Say whether the loop of the process turns: 503 where it has stood still for a minute."""
        is_alive = self._is_within(self.turned, TURNED_WITHIN)
        return _answer(is_alive, {"status": "alive" if is_alive else "standing_still"})

    def ready(self) -> tuple[str, str, bytes]:
        """Say whether the worker can do its work: 503 with what it lacks."""
        polls = {queue: self._is_within(self.polled.get(queue), POLLED_WITHIN) for queue in self.queues}
        lacks = {
            "temporal": all(polls.values()) and bool(polls),
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
        return _answer(is_ready, told)

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
        """Return the queues that were polled since the last look; none of them where Temporal is away."""
        polled = set()
        for queue in self.queues:
            at = await self._noted_at(queue)
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
            try:
                async with asyncio.timeout(_ASK_SECONDS):
                    answer = await self._client.workflow_service.describe_task_queue(asked)
            except _AWAY:
                return None
            mine += [each.last_access_time.ToDatetime() for each in answer.pollers if each.identity == self._identity]
        return max(mine, default=None)


async def keep_pulse(
    pulse: Pulse,
    polls: Polls,
    write: Callable[[], Awaitable[None]],
    *,
    is_stopping: Callable[[], bool],
    every: float = EVERY,
) -> None:
    """Take the pulse until the worker stops; what does not answer is a missing beat and nothing else."""
    pulse.queues = polls.queues
    await asyncio.gather(
        _keep(is_stopping, every, lambda: _turn(pulse)),
        _keep(is_stopping, every, lambda: _look(pulse, polls)),
        _keep(is_stopping, every, lambda: _write(pulse, write)),
    )


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


async def _look(pulse: Pulse, polls: Polls) -> bool:
    for queue in await polls.look():
        pulse.polled[queue] = pulse.clock()
    return set(pulse.polled) == set(pulse.queues)


async def _write(pulse: Pulse, write: Callable[[], Awaitable[None]]) -> bool:
    await write()
    pulse.written = pulse.clock()
    return True


def _answer(is_well: bool, told: Mapping[str, Any]) -> tuple[str, str, bytes]:
    return "200 OK" if is_well else "503 Service Unavailable", _JSON, orjson.dumps(told)
