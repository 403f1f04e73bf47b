"""What the dump tells: a case for each stage, each left standing there, on a stack of which nothing waits for time."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any, Final

import asyncpg
from temporalio.client import Client

from bench.embedded import Up
from domain.spellings import ARCHIVE_SCHEDULE, REGISTRATION_WORKFLOW
from sandbox.demo.api import Callers, DemoError
from sandbox.stack.postgres import OWNER, PostgresServer
from tests.e2e.people import registration

FAR_DAY: Final = "2098-12-31"
_SECONDS: Final = 60.0
_ANSWERED: Final[dict[str, Any]] = {
    "valid_from": "2026-11-01",
    "valid_until": FAR_DAY,
    "stay_days": 30,
    "entries": "multiple",
}
LETTER: Final = {"employment": {"consent_letter": {"issuer": "示例局", "number": "示字1号", "date": "2026-01-20"}}}

Case = dict[str, Any]


async def until(fact: Callable[[], Awaitable[Any]], what: str) -> Any:
    """Return what a fact gives, as soon as it gives anything."""
    end = time.monotonic() + _SECONDS
    while True:
        found = await fact()
        if found:
            return found
        assert time.monotonic() < end, f"not in {_SECONDS:.0f} s: {what}"
        await asyncio.sleep(0.1)


def request_of(serial: int, destinations: tuple[str, ...] = ("HK",)) -> dict[str, Any]:
    """Return the request for one person, none of whose papers ends."""
    body = registration(serial, destinations)
    body["client_reference"] = f"BEFORE-{serial:03d}"
    body["person"]["permit_card_valid_until"] = FAR_DAY
    body["employment"]["contract_end"] = FAR_DAY
    return body


class Story:
    """The people at work on one stack; `cases` has the reference of each scene by its name."""

    def __init__(self, up: Up, callers: Callers, cases: dict[str, str] | None = None) -> None:
        self.up, self.callers = up, callers
        self.cases: dict[str, str] = cases if cases is not None else {}

    def path(self, name: str) -> str:
        """Return the path of the case of a scene."""
        return f"/v1/registrations/{self.cases[name]}"

    async def read(self, name: str) -> Case:
        """Return a case as the auditor reads it."""
        case: Case = await self.callers.get("auditor", self.path(name))
        return case

    async def submit(self, name: str, body: dict[str, Any]) -> None:
        """Register a person under the name of a scene."""
        case = await self.callers.write("employer-a", "POST", "/v1/registrations", body, key=f"before-{name}")
        self.cases[name] = str(case["reference"])

    async def reach(self, name: str, stage: str) -> Case:
        """Wait until the case of a scene stands at a stage."""

        async def there() -> Case | None:
            case = await self.read(name)
            return case if case["stage"] == stage else None

        case: Case = await until(there, f"{name} at {stage}")
        return case

    async def reach_permit(self, name: str, stage: str | None, destination: str = "HK") -> None:
        """Wait until a permit of a scene stands at a stage."""

        async def there() -> bool:
            permits = {permit["destination"]: permit["stage"] for permit in (await self.read(name))["permits"]}
            return destination in permits and permits[destination] == stage

        await until(there, f"permit of {name} at {stage}")

    async def act(self, who: str, name: str, verb: str, body: dict[str, Any]) -> Any:
        """Have somebody ask something of the case of a scene."""
        return await self.callers.write(who, "POST", f"{self.path(name)}/{verb}", body)

    async def decide(self, name: str, action: str, *reasons: str) -> None:
        """Have an officer decide on a case as soon as it is under review."""
        case = await self.reach(name, "under_review")
        body = {"action": action, "round": case["round"], "reasons": [{"code": code} for code in reasons]}
        await self.act("officer-1", name, "decision", body)

    async def confirm(self, name: str) -> None:
        """Have a supervisor sign what an officer proposed."""
        case = await self.read(name)
        await self.act("supervisor", name, "confirmation", {"action": "confirm", "round": case["round"]})

    async def answer(self, name: str, outcome: str, destination: str = "HK", **fields: Any) -> None:
        """Have the authority answer for a permit."""
        body = {"case": f"{self.cases[name]}/{destination}", "outcome": outcome, **fields}
        await self.callers.aside("authority", "POST", "/sandbox/answers", json=body)

    async def approved(self, name: str, serial: int, destinations: tuple[str, ...] = ("HK",)) -> None:
        """Tell a case as far as its permits, which the authority has taken and not answered."""
        await self.submit(name, request_of(serial, destinations))
        await self.decide(name, "approve")
        for destination in destinations:
            await self.reach_permit(name, "submitted", destination)

    async def as_owner(self, statement: str, *values: Any) -> None:
        """Run a statement as the owner of the tables, for the park."""
        stack = self.up.stack
        server = PostgresServer(stack.directory / "postgres", stack.ports["postgres"])
        connection = await asyncpg.connect(server.url(role=OWNER))
        try:
            await connection.execute("SELECT set_config('hetao.tenant', '*', false)")
            await connection.execute(statement, *values)
        finally:
            await connection.close()

    async def issued(self, name: str, serial: int) -> None:
        """Tell a case as far as an issued permit."""
        await self.approved(name, serial)
        await self.answer(name, "issued", **_ANSWERED)
        await self.reach_permit(name, "issued")


async def tell(up: Up, callers: Callers) -> dict[str, str]:
    """Tell all scenes, each to its last stage; the worker stands still afterwards.

    Returns:
        The reference of each scene's case.
    """
    story = Story(up, callers)
    up.mood("authority", "manual")
    await asyncio.gather(*(scene(story) for scene in (
        _before_decision, _waiting_for_signatures, _closed, _permits, _ended_permits, _asked_and_seen, _roster,
    )))  # fmt: skip
    await _erased(story)
    await _lapsed(story)
    await _stuck(story)
    await _archived(story)
    await _standing_still(story)
    return story.cases


async def _before_decision(story: Story) -> None:
    await story.submit("review", request_of(1))
    await story.submit("held", request_of(2))
    await story.reach("held", "under_review")
    hold = {"action": "place", "reason": "other_authority_asked", "note": "An answer is awaited."}
    await story.act("officer-1", "held", "hold", hold)
    await _incomplete(story, "correction", 3)


async def _waiting_for_signatures(story: Story) -> None:
    await story.submit("second_signature", request_of(4))
    await story.decide("second_signature", "refuse", "not_mainland_resident")
    await story.reach("second_signature", "awaiting_confirmation")
    await story.issued("revocation", 5)
    await story.act("officer-1", "revocation", "revocation", {"reasons": [{"code": "decided_in_error"}]})


async def _closed(story: Story) -> None:
    await story.submit("refused", request_of(6))
    await story.decide("refused", "refuse", "not_mainland_resident")
    await story.reach("refused", "awaiting_confirmation")
    await story.confirm("refused")
    await story.submit("withdrawn", request_of(7))
    await story.reach("withdrawn", "under_review")
    await story.act("employer-a", "withdrawn", "withdrawal", {"reason": "The person chose another post."})
    await story.issued("ended", 8)
    last_day = str(date.today() - timedelta(days=1))
    await story.act("employer-a", "ended", "departure", {"last_day": last_day, "reason": "resigned"})
    await story.reach("ended", "ended")
    await story.answer("ended", "revoked")
    await story.reach_permit("ended", "revoked")


async def _permits(story: Story) -> None:
    await story.approved("submitted", 10)
    await story.approved("accepted", 11, ("HK", "MO"))
    for destination in ("HK", "MO"):
        await story.answer("accepted", "accepted", destination)
        await story.reach_permit("accepted", "accepted", destination)
    await story.issued("issued", 12)
    body = request_of(13)
    del body["person"]["permit_card_number"], body["person"]["permit_card_valid_until"]
    for name in ("no_card", "withheld"):
        body = body | {"client_reference": name, "person": request_of(13 + (name == "withheld"))["person"]}
        del body["person"]["permit_card_number"], body["person"]["permit_card_valid_until"]
        await story.submit(name, body)
        await story.decide(name, "approve")
        await story.reach_permit(name, None)
    wanted = {"action": "withhold", "reasons": [{"code": "permit_card_ends_early"}]}
    await story.act("officer-1", "withheld", "permits/HK/eligibility", wanted)


async def _ended_permits(story: Story) -> None:
    await story.approved("permit_refused", 20)
    await story.answer("permit_refused", "refused", reason_code="other", reason_text="A made-up reason.")
    await story.reach_permit("permit_refused", "refused")
    await story.approved("permit_withdrawn", 21)
    await story.answer("permit_withdrawn", "withdrawn")
    await story.reach_permit("permit_withdrawn", "ended")
    await story.approved("permit_expired", 22)
    past = {"valid_from": "2023-11-01", "valid_until": str(date.today() - timedelta(days=1))}
    await story.answer("permit_expired", "issued", **{**_ANSWERED, **past})
    await story.reach_permit("permit_expired", "expired")
    await story.issued("contradicted", 23)
    await story.answer("contradicted", "refused", reason_code="other", reason_text="A made-up reason.")


async def _asked_and_seen(story: Story) -> None:
    await story.issued("change", 30)
    await story.act("employer-a", "change", "change", {"contract_end": "2097-12-31", "name_en": "Shili Lee"})
    await story.submit("fact", request_of(31))
    case = await story.reach("fact", "under_review")
    seen = {"field": "employment.position", "value": "研究员", "seen_in": "contract", "round": case["round"]}
    await story.act("officer-1", "fact", "facts", seen)
    paper = {"reason": "litigation", "paper": "2026-0042"}
    await story.act("supervisor", "fact", "legal-holds", paper)
    hook = {"url": story.up.stack.url("mail") + "/hooks/before", "kinds": ["registration_received"]}
    await story.callers.write("employer-a", "PUT", "/v1/webhooks", hook)


async def _roster(story: Story) -> None:
    names = (
        "client_reference,name_zh,identity_number,permit_card_number,permit_card_valid_until,position,work_site,"
        "employment_kind,contract_start,contract_end,email,language,destinations,state_worker"
    )
    body = request_of(40)
    person, work = body["person"], body["employment"]
    cells = [
        *("BEFORE-040", person["name_zh"], person["identity_number"], person["permit_card_number"], FAR_DAY),
        *(work["position"], work["work_site"], "contract", work["contract_start"], FAR_DAY, person["email"]),
        *("zh-Hans", "HK", "no"),
    ]
    content = f"{names}\n{','.join(cells)}\n".encode()
    roster = await story.callers.upload("employer-a", "/v1/rosters", content, act="register", on_defect="skip")

    async def done() -> bool:
        return bool((await story.callers.get("employer-a", f"/v1/rosters/{roster['id']}"))["status"] == "done")

    await until(done, "the roster done")
    rows = await story.callers.pages("employer-a", f"/v1/rosters/{roster['id']}/rows")
    story.cases["roster"] = rows[0]["reference"]


async def _erased(story: Story) -> None:
    await story.submit("erased", request_of(50))
    await story.reach("erased", "under_review")
    await story.act("employer-a", "erased", "withdrawal", {"reason": "A reason that is erased."})
    await story.reach("erased", "withdrawn")

    async def proposed() -> bool:
        try:
            await story.act("supervisor", "erased", "erasure", {"reason": "person_asked"})
        except DemoError as error:
            if "case_not_at_rest" not in str(error):  # a notice is still on its way
                raise
            return False
        return True

    await until(proposed, "a case at rest")
    await story.act("supervisor-2", "erased", "erasure/confirmation", {"action": "confirm"})


async def _lapsed(story: Story) -> None:
    """The deadline is brought near by the owner of the tables, since twenty years are not waited for."""
    await _incomplete(story, "lapsed", 51)
    near = "UPDATE deadlines SET at = now() + interval '1 second' WHERE reference = $1 AND kind = 'correction_over'"
    await story.as_owner(near, story.cases["lapsed"])
    await story.act("employer-a", "lapsed", "change", {"email": "other@people.example"})
    await story.reach("lapsed", "lapsed")


async def _stuck(story: Story) -> None:
    """A correction is stored, and the step that should apply it fails: there is an open incident."""
    await _incomplete(story, "stuck", 52)
    (story.up.directory / "poisoned.txt").write_text(story.cases["stuck"])
    await story.act("employer-a", "stuck", "correction", LETTER)

    async def told() -> bool:
        found = await story.callers.pages("operator", "/v1/incidents")
        return any(each["reference"] == story.cases["stuck"] for each in found)

    await until(told, "an incident of the stuck case")


async def _incomplete(story: Story, name: str, serial: int) -> None:
    body = request_of(serial)
    body["employment"]["state_worker"] = True
    await story.submit(name, body)
    await story.reach(name, "correction_requested")


async def _archived(story: Story) -> None:
    """Have closed runs archived now: Temporal forgets them after its retention, however late a test is."""
    client = await Client.connect(story.up.ready["temporal_address"])
    closed = f"WorkflowType = '{REGISTRATION_WORKFLOW}' AND ExecutionStatus != 'Running'"

    async def kept() -> bool:
        await client.get_schedule_handle(ARCHIVE_SCHEDULE).trigger()
        await asyncio.sleep(2)
        runs = {run.run_id async for run in client.list_workflows(closed)}
        rows = await story.up.rows("SELECT run_id::text AS run_id FROM archived_histories")
        return bool(runs) and runs <= {row["run_id"] for row in rows}

    await until(kept, "all closed runs in the archive")


async def _standing_still(story: Story) -> None:
    """What is asked while the authority is away, and then while no worker is there to do it."""
    story.up.mood("authority", "away")
    await story.submit("eligible", request_of(60))
    await story.decide("eligible", "approve")
    await story.reach_permit("eligible", "eligible")
    await story.submit("decided", request_of(61))
    await story.reach("decided", "under_review")
    story.up.send("worker", signal.SIGSTOP)
    await story.submit("received", request_of(62))
    await story.decide("decided", "approve")
