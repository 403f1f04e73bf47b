"""What the demo shows while it runs, and in the end."""

from collections import Counter, deque
from collections.abc import Mapping
from typing import Any, Final

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from domain.stages import Stage

SHOWN_ACTS: Final = 8
_EMPLOYERS: Final = ("emp-a", "emp-b")
_DESTINATIONS: Final = ("HK", "MO")
_PERMIT_STAGES: Final = ("eligible", "submitted", "accepted", "issued", "refused", "expired", "revoked", "ended")


class Screen:
    """A live table on the terminal, or nothing where only the summary is wanted."""

    def __init__(self, console: Console, *, silent: bool) -> None:
        self._silent = silent
        self._console = console
        self._live = Live(console=console, refresh_per_second=4, transient=False)
        self._acts: deque[str] = deque(maxlen=SHOWN_ACTS)
        self._doing = ""
        self._cases: Mapping[str, Any] = {}

    def start(self) -> None:
        """Begin to show."""
        if not self._silent:
            self._live.start()

    def stop(self) -> None:
        """Leave the last state on the screen."""
        if not self._silent:
            self._live.stop()

    def doing(self, what: str) -> None:
        """Name what the demo does now."""
        self._doing = what
        self._draw()

    def tell(self, act: str) -> None:
        """Add an act of somebody."""
        self._acts.append(act)
        self._draw()

    def show(self, cases: Mapping[str, Any]) -> None:
        """Show where the cases stand."""
        self._cases = cases
        self._draw()

    def _draw(self) -> None:
        if not self._silent:
            acts = Table("What people did last", show_edge=False, expand=True)
            for act in self._acts:
                acts.add_row(act)
            self._live.update(Group(f"[bold]{self._doing}", self._stages(), self._permits(), acts))

    def _stages(self) -> Table:
        counted = Counter((case["stage"], case["employer_id"]) for case in self._cases.values())
        table = Table("Registrations", *_EMPLOYERS, title_justify="left")
        for stage in Stage:
            numbers = [counted[stage.value, employer] for employer in _EMPLOYERS]
            if any(numbers):
                table.add_row(stage.value.replace("_", " "), *(str(number or "") for number in numbers))
        return table

    def _permits(self) -> Table:
        permits = [permit for case in self._cases.values() for permit in case["permits"]]
        counted = Counter((permit["stage"], permit["destination"]) for permit in permits)
        table = Table("Talent permits", *_DESTINATIONS, title_justify="left")
        for stage in _PERMIT_STAGES:
            numbers = [counted[stage, destination] for destination in _DESTINATIONS]
            if any(numbers):
                table.add_row(stage, *(str(number or "") for number in numbers))
        return table


def show_summary(console: Console, summary: Mapping[str, Any]) -> None:
    """Say what came out, for people."""
    table = Table(title="What came out", show_header=False, title_justify="left")
    if "people" in summary:
        _add_rosters(table, summary)
    if years := summary.get("years"):
        table.add_row("three years", f"{len(years['story'])} lines, {years['notices']} notices")
    table.add_row("seconds", str(summary["seconds"]))
    console.print(table)
    if summary["agree"]:
        console.print("The API, the sinks and the authority's books agree, and everything came out as it should.")
    for difference in (*summary.get("differences", ()), *(years or {}).get("differences", ())):
        console.print(f"differs: {difference}", markup=False, soft_wrap=True)


def _add_rosters(table: Table, summary: Mapping[str, Any]) -> None:
    table.add_row("people registered", str(summary["people"]))
    table.add_row("defects found", ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in summary["defects"].items()))
    table.add_row("registrations", _counts(summary["stages"]))
    for stage, by_destination in summary["permits"].items():
        table.add_row(f"permits {stage}", _counts(by_destination))
    table.add_row("notices", _counts(summary["notices"]))
    table.add_row("arrived", _counts(summary["arrived"]))
    table.add_row("acts of people", _counts(summary["acts"]))
    table.add_row("a person saw", f"{summary['person']['readings']} readings; {summary['person']['officer']}")
    guests = summary["guests"]
    table.add_row("cases of other programmes", _counts(guests["cases"]))
    table.add_row("work permits", f"{_counts(guests['work_permits'])}; sent away {guests['sent_away']}")
    table.add_row("recognitions", _counts(guests["recognitions"]))
    table.add_row("proof", _counts(summary["proof"]))


def _counts(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {number}" for name, number in counted.items()) or "none"
