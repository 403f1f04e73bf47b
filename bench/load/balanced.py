"""One copy of the API and two, one worker and two, behind a proxy: rates, latencies, and what callers see of a kill."""

import asyncio
import gc
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import aiohttp
import asyncpg
import httpx
from rich.console import Console
from rich.table import Table

from bench import sink
from bench.compare.sides.hetao import MAILS
from bench.load.client import open_client
from bench.measure import busy_core_seconds, cpu_ms, latencies_ms, spread
from bench.people import numbers, registration
from bench.servers import ROOT, Servers, open_servers, watcher_url
from sandbox.stack.embedded import application_environment, sealer_environment
from sandbox.stack.ports import free_port
from sandbox.stack.postgres import DATABASE, OWNER
from store.migrate import upgrade

SHAPES: Final = ((1, 1), (2, 1), (1, 2), (2, 2))  # copies of the API, workers
_EXAMPLE: Final = ROOT / "deploy" / "proxy" / "haproxy.cfg"
_CASES: Final = {True: 300, False: 60}
_ROUNDS: Final = {True: 3, False: 1}
_KILL_SECONDS: Final = {True: 10.0, False: 5.0}  # before, between and after the kills
_CALLERS: Final = 32
_OFFICERS: Final = 16
# Each registers, waits and registers again: what a kill does is to be seen, and not what a crowd does.
_KILL_CALLERS: Final = 4
_KILL_OFFICERS: Final = 4
_KILL_PAUSE: Final = 1.0
_WARM: Final = 20
_PATIENCE_SECONDS: Final = 60.0
_LONGEST_SECONDS: Final = 300.0
_SETTLE_SECONDS: Final = 2.0
_LOOK_SECONDS: Final = 0.1
_AGAIN_SECONDS: Final = 0.05
_KEEP_LOOKS: Final = 5
# More than one caller makes: here one employer stands for all.
_ALLOWED: Final = {"HETAO_API_CALLER_A_MINUTE": "1000000", "HETAO_API_TENANT_A_MINUTE": "1000000"}
_HETAO: Final = (sys.executable, "-P", "-m", "cli")
_AT: Final = "SELECT count(*) FROM cases WHERE reference = ANY($1) AND stage = $2"
_LEFT: Final = """
SELECT (SELECT count(*) FROM cases WHERE stage IN ('received', 'assessing'))
     + (SELECT count(*) FROM permits WHERE stage NOT IN ('issued') AND reference = ANY($1))
     + (SELECT count(*) FROM deliveries WHERE status = 'queued' AND next_attempt <= clock_timestamp())
"""
_KNOWN: Final = "SELECT client_reference, reference FROM cases WHERE client_reference = ANY($1)"
_ISSUED: Final = "SELECT count(*) FROM permits WHERE reference = ANY($1) AND stage = 'issued'"
_DECIDED: Final = "SELECT reference FROM commands WHERE reference = ANY($1) AND kind = 'decide' AND state = 'applied'"


class BrokenError(Exception):
    """A call that got no answer, or one that asks to come again."""


