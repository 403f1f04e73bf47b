"""What one case of each kind costs: figures that are counted, not timed, and so do not wobble."""

import asyncio
import json
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from temporalio.api.enums.v1 import EventType

from bench.people import numbers, registration
from bench.stage import Bench, open_bench
from bench.wire import Transaction
from programmes import CASE_TYPES
from temporal.telemetry import configure_logging

BUDGET: Final = Path(__file__).parent / "budget.json"
_TOGETHER: Final = 8
_WARM: Final = 4
_PERMITS = "(SELECT count(*) FROM permits p WHERE p.reference = r.reference AND p.stage = 'issued') = 2"
_TOLD = "NOT EXISTS (SELECT 1 FROM notices n WHERE n.reference = r.reference AND n.status = 'queued')"
_ARCHIVED = "SELECT count(*) FROM archived_histories WHERE reference IS NOT NULL"
_UNSEALED = (
    "SELECT count(*) FROM ledger l WHERE l.act = 'history_archived'"
    " AND NOT EXISTS (SELECT 1 FROM seal_leaves s WHERE s.chain = l.chain AND s.seq = l.seq)"
)
# Moving a workflow's clock leaves events of its own, which nobody would see outside a test.
_OF_SKIPPING: Final = ("OPTIONS_UPDATED", "TIME_SKIPPING", "TIME_SKIPPED")
# What is asked again and again whether there is work or not, by its statements: no case pays for it.
_IDLE: Final = tuple(
    frozenset(each)
    for each in (
        ["UPDATE commands"],
        ["UPDATE rosters"],
        ["SELECT employer_standings"],
        # The Schedule that asks the authority: it belongs to all cases together, and looks again at known answers.
        ["SELECT cursors"],
        ["INSERT cursors"],
        ["SELECT deadlines"],
        ["SELECT answers"],
        ["SELECT case", "SELECT answers"],
    )
)
# The poll moves its cursor by a lone statement, the archive in a transaction, which is paid for.
_OF_POLL: Final = (frozenset(["SELECT cursors"]), frozenset(["INSERT cursors"]))
# Looks of deliveries and of the sealer: those that led to something are paid for, each under what it led to.
_LOOKS: Final = {
    frozenset(["WITH deliveries"]): frozenset(["SELECT deliveries"]),
    frozenset(["WITH checkpoints"]): frozenset(["WITH seal_leaves"]),
}


@dataclass(slots=True)
class History:
    """What Temporal keeps of a workflow, over all its runs."""

    runs: int = 0
    events: int = 0
    bytes: int = 0
    workflow_tasks: int = 0
    activities: int = 0
    local_activities: int = 0


@dataclass(slots=True)
class Cost:
    """What a case costs; averages where several went together, so that each has its share of the notices."""

    kind: str
    cases: int
    history: dict[str, float]
    temporal_requests: dict[str, float]
    sql_round_trips: float
    sql_preparations: float
    commits: float
    wal_bytes: float
    notices: float
    transactions: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, float]:
        """Return the figures that the budget bounds."""
        return {
            "events": self.history["events"],
            "history_bytes": self.history["bytes"],
            "workflow_tasks": self.history["workflow_tasks"],
            "activities": self.history["activities"],
            "temporal_requests": sum(self.temporal_requests.values()),
            "sql_round_trips": self.sql_round_trips,
            "commits": self.commits,
            "wal_bytes": self.wal_bytes,
        }


Way = Callable[[Bench, int], Awaitable[str]]


async def straight(bench: Bench, number: int) -> str:
    """Register, approve, have both permits issued and everybody told."""
    reference = await _submit(bench, number)
    await _decide(bench, reference, {"action": "approve", "round": 1})
    await bench.until(reference, f"{_PERMITS} AND {_TOLD}")
    return reference


