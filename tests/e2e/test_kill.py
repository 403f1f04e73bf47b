"""`kill -9` of every part with a hundred cases in flight: all end as they should.

The tests go in their order on one stack. What they judge by is the register, and the books of the mail sink and of the
authority, which keep their own count.
"""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import Client

from bench.embedded import Up
from domain import spellings
from sandbox.demo.api import Callers
from tests.e2e.people import registration

pytestmark = [pytest.mark.kill, pytest.mark.slow, pytest.mark.timeout(420)]

VICTIMS = ("worker", "api", "temporal", "postgres", "up")
IN_FLIGHT = 100
# Of each kind, when the blow falls; a few more than the ten that are asked for.
WAVE = 12
TEN = 10
AT_ONCE = 8
TOGETHER = 20
COUNTS = """
    SELECT (SELECT count(*) FROM cases WHERE stage IN ('received', 'assessing')) AS to_assess,
           (SELECT count(*) FROM cases WHERE stage = 'under_review') AS under_review,
           (SELECT count(DISTINCT reference) FROM permits WHERE stage = 'eligible') AS eligible,
           (SELECT count(DISTINCT notice_id) FROM notices WHERE status = 'queued') AS queued,
           (SELECT count(*) FROM cases WHERE stage <> 'ended') AS in_flight
"""
# Calls of which not every try, counted for each time that the step was asked for, is told by a row.
UNTOLD = """
    WITH told AS (
        SELECT run_id, event_id, detail->>'key' AS key, generate_series(
            coalesce((detail->>'from_attempt')::int, (detail->>'attempt')::int), (detail->>'attempt')::int
        ) AS attempt
        FROM ledger WHERE act IN ('call_made', 'call_answered')
    )
    SELECT key, max(attempt) AS tries, count(DISTINCT attempt) AS told FROM told
    GROUP BY run_id, event_id, key HAVING max(attempt) <> count(DISTINCT attempt)
"""


class Killing:
    """The stack, the people who work on it, and how many there are."""

    def __init__(self, up: Up) -> None:
        self.up = up
        self.people = 0

    async def submit(self, number: int) -> list[str]:
        """Register so many new people and return their references."""
        serials = range(self.people, self.people + number)
        self.people += number
        async with Callers(self.up.stack) as callers:

            async def one(serial: int) -> str:
                path, key = "/v1/registrations", f"person-{serial}"
                case = await callers.write("employer-a", "POST", path, registration(serial), key=key)
                return str(case["reference"])

            return await few_at_once(one, serials)

    async def approve(self, cases: list[dict[str, Any]]) -> None:
        """Approve cases together, as an officer; an approval that is applied later counts as well."""
        async with Callers(self.up.stack) as callers:
            for start in range(0, len(cases), TOGETHER):
                some = cases[start : start + TOGETHER]
                body = [{"reference": case["reference"], "round": case["round"]} for case in some]
                answer = await callers.write("officer-1", "POST", "/v1/decisions", body)
                assert [each for each in answer["items"] if each["status"] not in (200, 202)] == []

    async def under_review(self) -> list[dict[str, Any]]:
        """The cases that wait for an officer."""
        return await self.up.rows("SELECT reference, round FROM cases WHERE stage = 'under_review' ORDER BY 1")

    async def counts(self) -> dict[str, int]:
        """What the register shows now."""
        return (await self.up.rows(COUNTS))[0]


async def few_at_once(act: Callable[[Any], Awaitable[Any]], on: Iterable[Any]) -> list[Any]:
    places = asyncio.Semaphore(AT_ONCE)

    async def one(each: Any) -> Any:
        async with places:
            return await act(each)

    return list(await asyncio.gather(*(one(each) for each in on)))


