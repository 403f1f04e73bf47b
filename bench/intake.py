"""Intake and reads: our routes beside bare ones on the same PostgreSQL, at rates that rise until one falls behind."""

import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
from rich.console import Console
from rich.table import Table

from bench.growth import new_context, prepare, submit
from bench.measure import cpu_ms, latencies_ms, percentile, spread
from bench.people import identity_number, numbers, registration
from bench.servers import Servers, open_servers
from bench.sides.base import Running, module
from bench.sides.hetao import HetaoSide
from cases.advance import advance
from sandbox.embedded import application_environment
from sandbox.ports import free_port
from sandbox.postgres import DATABASE, OWNER, SUPERUSER
from store.keyring import Keyring
from store.migrate import upgrade

_MAIN: Final = "bench.intake_api"
_FIRST_RATE: Final = 5.0
_STEP: Final = 1.3
_P99_SECONDS: Final = 0.25  # a side that keeps this at a rate is not yet behind
_READERS: Final = 8
_READY: Final = 40
_HEADINGS: Final = (
    "client_reference,name_zh,identity_number,permit_card_number,permit_card_valid_until,position,work_site,"
    "employment_kind,contract_start,email,language,destinations,state_worker"
)


@dataclass(slots=True)
class Caller:
    """Calls one of the two servers."""

    http: httpx.AsyncClient
    headers: dict[str, str]
    people: Iterator[int]

    async def submit(self) -> None:
        """Register a person."""
        headers = self.headers | {"Idempotency-Key": str(uuid4())}
        answer = await self.http.post("/v1/registrations", json=registration(next(self.people)), headers=headers)
        if answer.status_code != 202:
            raise RuntimeError(f"{answer.status_code} {answer.text[:300]}")

    async def read(self, path: str) -> None:
        """Read something."""
        answer = await self.http.get(path, headers=self.headers)
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:300]}")


async def measure(directory: Path, *, full: bool) -> dict[str, Any]:
    """Measure both servers in turn, and in the full mode a roster through the whole stack."""
    seconds, rounds = (8.0, 3) if full else (3.0, 1)
    found: dict[str, Any] = {"p99_kept_ms": _P99_SECONDS * 1000, "rates": {}, "reads": {}}
    async with open_servers(directory) as servers:
        await asyncio.to_thread(upgrade, servers.postgres.url(role=OWNER))
        ready = await _fill(servers)
        ports = {name: free_port(frozenset(servers.stack.ports.values())) for name in ("ours", "bare")}
        bare = {
            "database_url": servers.postgres.url(role=SUPERUSER, database=DATABASE),
            "keys_file": str(directory / "keys.json"),
            "reference": ready[0],
        }
        environment = application_environment(servers.stack) | {"HETAO_API_METRICS_PORT": "0"}
        servers.start("ours", module(_MAIN, "ours", str(ports["ours"])), environment)
        servers.start("bare", module(_MAIN, "bare", str(ports["bare"]), json.dumps(bare)), environment)
        people = numbers(1_000)
        async with httpx.AsyncClient(trust_env=False) as http:
            tokens = {p: await _token(http, servers, p) for p in ("employer-a", "officer-1")}
        callers: dict[str, dict[str, Caller]] = {}
        for name, port in ports.items():
            await servers.wait_for(name, f"http://127.0.0.1:{port}/health/live")
            client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False)
            callers[name] = {
                persona: Caller(client, {"Authorization": f"Bearer {token}"}, people)
                for persona, token in tokens.items()
            }
        for turn in range(rounds):
            for name, by_persona in callers.items():
                pids = {each: servers.pids()[each] for each in (name, "postgres", "temporal")}
                reached = await rising(by_persona["employer-a"].submit, seconds, pids)
                found["rates"].setdefault(name, []).append(reached)
            for name, by_persona in callers.items():
                for what, rate in (await _reads(by_persona, ready, seconds)).items():
                    found["reads"].setdefault(what, {}).setdefault(name, []).append(rate)
            if turn == rounds - 1:
                for by_persona in callers.values():
                    await by_persona["employer-a"].http.aclose()
    shutil.rmtree(directory, ignore_errors=True)
    found["rate_kept"] = {name: spread(run["kept"] for run in runs) for name, runs in found["rates"].items()}
    ours, bare_rate = (found["rate_kept"][name]["median"] for name in ("ours", "bare"))
    found["intake_ratio"] = round(ours / bare_rate, 2) if bare_rate else None
    if full:
        found["roster"] = await roster(directory.with_name("roster"), 10_000)
    return found


async def rising(work: Callable[[], Awaitable[None]], seconds: float, pids: dict[str, int]) -> dict[str, Any]:
    """Offer work at rates that rise, until the server does not keep up or its p99 leaves the bound."""
    for _ in range(_READY):
        await work()
    rate, steps, kept = _FIRST_RATE, [], 0.0
    while True:
        before = cpu_ms(pids)
        done, samples = await _offer(work, rate, seconds)
        used = {name: round((after - before[name]) / len(samples), 2) for name, after in cpu_ms(pids).items()}
        p99 = percentile(samples, 0.99)
        steps.append({"offered": round(rate, 1), "done": round(done, 1), **latencies_ms(samples), "cpu_ms": used})
        if p99 > _P99_SECONDS or done < 0.95 * rate:
            return {"kept": round(kept, 1), "steps": steps}
        kept, rate = done, rate * _STEP


