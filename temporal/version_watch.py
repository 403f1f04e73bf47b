"""A worker's look at the versions: the first one of an installation is made current, and what is forsaken is told.

How much waits for workers that are not there is a metric too. Every worker gives the same but for its own build, which
has a worker: take the `max` over all.
"""

import asyncio
import math
from datetime import timedelta
from typing import Final

import structlog
from prometheus_client import Gauge
from temporalio.exceptions import TemporalError
from temporalio.service import RPCError

from temporal.deployments import Deployments, NoWorkersError
from temporal.events import first_of

# Its own first polls take a moment to arrive.
_FIRST: Final = timedelta(seconds=30)
_EVERY: Final = timedelta(minutes=1)
_LOOK_EVERY: Final = timedelta(minutes=10)
_AGAIN: Final = timedelta(seconds=5)
_AWAY: Final = (RPCError, TemporalError, NoWorkersError, TimeoutError, RuntimeError, OSError)
# Both are NaN where that is not known: Temporal is away, or keeps no list of workers.
_BUILDS: Final = Gauge(
    "hetao_builds_without_workers", "Builds that runs or new work wait for and that no worker serves."
)
_RUNS: Final = Gauge("hetao_runs_without_workers", "Open runs that are bound to a build that no worker serves.")
_log = structlog.get_logger(__name__)


async def keep_watching_versions(
    deployments: Deployments, build_id: str, stopping: asyncio.Event, *, back: asyncio.Event | None = None
) -> None:
    """Take the first place where none was ever taken, and tell which runs wait for no worker.

    Whether one was ever taken is asked each minute, and at once where `back` says that Temporal was away and is there
    again: one that was lost comes back empty under workers that run. What waits is counted each minute as well, and
    logged every ten.
    """
    back = back or asyncio.Event()
    loop = asyncio.get_running_loop()
    look_at = loop.time()
    while not stopping.is_set():
        back.clear()
        pause = _EVERY
        try:
            if await deployments.take_first(build_id, wait=_FIRST):
                _log.info("version_first", build_id=build_id)
            await count_forsaken(deployments, build_id)
            if loop.time() >= look_at:
                await look(deployments, build_id)
                look_at = loop.time() + _LOOK_EVERY.total_seconds()
        except _AWAY as error:
            _log.warning("versions_unknown", error=type(error).__name__)
            _tell(math.nan, math.nan)
            pause = _AGAIN
        await first_of(stopping, back, within=pause.total_seconds())


async def count_forsaken(deployments: Deployments, build_id: str) -> None:
    """Count builds without workers and the runs that wait for them, but for this worker's own build."""
    found = await deployments.read_forsaken()
    if found is None:
        _tell(math.nan, math.nan)
        return
    others = [each for each in found if each.build_id != build_id]
    _tell(len(others), sum(each.runs for each in others))


async def look(deployments: Deployments, build_id: str) -> None:
    """Log where new work goes to another version than this worker's, and versions with runs and without workers.

    Its own version has a worker, whether or not Temporal lists it yet: that takes up to a minute after its start.
    """
    deployment = await deployments.read()
    if deployment.current != build_id:
        _log.info("version_not_current", build_id=build_id, current=deployment.current)
    for each in deployment.versions:
        if each.is_forsaken and each.build_id != build_id:
            _log.warning("version_without_workers", build_id=each.build_id, runs=each.runs)


def _tell(builds: float, runs: float) -> None:
    _BUILDS.set(builds)
    _RUNS.set(runs)