async def until(fact: Callable[[], Awaitable[bool]], what: str, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not await fact():
        assert time.monotonic() < end, f"not in {seconds:.0f} s: {what}"
        await asyncio.sleep(0.3)


@pytest_asyncio.fixture(scope="module")
async def killing(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Killing]:
    up = Up(tmp_path_factory.mktemp("kill") / "stack")
    killing = Killing(up)
    try:
        up.start()
        await killing.submit(IN_FLIGHT - WAVE)

        async def reviewed() -> bool:
            return len(await killing.under_review()) == killing.people

        await until(reviewed, "the first cases under review", 120)
        yield killing
    finally:
        await up.close()
        up.stop()


@pytest.mark.parametrize("victim", VICTIMS)
async def test_work_goes_on_after_a_kill(killing: Killing, victim: str) -> None:
    up = killing.up
    up.mood("authority", "away")
    up.mood("mail", "away")
    await killing.approve((await killing.under_review())[:WAVE])

    async def eligible() -> bool:
        return (await killing.counts())["eligible"] >= TEN

    await until(eligible, "permits that are eligible", 60)
    up.send("worker", signal.SIGSTOP)
    new = await killing.submit(WAVE)

    async def to_assess() -> bool:
        return (await killing.counts())["to_assess"] >= TEN

    await until(to_assess, "cases that wait to be assessed", 60)
    shown = await killing.counts()
    up.kill(victim)
    if victim not in ("worker", "up"):
        up.send("worker", signal.SIGCONT)
    assert shown["in_flight"] >= IN_FLIGHT
    assert min(shown[name] for name in ("to_assess", "under_review", "eligible", "queued")) >= TEN, shown
    up.mood("authority", "normal")
    up.mood("mail", "normal")

    async def taken_up() -> bool:
        return set(new) <= {case["reference"] for case in await killing.under_review()}

    await until(taken_up, f"the new cases under review after a kill of {victim}", 120)


async def test_after_all_kills_every_case_ends_as_it_should(killing: Killing) -> None:
    async def decided() -> bool:
        waiting = await killing.under_review()
        if waiting:
            await killing.approve(waiting)
        found = await killing.up.rows("SELECT count(*) AS n FROM permits WHERE stage = 'issued'")
        return bool(found[0]["n"] == killing.people)

    await until(decided, "one issued permit for each person", 240)

    async def told() -> bool:
        return (await killing.counts())["queued"] == 0

    await until(told, "no notice waits", 120)
    await check_workflows(killing)
    await check_register(killing)
    await check_authority(killing)
    await check_mail(killing)


async def check_workflows(killing: Killing) -> None:
    client = await Client.connect(killing.up.ready["temporal_address"])
    running = f"WorkflowType = '{spellings.REGISTRATION_WORKFLOW}' AND ExecutionStatus = 'Running'"

    async def one_each() -> bool:
        return (await client.count_workflows(running)).count == killing.people

    await until(one_each, "one workflow for each case", 30)


async def check_register(killing: Killing) -> None:
    rows = await killing.up.rows("SELECT reference, stage, registration_number FROM cases")
    assert Counter(row["stage"] for row in rows) == {"approved": killing.people}
    assert len({row["registration_number"] for row in rows}) == killing.people
    commands = await killing.up.rows("SELECT DISTINCT state FROM commands")
    assert {row["state"] for row in commands} == {"applied"}
    assert await killing.up.rows("SELECT kind, step, reason FROM incidents") == []
    notices = await killing.up.rows("SELECT status, count(*) AS n FROM notices GROUP BY status")
    assert await killing.up.rows(UNTOLD) == []
    # A straight approval for one destination is told in five kinds to employer and person.
    assert {row["status"]: row["n"] for row in notices} == {"sent": 10 * killing.people}


async def check_authority(killing: Killing) -> None:
    books = killing.up.aside("authority", "GET", "/sandbox/books")
    entries = {entry["case"]: entry for entry in books["entries"]}
    people = {(e["body"]["person"]["identity_number"], e["body"]["destination"]) for e in books["entries"]}
    assert len(books["entries"]) == len(entries) == len(people) == killing.people
    assert {entry["state"] for entry in entries.values()} == {"issued"}
    issued = {a["case"]: a["body"] for a in books["answers"] if a["body"]["outcome"] == "issued"}
    permits = await killing.up.rows("SELECT reference, destination, authority_number, valid_until FROM permits")
    shown = {f"{p['reference']}/{p['destination']}": (p["authority_number"], str(p["valid_until"])) for p in permits}
    assert shown == {case: (body["authority_number"], body["valid_until"]) for case, body in issued.items()}


async def check_mail(killing: Killing) -> None:
    deliveries = await killing.up.rows(
        "SELECT coalesce(carried_by, delivery_id) AS message_id, channel, status FROM deliveries"
    )
    assert {(row["channel"], row["status"]) for row in deliveries} == {("mail", "sent")}
    mails = killing.up.aside("mail", "GET", "/messages")
    arrived = Counter(mail["message_id"].partition("@")[0] for mail in mails)
    # A mail may come twice where the sender died before it heard that it was taken, then under the same id.
    assert set(arrived) == {str(row["message_id"]) for row in deliveries}
    assert sum(arrived.values()) < len(arrived) + killing.people
