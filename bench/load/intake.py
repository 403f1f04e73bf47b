"""Intake and reads: our routes beside bare ones on the same PostgreSQL, at rates that rise until each falls behind."""

import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import aiohttp
import httpx
from rich.console import Console
from rich.table import Table
from temporalio.client import Client

from bench.compare.sides.base import module
from bench.growth.registers import new_context, prepare, submit
from bench.load.client import open_client
from bench.load.climb import FIRST_RATE, P99_MS, Step, climb, highest_kept, in_turn
from bench.measure import cpu_ms, latencies_ms, spread
from bench.people import numbers, registration
from bench.servers import Servers, open_servers
from cases.commands.advance import advance
from sandbox.stack.embedded import application_environment
from sandbox.stack.ports import free_port
from sandbox.stack.postgres import DATABASE, OWNER, SUPERUSER
from store.keyring import Keyring
from store.migrate import upgrade

_MAIN: Final = "bench.load.intake_api"
_PATIENCE_SECONDS: Final = 30.0
_REST_SECONDS: Final = 6.0  # after which our API starts nothing any more: what waited for five is left
_READERS: Final = 8
_READY: Final = 40
_SIDES: Final = ("ours", "bare")


@dataclass(frozen=True, slots=True)
class Effort:
    """How long is measured."""

    rounds: int
    coarse_seconds: float  # a step far from the limit
    fine_seconds: float  # a step near it
    read_seconds: float


_SHORT: Final = Effort(rounds=1, coarse_seconds=2.0, fine_seconds=3.0, read_seconds=1.5)
_FULL: Final = Effort(rounds=3, coarse_seconds=3.0, fine_seconds=6.0, read_seconds=4.0)


class ShedError(Exception):
    """A call that a server turned away, since it had more than it could do."""


@dataclass(slots=True)
class Caller:
    """Calls one of the two servers."""

    http: aiohttp.ClientSession
    headers: dict[str, str]
    people: Iterator[int]

    async def submit(self) -> None:
        """Register a person."""
        headers = self.headers | {"Idempotency-Key": str(uuid4())}
        body = registration(next(self.people))
        async with self.http.post("/v1/registrations", json=body, headers=headers) as answer:
            text = await answer.text()
        if answer.status == 503:
            raise ShedError
        if answer.status != 202:
            raise RuntimeError(f"{answer.status} {text[:300]}")

    async def read(self, path: str) -> None:
        """Read something."""
        async with self.http.get(path, headers=self.headers) as answer:
            body = await answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {body[:300]!r}")


async def measure(directory: Path, *, full: bool) -> dict[str, Any]:
    """Measure both servers in turn."""
    effort = _FULL if full else _SHORT
    found: dict[str, Any] = {"p99_kept_ms": P99_MS, "rates": {}, "starts": [], "reads": {}}
    async with open_servers(directory) as servers, AsyncExitStack() as clients:
        await asyncio.to_thread(upgrade, servers.postgres.url(role=OWNER))
        ready = await _fill(servers)
        tokens = await _tokens(servers)
        people = numbers(1_000)
        callers: dict[str, dict[str, Caller]] = {}
        for name, address in (await _serve(servers, directory, ready[0])).items():
            http = await clients.enter_async_context(open_client(address, patience=_PATIENCE_SECONDS))
            callers[name] = {
                persona: Caller(http, {"Authorization": f"Bearer {token}"}, people) for persona, token in tokens.items()
            }
        engine = await Client.connect(servers.stack.temporal_address)
        for _ in range(effort.rounds):
            works = {name: by_persona["employer-a"].submit for name, by_persona in callers.items()}
            rests = {"ours": _REST_SECONDS, "bare": 0.0}
            climbs = {name: _climb(work, effort, _pids(servers, name), rests[name]) for name, work in works.items()}
            for name, steps in (await in_turn(climbs)).items():
                last = highest_kept(steps)
                found["rates"].setdefault(name, []).append({"kept": last["done"] if last else 0.0, "steps": steps})
                if name == "ours":
                    rate = last["offered"] if last else FIRST_RATE
                    found["starts"].append(await _starts(engine, works[name], rate, effort))
            for name, by_persona in callers.items():
                for what, rate in (await _reads(by_persona, ready, effort.read_seconds)).items():
                    found["reads"].setdefault(what, {}).setdefault(name, []).append(rate)
    shutil.rmtree(directory, ignore_errors=True)
    found["rate_kept"] = {name: spread(run["kept"] for run in runs) for name, runs in found["rates"].items()}
    found["intake_ratio"], found["intake_ratio_to_best_bare"] = ratios(found["rate_kept"])
    return found


