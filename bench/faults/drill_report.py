"""Shows what a drill lost, how long it took to come back, and what the checks found, on a terminal and in a page."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from bench.faults.report import STEPS
from bench.report import rows

RESULTS: Final = Path(__file__).parents[1] / "drill.json"
PAGE: Final = Path(__file__).parents[2] / "docs" / "performance.md"
_BEGIN, _END = "<!-- drill -->\n", "<!-- end -->"
_MOST: Final = 20
_LATER: Final = ("done_after_s", "through_after_s")
_WHAT: Final = {
    "temporal": "Temporal, and all its histories",
    "postgres": "PostgreSQL, to {back_s:.0f} s before",
    "both": "both: PostgreSQL to {back_s:.0f} s before, Temporal to its backup",
}


def line(seen: Mapping[str, Any]) -> str:
    """Return one loss as a line: what, how long, how many findings."""
    findings = sum(map(len, seen["checks"].values()))
    return (
        f"{what(seen)}: answers after {seen['answers_after_s']} s, {seen['due']} due done after"
        f" {seen['done_after_s']} s, {seen['cases']} cases, {findings or 'no'} findings, {seen['seconds']} s"
    )


def what(seen: Mapping[str, Any]) -> str:
    """Return in words what was lost."""
    return _WHAT[seen["loss"]].format_map({"back_s": 0.0, **seen})


def show(console: Console, found: Mapping[str, Any]) -> None:
    """Print the checks of each loss with what they found, and what is named."""
    for seen in found["losses"]:
        table = Table(title=what(seen), title_justify="left")
        for heading in ("check", "findings"):
            table.add_column(heading)
        for name, findings in seen["checks"].items():
            table.add_row(name, "none" if not findings else f"[red]{len(findings)}[/red]")
        console.print(table)
        for name, number in seen["named"].items():
            console.print(f"named: {number} {name}")
        for name, findings in seen["checks"].items():
            for finding in findings[:_MOST]:
                console.print(f"[red]{name}[/red]: {finding['kind']}: {finding['about']}", soft_wrap=True)


def section(found: Mapping[str, Any]) -> str:
    """Return the figures of a drill for the page of performance."""
    seen = found["machine"]
    at = f" at {found['revision']}" if found["revision"] else ""
    host = f"{seen['cores']} cores ({seen['processor']}), {seen['memory_gb']} GB"
    run = f"{found['cases']:,} people a loss, seed {found['seed']}, {found['seconds']:.0f} s"
    losses = found["losses"]
    back = [
        (
            what(each),
            f"{each['answers_after_s']:g}",
            each["due"],
            f"{each['done_after_s']:g}",
            f"{each['through_after_s']:g}",
        )
        for each in losses
    ]
    steps = [
        (of, step.value, *(each["standing"].get(of, {}).get(step.value, 0) for each in losses))
        for of, those in STEPS.items()
        for step in those
    ]
    came_back = [
        (of, step.value, *(each.get("standing_restored", {}).get(of, {}).get(step.value, "") for each in losses))
        for of, those in STEPS.items()
        for step in those
    ]
    names = sorted({name for each in losses for name in each["named"]})
    named = [(name, *(each["named"].get(name, 0) for each in losses)) for name in names]
    checks = [(name, *(len(each["checks"].get(name, ())) or "none" for each in losses)) for name in losses[0]["checks"]]
    heads = tuple(each["loss"] for each in losses)
    return "\n\n".join(
        [
            f"Run on {found['measured_at'][:10]}{at}: {run}; {host}, load before {seen['load_before'][0]:g}.",
            rows(
                ("lost", "all parts answer after s", "due then", "all of it done after s", "all cases through after s"),
                back,
            ),
            rows(("cases at the loss of", "step", *heads), steps),
            rows(("cases that came back, of", "step", *heads), came_back),
            rows(("named: what the world has of what was lost", *heads), named),
            rows(("check, and its findings", *heads), checks),
        ]
    )


def fill(page: str, found: Mapping[str, Any]) -> str:
    """Return the page with the figures between its marks."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}{section(found)}\n{_END}{after}"


def main() -> None:
    """Fill the page from the file."""
    PAGE.write_text(fill(PAGE.read_text(encoding="utf-8"), json.loads(RESULTS.read_text())), encoding="utf-8")


if __name__ == "__main__":
    main()