async def returned_once(bench: Bench, number: int) -> str:
    """Return the case to the employer, who mends it, before it goes straight."""
    reference = await _submit(bench, number)
    reasons = [{"code": "employment_unproved", "field": "employment.position"}]
    await _decide(bench, reference, {"action": "return", "round": 1, "reasons": reasons})
    path = f"/v1/registrations/{reference}/correction"
    await bench.call("employer-a", "POST", path, {"employment": {"position": "高级研究员"}})
    await bench.until(reference, "r.stage = 'under_review' AND r.round = 2")
    await _decide(bench, reference, {"action": "approve", "round": 2})
    await bench.until(reference, f"{_PERMITS} AND {_TOLD}")
    return reference


async def refused(bench: Bench, number: int) -> str:
    """Refuse the case, with a second signature."""
    reference = await _submit(bench, number)
    reasons = [{"code": "not_employed_there"}]
    await _decide(bench, reference, {"action": "refuse", "round": 1, "reasons": reasons})
    path = f"/v1/registrations/{reference}/confirmation"
    await bench.call("officer-2", "POST", path, {"action": "confirm", "round": 1})
    await bench.until(reference, f"r.stage = 'refused' AND {_TOLD}")
    return reference


async def permit_life(bench: Bench, number: int) -> str:
    """Let a case with both permits live until they have expired, three years on."""
    reference = await straight(bench, number)
    await bench.fast_forward(reference, timedelta(days=3 * 366))
    await bench.until(
        reference, "(SELECT count(*) FROM permits p WHERE p.reference = r.reference AND p.stage = 'expired') = 2"
    )
    return reference


WAYS: Final[dict[str, Way]] = {"straight": straight, "returned_once": returned_once, "refused": refused}


class Window:
    """What is counted from its opening on, to be divided by the cases that share it."""

    def __init__(self, bench: Bench, cases: int) -> None:
        self._bench, self._cases = bench, cases
        self._mark, self._asked, self._wal = bench.tally.mark(), bench.requests(), _wal(bench)

    async def close(self, kind: str, workflow_ids: Sequence[str], *, notices: int = 0) -> Cost:
        """Return what was counted, a case, with the histories of some workflows; reading those is not counted."""
        transactions = _paid_for(self._bench.tally.since(self._mark))
        requests = self._bench.requests() - self._asked
        wal = _wal(self._bench) - self._wal
        histories = [await history(self._bench, workflow_id) for workflow_id in workflow_ids]

        def share(total: float) -> float:
            return round(total / self._cases, 2)

        return Cost(
            kind=kind,
            cases=self._cases,
            history={name: share(sum(asdict(h)[name] for h in histories)) for name in asdict(History())},
            temporal_requests={name: share(count) for name, count in sorted(requests.items())},
            sql_round_trips=share(sum(each.round_trips for each in transactions)),
            sql_preparations=share(sum(each.preparations for each in transactions)),
            commits=share(sum(each.committed for each in transactions)),
            wal_bytes=share(wal),
            notices=share(notices),
            transactions=_breakdown(transactions),
        )


async def measure(bench: Bench, kind: str, way: Way, people: Iterator[int], *, together: int = 1) -> Cost:
    """Carry cases of one kind through at the same time, and count what all of them took; the bench was at rest."""
    window = Window(bench, together)
    references = await asyncio.gather(*(way(bench, next(people)) for _ in range(together)))
    await _quiet(bench)
    told = int(bench.sql(f"SELECT count(*) FROM notices WHERE reference IN ({_quoted(references)})"))
    return await window.close(kind, [CASE_TYPES.id_of(each) for each in references], notices=told)


async def archive_share(bench: Bench, *, cases: int) -> Cost:
    """Let the archive copy the closed runs of the cases just counted in one round, and count a case's share of it.

    Runs that belong to no case but closed meanwhile, the round before and polls of the authority, are copied with them.
    """
    before, window = int(bench.sql(_ARCHIVED)), Window(bench, cases)
    workflow_id = await bench.archive_round()
    await _sealed(bench)
    await _quiet(bench)
    if (archived := int(bench.sql(_ARCHIVED)) - before) != cases:
        raise RuntimeError(f"The archive copied {archived} runs of {cases} cases.")
    return await window.close("archive_share", [workflow_id])