def ratios(kept: dict[str, dict[str, float]]) -> tuple[float | None, float | None]:
    """Return our median rate as a share of the bare route's median and of its best round."""
    ours, bare = kept["ours"]["median"], kept["bare"]
    if not bare["median"]:
        return None, None
    return round(ours / bare["median"], 2), round(ours / bare["max"], 2)


def starts_said(found: dict[str, Any]) -> str:
    """Return what became of the starts of the last round in a sentence's words."""
    seen = found["starts"][-1]
    return (
        f"of {seen['offered']} registrations at the rate kept {seen['meanwhile']} were started by the end of them, "
        f"{seen['a_second']:g} a second, and {seen['after']} with those that still waited"
    )


async def _serve(servers: Servers, directory: Path, reference: str) -> dict[str, str]:
    """Start both servers and return their addresses."""
    ports = {name: free_port(frozenset(servers.stack.ports.values())) for name in _SIDES}
    bare = {
        "database_url": servers.postgres.url(role=SUPERUSER, database=DATABASE),
        "keys_file": str(directory / "keys.json"),
        "reference": reference,
    }
    environment = application_environment(servers.stack) | {"HETAO_API_METRICS_PORT": "0"}
    servers.start("ours", module(_MAIN, "ours", str(ports["ours"])), environment)
    servers.start("bare", module(_MAIN, "bare", str(ports["bare"]), json.dumps(bare)), environment)
    addresses = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    for name, address in addresses.items():
        await servers.wait_for(name, f"{address}/health/live")
    return addresses


def _pids(servers: Servers, side: str) -> dict[str, int]:
    return {name: servers.pids()[name] for name in (side, "postgres", "temporal")}


async def _climb(
    work: Callable[[], Awaitable[None]], effort: Effort, pids: dict[str, int], rest: float
) -> AsyncIterator[Step]:
    """Raise the rate of one side, warmed before, which rests after each step until nothing of it is left to do."""
    for _ in range(_READY):
        await work()
    coarsely = partial(_step, work, effort.coarse_seconds, pids)
    async for step in climb(coarsely, partial(_step, work, effort.fine_seconds, pids)):
        await asyncio.sleep(rest)
        yield step


async def _starts(engine: Client, work: Callable[[], Awaitable[None]], rate: float, effort: Effort) -> dict[str, Any]:
    """Return how many workflows were started, at the rate kept, while registrations came in and soon after the last.

    There is no worker and so no sweeper, which starts whatever the API has not.
    """
    before, begun = (await engine.count_workflows()).count, time.monotonic()
    _done, _shed, samples = await _offer(work, rate, effort.fine_seconds)
    took = time.monotonic() - begun
    meanwhile = (await engine.count_workflows()).count - before
    await asyncio.sleep(_REST_SECONDS)
    after = (await engine.count_workflows()).count - before
    return {"offered": len(samples), "meanwhile": meanwhile, "a_second": round(meanwhile / took, 1), "after": after}


async def _step(work: Callable[[], Awaitable[None]], seconds: float, pids: dict[str, int], rate: float) -> Step:
    """Offer work at a rate, and return what came of it and the processor time of each request."""
    before, own = cpu_ms(pids), time.process_time()
    done, shed, samples = await _offer(work, rate, seconds)
    driver = (time.process_time() - own) * 1000  # this process alone, not the servers that it started
    used = {name: after - before[name] for name, after in cpu_ms(pids).items()} | {"driver": driver}
    each = {name: round(ms / max(len(samples), 1), 2) for name, ms in used.items()}
    return {"offered": round(rate, 1), "done": round(done, 1), "shed": shed, **latencies_ms(samples), "cpu_ms": each}


