"""The driver: callers in a closed loop, each carrying one case from its intake to its permits and notices."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import asyncpg
import httpx

from bench import sink
from bench.compare.sides.base import Running
from bench.compare.sql import NOTICES_OF_A_CASE
from bench.measure import busy_core_seconds, cpu_ms, latencies_ms, peak_rss_mb
from bench.people import registration

_WATCH_SECONDS: Final = 0.03
# Longer than the slowest side takes for fifty cases at once: a run must end, and no side may be cut off for being slow.
_CASE_SECONDS: Final = 600.0
# Columns that all sides have under the same names.
_LOOK: Final = """
SELECT r.reference, r.stage,
    (SELECT count(*) FROM permits p WHERE p.reference = r.reference AND p.stage = 'issued') = 2 AND NOT EXISTS (
        SELECT 1 FROM notices n WHERE n.reference = r.reference AND n.status = 'queued') AS done
FROM cases r WHERE r.reference = ANY($1)
"""
_NOTICES: Final = "SELECT count(*) FROM notices WHERE reference = ANY($1)"


@dataclass(slots=True)
class Watcher:
    """Looks at the register for all callers at once, so that watching costs every side the same."""

    connection: "asyncpg.Connection[asyncpg.Record]"
    waiting: dict[str, tuple[str, asyncio.Future[None]]] = field(default_factory=dict)

    async def until(self, reference: str, what: str) -> None:
        """Wait until a case is `under_review`, or `done` with permits and notices."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting[reference] = (what, future)
        await asyncio.wait_for(future, _CASE_SECONDS)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            if self.waiting:
                for row in await self.connection.fetch(_LOOK, list(self.waiting)):
                    what, future = self.waiting[row["reference"]]
                    if row["done"] if what == "done" else row["stage"] == what:
                        del self.waiting[row["reference"]]
                        if not future.done():
                            future.set_result(None)
            await asyncio.sleep(_WATCH_SECONDS)


@dataclass(slots=True)
class Outcome:
    """What one run of a side gave; `cores_busy` counts the machine's cores at work, whoever's work it was."""

    cases: int
    in_flight: int
    seconds: float
    cases_per_second: float
    latency_ms: dict[str, float]
    intake_ms: dict[str, float]
    cpu_ms_per_case: dict[str, float]
    peak_rss_mb: dict[str, float]
    notices: int
    mails: int
    cores_busy: float


async def run_cases(
    running: Running, people: Iterator[int], *, cases: int, in_flight: int, alone: bool = True
) -> Outcome:
    """Carry so many cases through, so many at a time, and check in the sink's book that every mail reached it.

    Where the cases are not `alone`, other mails may have reached the sink meanwhile.
    """
    connection = await asyncpg.connect(running.watch_url)
    watcher = Watcher(connection)
    watching = asyncio.create_task(watcher.run())
    # Let go before the servers do after five seconds, or a request meets a connection that is being closed.
    limits = httpx.Limits(max_connections=in_flight + 10, keepalive_expiry=2.0)
    try:
        async with httpx.AsyncClient(base_url=running.api, timeout=120, trust_env=False, limits=limits) as http:
            taken: list[float] = []
            intakes: list[float] = []
            references: list[str] = []
            left = iter(range(cases))

            async def caller() -> None:
                for _ in left:
                    begun = time.perf_counter()
                    reference = await _intake(http, running, next(people))
                    intakes.append(time.perf_counter() - begun)
                    references.append(reference)
                    await watcher.until(reference, "under_review")
                    await _decide(http, running, reference)
                    await watcher.until(reference, "done")
                    taken.append(time.perf_counter() - begun)

            mails = await sink.count(running.servers)
            before, busy, begun = cpu_ms(running.pids), busy_core_seconds(), time.perf_counter()
            callers = [asyncio.create_task(caller()) for _ in range(in_flight)]
            await _all_or_first_error([*callers, watching], callers)
            seconds = time.perf_counter() - begun
            after, busy = cpu_ms(running.pids), busy_core_seconds() - busy
        told = len(await sink.mails(running.servers, after=mails))
        notices = await connection.fetchval(_NOTICES, references)
        expected = await connection.fetchval(running.mails_query or _NOTICES, references)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await connection.close()
    if notices != NOTICES_OF_A_CASE * cases:
        raise AssertionError(f"{notices} notices were made for {cases} cases, not {NOTICES_OF_A_CASE} for each.")
    if told < expected or (alone and told > expected):
        raise AssertionError(f"{told} mails reached the sink for {cases} cases, and {expected} were sent.")
    return Outcome(
        cases=cases,
        in_flight=in_flight,
        seconds=round(seconds, 2),
        cases_per_second=round(cases / seconds, 2),
        latency_ms=latencies_ms(taken),
        intake_ms=latencies_ms(intakes),
        cpu_ms_per_case={name: round((after[name] - before[name]) / cases, 1) for name in after},
        peak_rss_mb=peak_rss_mb(running.pids),
        notices=notices,
        mails=told,
        cores_busy=round(busy / seconds, 2),
    )


async def _all_or_first_error(watched: list[asyncio.Task[None]], needed: list[asyncio.Task[None]]) -> None:
    while any(not task.done() for task in needed):
        done, _ = await asyncio.wait([task for task in watched if not task.done()], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if task.exception() is not None:
                for each in needed:
                    each.cancel()
                await asyncio.gather(*needed, return_exceptions=True)
                task.result()


async def _intake(http: httpx.AsyncClient, running: Running, number: int) -> str:
    body = await _post(http, "/v1/registrations", registration(number), running.headers("employer-a"))
    return str(body["reference"])


async def _decide(http: httpx.AsyncClient, running: Running, reference: str) -> None:
    decision = {"action": "approve", "round": 1}
    await _post(http, f"/v1/registrations/{reference}/decision", decision, running.headers("officer-1"))


async def _post(http: httpx.AsyncClient, path: str, body: Any, headers: dict[str, str]) -> Any:
    """Post once, and again where the side asks to come later."""
    key = {"Idempotency-Key": str(uuid4())}
    for _ in range(60):
        answer = await http.post(path, json=body, headers=headers | key)
        if answer.status_code not in (429, 503):
            break
        await asyncio.sleep(float(answer.headers.get("Retry-After", "1")))
    if not answer.is_success:
        raise RuntimeError(f"POST {path}: {answer.status_code} {answer.text[:300]}")
    return answer.json()