@dataclass
class Site:
    """PostgreSQL, Temporal and the stand-ins, the proxy before the copies of the API, and who calls."""

    servers: Servers
    http: aiohttp.ClientSession
    watch: Any
    tokens: dict[str, str]
    people: Iterator[int]
    ports: tuple[int, int]
    calls: list["Call"] = field(default_factory=list)

    async def start_api(self, number: int) -> None:
        """Start a copy of the API, and wait until it is ready."""
        told = application_environment(self.servers.stack) | _ALLOWED
        told |= {
            "HETAO_API_PORT": str(self.ports[number - 1]),
            "HETAO_API_METRICS_PORT": "0",
            "HETAO_PROXIES": "127.0.0.1",
        }
        self.servers.start(f"api {number}", (*_HETAO, "api"), told)
        await self.servers.wait_for(f"api {number}", f"http://127.0.0.1:{self.ports[number - 1]}/health/ready")

    async def start_worker(self, number: int) -> None:
        """Start a worker, and wait until Temporal hands it work and PostgreSQL takes what it writes."""
        port = free_port(frozenset(self.servers.stack.ports.values()))
        told = application_environment(self.servers.stack) | sealer_environment(self.servers.stack)
        told |= {"HETAO_WORKER_METRICS_PORT": str(port)}
        self.servers.start(f"worker {number}", (*_HETAO, "worker"), told)
        await self._until_ready(f"worker {number}", port)

    async def _until_ready(self, name: str, port: int) -> None:
        await self.servers.wait_for(name, f"http://127.0.0.1:{port}/health/ready")

    async def end(self, name: str, number: signal.Signals = signal.SIGTERM) -> None:
        """End one process."""
        process = self.servers.processes.pop(name)
        process.send_signal(number)
        await asyncio.to_thread(process.wait, _PATIENCE_SECONDS)

    async def shape(self, apis: int, workers: int) -> None:
        """Have so many copies run."""
        for kind, wanted, start in (("api", apis, self.start_api), ("worker", workers, self.start_worker)):
            for number in (1, 2):
                is_there = f"{kind} {number}" in self.servers.processes
                if number <= wanted and not is_there:
                    await start(number)
                elif number > wanted and is_there:
                    await self.end(f"{kind} {number}")
        await asyncio.sleep(_SETTLE_SECONDS)  # the proxy asks each copy every second

    async def register(self, number: int, key: str) -> str:
        """Register a person and return the reference.

        Raises:
            BrokenError: where the call is to be made again under the same key.
        """
        body = await self._post("/v1/registrations", registration(number), "employer-a", key)
        return str(body["reference"])

    async def approve(self, reference: str, key: str) -> None:
        """Approve a case.

        Raises:
            BrokenError: where the call is to be made again under the same key.
        """
        decision = {"action": "approve", "round": 1}
        await self._post(f"/v1/registrations/{reference}/decision", decision, "officer-1", key)

    async def _post(self, path: str, body: Any, persona: str, key: str) -> Any:
        headers = {"Authorization": f"Bearer {self.tokens[persona]}", "Idempotency-Key": key}
        begun = time.monotonic()
        try:
            async with self.http.post(path, json=body, headers=headers) as answer:
                said, status = await answer.read(), answer.status
                found = await answer.json() if status < 300 else None
        except (aiohttp.ClientError, TimeoutError) as error:
            self.calls.append(Call(begun, time.monotonic(), type(error).__name__))
            raise BrokenError from error
        self.calls.append(Call(begun, time.monotonic(), str(status)))
        if found is None:
            if status >= 500 or status == 429:
                raise BrokenError
            raise RuntimeError(f"POST {path}: {status} {said[:300]!r}")
        return found


@dataclass(frozen=True, slots=True)
class Call:
    """When a call was begun and answered, and with what."""

    begun: float
    ended: float
    answer: str


