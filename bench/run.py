"""`make bench`: measures, prints tables and writes `bench/results.json`; `FULL=1` takes the time that it all needs."""

import argparse
import asyncio
import gc
import json
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from bench import costs, plots
from bench.compare import plain_counts
from bench.compare.driver import Outcome, run_cases
from bench.compare.sides import ALL
from bench.compare.sides.base import Running
from bench.compare.sides.restate import MissingError
from bench.growth import audit, registers, sleeping
from bench.load import balanced, fairness, intake, overload, roster, starving, telling, workers
from bench.measure import machine, revision, spread, versions
from bench.people import numbers
from temporal.telemetry import configure_logging

RESULTS: Final = Path(__file__).parent / "results.json"
OURS, PLAIN = "hetao", "plain_temporal"
# Not of the engine: they play the world outside on every side, and are shown but not counted.
STAND_INS: Final = frozenset({"authority", "mail", "issuer"})
_SETTLE_SECONDS: Final = 1.0
_PARTS: Final[dict[str, tuple[str, ModuleType]]] = {
    "intake": ("intake and reads", intake),
    "roster": ("a roster", roster),
    "growth": ("growth", registers),
    "audit": ("audit", audit),
    "sleeping": ("sleeping permits", sleeping),
    "overload": ("overload", overload),
    "fairness": ("fairness", fairness),
    "telling": ("what the time of a dry run tells", telling),
    "workers": ("one worker and two", workers),
    "balanced": ("copies behind a proxy", balanced),
    "starving": ("a worker whose places are taken", starving),
}
console = Console(highlight=False)


@dataclass(frozen=True)
class Mode:
    """How much is measured."""

    name: str
    rounds: int
    cases: dict[int, int]  # in flight: cases of a run
    slow_cases: dict[int, int]  # the same for the plain way, which takes many times as long; each place is filled
    warm: int
    afresh: bool  # each turn on servers of its own, or on ones that idle while the others have their turn


SHORT: Final = Mode("short", rounds=2, cases={10: 15}, slow_cases={10: 10}, warm=2, afresh=False)
FULL: Final = Mode(
    "full", rounds=3, cases={1: 10, 10: 100, 50: 150}, slow_cases={1: 6, 10: 30, 50: 75}, warm=20, afresh=True
)


@dataclass
class Turns:
    """The runs of all sides, what their servers said, and how many cases those have carried."""

    runs: dict[str, list[Outcome]]
    settings: dict[str, Any]
    missing: dict[str, str]
    driven: dict[str, int] = field(default_factory=dict)


async def whole_cases(mode: Mode, names: list[str], scratch: Path) -> dict[str, Any]:
    """Run the sides in turn, round after round."""
    turns = Turns({name: [] for name in names}, {}, {})
    people = numbers()
    async with AsyncExitStack() as kept:
        up: dict[str, Running] = {}
        for turn in range(mode.rounds):
            for name in [each for each in names if each not in turns.missing]:
                console.print(f"  round {turn + 1}: {name}")
                try:
                    if mode.afresh:
                        async with ALL[name]().open(scratch / f"{name}-{turn}") as running:
                            await _one_turn(mode, name, running, people, turns, warm=True)
                            await _stays_plain(name, running, turns)
                        del turns.driven[name]
                        shutil.rmtree(scratch / f"{name}-{turn}", ignore_errors=True)
                        continue
                    is_new = name not in up
                    if is_new:
                        up[name] = await kept.enter_async_context(ALL[name]().open(scratch / name))
                    await _one_turn(mode, name, up[name], people, turns, warm=is_new)
                    if turn == mode.rounds - 1:
                        await _stays_plain(name, up[name], turns)
                except MissingError as error:
                    turns.missing[name] = str(error)
                    console.print(f"  [yellow]{name} did not run: {error}[/yellow]")
    return {
        "settings": turns.settings,
        "missing": turns.missing,
        "runs": {name: [asdict(outcome) for outcome in runs] for name, runs in turns.runs.items()},
    }


