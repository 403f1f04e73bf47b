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
NEW_CARD_ON: Final = date(2027, 5, 10)
RENEWED_ON: Final = date(2028, 12, 18)
TERMS: Final = 2
MOVED_ON: Final = date(2029, 6, 4)
LAST_DAY: Final = date(2029, 6, 8)
_NEW_CARD: Final = {
    "permit_card_number": "C87654321",
    "permit_card_valid_until": "2037-05-09",
    "proof": {"kind": "permit_card", "issuer": "深圳市公安局出入境管理支队", "date": "2027-05-10"},
}
_NEW_POST: Final = {
    "position": "工程师", "work_site": "SZP-101", "contract_start": "2029-06-01", "contract_end": "2033-05-31",
}  # fmt: skip


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
        await self._object_to_refusal()
        await self._amend()
        await self._approve()
        await self._change_card()
        await self._renew()
        await self._move()

    async def _register(self) -> None:
        self.reference = await self.life.register("employer-a", self.body)
        places = " and ".join(self.body["destinations"])
        self.life.say(f"employer A registers the person for {places}: {self.reference}")

    async def _object_to_refusal(self) -> None:
        life, reference = self.life, self.reference
        await life.decide("officer-1", reference, "refuse", "employment_unproved")
        await life.confirm("officer-2", reference)
        await life.until(reference, "be refused", lambda case: bool(case["stage"] == "refused"))
        life.say("an officer finds the employment unproved and refuses; another one signs")
        await life.pass_days(9)
        grounds = "The contract was enclosed; we enclose it again with the seal of the institute."
        await life.act("employer-a", reference, "objection", {"against": "refusal", "grounds": grounds})
        life.say("employer A objects to the refusal")
        case = await life.until(reference, "show the objection", lambda case: bool(case.get("objections")))
        (objection,) = [each["id"] for each in case["objections"] if each["state"] == "open"]
        upheld = {"objection": objection, "action": "uphold", "reasons": [{"code": "new_proof"}]}
        await life.act("supervisor", reference, "objection-decision", upheld)
        await life.confirm("supervisor-2", reference)
        await life.until(reference, "be under review again", lambda case: bool(case["stage"] == "under_review"))
        life.say("two supervisors who had no part in it set the refusal aside; the case goes on under review")

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

    async def _change_card(self) -> None:
        life, reference = self.life, self.reference
        await life.pass_to(NEW_CARD_ON)
        await life.act("employer-a", reference, "change", _NEW_CARD)
        await life.answer_task("officer-1", reference, "change", {"action": "take"})
        await life.until_told("entry_changed", reference, self.body["destinations"])
        life.say("the person has a new card; an officer takes the change, and the authority is told for each permit")
        await life.hear()

    async def _renew(self) -> None:
        """Renew after the first reminder: nobody is reminded again, or told of an end."""
        life, reference = self.life, self.reference
        await life.pass_to(RENEWED_ON)
        await life.act("employer-a", reference, "renewal", {})
        life.say("employer A confirms that all still holds")
        case = await life.until(reference, "show its renewal", lambda case: bool(case["renewal"]))
        await life.act(
            "officer-1", reference, "renewal-decision", {"action": "grant", "renewal": case["renewal"]["number"]}
        )
        case = await life.until(
            reference, "have second terms", lambda case: all(_is_issued_again(permit) for permit in case["permits"])
        )
        life.say(f"one officer looks and grants it; the authority issues the next terms: {_terms(case)}")
        await life.pass_to(MOVED_ON)
        case = await life.case(reference)
        if any(permit["stage"] != "issued" or len(permit["terms"]) != TERMS for permit in case["permits"]):
            raise DemoError(f"{reference} should hold its second terms.")
        if any(row["kind"] == "permit_expired" for row in life.notices[reference]):
            raise DemoError(f"Somebody who holds the next term was told that {reference} has expired.")

    async def _move(self) -> None:
        life, before = self.life, self.reference
        agreed = {"reference": before, "employer": "emp-b"}
        await life.callers.write("person-1", "POST", "/v1/me/transfers", agreed)
        life.say("the person agrees to go to employer B")
        employment = {**self.body["employment"], **_NEW_POST}
        body = {**self.body, "client_reference": "years-2", "employment": employment}
        body["person"] = {**self.body["person"], **{name: _NEW_CARD[name] for name in _NEW_CARD if name != "proof"}}
        after = await life.register("employer-b", body)
        life.say(f"employer B registers the person: {after}")
        await life.until(before, "ask for the last day", lambda case: bool(case["due_kind"] == "departure_answer"))
        answer = {"action": "confirm", "last_day": LAST_DAY.isoformat()}
        await life.act("employer-a", before, "departure-answer", answer)
        life.say(f"employer A, who is not told where to, gives {LAST_DAY} as the last day")
        await life.decide("officer-2", after, "approve")
        await life.pass_days(3)
        if (await life.case(after))["permits"]:
            raise DemoError(f"{after} should wait until {before} has ended.")
        await life.pass_days(5)
        await life.until(before, "have ended", lambda case: bool(case["stage"] == "ended"))
        await life.answer_task("officer-1", after, "permit_move", {"action": "move"})
        case = await life.until_permits(after, "issued")
        life.say(
            f"the registration with A has ended, the one with B follows; an officer moves the permits: {_terms(case)}"
        )
        await life.until_permits(before, "ended")
        await life.hear()


def _terms(case: Row) -> str:
    """Say of the newest term of each permit until when it holds."""
    newest = [(permit["destination"], (permit.get("terms") or [permit])[-1]) for permit in case["permits"]]
    return " and ".join(f"{destination} until {term['valid_until']}" for destination, term in newest)


def _is_issued_again(permit: Row) -> bool:
    """Whether the authority has issued a further term of a permit."""
    return len(permit["terms"]) == TERMS and permit["terms"][-1]["valid_until"] is not None