async def measure(directory: Path, *, full: bool, say: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Take registrations and decisions with each shape in turn, and kill a copy of each kind under load."""
    turns: dict[str, list[dict[str, Any]]] = {_name(*shape): [] for shape in SHAPES}
    async with open_site(directory) as site:
        await site.shape(1, 1)
        await _turn(site, _WARM)
        for turn in range(_ROUNDS[full]):
            # The other way round each second time, since the machine is faster in one minute than in the next.
            for shape in SHAPES[:: -1 if turn % 2 else 1]:
                await site.shape(*shape)
                say(f"  round {turn + 1}: {_name(*shape)}")
                turns[_name(*shape)].append(await _turn(site, _CASES[full]))
        await site.shape(2, 2)
        killed = await _kill_under_load(site, _KILL_SECONDS[full])
    shutil.rmtree(directory, ignore_errors=True)
    return {
        "cases": _CASES[full],
        "callers": _CALLERS,
        "officers": _OFFICERS,
        "proxy": _proxy_version(),
        "shapes": {name: _summary(seen, turns[_name(1, 1)]) for name, seen in turns.items()},
        "killed": killed,
    }


@asynccontextmanager
async def open_site(directory: Path) -> AsyncIterator[Site]:
    """Start the servers and the proxy; copies of the API and workers are the caller's to start.

    The proxy listens where the embedded stack has its API, so that the stand-ins' answers go through it too.
    """
    async with open_servers(directory) as servers:
        await asyncio.to_thread(upgrade, servers.postgres.url(role=OWNER))
        told = application_environment(servers.stack)
        load = [*_HETAO, "register", "load", str(ROOT / "examples" / "employers.yaml")]
        await asyncio.to_thread(subprocess.run, load, env=told, cwd=ROOT, check=True, capture_output=True)
        taken = frozenset(servers.stack.ports.values())
        first = free_port(taken)
        ports = (first, free_port(taken | {first}))
        config = directory / "haproxy.cfg"
        config.write_text(_config(servers.stack.ports["api"], ports), encoding="utf-8")
        servers.start("proxy", (_program(), "-db", "-f", str(config)), dict(os.environ))
        # Several look at a time while something is killed.
        watch = await asyncpg.create_pool(watcher_url(servers, DATABASE), min_size=1, max_size=4)
        try:
            async with open_client(servers.stack.url("api"), patience=_PATIENCE_SECONDS) as http:
                yield Site(servers, http, watch, await _tokens(servers), numbers(), ports)
        finally:
            await watch.close()


def _config(port: int, copies: Sequence[int]) -> str:
    """Return the committed example with this machine's addresses, without TLS."""
    text = _EXAMPLE.read_text(encoding="utf-8")
    changes = {
        "bind :443 ssl crt /etc/haproxy/permits.pem alpn h2,http/1.1": f"bind 127.0.0.1:{port}",
        **{f"127.0.0.1:808{n}": f"127.0.0.1:{copies[n - 1]}" for n in (1, 2)},
    }
    for before, after in changes.items():
        if before not in text:
            raise RuntimeError(f"{_EXAMPLE.name} has no line `{before}` any more.")
        text = text.replace(before, after)
    return text


def _program() -> str:
    found = shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        raise RuntimeError("haproxy is not installed (Debian's package of that name).")
    return found


def _proxy_version() -> str:
    told = subprocess.run([_program(), "-v"], capture_output=True, text=True, check=True).stdout
    return "HAProxy " + told.split()[2]


async def _tokens(servers: Servers) -> dict[str, str]:
    async with httpx.AsyncClient(trust_env=False) as http:
        issuer = servers.stack.url("issuer") + "/token"
        answers = {each: await http.post(issuer, json={"persona": each}) for each in ("employer-a", "officer-1")}
    return {persona: str(answer.json()["access_token"]) for persona, answer in answers.items()}


async def _turn(site: Site, cases: int) -> dict[str, Any]:
    """Register so many people, wait until all cases have their task, decide all, and wait until all is done."""
    gc.collect()
    references: list[str] = []
    pids = site.servers.pids()
    before, busy, begun = cpu_ms(pids), busy_core_seconds(), time.perf_counter()

    async def one_registration() -> None:
        references.append(await _until_taken(site.register, next(site.people)))

    registered = await _closed_loop(one_registration, cases, _CALLERS)
    assessed = time.perf_counter()
    await _reach(site, references, "under_review")
    assessed = time.perf_counter() - begun
    left = iter(list(references))

    async def one_decision() -> None:
        await _until_taken(site.approve, next(left))

    decided = await _closed_loop(one_decision, cases, _OFFICERS)
    await _settle(site, references)
    seconds = time.perf_counter() - begun
    after, busy = cpu_ms(pids), busy_core_seconds() - busy
    return {
        "registrations": registered,
        "assessed_a_second": round(cases / assessed, 1),
        "decisions": decided,
        "whole_seconds": round(seconds, 1),
        "cpu_ms_a_case": {name: round((after[name] - before[name]) / cases, 1) for name in after},
        "cores_busy": round(busy / seconds, 2),
    }


async def _closed_loop(work: Callable[[], Awaitable[None]], count: int, callers: int) -> dict[str, Any]:
    """Do the work so many times, so many at a time, each begun as soon as one before is done."""
    samples: list[float] = []
    left = iter(range(count))

    async def caller() -> None:
        for _ in left:
            begun = time.perf_counter()
            await work()
            samples.append(time.perf_counter() - begun)

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(callers):
            group.create_task(caller())
    return {"a_second": round(count / (time.perf_counter() - begun), 1), **latencies_ms(samples)}


async def _until_taken(call: Callable[[Any, str], Awaitable[Any]], what: Any) -> Any:
    """Call until it is taken, under one key, as callers are asked to."""
    key, end = str(uuid4()), time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return await call(what, key)
        except BrokenError:
            if time.monotonic() > end:
                raise
            await asyncio.sleep(_AGAIN_SECONDS)


async def _reach(site: Site, references: list[str], stage: str) -> None:
    end = time.monotonic() + _LONGEST_SECONDS
    while await site.watch.fetchval(_AT, references, stage) < len(references):
        if time.monotonic() > end:
            raise TimeoutError(f"Not all cases are {stage} after {_LONGEST_SECONDS:.0f} s.")
        await asyncio.sleep(_LOOK_SECONDS)


async def _settle(site: Site, references: list[str]) -> None:
    """Wait until every permit is issued and nothing is left to deliver, in several looks one after the other."""
    end, still = time.monotonic() + _LONGEST_SECONDS, 0
    while still < _KEEP_LOOKS:
        if time.monotonic() > end:
            raise TimeoutError(f"Not all is done after {_LONGEST_SECONDS:.0f} s.")
        still = still + 1 if await site.watch.fetchval(_LEFT, references) == 0 else 0
        await asyncio.sleep(_LOOK_SECONDS)


async def _kill_under_load(site: Site, seconds: float) -> dict[str, Any]:
    """Kill one copy of the API and then one worker while people are registered and decided, and bring each back.

    Afterwards everything that a caller was told is looked for: in the register, at the authority and in the mail sink.
    """
    site.calls.clear()
    mails = await sink.count(site.servers)
    asked: dict[str, str] = {}
    decided: list[str] = []
    waiting: asyncio.Queue[str] = asyncio.Queue()
    is_over = False

    async def caller() -> None:
        while not is_over:
            number = next(site.people)
            reference = await _until_taken(site.register, number)
            asked[registration(number)["client_reference"]] = reference
            waiting.put_nowait(reference)
            await asyncio.sleep(_KILL_PAUSE)

    async def officer() -> None:
        while not (is_over and waiting.empty()):
            try:
                reference = waiting.get_nowait()
            except asyncio.QueueEmpty:
                await asyncio.sleep(_LOOK_SECONDS)
                continue
            await _reach(site, [reference], "under_review")
            await _until_taken(site.approve, reference)
            decided.append(reference)

    async with asyncio.TaskGroup() as group:
        for work in (*[caller] * _KILL_CALLERS, *[officer] * _KILL_OFFICERS):
            group.create_task(work())
        await asyncio.sleep(seconds)
        api_at = time.monotonic()
        await site.end("api 2", signal.SIGKILL)
        await asyncio.sleep(seconds)
        await site.start_api(2)
        await asyncio.sleep(seconds)
        worker_at = time.monotonic()
        await site.end("worker 2", signal.SIGKILL)
        await asyncio.sleep(seconds)
        await site.start_worker(2)
        await asyncio.sleep(seconds)
        over_at, is_over = time.monotonic(), True
    references = list(asked.values())
    await _settle(site, references)
    return {
        "registrations": len(asked),
        "decisions": len(decided),
        "before": _seen(site.calls, api_at - seconds, api_at),
        "after_the_api": _seen(site.calls, api_at, worker_at),
        "after_the_worker": _seen(site.calls, worker_at, over_at),
        "lost": await _lost(site, asked, decided, mails),
    }


def _seen(calls: list[Call], begin: float, end: float) -> dict[str, Any]:
    """Return what callers saw between two moments, and for how long after the first they saw errors."""
    those = [each for each in calls if begin <= each.ended < end]
    failed = [each for each in those if not each.answer.startswith("2")]
    return {
        "answers": dict(sorted(Counter(each.answer for each in those).items())),
        "errors_until_s": round(max((each.ended for each in failed), default=begin) - begin, 2),
        "ms": latencies_ms([each.ended - each.begun for each in those if each.answer.startswith("2")]),
        "longest_ms": round(max((each.ended - each.begun for each in those), default=0.0) * 1000, 1),
    }


async def _lost(site: Site, asked: dict[str, str], decided: list[str], mails: int) -> dict[str, int]:
    """Return what is not as callers were told; each is 0 where nothing was lost and nothing done twice."""
    known = [(row[0], row[1]) for row in await site.watch.fetch(_KNOWN, list(asked))]
    issued = await site.watch.fetchval(_ISSUED, decided)
    kept = [row[0] for row in await site.watch.fetch(_DECIDED, decided)]
    sent = await site.watch.fetchval(MAILS, decided)
    told = await sink.mails(site.servers, after=mails)
    return {
        "registrations_lost": len(asked) - len({reference for _, reference in known}),
        "registrations_twice": len(known) - len(asked),
        "decisions_lost": len(decided) - len(set(kept)),
        "decisions_twice": len(kept) - len(set(kept)),
        "permits_not_issued": 2 * len(decided) - issued,
        "mails_lost": max(0, sent - len(told)),
        "mails_twice": sum(count - 1 for count in told.values()),
    }


def _name(apis: int, workers: int) -> str:
    return f"{apis}+{workers}"


def _summary(seen: list[dict[str, Any]], base: list[dict[str, Any]]) -> dict[str, Any]:
    def middle(turns: list[dict[str, Any]], *path: str) -> float:
        values = []
        for turn in turns:
            value: Any = turn
            for name in path:
                value = value[name]
            values.append(float(value))
        return spread(values)["median"]

    rates: dict[str, tuple[str, ...]] = {
        "registrations": ("registrations", "a_second"),
        "decisions": ("decisions", "a_second"),
    }
    rates |= {"assessed": ("assessed_a_second",)}
    return {
        **{name: middle(seen, *path) for name, path in rates.items()},
        "to_one_and_one": {name: round(middle(seen, *path) / middle(base, *path), 2) for name, path in rates.items()},
        **{
            f"{kind}_{share}_ms": middle(seen, kind, share)
            for kind in ("registrations", "decisions")
            for share in ("p50", "p95", "p99")
        },
        "whole_seconds": middle(seen, "whole_seconds"),
        "cores_busy": middle(seen, "cores_busy"),
        "cpu_ms_a_case": {name: middle(seen, "cpu_ms_a_case", name) for name in seen[0]["cpu_ms_a_case"]},
        "turns": seen,
    }


def show(console: Console, found: dict[str, Any]) -> None:
    """Print what was seen."""
    table = Table(title=f"Copies of the API + workers behind {found['proxy']}", title_justify="left")
    for heading in ("shape", "registrations/s", "p95 ms", "assessed/s", "decisions/s", "p95 ms", "ratios", "cores"):
        table.add_column(heading)
    for name, each in found["shapes"].items():
        table.add_row(
            name,
            f"{each['registrations']:g}",
            f"{each['registrations_p95_ms']:g}",
            f"{each['assessed']:g}",
            f"{each['decisions']:g}",
            f"{each['decisions_p95_ms']:g}",
            ", ".join(f"{what} {ratio:g}" for what, ratio in each["to_one_and_one"].items()),
            f"{each['cores_busy']:g}",
        )
    console.print(table)
    for name, seen in found["killed"].items():
        console.print(f"{name.replace('_', ' ')}:", seen)


def main() -> None:
    """Measure the short way."""

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="hetao-bench-") as scratch:
        found = asyncio.run(measure(Path(scratch) / "balanced", full="--full" in sys.argv, say=say))
    show(Console(highlight=False, width=180), found)


if __name__ == "__main__":
    main()