async def _one_turn(
    mode: Mode, name: str, running: Running, people: Iterator[int], turns: Turns, *, warm: bool
) -> None:
    """Run a side at each number of cases in flight, after some that only warm it."""
    if warm:
        await run_cases(running, people, cases=mode.warm, in_flight=min(mode.warm, 10))
        turns.driven[name] = mode.warm
    for in_flight, cases in (mode.slow_cases if name == PLAIN else mode.cases).items():
        gc.collect()
        await asyncio.sleep(_SETTLE_SECONDS)
        outcome = await run_cases(running, people, cases=cases, in_flight=in_flight)
        turns.runs[name].append(outcome)
        turns.driven[name] += cases
        console.print(
            f"    {in_flight} in flight: {outcome.cases_per_second:g} cases/s, p50 {outcome.latency_ms['p50']:.0f} ms,"
            f" {outcome.cores_busy:g} of {os.cpu_count()} cores busy"
        )
    turns.settings[name] = ALL[name]().settings(running)


async def _stays_plain(name: str, running: Running, turns: Turns) -> None:
    """Count what the plain way took on its servers, and refuse it where it is not the plain way any more."""
    if name == PLAIN:
        counted = await plain_counts.count(running.servers.stack.temporal_address, cases=turns.driven[name])
        plain_counts.check(counted)
        turns.settings[name]["counted_a_case"] = counted


def summarise(found: dict[str, Any]) -> dict[str, Any]:
    """Return minimum, median and maximum of each side's runs, and its ratios to ours."""
    summary: dict[str, Any] = {}
    for name, runs in found["runs"].items():
        for in_flight in sorted({run["in_flight"] for run in runs}):
            these = [run for run in runs if run["in_flight"] == in_flight]
            summary.setdefault(str(in_flight), {})[name] = {
                "cases": [run["cases"] for run in these],
                "cases_per_second": spread(run["cases_per_second"] for run in these),
                "cpu_ms_a_case": spread(engine_cpu(run) for run in these),
                "cpu_ms_by_process": {
                    part: spread(run["cpu_ms_per_case"][part] for run in these)["median"]
                    for part in these[0]["cpu_ms_per_case"]
                },
                "cores_busy": spread(run["cores_busy"] for run in these),
                **{f"{share}_ms": spread(run["latency_ms"][share] for run in these) for share in ("p50", "p95", "p99")},
                "peak_rss_mb": {
                    part: max(run["peak_rss_mb"][part] for run in these) for part in these[0]["peak_rss_mb"]
                },
            }
    for sides in summary.values():
        ours = sides.get(OURS)
        for name, figures in sides.items():
            if ours is not None and name != OURS:
                figures["ours_is_times_as_fast"] = round(
                    ours["cases_per_second"]["median"] / figures["cases_per_second"]["median"], 2
                )
                figures["ours_takes_of_its_cpu"] = round(
                    ours["cpu_ms_a_case"]["median"] / figures["cpu_ms_a_case"]["median"], 3
                )
    return summary


def engine_cpu(run: dict[str, Any]) -> float:
    """Return the processor time of a case over all processes but the stand-ins."""
    by_process: dict[str, float] = run["cpu_ms_per_case"]
    return round(sum(value for part, value in by_process.items() if part not in STAND_INS), 1)


def show_cases(summary: dict[str, Any]) -> None:
    """Print the comparison of whole cases."""
    for in_flight, sides in sorted(summary.items(), key=lambda item: int(item[0])):
        table = Table(title=f"Whole cases, {in_flight} in flight (medians)", title_justify="left")
        for heading in (
            *("side", "cases/s", "min - max", "CPU ms/case", "p50 ms", "cores busy", "p95 ms", "p99 ms", "ours is"),
            "CPU",
        ):
            table.add_column(heading, justify="left" if heading == "side" else "right")
        for name, each in sides.items():
            speed = each["cases_per_second"]
            times, share = each.get("ours_is_times_as_fast"), each.get("ours_takes_of_its_cpu")
            table.add_row(
                name,
                f"{speed['median']:g}",
                f"{speed['min']:g} - {speed['max']:g}",
                f"{each['cpu_ms_a_case']['median']:g}",
                f"{each['p50_ms']['median']:.0f}",
                f"{each['cores_busy']['median']:g} of {os.cpu_count()}",
                *(f"{each[f'{p}_ms']['median']:.0f}" for p in ("p95", "p99")),
                f"{times:g} x as fast" if times is not None else "",
                f"{share:g} of it" if share is not None else "",
            )
        console.print(table)


