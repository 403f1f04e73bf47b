"""Three years in a minute: one person's permits from the first registration on, told with dates, checked in the end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from domain.clock import CHINA
from sandbox.demo.api import Callers, DemoError
from sandbox.demo.life import Life, Row, Time
from sandbox.demo.years_check import differences

# A working day of a year whose calendar is published.
START: Final = datetime(2026, 3, 2, 10, tzinfo=CHINA)


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
        # An objection can be made from the delivery of the letter on, so the sinks say that they have it.
        for channel in ("mail", "sms"):
            await callers.aside("mail", "POST", "/sandbox/receipts", json={"channel": channel, "enabled": True})
        story = Story(Life(callers, time, say), body)
        await story.tell()
        wrong = await differences(story.life)
    return {
        "story": [{"on": on.isoformat(), "what": what} for on, what in story.life.told],
        "notices": sum(map(len, story.life.notices.values())),
        "differences": wrong,
        "agree": not wrong,
    }


@dataclass
class Story:
    """The chapters, each of which begins where the one before has ended."""

    life: Life
    body: Mapping[str, Any]
    reference: str = ""

    async def tell(self) -> None:
        """Tell all of it."""
        await self._register()
        await self._amend()
        await self._approve()
        await self._expire()

    async def _register(self) -> None:
        self.reference = await self.life.register("employer-a", self.body)
        places = " and ".join(self.body["destinations"])
        self.life.say(f"employer A registers the person for {places}: {self.reference}")

    async def _amend(self) -> None:
        life, reference = self.life, self.reference
        before = await life.case(reference)
        change = {"round": before["round"], "employment": {"position": "高级研究员"}}
        await life.act("employer-a", reference, "correction", change)
        case = await life.until(
            reference, "be in its next round", lambda case: bool(case["round"] > before["round"] and case["assessment"])
        )
        if case["due_at"] != before["due_at"]:
            raise DemoError(f"{reference} should be due on the day as before.")
        life.say(f"employer A corrects the position under review: round {case['round']}, the same day due")

    async def _approve(self) -> None:
        await self.life.decide("officer-1", self.reference, "approve")
        case = await self.life.until_permits(self.reference, "issued")
        self.life.say(f"an officer approves; the authority issues {_terms(case)}")
        await self.life.hear()

    async def _expire(self) -> None:
        case = await self.life.case(self.reference)
        await self.life.pass_to(max(date.fromisoformat(permit["valid_until"]) for permit in case["permits"]))
        await self.life.pass_days(2)
        await self.life.until_permits(self.reference, "expired")
        self.life.say("both permits have expired")


def _terms(case: Row) -> str:
    """Say of the newest term of each permit until when it holds."""
    newest = [(permit["destination"], (permit.get("terms") or [permit])[-1]) for permit in case["permits"]]
    return " and ".join(f"{destination} until {term['valid_until']}" for destination, term in newest)
