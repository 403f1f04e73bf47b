"""Shows what struck, what stood where in that moment, and what the checks found, on a terminal and in a page."""

import json
import re
from collections.abc import Iterable, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from bench.faults.strikes import Struck
from bench.report import rows
from domain.stages import Stage
from programmes.talent_permit.permit_stages import PermitStage

RESULTS: Final = Path(__file__).parents[1] / "faults.json"
PAGE: Final = Path(__file__).parents[2] / "docs" / "performance.md"
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")
_BEGIN, _END = "<!-- faults -->\n", "<!-- end -->"
_SHORT: Final = {
    "received": "rec",
    "assessing": "ass",
    "correction_requested": "cor",
    "under_review": "rev",
    "awaiting_confirmation": "con",
    "approved": "app",
    "refused": "ref",
    "withdrawn": "wit",
    "ended": "end",
    "lapsed": "lap",
}
# Cases have to stand in each of these when at least one fault strikes; `assessing` is passed within a transaction, and
# the last ends are no step.
STEPS: Final = {
    "registration": (
        Stage.RECEIVED,
        Stage.CORRECTION_REQUESTED,
        Stage.UNDER_REVIEW,
        Stage.AWAITING_CONFIRMATION,
        Stage.APPROVED,
    ),
    "permit": (PermitStage.ELIGIBLE, PermitStage.SUBMITTED, PermitStage.ACCEPTED, PermitStage.ISSUED),
}


def line(struck: Struck) -> str:
    """Return one fault as a line: when, what, what stood where, how long."""
    stood = " ".join(f"{_SHORT.get(name, name)} {n}" for name, n in _sorted(struck.standing.get("registration", {})))
    permits = " ".join(f"{name} {n}" for name, n in _sorted(struck.standing.get("permit", {})))
    waiting = sum(struck.standing.get("notice", {}).values())
    said = f" ({struck.note})" if struck.note else ""
    failed = f" FAILED: {struck.failure}" if struck.failure else ""
    back = "?" if struck.back_after is None else f"{struck.back_after:g}"
    return (
        f"{struck.at:7.1f} s  {struck.fault:<22} {struck.seconds:5.1f} s, back {back} s | {stood or '-'} |"
        f" {permits or '-'} | {waiting} notices wait{said}{failed}"
    )


def seen_in_steps(struck: Iterable[Struck]) -> dict[str, dict[str, dict[str, int]]]:
    """Return for each step in how many strikes cases stood in it, and how many at most; what was skipped is none."""
    standing = [each.standing for each in struck if not each.skipped]
    found: dict[str, dict[str, dict[str, int]]] = {}
    for what, steps in STEPS.items():
        for step in steps:
            counts = [stood.get(what, {}).get(step.value, 0) for stood in standing]
            found.setdefault(what, {})[step.value] = {
                "strikes": sum(n > 0 for n in counts),
                "most": max(counts, default=0),
            }
    return found


def show(console: Console, found: Mapping[str, Any]) -> None:
    """Print the checks with what they found."""
    table = Table(title="Checks", title_justify="left")
    for heading in ("check", "findings"):
        table.add_column(heading)
    for name, findings in found["checks"].items():
        table.add_row(name, "none" if not findings else f"[red]{len(findings)}[/red]")
    console.print(table)
    for name, findings in found["checks"].items():
        for finding in findings[:20]:
            console.print(f"[red]{name}[/red]: {finding['kind']}: {finding['about']}", soft_wrap=True)
        if len(findings) > 20:
            console.print(f"... and {len(findings) - 20} more")


def section(found: Mapping[str, Any]) -> str:
    """Return the figures of a run for the page of performance."""
    seen = found["machine"]
    by_fault: dict[str, list[Mapping[str, Any]]] = {}
    for each in found["strikes"]:
        by_fault.setdefault(each["fault"], []).append(each)
    lines = [_fault_line(fault, strikes) for fault, strikes in sorted(by_fault.items())]
    steps = [
        (what, name, seen_["strikes"], seen_["most"])
        for what, by_step in found["steps"].items()
        for name, seen_ in by_step.items()
    ]
    checks = [(name, len(findings) or "none") for name, findings in found["checks"].items()]
    requests = ", ".join(f"{name} {n}" for name, n in sorted(found["requests"].items(), key=lambda pair: -pair[1]))
    run = f"{found['cases']:,} people, seed {found['seed']}, {len(found['strikes'])} faults, {found['seconds']:.0f} s"
    at = f" at {found['revision']}" if found["revision"] else ""
    host = f"{seen['cores']} cores ({seen['processor']}), {seen['memory_gb']} GB"
    return "\n\n".join(
        [
            f"Run on {found['measured_at'][:10]}{at}: {run}; {host}, load before {seen['load_before'][0]:g}.",
            rows(("fault", "times", "lasted s", "all parts answer again after s, at most", "seen"), lines),
            rows(("of", "step", "faults that struck with cases in it", "most cases in it"), steps),
            _asked_line(found),
            f"What callers were answered: {requests}.",
            rows(("check", "findings"), checks),
        ]
    )


def _fault_line(fault: str, strikes: list[Mapping[str, Any]]) -> tuple[object, ...]:
    lasted = [each["seconds"] for each in strikes]
    back = [each["back_after"] for each in strikes if each["back_after"] is not None]
    notes = "; ".join(ranges(each["note"] for each in strikes if each["note"]))
    spread = f"{min(lasted):g} to {max(lasted):g}" if len(lasted) > 1 else f"{lasted[0]:g}"
    return (fault.replace("_", " "), len(strikes), spread, f"{max(back):g}" if back else "", notes)


def ranges(notes: Iterable[str]) -> list[str]:
    """Return notes that differ in their numbers alone as one, with the least and the most of each number."""
    alike: dict[tuple[str, ...], list[list[str]]] = {}
    for note in notes:
        alike.setdefault(tuple(_NUMBER.split(note)), []).append(_NUMBER.findall(note))
    return [
        "".join(map("".join, zip_longest(words, map(_range, zip(*numbers, strict=True)), fillvalue="")))
        for words, numbers in alike.items()
    ]


def _range(numbers: Iterable[str]) -> str:
    ordered = sorted(set(numbers), key=float)
    return ordered[0] if len(ordered) == 1 else f"{ordered[0]} to {ordered[-1]}"


def _asked_line(found: Mapping[str, Any]) -> str:
    return (
        f"{found['asked']:,} registrations were asked for, those among them that faults brought themselves;"
        f" {found['became_cases']:,} became cases. {found['unknown_to_senders']} senders never heard an answer:"
        " their connection broke, and they do not ask twice."
    )


def fill(page: str, found: Mapping[str, Any]) -> str:
    """Return the page with the figures between its marks."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}{section(found)}\n{_END}{after}"


def _sorted(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    order = [*(stage.value for stage in Stage), *(stage.value for stage in PermitStage)]
    return sorted(counts.items(), key=lambda pair: order.index(pair[0]) if pair[0] in order else -1)


def main() -> None:
    """Fill the page from the file."""
    PAGE.write_text(fill(PAGE.read_text(encoding="utf-8"), json.loads(RESULTS.read_text())), encoding="utf-8")


if __name__ == "__main__":
    main()
