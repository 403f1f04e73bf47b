"""Waking: a restart of everything among sleeping permits, and a thousand reminders due in one minute."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import httpx

from bench import sink
from bench.compare.driver import run_cases
from bench.compare.sides.base import Running, module
from bench.compare.sides.hetao import MAILS
from bench.measure import cpu_ms, latencies_ms, rss_mb
from bench.servers import Servers, watcher_url
from sandbox.stack.postgres import DATABASE

REMINDER: Final = "permit_expiring"
# Whom a reminder goes to, each by one mail: the employer and the person.
_READERS: Final = 2
_STORM_SECONDS: Final = 900.0
_NEW_CASES: Final = 3
_DELIVERED: Final = """
SELECT n.reference, coalesce(d.carried_by, d.delivery_id) AS message_id, d.status, d.sent_at, d.attempts
FROM notices n JOIN deliveries d ON d.notice_id = n.notice_id WHERE n.kind = $1 AND n.reference = ANY($2)
"""


@dataclass
class Stack:
    """All processes of the engine, which this starts and ends in the order in which they need one another."""

    servers: Servers
    environment: dict[str, str]

    async def start_engine(self) -> None:
        """Start API and worker beside running servers, and wait until both answer."""
        for name in ("api", "worker"):
            if name not in self.servers.processes:
                self.servers.start(name, module("cli", name), self.environment)
        await self.servers.wait_for("api", self.servers.stack.url("api") + "/health/live")
        await self.servers.wait_for("worker", self.servers.stack.url("worker_metrics") + "/metrics")

    async def restart(self) -> tuple[float, float]:
        """Stop all of it, servers last, and start it again.

        Worker and API are killed; what they were doing is found again in the register and in Temporal. Returns the
        seconds from the first start until PostgreSQL and Temporal answer, and until all of it does.
        """
        for name in ("worker", "api"):
            process = self.servers.processes.pop(name)
            process.kill()
            await asyncio.to_thread(process.wait)
        assert self.servers.temporal is not None
        both = (self.servers.postgres, self.servers.temporal)
        for server in reversed(both):
            await asyncio.to_thread(server.stop)
        begun = time.monotonic()
        for server in both:
            with (self.servers.stack.logs / f"{type(server).__name__}.log").open("ab") as log:
                await asyncio.to_thread(server.start, log)
        served = time.monotonic() - begun
        await self.start_engine()
        return served, time.monotonic() - begun

    async def callers(self) -> Running:
        """Return what the driver needs to carry new cases through."""
        async with httpx.AsyncClient(trust_env=False) as http:
            tokens = {}
            for persona in ("employer-a", "officer-1"):
                answer = await http.post(self.servers.stack.url("issuer") + "/token", json={"persona": persona})
                tokens[persona] = answer.json()["access_token"]
        watch = watcher_url(self.servers, DATABASE)
        return Running(self.servers.stack.url("api"), watch, self.servers, self.servers.pids(), tokens, MAILS)


async def measure_restart(stack: Stack, people: Iterator[int]) -> dict[str, float]:
    """Restart everything, and time it until it has served a first new case."""
    await stack.start_engine()
    warm = await run_cases(await stack.callers(), people, cases=_NEW_CASES, in_flight=1)
    served, ready = await stack.restart()
    begun = time.monotonic()
    first = await run_cases(await stack.callers(), people, cases=1, in_flight=1)
    return {
        "servers_answer_s": round(served, 2),
        "all_answer_s": round(ready, 2),
        "first_intake_answered_s": round(ready + first.intake_ms["p50"] / 1000, 2),
        "first_case_done_s": round(ready + time.monotonic() - begun, 2),
        "a_case_before_s": round(warm.latency_ms["p50"] / 1000, 2),
    }


async def measure_reminders(
    stack: Stack, superuser: Any, due: dict[str, datetime], people: Iterator[int]
) -> dict[str, Any]:
    """Wait for the reminders of cases that wake in one minute, and carry new cases through while they go out."""
    await _sleep_until(min(due.values()))
    pids = {name: stack.servers.pids()[name] for name in ("api", "worker", "temporal", "postgres")}
    before, begun = cpu_ms(pids), time.monotonic()
    new = asyncio.create_task(run_cases(await stack.callers(), people, cases=_NEW_CASES, in_flight=1, alone=False))
    rows = await _delivered(superuser, due)
    seconds = time.monotonic() - begun
    used = cpu_ms(pids)
    outcome = await new
    late = [max(0.0, (row["sent_at"] - due[row["reference"]]).total_seconds()) for row in rows if row["sent_at"]]
    mails = await sink.mails(stack.servers)
    times = [mails[str(row["message_id"])] for row in rows]
    return {
        "due": len(due),
        "due_within_s": round((max(due.values()) - min(due.values())).total_seconds()),
        "mails": len(rows),
        "lost": len(due) * _READERS - sum(count > 0 for count in times),
        "sent_twice": sum(count > 1 for count in times),
        "due_to_delivered_ms": latencies_ms(late),
        "all_delivered_s": round(seconds, 1),
        "cpu_ms_a_reminder": {name: round((used[name] - before[name]) / len(due), 1) for name in pids},
        "new_case_meanwhile_s": round(outcome.latency_ms["p50"] / 1000, 2),
        "worker_rss_mb": rss_mb({"worker": pids["worker"]})["worker"],
    }


async def _sleep_until(moment: datetime) -> None:
    await asyncio.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()))


async def _delivered(superuser: Any, due: dict[str, datetime]) -> list[Any]:
    """Return the deliveries of the reminders as soon as all have gone out, or as they stand when it takes too long."""
    end = time.monotonic() + _STORM_SECONDS
    rows: list[Any] = []
    while time.monotonic() < end:
        await asyncio.sleep(0.5)
        rows = await superuser.fetch(_DELIVERED, REMINDER, list(due))
        if sum(row["status"] in ("sent", "delivered") for row in rows) >= len(due) * _READERS:
            break
    return rows
