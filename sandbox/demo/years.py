"""Three years in a minute: one person's permits from the first registration on, told with dates, checked in the end."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final

from domain.clock import CHINA
from sandbox.demo.api import Callers
from sandbox.demo.life import WATCHER, Life, Row, Time

# A working day of a year whose calendar is published.
START: Final = datetime(2026, 3, 2, 10, tzinfo=CHINA)
_GONE_OUT: Final = frozenset({"sent", "delivered"})


async def tell(time: Time, body: Mapping[str, Any], say: Callable[[date, str], None]) -> dict[str, Any]:
    """Tell the story on a stack whose time can be let pass.

    Args:
        time: the stack and its time.
        body: the registration of the person.
        say: what shows a line of the story, with its day.

    Raises:
        DemoError: the stack did not do what the story asks of it.
    """
    async with Callers(time.stack) as callers:
        life = Life(callers, time, say)
        reference = await _first_term(life, body)
        await _to_the_end(life, reference)
        wrong = [each async for each in _differences(life)]
    return {
        "story": [{"on": on.isoformat(), "what": what} for on, what in life.told],
        "notices": sum(map(len, life.notices.values())),
        "differences": wrong,
        "agree": not wrong,
    }


async def _first_term(life: Life, body: Mapping[str, Any]) -> str:
    reference = await life.register("employer-a", body)
    life.say(f"employer A registers the person ({reference}) for {' and '.join(body['destinations'])}")
    await life.decide("officer-1", reference, "approve")
    case = await life.until_permits(reference, "issued")
    life.say(f"an officer approves; the authority issues both permits until {case['permits'][0]['valid_until']}")
    await life.hear()
    return reference


async def _to_the_end(life: Life, reference: str) -> None:
    case = await life.case(reference)
    last = max(date.fromisoformat(permit["valid_until"]) for permit in case["permits"])
    await life.pass_to(last)
    await life.pass_days(2)
    await life.until_permits(reference, "expired")
    life.say("both permits have expired")


async def _differences(life: Life) -> Any:
    """Everything that is not as it should be, a sentence each."""
    for each in _notices(life):
        yield each
    for reference in life.notices:
        compared = await life.callers.get(WATCHER, f"/v1/audit/cases/{reference}/reconciliation")
        for each in compared["differences"]:
            yield f"{reference}: the records differ: {each}"
    for incident in await life.callers.pages("operator", "/v1/incidents"):
        yield f"incident {incident['kind']} at {incident['step']}"
    mails = await life.callers.aside("mail", "GET", "/messages")
    for name, times in Counter(mail["message_id"] for mail in mails).items():
        if times > 1:
            yield f"a mail arrived {times} times: {name}"


def _notices(life: Life) -> Iterator[str]:
    for reference, rows in life.notices.items():
        for row in rows:
            if row["status"] not in _GONE_OUT:
                yield f"{reference}: {row['kind']} to {row['recipient']} is {row['status']}"
        reminders = Counter(_occasion(row) for row in rows if row["kind"] == "permit_expiring")
        for (day, recipient, destination), number in reminders.items():
            if number > 1:
                yield f"{reference}: {recipient} was reminded of {destination} {number} times on {day}"


def _occasion(row: Row) -> tuple[str, str, str]:
    return row["at"][:10], row["recipient"], str(row["destination"])