async def sleeping_month(bench: Bench, number: int) -> dict[str, int]:
    """Count what a month adds to the history of a case that rests with both permits."""
    reference = await straight(bench, number)
    await _quiet(bench)
    before = await history(bench, CASE_TYPES.id_of(reference))
    mark = bench.tally.mark()
    await bench.fast_forward(reference, timedelta(days=30))
    after = await history(bench, CASE_TYPES.id_of(reference))
    transactions = [each for each in bench.tally.since(mark) if not _is_idle(each)]
    return {"events": after.events - before.events, "commits": len(transactions)}


async def history(bench: Bench, workflow_id: str) -> History:
    """Return what Temporal keeps of a workflow."""
    found = History()
    async for run in bench.beside.list_workflows(f"WorkflowId = '{workflow_id}'"):
        handle = bench.beside.get_workflow_handle(workflow_id, run_id=run.run_id)
        found.runs += 1
        async for event in handle.fetch_history_events():
            name = EventType.Name(event.event_type)
            if any(part in name for part in _OF_SKIPPING):
                continue
            found.events += 1
            found.bytes += event.ByteSize()
            found.workflow_tasks += name == "EVENT_TYPE_WORKFLOW_TASK_COMPLETED"
            found.activities += name == "EVENT_TYPE_ACTIVITY_TASK_SCHEDULED"
            if name == "EVENT_TYPE_MARKER_RECORDED":
                found.local_activities += event.marker_recorded_event_attributes.marker_name == "core_local_activity"
    return found


@asynccontextmanager
async def warm_bench(directory: Path, *, skipping: bool = False) -> AsyncIterator[tuple[Bench, Iterator[int]]]:
    """Start the engine and carry some cases through, so that statements are prepared and pools open."""
    people = numbers()
    async with open_bench(directory, skipping=skipping) as bench:
        if bench.skipper is None:
            for _ in range(2):
                await asyncio.gather(*(straight(bench, next(people)) for _ in range(_WARM)))
            await bench.archive_round()
            await _quiet(bench)
            yield bench, people
        else:
            # Cases start with a clock that runs as ours does; each is moved on when it is told to.
            with bench.skipper.with_time_skipping_disabled():
                await asyncio.gather(*(straight(bench, next(people)) for _ in range(_WARM)))
                await _quiet(bench)
                yield bench, people


async def measure_all(say: Callable[[str], None] = lambda _line: None, *, lives: bool = True) -> dict[str, Any]:
    """Measure all kinds on fresh servers and return their figures; without `lives`, none whose time is skipped."""
    costs: list[Cost] = []
    month: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory(prefix="hetao-bench-") as scratch:
        async with warm_bench(Path(scratch) / "plain") as (bench, people):
            say("straight, eight together")
            costs.append(await measure(bench, "straight_together", straight, people, together=_TOGETHER))
            say("the archive's round for them")
            costs.append(await archive_share(bench, cases=_TOGETHER))
            for kind, way in WAYS.items():
                say(kind)
                costs.append(await measure(bench, kind, way, people))
        if lives:
            async with warm_bench(Path(scratch) / "skipping", skipping=True) as (bench, people):
                say("three-year permit life")
                costs.append(await measure(bench, "permit_life", permit_life, people))
                say("sleeping month")
                month["sleeping_month"] = await sleeping_month(bench, next(people))
    return {"costs": [asdict(each) | {"figures": each.figures()} for each in costs], **month}


