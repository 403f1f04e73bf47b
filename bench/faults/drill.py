"""`make drill`: loses Temporal, takes PostgreSQL back, and both, under cases in every stage; looks what is missing."""

import asyncio
import json
import os
import pickle
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import Any, Final

from rich.console import Console

from bench.faults import drill_report
from bench.faults.aftermath import Snapshot, due, judge, parted, snapshot
from bench.faults.driver import Drive
from bench.faults.evidence import gather
from bench.faults.findings import Finding
from bench.faults.losses import Backups, Loss, hetao, lose_temporal, take_back
from bench.faults.people import Person, people
from bench.faults.run import prepare, settle, until_ended
from bench.faults.scene import Scene, open_scene
from bench.measure import machine, revision, versions

CASES: Final = 200
console: Final = Console(highlight=False, width=200)
# So long an intake takes, a case; where in it the backup is taken, and to where in it PostgreSQL is taken back.
_SECONDS_A_CASE: Final = 0.9
_BACKUP_AT: Final = 0.1
_BACK_TO: Final = 0.25
_LOSS_AT: Final = 0.85
# Before both moments the authority is slow and then away, officers begin nothing, and the worker stands still, so that
# cases stand in the steps that are over at once.
_SLOW_SECONDS: Final = 6.0
_AWAY_SECONDS: Final = 4.0
_STILL_SECONDS: Final = 3.0
# So long people take for what is over at once otherwise.
_TAKES_SECONDS: Final = {"confirm": 40.0, "correct": 15.0}
_LOOK_SECONDS: Final = 1.0
# What is due at the loss and not done in so long is not done by itself.
_DUE_SECONDS: Final = 900.0
# Longer than the poll's interval and its work together; a poll that does not come to an end is seen by what it leaves.
_POLLED_SECONDS: Final = 300.0
_POLL_CURSOR: Final = "authority"


@dataclass
class Drill:
    """One loss on a stack of its own."""

    loss: Loss
    scene: Scene
    backups: Backups
    persons: Sequence[Person]
    begun: float = field(default_factory=time.monotonic)
    before: Snapshot | None = None
    restored: Snapshot | None = None
    open_due: set[str] = field(default_factory=set)
    seen: dict[str, Any] = field(default_factory=dict)

    async def run(self) -> tuple[Drive, int]:
        """Go through it, and return the drive that ended it and how much waits that will not be done."""
        intake = len(self.persons) * _SECONDS_A_CASE
        drive = Drive(self.scene.calls, self.scene.register, self.persons, intake, takes_seconds=_TAKES_SECONDS)
        working = asyncio.create_task(drive.run())
        async with self.backups.followed(self.scene):
            await self._at(intake * _BACKUP_AT)
            await self.backups.take(self.scene)
            await self._at(intake * _BACK_TO)
            await self._hold_still(drive)
            until = datetime.now(UTC)
            await self._let_go(drive)
            await self._at(intake * _LOSS_AT)
            await self._hold_still(drive)
            self.before, self.open_due = await snapshot(self.scene.register), await due(self.scene.register)
            self.seen["standing"] = await self.scene.register.standing()
            lost_at = time.monotonic()
            if self.loss is Loss.TEMPORAL:
                self.restored = self.before
                await lose_temporal(self.scene)
                await self._let_go(drive)
            else:
                working.cancel()
                await asyncio.gather(working, return_exceptions=True)
                self.seen["back_s"] = round((datetime.now(UTC) - until).total_seconds(), 1)
                histories = self.loss is Loss.BOTH
                [seen_outside] = self.before.rows["checkpoints"]
                self.seen["commands"] = await take_back(
                    self.scene,
                    self.backups,
                    until,
                    checkpoint=seen_outside["note"],
                    histories=histories,
                    look=self._look,
                )
            await self.scene.mood("authority", "normal")
        await self.scene.back()
        up_at = time.monotonic()
        self.seen["answers_after_s"] = round(up_at - lost_at, 1)
        if self.loss is not Loss.TEMPORAL:
            drive = self._resumed()
            working = asyncio.create_task(drive.run())
        await self._until_done(lost_at if self.loss is Loss.TEMPORAL else up_at)
        await working
        self.seen["through_after_s"] = round(time.monotonic() - lost_at, 1)
        self.seen["revived"] = json.loads(await hetao("cases", "revive", "--json", "--data-dir", self.scene.directory))
        await self._polled()
        return drive, await settle(self.scene)

    async def _polled(self) -> None:
        """Wait until the poll has come to the end of the authority's books, which it reads again from then on."""
        end = time.monotonic() + _POLLED_SECONDS
        while time.monotonic() < end:
            books = await self.scene.aside("authority", "GET", "/sandbox/books")
            last = max((answer["seq"] for answer in books["answers"]), default=0)
            known = await self.scene.register.rows("SELECT value FROM cursors WHERE name = $1", _POLL_CURSOR)
            if known and int(known[0]["value"]) >= last:
                return
            await asyncio.sleep(_LOOK_SECONDS)

    async def _at(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, self.begun + seconds - time.monotonic()))

    async def _hold_still(self, drive: Drive) -> None:
        """Have cases stand in the steps that are over at once."""
        await self.scene.mood("authority", "slow")
        await asyncio.sleep(_SLOW_SECONDS)
        await self.scene.mood("authority", "away")
        drive.is_held = True
        await asyncio.sleep(_AWAY_SECONDS)
        self.scene.send("worker", SIGSTOP)
        await asyncio.sleep(_STILL_SECONDS)

    async def _let_go(self, drive: Drive) -> None:
        self.scene.send("worker", SIGCONT)
        await self.scene.mood("authority", "normal")
        drive.is_held = False

    async def _look(self) -> None:
        """Look at what came back, before anything moves."""
        self.restored, self.open_due = await snapshot(self.scene.register), await due(self.scene.register)
        self.seen["standing_restored"] = await self.scene.register.standing()

    def _resumed(self) -> Drive:
        """Return the people at work again: who finds no case of theirs registers anew, under the key of before."""
        assert self.restored
        known = {row["client_reference"]: row["reference"] for row in self.restored.rows["registrations"]}
        again = [person for person in self.persons if person.client_reference not in known]
        drive = Drive(self.scene.calls, self.scene.register, again, len(again) * 0.2)
        for person in self.persons:
            if person.client_reference in known:
                drive.know(person, known[person.client_reference])
        self.seen["registered_anew"] = len(again)
        return drive

    async def _until_done(self, since: float) -> None:
        """Wait until all that was due is done, and note how long that took and what was not."""
        self.seen["due"] = len(self.open_due)
        left = self.open_due
        end = time.monotonic() + _DUE_SECONDS
        while left and time.monotonic() < end:
            left &= await due(self.scene.register)
            await asyncio.sleep(_LOOK_SECONDS)
        self.seen["done_after_s"] = round(time.monotonic() - since, 1)
        self.seen["left"] = sorted(left)