def when_and_where(mode: Mode) -> dict[str, Any]:
    """Return what a part of the results is to be read with, since the parts need not be of one run."""
    seen = machine()
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "revision": revision(),
        "mode": mode.name,
        "kernel": seen["kernel"],
        "load_before": seen["load_before"],
        "fsync_ms": seen["fsync_ms"]["median"],
    }


async def measure(mode: Mode, parts: list[str], sides: list[str]) -> AsyncIterator[dict[str, Any]]:
    """Measure the parts asked for and give what was seen in each as soon as it is done."""
    yield {"machine": machine(), "versions": versions()}
    full = mode.name == FULL.name
    with tempfile.TemporaryDirectory(prefix="hetao-bench-") as name:
        scratch = Path(name)
        if "cases" in parts:
            console.rule("whole cases")
            begun = when_and_where(mode)
            seen = await whole_cases(mode, sides, scratch)
            summary = summarise(seen)
            show_cases(summary)
            yield {"parts": {"whole_cases": begun}, "whole_cases": {"summary": summary, **seen}}
        if "costs" in parts:
            console.rule("costs of a case")
            begun = when_and_where(mode)
            found = await costs.measure_all(lambda line: console.print(f"  {line}"), lives=full)
            console.print(costs.table(found))
            yield {"parts": {"costs": begun}, "costs": found}
        for part, (title, measured) in _PARTS.items():
            if part in parts:
                console.rule(title)
                begun = when_and_where(mode)
                found = await measured.measure(scratch / part, full=full)
                measured.show(console, found)
                yield {"parts": {part: begun}, part: found}


def keep(results: Path, found: dict[str, Any]) -> None:
    """Put what was seen in place of earlier results of the same parts; those of others stay."""
    kept = json.loads(results.read_text()) if results.exists() else {}
    found = found | {"parts": kept.get("parts", {}) | found.get("parts", {})}
    results.write_text(json.dumps(kept | found, indent=1, ensure_ascii=False) + "\n")


async def measure_into(results: Path, mode: Mode, parts: list[str], sides: list[str]) -> None:
    """Measure the parts asked for and write each when it is done: a failure after an hour loses no earlier part."""
    async for found in measure(mode, parts, sides):
        keep(results, found)


def main() -> None:
    """Measure, print, and write the results."""
    everything = ["cases", "costs", *_PARTS]
    in_short = ["cases", "costs"]
    parser = argparse.ArgumentParser(description="Measure the engine beside the alternatives.")
    parser.add_argument("--full", action="store_true", default=os.environ.get("FULL") == "1")
    parser.add_argument("--parts", nargs="+", choices=everything)
    parser.add_argument("--sides", nargs="+", choices=list(ALL), default=list(ALL))
    parser.add_argument("--results", type=Path, default=RESULTS, help="Results of other parts in this file are kept.")
    parser.add_argument("--rounds", type=int, help="Rounds of whole cases, if not three in full and two in short.")
    given = parser.parse_args()
    mode = FULL if given.full else SHORT
    mode = replace(mode, rounds=given.rounds or mode.rounds)
    configure_logging("bench", "ERROR")
    begun = time.monotonic()
    parts = given.parts or (everything if given.full else in_short)
    asyncio.run(measure_into(given.results, mode, parts, given.sides))
    plots.draw(json.loads(given.results.read_text()), given.results.parent / "plots")
    console.print(f"{time.monotonic() - begun:.0f} s; written to {given.results}")


if __name__ == "__main__":
    main()