async def _offer(work: Callable[[], Awaitable[None]], rate: float, seconds: float) -> tuple[float, list[float]]:
    """Begin work at a steady rate whatever became of what was begun before; latencies count from the planned time."""
    loop, samples, tasks = asyncio.get_running_loop(), [], []
    begun = loop.time()

    async def one(planned: float) -> None:
        await work()
        samples.append(loop.time() - planned)

    for number in range(int(rate * seconds)):
        planned = begun + number / rate
        await asyncio.sleep(max(0.0, planned - loop.time()))
        tasks.append(asyncio.create_task(one(planned)))
    await asyncio.gather(*tasks)
    return len(samples) / (loop.time() - begun), samples


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
        end = time.perf_counter() + seconds / 2

        async def reader(work: Callable[[], Awaitable[None]], samples: list[float], end: float) -> None:
            while (begun := time.perf_counter()) < end:
                await work()
                samples.append(time.perf_counter() - begun)

        await asyncio.gather(*(reader(work, samples, end) for _ in range(_READERS)))
        found[name] = {"a_second": round(len(samples) / (seconds / 2), 1), **latencies_ms(samples)}
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


async def _token(http: httpx.AsyncClient, servers: Servers, persona: str) -> str:
    answer = await http.post(servers.stack.url("issuer") + "/token", json={"persona": persona})
    return str(answer.json()["access_token"])


async def send_roster(http: httpx.AsyncClient, running: Running, rows: int) -> str:
    """Hand in a roster of so many new people of employer A and return its id."""
    people = (
        f"roster-{number},测试员,{identity_number(2_000_000 + number)},C{20_000_000 + number},2035-03-16,研究员,"
        f"SZP-001,contract,2025-01-01,person-{number}@example.com,zh-Hans,HK+MO,no"
        for number in range(1, rows + 1)
    )
    body = "\n".join([_HEADINGS, *people]).encode()
    headers = running.headers("employer-a") | {"Idempotency-Key": str(uuid4()), "Content-Type": "text/csv"}
    answer = await http.post("/v1/rosters?act=register&on_defect=skip", content=body, headers=headers)
    if answer.status_code != 202:
        raise RuntimeError(f"{answer.status_code} {answer.text[:500]}")
    return str(answer.json()["id"])


async def roster(directory: Path, rows: int) -> dict[str, float]:
    """Send a roster through the whole embedded stack, and time it to its last row."""
    async with HetaoSide().open(directory) as running:
        begun = time.perf_counter()
        async with httpx.AsyncClient(base_url=running.api, timeout=120, trust_env=False) as http:
            roster_id = await send_roster(http, running, rows)
            accepted = time.perf_counter() - begun
            status = await _until_done(http, running, roster_id)
        taken = time.perf_counter() - begun
    shutil.rmtree(directory, ignore_errors=True)
    return {"rows": rows, "answered_in_s": round(accepted, 2), "done_in_s": round(taken, 1)} | {
        "rows_a_second": round(rows / taken, 1),
        "registered": status["totals"].get("registered", 0),
    }


async def _until_done(http: httpx.AsyncClient, running: Running, roster_id: str) -> dict[str, Any]:
    while True:
        await asyncio.sleep(3)
        answer = await http.get(f"/v1/rosters/{roster_id}", headers=running.headers("employer-a"))
        found: dict[str, Any] = answer.json()
        if found.get("status") in ("done", "failed"):
            return found


def show(console: Console, found: dict[str, Any]) -> None:
    """Print what each side kept up with."""
    table = Table(title=f"Intake: highest rate with p99 below {found['p99_kept_ms']:.0f} ms", title_justify="left")
    for heading in ("side", "a second", "CPU ms at that rate"):
        table.add_column(heading)
    for name, kept in found["rate_kept"].items():
        steps = found["rates"][name][-1]["steps"]
        table.add_row(name, f"{kept['median']:g}", str(steps[max(0, len(steps) - 2)]["cpu_ms"]))
    console.print(table)
    console.print(f"ours is {found['intake_ratio']} of the bare route")
    reads = Table(title=f"Reads, {_READERS} readers", title_justify="left")
    for heading in ("", "ours /s", "ours p99", "bare /s", "bare p99"):
        reads.add_column(heading)
    for what, sides in found["reads"].items():
        cells = [cell for n in ("ours", "bare") for cell in (sides[n][-1]["a_second"], sides[n][-1]["p99"])]
        reads.add_row(what, *(f"{cell:g}" for cell in cells))
    console.print(reads)
    if "roster" in found:
        console.print("roster:", found["roster"])


def main() -> None:
    """Measure the short way."""
    with tempfile.TemporaryDirectory(prefix="hetao-bench-") as scratch:
        found = asyncio.run(measure(Path(scratch) / "intake", full=False))
    show(Console(highlight=False), found)


if __name__ == "__main__":
    main()