async def lose(loss: Loss, seed: int, cases: int, directory: Path) -> dict[str, Any]:
    """Have people registered on a stack of its own, lose a memory among them, and return what was seen and found."""
    # Whoever asks once and never again loses a request with every cut; here nobody's connection is cut on purpose.
    persons = [replace(person, asks_once=False) for person in people(seed, cases, later=False)]
    async with open_scene(directory / "stack", own_disk=False) as scene:
        await prepare(scene)
        drill = Drill(loss, scene, Backups(directory / "backups"), persons)
        drive, waits = await drill.run()
        wanted = [each.client_reference for each in persons]
        evidence = replace(await gather(scene, drive), wanted=wanted, forgot=loss is not Loss.POSTGRES)
    assert drill.before
    assert drill.restored
    (directory / "evidence.pickle").write_bytes(pickle.dumps((evidence, drill.before, drill.restored)))
    _, named = parted(evidence, drill.before, drill.restored)
    checks = judge(evidence, drill.before, drill.restored) | {
        "all that was due was done by itself": [Finding("due_left", name) for name in drill.seen["left"]],
        "callers were answered as the contract says": [
            *(Finding("server_error", each) for each in sorted(set(scene.calls.wrong))),
            *(Finding("act_refused", each) for each in drive.refused),
        ],
        "all that waited was done": [Finding("still_waiting", f"{waits} rows or messages")] if waits else [],
    }
    return {
        "loss": loss.value,
        "cases": len(evidence.register["registrations"]),
        "seconds": round(time.monotonic() - drill.begun, 1),
        **drill.seen,
        "requests": dict(scene.calls.seen),
        "named": named,
        "checks": {name: [asdict(each) for each in findings] for name, findings in checks.items()},
    }


async def run(
    seed: int, cases: int, losses: Sequence[Loss], directory: Path, keep: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Go through losses one after the other, each on a stack of its own; what was found is kept after each."""
    begun = time.monotonic()
    found: dict[str, Any] = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "revision": revision(),
        "seed": seed,
        "cases": cases,
        "machine": machine(),
        "versions": versions(),
        "losses": [],
    }
    for loss in losses:
        (directory / loss.value).mkdir()
        seen = await lose(loss, seed, cases, directory / loss.value)
        found["losses"].append(seen)
        console.print(drill_report.line(seen), markup=False)
        found["seconds"] = round(time.monotonic() - begun, 1)
        found["holds"] = not any(findings for seen in found["losses"] for findings in seen["checks"].values())
        keep(found)
    return found


def main() -> int:
    """Run with `SEED`, `CASES` and `LOSSES` of the environment; 0 only if everything holds."""
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(1_000_000))
    cases = int(os.environ.get("CASES") or CASES)
    losses = [Loss(name) for name in (os.environ.get("LOSSES") or "").split(",") if name] or list(Loss)
    console.print(f"make drill SEED={seed} CASES={cases}: {', '.join(losses)}")
    directory = Path(tempfile.mkdtemp(prefix="drill-"))
    out = Path(os.environ.get("OUT") or drill_report.RESULTS)

    def keep(found: dict[str, Any]) -> None:
        out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    found = asyncio.run(until_ended(run(seed, cases, losses, directory, keep)))
    drill_report.show(console, found)
    if found["holds"]:
        shutil.rmtree(directory, ignore_errors=True)
        console.print(f"[green]Nothing was lost that was in the backup, and nothing was done twice.[/green] {out}")
        return 0
    console.print(f"[red]Not everything holds.[/red] The logs are in {directory}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
