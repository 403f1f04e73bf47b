"""The command `hetao cases revive`: the workflow of every case that is not finished runs, also where nothing is due."""

import json
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import edge
from cli.policy import settings_of
from domain.clock import CHINA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cases.commands.reviving import Looked
    from settings import Settings

app = typer.Typer(help="Look after the workflows of cases.", no_args_is_help=True)

_EVERY = 1000


@app.callback()
def _cases() -> None:
    """Look after the workflows of cases."""


@app.command()
def revive(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be started, and start nothing.")] = False,
    after: Annotated[
        str, typer.Option(help="Go on after this reference, as an interrupted run printed it.", metavar="REFERENCE")
    ] = "",
    a_second: Annotated[float, typer.Option(help="Workflows started a second.", min=0.1, max=1000)] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one object and nothing else.")] = False,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="Directory of an embedded stack.")] = None,
) -> None:
    """Start the workflow of each case that is not finished and has none running; ends with 2 where it broke off.

    What is due the worker revives by itself; this is for the rest, after Temporal was lost.
    """
    import asyncio

    from domain.errors import Unavailable

    found: Counter[str] = Counter()
    of: Counter[str] = Counter()
    without = Without()
    last = after

    def tell(looked: "Looked") -> None:
        nonlocal last
        last = looked.reference
        found[looked.found.value] += 1
        of[edge.programme_of(looked.reference)] += 1
        found["started"] += looked.started
        without.count(looked)
        if not as_json and found.total() % _EVERY == 0:
            print(f"hetao: looked as far as {last}", file=sys.stderr, flush=True)

    why = None
    try:
        asyncio.run(_revive(settings_of(data_dir), after, a_second, tell, dry_run=dry_run))
    except Unavailable as error:
        why = error.reason
    except KeyboardInterrupt:
        why = "interrupted"
    started = found.pop("started", 0)
    summary = {"looked": found.total(), "started": started, "found": dict(found), "dry_run": dry_run, "after": last}
    summary["without_workflow"] = without.told()
    summary["programmes"] = dict(sorted(of.items()))
    if as_json:
        print(json.dumps(summary | {"broke_off": why}))
    else:
        print("\n".join(_lines(found, of, started, without, dry_run=dry_run)))
    if why is not None:
        more = f"; go on with `hetao cases revive --after {last}`" if last else ""
        print(f"hetao: {_BROKE_OFF.get(why, f'{why} is away')}{more}", file=sys.stderr)
        raise typer.Exit(2)


_BROKE_OFF = {
    "temporal": "Temporal does not answer at TEMPORAL_ADDRESS, or has no such namespace: bring it back first",
    "database": "PostgreSQL does not answer at HETAO_DATABASE_URL: bring it back first",
    "schema_older": edge.OLDER,
    "interrupted": "interrupted",
}


@dataclass
class Without:
    """Cases that have no workflow, by what they wait for; times are those that come first."""

    due: int = 0
    due_since: datetime | None = None
    asleep: int = 0
    next_due: datetime | None = None
    stuck: int = 0

    def count(self, looked: "Looked") -> None:
        """Count a case; one whose workflow runs is none of these."""
        at, is_stuck = looked.wait
        if looked.found.value == "running":
            return
        if is_stuck:
            self.stuck += 1
        elif at is not None and at <= datetime.now(UTC):
            self.due += 1
            self.due_since = min(at, self.due_since or at)
        else:
            self.asleep += 1
            self.next_due = self.next_due if at is None else min(at, self.next_due or at)

    def told(self) -> dict[str, int | str | None]:
        """Return it for a program."""
        return {
            "due": self.due,
            "due_since": _iso(self.due_since),
            "asleep": self.asleep,
            "next_due": _iso(self.next_due),
            "stuck": self.stuck,
        }

    def lines(self) -> "Iterator[str]":
        """Yield it in words, and who sees to which."""
        if self.due and self.due_since is not None:
            since = _time(self.due_since)
            yield f"  {self.due} with something due, since {since}: workers start what is two minutes late."
        if self.asleep:
            until = f"the first until {_time(self.next_due)}" if self.next_due else "with no time set"
            yield f"  {self.asleep} that only sleep, {until}: workers start each when something of it is due."
        if self.stuck:
            yield f"  {self.stuck} that wait for an operator: resuming the incident `stuck` starts them."


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat()


def _time(at: datetime) -> str:
    return at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")


def _lines(found: Counter[str], of: Mapping[str, int], started: int, without: Without, *, dry_run: bool) -> list[str]:
    """Return what may be said, the counts by what was found."""
    gone = found.total() - found["running"]
    lines = [f"{found.total()} cases are not finished: the workflow of {found['running']} runs, of {gone} it does not."]
    lines += [f"  of {programme}: {number}" for programme, number in sorted(of.items())]
    lines += [f"  {what}: {number}" for what, number in sorted(found.items()) if what != "running"]
    lines.append(f"{gone} would be started." if dry_run else f"{started} started.")
    if dry_run:
        lines += without.lines()
    return lines


async def _revive(
    settings: "Settings", after: str, a_second: float, tell: "Callable[..., None]", *, dry_run: bool
) -> None:
    from cases.commands.reviving import revive_all
    from cases.shared.build import build_context
    from domain.actors import PARK
    from domain.errors import Unavailable
    from programmes import PROGRAMMES
    from temporal.client import connect
    from temporal.engine import TemporalEngine

    context = build_context(settings, "revive", PROGRAMMES, pool_size=2, stands_for=PARK)
    try:
        try:
            client = await connect(context.keyring, api_key_file=settings.temporal_api_key_file)
        except (RuntimeError, OSError) as error:
            print(f"hetao: Temporal: {error}", file=sys.stderr)
            raise Unavailable("temporal") from error
        looks = revive_all(
            context, TemporalEngine(client, context.case_types), after=after, dry_run=dry_run, starts_a_second=a_second
        )
        async for looked in looks:
            tell(looked)
    finally:
        await context.database.close()