async def _offer(work: Callable[[], Awaitable[None]], rate: float, seconds: float) -> tuple[float, int, list[float]]:
    """Begin work at a steady rate whatever became of what was begun before; latencies count from the planned time.

    Returns what was done a second, how many calls were turned away, and the latencies of the others.
    """
    loop, samples, tasks, shed = asyncio.get_running_loop(), [], [], 0
    begun = loop.time()

    async def one(planned: float) -> None:
        nonlocal shed
        try:
            await work()
        except ShedError:
            shed += 1
        else:
            samples.append(loop.time() - planned)

    for number in range(int(rate * seconds)):
        planned = begun + number / rate
        await asyncio.sleep(max(0.0, planned - loop.time()))
        tasks.append(asyncio.create_task(one(planned)))
    await asyncio.gather(*tasks)
    # The last one has as long as any other, and is not to decide by itself whether a side keeps up.
    return len(samples) / max(seconds, loop.time() - begun - P99_MS / 1000), shed, samples


async def _reads(callers: dict[str, Caller], references: list[str], seconds: float) -> dict[str, dict[str, float]]:
    employer, officer = callers["employer-a"], callers["officer-1"]
    turn = iter(range(10**9))
    works: dict[str, Callable[[], Awaitable[None]]] = {
        "one case": lambda: employer.read(f"/v1/registrations/{references[next(turn) % len(references)]}"),
        "list of 20": lambda: employer.read("/v1/registrations?limit=20"),
        "inbox page of 20": lambda: officer.read("/v1/tasks?limit=20"),
    }
    found: dict[str, dict[str, float]] = {}
    for name, work in works.items():
        samples: list[float] = []
        end = time.perf_counter() + seconds

        async def reader(work: Callable[[], Awaitable[None]], samples: list[float], end: float) -> None:
            while (begun := time.perf_counter()) < end:
                await work()
                samples.append(time.perf_counter() - begun)

        await asyncio.gather(*(reader(work, samples, end) for _ in range(_READERS)))
        found[name] = {"a_second": round(len(samples) / seconds, 1), **latencies_ms(samples)}
    return found


async def _fill(servers: Servers) -> list[str]:
    """Make some cases under review, and return their references, the first just taken on."""
    context = new_context(servers.postgres.url(), Keyring.load(servers.stack.directory / "keys.json"))
    try:
        await prepare(context)
        people = numbers()
        references = [await submit(context, next(people)) for _ in range(_READY)]
        for reference in references[1:]:
            await advance(context, reference, context.clock())
    finally:
        await context.database.close()
    return references


async def _tokens(servers: Servers) -> dict[str, str]:
    """Sign in those who call."""
    async with httpx.AsyncClient(trust_env=False) as http:
        issuer = servers.stack.url("issuer") + "/token"
        answers = {each: await http.post(issuer, json={"persona": each}) for each in ("employer-a", "officer-1")}
    return {persona: str(answer.json()["access_token"]) for persona, answer in answers.items()}


def show(console: Console, found: dict[str, Any]) -> None:
    """Print what each side kept up with."""
    table = Table(title=f"Intake: highest rate with p99 below {found['p99_kept_ms']:.0f} ms", title_justify="left")
    for heading in ("side", "a second", "CPU ms at that rate"):
        table.add_column(heading)
    for name, kept in found["rate_kept"].items():
        last = highest_kept(found["rates"][name][-1]["steps"])
        table.add_row(name, f"{kept['median']:g}", str(last["cpu_ms"]) if last else "")
    console.print(table)
    middle, best = ratios(found["rate_kept"])
    console.print(f"ours is {middle} of the bare route (medians), {best} of its best round; {starts_said(found)}")
    reads = Table(title=f"Reads, {_READERS} readers", title_justify="left")
    for heading in ("", "ours /s", "ours p99", "bare /s", "bare p99"):
        reads.add_column(heading)
    for what, sides in found["reads"].items():
        cells = [cell for n in ("ours", "bare") for cell in (sides[n][-1]["a_second"], sides[n][-1]["p99"])]
        reads.add_row(what, *(f"{cell:g}" for cell in cells))
    console.print(reads)


def main() -> None:
    """Measure the short way."""
    with tempfile.TemporaryDirectory(prefix="hetao-bench-") as scratch:
        found = asyncio.run(measure(Path(scratch) / "intake", full=False))
    show(Console(highlight=False), found)


if __name__ == "__main__":
    main()
