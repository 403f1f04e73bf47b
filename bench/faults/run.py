"""`make faults`: drives cases through a stack while it breaks things, and says whether anything was lost."""

import asyncio
import json
import os
import pickle
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Coroutine
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from bench.faults import report
from bench.faults.checker import CHECKS
from bench.faults.driver import STALLED_SECONDS, Drive
from bench.faults.evidence import gather
from bench.faults.findings import Finding
from bench.faults.notices import HOOK_KINDS, HOOKED
from bench.faults.people import people
from bench.faults.plan import Plan, plan
from bench.faults.scene import Scene, open_scene
from bench.faults.strikes import Striker, without_effect
from bench.measure import machine, revision, versions

console: Final = Console(highlight=False, width=200)
_LOOK_SECONDS: Final = 2.0
_QUIET_LOOKS: Final = 3
# Something that waits, of whatever kind; with nothing of it left, what is there is what will be.
WAITING: Final = """
SELECT (SELECT count(*) FROM deliveries WHERE status = 'queued' OR lease_until > clock_timestamp())
     + (SELECT count(*) FROM calls WHERE state = 'due') + (SELECT count(*) FROM commands WHERE state = 'stored') AS n
"""


async def run(directory: Path, drawn: Plan) -> dict[str, Any]:
    """Carry out a plan in a fresh directory and return what was seen."""
    begun = time.monotonic()
    found: dict[str, Any] = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "revision": revision(),
        "seed": drawn.seed,
        "cases": drawn.cases,
        "machine": machine(),
        "versions": versions(),
    }
    async with open_scene(directory) as scene:
        await prepare(scene)
        drive = Drive(scene.calls, scene.register, people(drawn.seed, drawn.cases), drawn.seconds * 0.9)
        striker = Striker(scene, drive, drawn, lambda struck: console.print(report.line(struck), markup=False))
        console.print(f"about {drawn.seconds:.0f} s of strikes; PostgreSQL's disk: {scene.why_no_disk or 'its own'}")
        await _both(drive, striker)
        driven = time.monotonic() - begun
        left = await settle(scene)
        evidence = await gather(scene, drive)
        (directory / "evidence.pickle").write_bytes(pickle.dumps(evidence))
        checks = {name: sorted(set(look(evidence))) for name, look in CHECKS.items()}
        checks |= _of_the_run(scene, drive, striker, left)
        found |= {
            "seconds": round(time.monotonic() - begun, 1),
            "seconds_of_cases": round(driven, 1),
            "strikes": [asdict(each) for each in striker.struck],
            "steps": report.seen_in_steps(striker.struck),
            "skipped": sorted({f"{each.fault}: {each.note}" for each in striker.struck if each.skipped}),
            "requests": dict(scene.calls.seen),
            "acts": drive.acts,
            "refused_acts": drive.refused,
            "asked": len(drive.asked),
            "became_cases": len(evidence.register["registrations"]),
            "unknown_to_senders": sum(each.is_cut for each in drive.asked.values()),
            "started_again": dict(scene.restarts),
            "supervisor_gave_up": scene.gave_up,
            "stages": (await scene.register.standing()).get("registration", {}),
            "checks": {name: [asdict(finding) for finding in findings] for name, findings in checks.items()},
        }
        found["holds"] = not any(checks.values())
    return found


async def prepare(scene: Scene) -> None:
    """Let mail have receipts as SMS has, and have one employer told by webhook."""
    await scene.aside("mail", "POST", "/sandbox/receipts", json={"channel": "mail", "enabled": True})
    hook = {"url": scene.stack.url("mail") + f"/hooks/{HOOKED}", "kinds": list(HOOK_KINDS)}
    answer = await scene.calls.write(HOOKED, "/v1/webhooks", hook, key="faults-hook", method="PUT")
    if answer.status >= 400:
        raise RuntimeError(f"webhook: {answer}")


async def _both(drive: Drive, striker: Striker) -> None:
    """Drive and strike side by side; when the strikes are over, go on until the cases are through."""
    async with asyncio.TaskGroup() as group:
        group.create_task(striker.run())
        driving = group.create_task(drive.run())
    # A fault that struck after the last case was through may have brought one of its own.
    if driving.done() and not drive.is_done():
        await drive.run_on()


async def settle(scene: Scene) -> int:
    """Wait until nothing waits any more, and return how much is left when it moves no more."""
    least, moved_at, quiet = sys.maxsize, time.monotonic(), 0
    while True:
        [row] = await scene.register.rows(WAITING)
        waiting = int(row["n"]) + await _in_outboxes(scene)
        quiet = quiet + 1 if waiting == 0 else 0
        if waiting < least:
            least, moved_at = waiting, time.monotonic()
        if quiet >= _QUIET_LOOKS or time.monotonic() - moved_at > STALLED_SECONDS:
            return waiting
        await asyncio.sleep(_LOOK_SECONDS)


async def _in_outboxes(scene: Scene) -> int:
    books = await scene.aside("authority", "GET", "/sandbox/books")
    return sum(each["done_at"] is None for each in books["callbacks"])


def _of_the_run(scene: Scene, drive: Drive, striker: Striker, left: int) -> dict[str, list[Finding]]:
    """Return what the run itself must show, beside what the books say."""
    steps = report.seen_in_steps(striker.struck)
    return {
        "every fault took effect and was mended": [
            *(
                Finding("fault_not_mended", f"{each.number} {each.fault}: {each.failure}")
                for each in striker.struck
                if each.failure
            ),
            *(Finding("fault_without_effect", fault) for fault in without_effect(striker.struck)),
        ],
        "cases stood in each step when a fault struck": [
            Finding("step_never_struck", f"{what} {step}")
            for what, by_step in steps.items()
            for step, seen in by_step.items()
            if not seen["strikes"]
        ],
        "callers were answered as the contract says": [
            *(Finding("server_error", each) for each in sorted(set(scene.calls.wrong))),
            *(Finding("act_refused", each) for each in drive.refused),
        ],
        "all that waited was done": [Finding("still_waiting", f"{left} rows or messages")] if left else [],
    }


async def until_ended(running: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
    """Have a SIGTERM end the run as Ctrl-C does, so that the stack and its disk go with it."""
    task = asyncio.ensure_future(running)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


def main() -> int:
    """Run with `SEED` and `CASES` of the environment; 0 only if everything holds."""
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(1_000_000))
    drawn = plan(seed, int(os.environ.get("CASES") or 1000))
    console.print(f"make faults SEED={seed} CASES={drawn.cases}: {len(drawn.strikes)} faults")
    directory = Path(tempfile.mkdtemp(prefix="hetao-faults-"))
    found = asyncio.run(until_ended(run(directory / "stack", drawn)))
    out = Path(os.environ.get("OUT") or report.RESULTS)
    out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    report.show(console, found)
    console.print(f"{found['seconds']:.0f} s; stages {found['stages']}; started again {found['started_again']}")
    for each in found["skipped"]:
        console.print(f"[yellow]{each}[/yellow]")
    if found["holds"]:
        shutil.rmtree(directory, ignore_errors=True)
        unstruck = (
            f" Not struck, since this machine does not allow it: {len(found['skipped'])}." if found["skipped"] else ""
        )
        console.print(f"[green]Nothing was lost.[/green]{unstruck}")
        return 0
    console.print(f"[red]Not everything holds.[/red] The logs are in {directory / 'stack' / 'logs'}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
