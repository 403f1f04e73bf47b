"""Puts the figures of `bench/results.json` into `docs/performance.md`, between its marks, so that none is typed."""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.costs import BUDGET, with_archive
from bench.load.climb import highest_kept
from bench.load.intake import ratios, starts_said
from bench.run import OURS, RESULTS

PAGE: Final = Path(__file__).parents[1] / "docs" / "performance.md"
PLOTS: Final = PAGE.parent / "performance"
_UNSEEN: Final = "Not measured yet."


def rows(headings: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    """Return a table in Markdown."""
    head = f"| {' | '.join(headings)} |\n|{'---|' * len(headings)}\n"
    return head + "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def machine(found: dict[str, Any]) -> str:
    """Say what the figures were seen on."""
    seen, versions = found["machine"], found["versions"]
    named = ", ".join(f"{name} {number}" for name, number in versions.items())
    return (
        f"{seen['cores']} cores ({seen['processor']}), {seen['memory_gb']} GB, Python {seen['python']}.\n"
        f"Versions: {named}."
    )


def measured(found: dict[str, Any], part: str) -> str:
    """Say when a part was measured, of which revision, and how busy the machine was before."""
    seen = found["parts"][part]
    load = ", ".join(f"{each:g}" for each in seen["load_before"])
    revision = f" at {seen['revision']}" if seen["revision"] else ""
    return (
        f"Measured on {seen['measured_at'][:10]}{revision}, {seen['mode']} mode, Linux {seen['kernel']}; load averages"
        f" before: {load}; a synced write of 512 bytes took {seen['fsync_ms']:g} ms (median)."
    )


def cases(found: dict[str, Any]) -> str:
    """Return the comparison of whole cases."""
    parts = []
    for in_flight, sides in sorted(found["whole_cases"]["summary"].items(), key=lambda item: int(item[0])):
        lines = []
        for name, each in sides.items():
            speed = each["cases_per_second"]
            lines.append(
                (
                    name,
                    ", ".join(str(count) for count in each["cases"]),
                    f"{speed['median']:g} ({speed['min']:g} to {speed['max']:g})",
                    f"{each['cpu_ms_a_case']['median']:.0f}",
                    *(f"{each[f'{share}_ms']['median']:.0f}" for share in ("p50", "p95", "p99")),
                    "" if name == OURS else f"{each['ours_is_times_as_fast']:g}",
                    "" if name == OURS else f"{each['ours_takes_of_its_cpu']:g}",
                )
            )
        headings = (
            *("side", "cases of each run", "cases/s: median (least to most)", "CPU ms a case"),
            *("p50 ms", "p95 ms", "p99 ms"),
            *("ours is times as fast", "ours takes of its CPU"),
        )
        parts.append(f"{in_flight} in flight:\n\n{rows(headings, lines)}\n\n{_processes(sides)}")
    missing = found["whole_cases"]["missing"]
    return "\n\n".join([*parts, *(f"{name} did not run: {why}" for name, why in missing.items())])


def _processes(sides: dict[str, Any]) -> str:
    names = list(dict.fromkeys(part for each in sides.values() for part in each["cpu_ms_by_process"]))
    lines = [
        (side, *(f"{each['cpu_ms_by_process'].get(n, 0):.0f} / {each['peak_rss_mb'].get(n, 0):.0f}" for n in names))
        for side, each in sides.items()
    ]
    return "CPU ms a case / peak memory in MB, by process:\n\n" + rows(("side", *names), lines)


def durability(found: dict[str, Any]) -> str:
    """Return what the servers said of their durability while they ran."""
    lines = []
    for side, said in found["whole_cases"]["settings"].items():
        own = [f"`{name} = {value}`" for name, value in said.get("restate", {}).items()]
        if "temporal" in said:
            own = [f"`{said['temporal']['command'].replace('|', '')}`", f"file: {said['temporal']['journal']}"]
        alike: dict[str, list[str]] = {}
        for database, settings in said["postgres"]["databases"].items():
            told = ", ".join(f"{name} {value}" for name, value in settings.items() if name != "shared_buffers")
            alike.setdefault(told, []).append(database)
        kept = [f"{', '.join(databases)}: {told}" for told, databases in alike.items()]
        kept.append("changed for a role or database: " + ("; ".join(said["postgres"]["changed for"]) or "nothing"))
        lines.append((side, "; ".join(kept).replace("|", " "), "; ".join(own)))
    return rows(("side", "PostgreSQL, by database", "its own server"), lines)


def costs(found: dict[str, Any]) -> str:
    """Return what a case costs, beside the bounds that the tests hold."""
    seen = found["costs"]["costs"]
    budget = json.loads(BUDGET.read_text())
    both = with_archive(seen) if any(each["kind"] == "archive_share" for each in seen) else {}
    goals, bounds = (budget[which]["straight_together"] for which in ("goals", "bounds"))
    lines = [
        (
            name.replace("_", " "),
            *(f"{each['figures'][name]:g}" for each in seen),
            f"{both[name]:g}" if both else "",
            goals.get(name, ""),
            bounds.get(name, ""),
        )
        for name in seen[0]["figures"]
    ]
    lines.append(("notices", *(f"{each['notices']:g}" for each in seen), "", "", ""))
    lines.append(("runs of its workflow", *(f"{each['history']['runs']:g}" for each in seen), "", "", ""))
    kinds = [each["kind"].replace("_", " ").replace("archive share", "archive's share, of eight") for each in seen]
    shown = rows(("a case", *kinds, "together with the archive", "goal together", "bound together"), lines)
    month = found["costs"].get("sleeping_month")
    return shown + (f"\n\nA sleeping month: {month['events']} events, {month['commits']} commits." if month else "")


def intake(found: dict[str, Any]) -> str:
    """Return what intake and reads keep up with."""
    seen = found["intake"]
    lines = []
    for name, kept in seen["rate_kept"].items():
        last = highest_kept(seen["rates"][name][-1]["steps"])
        used = last["cpu_ms"] if last else {}
        rate = f"{kept['median']:g} ({kept['min']:g} to {kept['max']:g})"
        lines.append((name, rate, ", ".join(f"{part} {ms:g}" for part, ms in used.items())))
    limit = f"highest rate with p99 below {seen['p99_kept_ms']:.0f} ms: median (least to most)"
    first = rows(("side", limit, "CPU ms a request at that rate, last round"), lines)
    reads = []
    for what, sides in seen["reads"].items():
        middle = {(n, f): median(each[f] for each in sides[n]) for n in sides for f in ("a_second", "p95", "p99")}
        ratio = middle["ours", "a_second"] / middle["bare", "a_second"]
        reads.append((what, *(f"{value:.1f}" for value in middle.values()), f"{ratio:.2f}"))
    headings = ("medians", "ours /s", "p95 ms", "p99 ms", "bare /s", "p95 ms", "p99 ms", "ours of bare")
    middle_ratio, best = ratios(seen["rate_kept"])
    said = (
        f"Ours is {middle_ratio} of the bare route (medians of the rounds), {best} of its best round."
        f" In its last round, {starts_said(seen)}."
    )
    return f"{first}\n\n{said}\n\n{rows(headings, reads)}"


def roster(found: dict[str, Any]) -> str:
    """Return how long a roster takes."""
    return f"A roster: {_listed(found['roster'])}."


def growth(found: dict[str, Any]) -> str:
    """Return the p95 of each size."""
    seen = found["growth"]
    sizes = list(seen["sizes"])
    lines = [
        (name, *(f"{seen['sizes'][size]['latency_ms'][name]['p95']:g}" for size in sizes), f"{ratio:g}")
        for name, ratio in seen["p95_ratio"].items()
    ]
    scans = seen["sizes"][sizes[-1]]["sequential_scans"]
    said = f"at {int(sizes[-1]):,}: {json.dumps(scans)}" if scans else f"none at {int(sizes[-1]):,}"
    table = rows(("p95 in ms", *(f"{int(size):,}" for size in sizes), "ratio"), lines)
    return f"{table}\n\nSequential scans of growing tables: {said}."


def audit(found: dict[str, Any]) -> str:
    """Return the p95 of each question about each ledger."""
    seen = found["audit"]
    sizes = list(seen["sizes"])
    lines = [
        (name, *(f"{seen['sizes'][size]['latency_ms'][name]['p95']:g}" for size in sizes), f"{ratio:g}")
        for name, ratio in seen["p95_ratio"].items()
    ]
    size = seen["sizes"][sizes[-1]]["bytes_a_row"]
    table = rows(("p95 in ms", *(f"{int(size):,} rows" for size in sizes), "ratio"), lines)
    return f"{table}\n\nA row takes {size} bytes with its indexes."


def sleeping(found: dict[str, Any]) -> str:
    """Return what sleeping permits cost, what a restart among them takes, and how many wake at once."""
    seen = found["sleeping"]
    parts = ("worker", "temporal", "postgres")
    lines = [
        (
            f"{int(permits):,}",
            *(f"{at['rss_mb'][part]:g}" for part in parts),
            *(f"{at['idle_percent_of_a_core'][part]:g}" for part in parts),
            at["idle_seconds"],
        )
        for permits, at in seen["asleep"].items()
    ]
    headings = ("permits asleep", *(f"{part} MB" for part in parts), *(f"{part} idle, % of a core" for part in parts))
    first = rows((*headings, "watched for, s"), lines)
    rest = [(name.replace("_", " "), _listed(seen[name])) for name in ("bytes_a_permit", "restart", "reminders")]
    said = f"{seen['permits']:,} permits of {seen['cases']:,} cases."
    return f"{said}\n\n{first}\n\n" + rows(("", ""), rest)


def overload(found: dict[str, Any]) -> str:
    """Return what the API does with twice what it can serve."""
    return rows(("", ""), [(name.replace("_", " "), _listed(value)) for name, value in found["overload"].items()])


def fairness(found: dict[str, Any]) -> str:
    """Return how long an employer waits beside another's roster."""
    seen = found["fairness"]
    lines = [
        (name.replace("_", " "), at["p50"], at["p95"], at["p99"]) for name, at in seen["request_to_task_ms"].items()
    ]
    table = rows(("request to task, ms", "p50", "p95", "p99"), lines)
    said = (
        f"{seen['cases']} requests each, in turns. The p95 beside a"
        f" roster of {seen['roster_rows']:,} rows is {seen['p95_ratio']:g} times that while it stands still; meanwhile"
        f" {seen['rows_meanwhile']:,} of its rows were done, {seen['rows_a_second_meanwhile']:g} a second."
    )
    return "\n\n".join([table, said, *_behind_a_backlog(seen)])


def _behind_a_backlog(seen: dict[str, Any]) -> Iterator[str]:
    if "behind_a_backlog" not in seen:
        return
    left = seen["behind_a_backlog"]
    lines = [(name, at["p50"], at["p95"], at["p99"]) for name, at in left["worker_to_task_ms"].items()]
    yield rows(("worker's start to task, ms", "p50", "p95", "p99"), lines)
    yield (
        f"{left['cases_before']} cases of one employer were handed in while no worker ran, then"
        f" {left['cases_behind']} of another."
    )


def telling(found: dict[str, Any]) -> str:
    """Return what the time of a dry run tells of who is registered elsewhere."""
    seen = found["telling"]
    lines = [(name.replace("_", " "), at["p50"], at["p95"], at["p99"]) for name, at in seen["check_ms"].items()]
    table = rows(("dry run, ms", "p50", "p95", "p99"), lines)
    said = (
        f"{seen['checks_of_each']:,} of each, in an order of chance. A guess by the time is right in {seen['told']:g}"
    )
    return f"{table}\n\n{said} of the pairs (AUC; 0.5 is a coin, the goal is at most {seen['goal']:g})."


def workers(found: dict[str, Any]) -> str:
    """Return what a second worker process brings, and what PostgreSQL was seen to wait for."""
    seen = found["workers"]
    lines, waits = [], []
    for name in ("one", "two"):
        each = seen[name]
        speed, cpu, waited = each["cases_per_second"], each["cpu_ms_a_case"], each["postgresql"]
        lines.append(
            (
                name,
                f"{speed['median']:g} ({speed['min']:g} to {speed['max']:g})",
                *(f"{each['latency_ms'][share]:.0f}" for share in ("p50", "p95")),
                f"{each['cores_busy']['median']:.2f}",
                ", ".join(f"{part} {value:.0f}" for part, value in cpu.items()),
            )
        )
        locks = "; ".join(f"{lock} {count}" for lock, count in waited["locks_waited_for"].items()) or "none"
        behind, longest = waited["most_sessions_behind_one"], waited["longest_wait_seen_ms"]
        busy = (waited["looks"], waited["sessions_at_work_a_look"], _shares(waited["share_of_sessions"]))
        waits.append((name, *busy, locks, behind, f"{longest:.0f}"))
    headings = ("workers", "cases/s: median (least to most)", "p50 ms", "p95 ms", "cores busy", "CPU ms a case")
    looked = (
        "workers",
        "looks",
        "sessions at work a look",
        "what they did",
        "locks waited for, looks",
        "most behind one",
        "longest ms",
    )
    said = f"Two are {seen['two_are_times_as_fast']:g} times as fast as one, {seen['in_flight']} in flight."
    return f"{rows(headings, lines)}\n\n{said}\n\n{rows(looked, waits)}"


def balanced(found: dict[str, Any]) -> str:
    """Return what further copies behind a proxy bring, and what callers saw of a kill."""
    seen = found["balanced"]
    lines = [
        (
            name,
            *(f"{each[what]:g} ({each['to_one_and_one'][what]:g})" for what in ("registrations", "assessed")),
            f"{each['registrations_p50_ms']:.0f} / {each['registrations_p95_ms']:.0f}",
            f"{each['decisions']:g} ({each['to_one_and_one']['decisions']:g})",
            f"{each['decisions_p50_ms']:.0f} / {each['decisions_p95_ms']:.0f}",
            f"{each['cores_busy']:.2f}",
        )
        for name, each in seen["shapes"].items()
    ]
    headings = (
        *("APIs + workers", "registrations/s (to 1+1)", "assessed/s (to 1+1)", "p50 / p95 ms"),
        *("decisions/s (to 1+1)", "p50 / p95 ms", "cores busy"),
    )
    killed = seen["killed"]
    kills = [
        (
            name.replace("_", " "),
            ", ".join(f"{answer} {count}" for answer, count in killed[name]["answers"].items()),
            f"{killed[name]['errors_until_s']:g}",
            f"{killed[name]['ms']['p50']:.0f} / {killed[name]['ms']['p95']:.0f} / {killed[name]['longest_ms']:.0f}",
        )
        for name in ("before", "after_the_api", "after_the_worker")
    ]
    lost = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in killed["lost"].items())
    return (
        f"{rows(headings, lines)}\n\n{seen['proxy']}; {seen['cases']} cases a turn, {seen['callers']} callers,"
        f" {seen['officers']} officers.\n\n"
        f"{rows(('killed by SIGKILL', 'answers', 'last error after, s', 'p50 / p95 / longest ms'), kills)}\n\n"
        f"{killed['registrations']} registrations and {killed['decisions']} decisions: {lost}."
    )