def with_archive(costs: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return what a case takes that went with others, and of the archive's round for all of them."""
    both = [each["figures"] for each in costs if each["kind"] in ("straight_together", "archive_share")]
    return {name: round(sum(figures[name] for figures in both), 2) for name in both[0]}


def over(found: dict[str, Any], which: str) -> list[str]:
    """Return the figures that are above their `bounds`, which tests hold, or their `goals`."""
    budget = json.loads(BUDGET.read_text())[which]
    figures: dict[str, dict[str, float]] = {each["kind"]: each["figures"] for each in found["costs"]}
    figures["together_with_archive"] = with_archive(found["costs"])
    if "sleeping_month" in found:
        figures["sleeping_month"] = found["sleeping_month"]
    return [
        f"{kind}: {name} {figures[kind][name]} is above {bound}"
        for kind, bounds in budget.items()
        if kind in figures
        for name, bound in bounds.items()
        if figures[kind][name] > bound
    ]


def table(found: dict[str, Any]) -> Table:
    """Return the figures as a table."""
    kinds = [each["kind"] for each in found["costs"]]
    shown = Table("a case", *kinds, title="What one case costs")
    for name in found["costs"][0]["figures"]:
        shown.add_row(name, *(f"{each['figures'][name]:g}" for each in found["costs"]))
    for name in ("runs", "local_activities"):
        shown.add_row(name, *(f"{each['history'][name]:g}" for each in found["costs"]))
    for name in ("sql_preparations", "notices"):
        shown.add_row(name, *(f"{each[name]:g}" for each in found["costs"]))
    return shown


async def _submit(bench: Bench, number: int) -> str:
    found = await bench.call("employer-a", "POST", "/v1/registrations", registration(number))
    await bench.until(found["reference"], "r.stage = 'under_review'")
    return str(found["reference"])


async def _decide(bench: Bench, reference: str, decision: dict[str, Any]) -> None:
    await bench.call("officer-1", "POST", f"/v1/registrations/{reference}/decision", decision)


async def _quiet(bench: Bench) -> None:
    """Wait until nothing but idle polls reaches PostgreSQL, so that no case's work falls into another's count."""
    for _ in range(60):
        mark = bench.tally.mark()
        await asyncio.sleep(0.8)
        if all(_is_idle(each) for each in bench.tally.since(mark)):
            return
    raise TimeoutError("The engine does not come to rest.")


async def _sealed(bench: Bench, seconds: float = 30.0) -> None:
    """Wait until the sealer, which looks every few seconds, has taken in what the archive wrote into the ledger."""
    async with asyncio.timeout(seconds):
        while int(await asyncio.to_thread(bench.sql, _UNSEALED)):
            await asyncio.sleep(0.2)


def _is_idle(transaction: Transaction) -> bool:
    statements = _statements(transaction)
    if statements in _OF_POLL and transaction.round_trips > 1:
        return False
    return not statements or statements in _IDLE or statements in _LOOKS.values()


def _paid_for(transactions: Sequence[Transaction]) -> list[Transaction]:
    """Return what cases pay for: what is not idle, and as many looks as led to something."""
    paid = [each for each in transactions if not _is_idle(each)]
    for led_to, look in _LOOKS.items():
        # Within a longer transaction nothing was looked at before.
        found = sum(_statements(each) == led_to and each.round_trips == 1 for each in paid)
        paid += [each for each in transactions if _statements(each) == look][:found]
    return paid


def _statements(transaction: Transaction) -> frozenset[str]:
    return frozenset(transaction.statements)


def _breakdown(transactions: Sequence[Transaction]) -> list[str]:
    return [
        f"{each.application.split('-')[0]} {each.round_trips}: " + ", ".join(each.statements) for each in transactions
    ]


def _wal(bench: Bench) -> int:
    return int(bench.sql("SELECT pg_current_wal_insert_lsn() - '0/0'"))


def _quoted(references: Sequence[str]) -> str:
    return ", ".join(f"'{reference}'" for reference in references)


def main() -> None:
    """Measure, show, and say what is over the budget."""
    configure_logging("bench", "ERROR")
    console = Console()
    found = asyncio.run(measure_all(lambda line: console.print(f"… {line}")))
    console.print(table(found))
    console.print("A sleeping month:", found["sleeping_month"])
    if "--steps" in sys.argv:
        for each in found["costs"]:
            for step, times in Counter(each["transactions"]).items():
                console.print(f"{each['kind']} {times} x {step}", soft_wrap=True)
    for which in ("bounds", "goals"):
        for line in over(found, which):
            console.print(f"[red]over its {which}[/red] {line}")


if __name__ == "__main__":
    main()
