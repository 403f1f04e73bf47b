"""The demo: two rosters through the whole of the engine, decided by its plan and read back from all sides."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from sandbox.demo.api import Callers, DemoError
from sandbox.demo.cases import AT_ONCE, WATCHER, Work
from sandbox.demo.check import ReadBack, differences, notices, permits, stages
from sandbox.demo.guests import Guests
from sandbox.demo.person import Person, see_own_log
from sandbox.demo.plan import EMPLOYERS, GUESTS
from sandbox.demo.proof import Proof, Proved
from sandbox.demo.view import Screen, show_summary
from sandbox.stack.directory import Stack, running_stack
from sandbox.stack.processes import child_setup

POLL_SECONDS: Final = 0.3
ROSTER_SECONDS: Final = 300.0
STALLED_SECONDS: Final = 120.0
STOP_SECONDS: Final = 60.0
_DEFECTS: Final = ("defect", "duplicate_in_file")
_WAITING: Final = frozenset({"queued", "sent"})

Rows = list[dict[str, Any]]
# Tells the story of years in a directory of its own: given how a line of it is shown, it returns its summary.
Years = Callable[[Path, Callable[[date, str], None]], dict[str, Any]]


class Part(StrEnum):
    """The parts of the demo."""

    ROSTERS = "rosters"
    YEARS = "years"


def run(
    directory: Path | None,
    *,
    rosters: Path,
    hetao: Sequence[str],
    as_json: bool,
    years: Years,
    parts: Collection[Part] = tuple(Part),
    export: Path | None = None,
) -> int:
    """Run the demo and return the exit code: 0 only if everything came out as it should.

    Args:
        directory: where a stack runs; None for one of the demo's own that ends with it.
        rosters: the folder of the sample rosters.
        hetao: the command line, by which the demo runs a stack of its own and checks what it exported.
        as_json: print one summary object and nothing else.
        years: tells the story of years on a stack of its own.
        parts: which parts to run, in the order of `Part`.
        export: a file for the exported record, with `keys.json` to check it by beside it; none is kept unless told.
    """
    begun = time.monotonic()
    console = Console(stderr=True, highlight=False)
    # Also when somebody ends the demo, its stack ends in good order.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    summary: dict[str, Any] = {}
    try:
        if Part.ROSTERS in parts:
            screen, proof = Screen(console, silent=as_json), Proof(hetao, export)
            summary = _rosters(directory, rosters, [*hetao, "up", "--json"], screen, proof)
        if Part.YEARS in parts:
            summary["years"] = _years(years, console if as_json else Console(highlight=False), as_json=as_json)
    except DemoError as error:
        print(f"hetao: {error}", file=sys.stderr)
        return 1
    agree = all(each["agree"] for each in (summary, summary.get("years", {})) if "agree" in each)
    summary |= {"seconds": round(time.monotonic() - begun, 1), "agree": agree}
    if as_json:
        print(json.dumps(summary, ensure_ascii=False), flush=True)
    else:
        show_summary(Console(highlight=False), summary)
    return 0 if agree else 1


def _rosters(directory: Path | None, rosters: Path, up: Sequence[str], screen: Screen, proof: Proof) -> dict[str, Any]:
    files = {employer: (rosters / name).read_bytes() for employer, name in EMPLOYERS.items()}
    of_guests = (rosters / GUESTS).read_bytes()
    if directory is not None:
        return asyncio.run(_work(running_stack(directory.resolve()), files, of_guests, screen, proof))
    with _stack_of_its_own(up, screen) as own:
        return asyncio.run(_work(running_stack(own), files, of_guests, screen, proof))


def _years(years: Years, console: Console, *, as_json: bool) -> dict[str, Any]:
    """Tell the story of years in a directory that is removed in the end; the logs stay where it failed."""

    def say(on: date, what: str) -> None:
        if not as_json:
            console.print(f"{on}  {what}", markup=False, soft_wrap=True)

    directory = Path(tempfile.mkdtemp(prefix="hetao-years-"))
    try:
        return years(directory / "stack", say)
    except DemoError as error:
        kept = Path(tempfile.mkdtemp(prefix="hetao-demo-logs-"))
        shutil.copytree(directory / "stack" / "logs", kept, dirs_exist_ok=True)
        raise DemoError(f"{error} (the logs of the stack are in {kept})") from error
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _stack_of_its_own(up: Sequence[str], screen: Screen) -> Iterator[Path]:
    """Run a stack in a fresh directory and remove both in the end; the logs stay where the demo failed."""
    directory = Path(tempfile.mkdtemp(prefix="hetao-demo-"))
    with (directory / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [*up, "--data-dir", str(directory / "stack")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            env={name: value for name, value in os.environ.items() if not name.startswith("HETAO_")},
            preexec_fn=child_setup(death_signal=signal.SIGTERM),
        )
    try:
        assert process.stdout
        screen.doing("The embedded stack starts")
        if not process.stdout.readline():
            raise DemoError(f"The embedded stack did not start: {(directory / 'up.log').read_text().strip()}")
        yield directory / "stack"
    except DemoError as error:
        kept = Path(tempfile.mkdtemp(prefix="hetao-demo-logs-"))
        shutil.copytree(directory / "stack" / "logs", kept, dirs_exist_ok=True)
        raise DemoError(f"{error} (the logs of the stack are in {kept})") from error
    finally:
        _end(process)
        shutil.rmtree(directory, ignore_errors=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


async def _work(
    stack: Stack, rosters: Mapping[str, bytes], of_guests: bytes, screen: Screen, proof: Proof
) -> dict[str, Any]:
    async with Callers(stack) as callers:
        screen.start()
        try:
            await _prepare(callers, stack)
            screen.doing("The employers hand in their rosters")
            handed_in = await asyncio.gather(*(_hand_in(callers, who, file) for who, file in rosters.items()))
            rows = [row for roster in handed_in for row in roster]
            references = {row["reference"]: row["client_reference"] for row in rows if row["reference"]}
            work = Work(callers, references, screen.tell)
            guests = Guests(callers, screen.tell, of_guests)
            screen.doing("People and the authority decide, of three programmes")
            await asyncio.gather(work.run(screen.show), guests.run())
            screen.doing("The last notices are delivered")
            told = await _read_notices(callers, references)
            found = await _read_back(callers, references, told, guests.names)
            screen.show(found.cases)
            screen.doing("A person signs in and sees who read their data")
            person = await see_own_log(callers, found)
            screen.doing("The record is exported and checked")
            proved = await proof.take(callers, list(references))
            screen.doing("Done")
        finally:
            screen.stop()
    return _summary(found, rows, work.acts, proved, person, guests)


async def _prepare(callers: Callers, stack: Stack) -> None:
    """Let the mail sink send receipts, so that delivery is seen to its end, and have one employer told by webhook."""
    await callers.aside("mail", "POST", "/sandbox/receipts", json={"channel": "mail", "enabled": True})
    kinds = ["registration_received", "registration_approved", "permit_issued", "permit_refused"]
    await callers.write(
        "employer-b", "PUT", "/v1/webhooks", {"url": stack.url("mail") + "/hooks/employer-b", "kinds": kinds}
    )


async def _hand_in(callers: Callers, employer: str, content: bytes) -> Rows:
    """Check a roster by a dry run, hand it in, and return its rows with what became of them."""
    checked = await _roster(callers, employer, content, dry_run=True)
    done = await _roster(callers, employer, content, dry_run=False)
    if [_defects(row) for row in checked] != [_defects(row) for row in done]:
        raise DemoError(f"The dry run of {employer} found other defects than the roster itself.")
    # The first cell of each line is the client reference, whatever the language of the headers.
    names = [line.partition(",")[0] for line in content.decode("utf-8-sig").splitlines()[1:]]
    return [row | {"client_reference": names[row["row"] - 1]} for row in done]


async def _roster(callers: Callers, employer: str, content: bytes, *, dry_run: bool) -> Rows:
    options = {"act": "register", "dry_run": str(dry_run).lower(), "on_defect": "skip"}
    roster = await callers.upload(employer, "/v1/rosters", content, **options)
    end = time.monotonic() + ROSTER_SECONDS
    while roster["status"] not in ("ready", "done"):
        if roster["status"] == "failed" or time.monotonic() > end:
            raise DemoError(f"The roster of {employer} is {roster['status']}: {roster['reason']}")
        await asyncio.sleep(POLL_SECONDS)
        roster = await callers.get(employer, f"/v1/rosters/{roster['id']}")
    return await callers.pages(employer, f"/v1/rosters/{roster['id']}/rows")


def _defects(row: Mapping[str, Any]) -> object:
    return (row["row"], row["errors"]) if row["result"] in _DEFECTS else None


async def _read_notices(callers: Callers, references: Mapping[str, str]) -> dict[str, Rows]:
    """Read the notices of every case, again and again until none of them waits or nothing moves any more."""
    told: dict[str, Rows] = {}
    left, moved_at = -1, time.monotonic()
    while True:
        waiting = [ref for ref in references if ref not in told or any(n["status"] in _WAITING for n in told[ref])]
        if len(waiting) != left:
            left, moved_at = len(waiting), time.monotonic()
        if not waiting or time.monotonic() - moved_at > STALLED_SECONDS:
            return told
        for start in range(0, len(waiting), AT_ONCE):
            some = waiting[start : start + AT_ONCE]
            paths = [f"/v1/registrations/{reference}/notices" for reference in some]
            lists = await asyncio.gather(*(callers.pages(WATCHER, path) for path in paths))
            told |= dict(zip(some, lists, strict=True))
        await asyncio.sleep(POLL_SECONDS)


async def _read_back(
    callers: Callers, references: Mapping[str, str], told: Mapping[str, Rows], guests: Collection[str]
) -> ReadBack:
    cases = {case["reference"]: case for case in await callers.pages(WATCHER, "/v1/registrations")}
    incidents = await callers.pages("operator", "/v1/incidents")
    return ReadBack(
        rows=references,
        cases={reference: case for reference, case in cases.items() if reference in references},
        notices=told,
        books=await callers.aside("authority", "GET", "/sandbox/books"),
        mails=await callers.aside("mail", "GET", "/messages"),
        texts=await callers.aside("mail", "GET", "/sms"),
        hooks=await callers.aside("mail", "GET", "/hooks"),
        incidents=[each for each in incidents if each["reference"] in {*references, *guests}],
    )


def _summary(
    found: ReadBack, rows: Rows, acts: Mapping[str, int], proved: Proved, person: Person, guests: Guests
) -> dict[str, Any]:
    wrong = [*differences(found), *proved.differences, *person.differences, *guests.differences]
    results = [row["result"] for row in rows]
    by_rules = sum(case["round"] > 1 or case["assessment"] != "clear" for case in found.cases.values())
    return {
        "people": len(found.cases),
        "rows": len(rows),
        "defects": {
            "in_rosters": results.count("defect"),
            "duplicates": results.count("duplicate_in_file"),
            "by_rules_or_officers": by_rules,
        },
        "stages": stages(found),
        "permits": permits(found),
        "notices": notices(found),
        "arrived": {
            "mail": len(found.mails),
            "sms": len(found.texts),
            "webhooks": len(found.hooks),
            "list_entries": len(found.books["entries"]),
        },
        "acts": dict(sorted(acts.items())),
        "person": person.view(),
        "guests": guests.view(),
        "proof": proved.view(),
        "differences": wrong,
        "agree": not wrong,
    }