def starving(found: dict[str, Any]) -> str:
    """Return what a silent authority leaves to all else of its queue."""
    seen = found["starving"]
    lines = [
        (
            name,
            *(f"{seen[name][what]['p50']:.0f} / {seen[name][what]['p95']:.0f}" for what in _STARVED),
            f"{seen[name]['archive_waits_ms']:.0f}",
        )
        for name in ("quiet", "starved")
    ]
    headings = ("", "request to task, p50 / p95 ms", "decision, p50 / p95 ms", "a round of the archive waits, ms")
    said = f"{seen['calls_held']} calls to an authority that takes connections and answers nothing"
    return f"{rows(headings, lines)}\n\n{said}; {seen['places_taken']} of 50 places were taken."


_STARVED: Final = ("request_to_task_ms", "decision_ms")


def _shares(shares: dict[str, float]) -> str:
    return ", ".join(f"{name} {share:.0%}" for name, share in shares.items() if share >= 0.005)


def _listed(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {_listed(each)}" for name, each in value.items()) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


SECTIONS: Final[dict[str, tuple[str, Callable[[dict[str, Any]], str]]]] = {
    "machine": ("machine", machine),
    "cases": ("whole_cases", cases),
    "durability": ("whole_cases", durability),
    "costs": ("costs", costs),
    "intake": ("intake", intake),
    "roster": ("roster", roster),
    "growth": ("growth", growth),
    "audit": ("audit", audit),
    "sleeping": ("sleeping", sleeping),
    "fairness": ("fairness", fairness),
    "telling": ("telling", telling),
    "workers": ("workers", workers),
    "overload": ("overload", overload),
    "balanced": ("balanced", balanced),
    "starving": ("starving", starving),
}


def fill(page: str, found: dict[str, Any]) -> str:
    """Return the page with the figures between its marks."""
    for name, (part, write) in SECTIONS.items():
        begin, end = f"<!-- {name} -->\n", "<!-- end -->"
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        figures = write(found) if part in found else _UNSEEN
        if part in found.get("parts", {}) and name != "durability":
            figures = f"{measured(found, part)}\n\n{figures}"
        page = f"{before}{begin}{figures}\n{end}{after}"
    return page


def main() -> None:
    """Fill the page, and put the plots beside it."""
    found = json.loads(RESULTS.read_text())
    PAGE.write_text(fill(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")
    PLOTS.mkdir(exist_ok=True)
    for plot in (RESULTS.parent / "plots").glob("*.svg"):
        shutil.copy(plot, PLOTS / plot.name)


if __name__ == "__main__":
    main()
