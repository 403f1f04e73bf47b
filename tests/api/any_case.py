"""A walk through what any case takes, of any programme, by its entry of `tests/programmes/samples.py`."""

from collections.abc import Mapping
from copy import deepcopy
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select, update

from cases.case.in_force import approval_in_force
from cases.programme import Programme
from domain.commands import CommandKind
from domain.evidence import EvidenceCommand
from domain.parties import Party
from domain.stages import Stage
from store.tables import deliveries, notices
from tests.api.callers import Caller
from tests.api.walk import Walk, identity_number
from tests.programmes.samples import SAMPLES

REVIEW: Final[Mapping[str, str]] = {"Purpose": "case_review"}
AUDIT: Final[Mapping[str, str]] = {"Purpose": "audit"}
_REFUSED: Final = {"code": "false_statement"}


async def walk_any_case(walk: Walk, programme: Programme) -> None:
    """Walk through every route that a programme has because any case has it; its own it walks itself."""
    cases = Cases(walk, programme)
    await _sent_back(cases)
    await _held_and_approved(cases)
    await _refused(cases)
    await _facts(cases)
    if programme.evidence is not None:
        await _evidence(cases)
    if programme.changing is not None:
        await _changed(cases)
    await _erased(cases)
    await _listed(cases)
    for asked in programme.questions:
        body = cases.sample.questions[asked.path]
        await walk.call("officer-1", "POST", f"{cases.path}/{asked.path}", body)


class Cases:
    """Cases of one programme, each of another person, and who speaks of them."""

    def __init__(self, walk: Walk, programme: Programme) -> None:
        self.walk, self.programme = walk, programme
        self.sample = SAMPLES[programme.code]
        self.path = f"/v1/{programme.path}"
        self.owners: dict[str, str | Caller] = {}

    def takes(self, kind: str) -> bool:
        """Return whether a command of the core has a route here."""
        return kind in self.programme.commands and self.programme.commands[kind].route is not None

    def form(self) -> tuple[dict[str, Any], str | Caller]:
        """Return the form of another person, and who owns the case."""
        form, walk = deepcopy(dict(self.sample.form)), self.walk
        serial = walk.next_serial()
        kind, number, place = "resident_identity_card", identity_number(serial), None
        person = form[self.sample.person]
        if "document" in person:
            kind, place, number = person["document"]["kind"], person["document"]["place"], f"E{serial:08d}"
            person["document"]["number"] = number
        else:
            person["identity_number"] = number
        if self.programme.party is Party.EMPLOYER:
            return form, "employer-a"
        claims = {"document_kind": kind, "document_number": number, "document_place": place}
        return form, walk.person(**claims)

    async def open(self, form: Mapping[str, Any] | None = None, owner: str | Caller | None = None) -> str:
        """Take on a case, of another person or by a form and its owner."""
        if form is None or owner is None:
            form, owner = self.form()
        case = await self.walk.call(owner, "POST", self.path, form)
        reference = str(case["reference"])
        self.owners[reference] = owner
        self.walk.note(self.programme.path, reference)
        return reference

    async def ready(self, form: Mapping[str, Any] | None = None, owner: str | Caller | None = None) -> str:
        """Take on a case, and do what has to be done before staff decides."""
        reference = await self.open(form, owner)
        for persona, behind, body in self.sample.ready:
            await self.act(persona, reference, behind, body)
        return reference

    async def act(self, persona: str, reference: str, behind: str, body: Any, **places: str) -> Any:
        """Ask something of a case; `owner` asks as whoever owns it."""
        path, at = f"{self.path}/{{reference}}/{behind}", {"reference": reference, **places}
        return await self.walk.call(self.speaker(persona, reference), "POST", path, body, places=at)

    async def read(self, persona: str, reference: str, behind: str = "", **more: Any) -> Any:
        """Read something of a case."""
        path = f"{self.path}/{{reference}}{behind}"
        return await self.walk.call(
            self.speaker(persona, reference), "GET", path, places={"reference": reference}, **more
        )

    def speaker(self, persona: str, reference: str) -> str | Caller:
        """Return who asks."""
        return self.owners[reference] if persona == "owner" else persona

    async def decide(self, reference: str, action: str, *reasons: Mapping[str, str], by: str = "officer-1") -> Any:
        """Decide on a case in its round."""
        number = (await self.read(by, reference))["round"]
        return await self.act(by, reference, "decision", {"action": action, "round": number, "reasons": list(reasons)})

    async def sign(self, reference: str, by: str = "officer-2") -> None:
        """Give the second signature, and let what cools off take effect."""
        number = (await self.read(by, reference))["round"]
        await self.act(by, reference, "confirmation", {"action": "confirm", "round": number})
        await self.walk.pass_time(reference, timedelta(minutes=11))

    async def approve(self, reference: str) -> str:
        """Approve a case, over a finding by two, and return who can take that back."""
        case = await self.decide(reference, "approve", {"code": "document_seen"})
        if case["stage"] != Stage.AWAITING_CONFIRMATION:
            return "officer-1"
        await self.act("officer-2", reference, "confirmation", {"action": "confirm", "round": case["round"]})
        return "officer-2"


async def _sent_back(cases: Cases) -> None:
    """Check, amend, send back, correct, contest and withdraw."""
    if cases.programme.check is not None:
        form, owner = cases.form()
        await cases.walk.call(owner, "POST", f"{cases.path}/check", form)
    reference = await cases.ready()
    number = (await cases.read("officer-1", reference))["round"]
    await cases.act("owner", reference, "correction", {**cases.sample.correction, "round": number})
    await cases.read("officer-1", reference, "/differences", headers=REVIEW)
    for reader in ("owner", "officer-1"):
        shown = await cases.read(reader, reference, "/acts")
        assert any(each["is_allowed"] for each in shown["acts"]), shown
    unreadable = {"code": "document_unreadable"}
    number = (await cases.read("officer-1", reference))["round"]
    path, body = f"{cases.path}/{{reference}}/decision/preview", {"action": "return", "round": number}
    asked = {**body, "reasons": [unreadable]}
    await cases.walk.call("officer-1", "POST", path, asked, places={"reference": reference}, headers=REVIEW)
    await cases.decide(reference, "return", unreadable)
    await cases.act("owner", reference, "correction", cases.sample.correction)
    await cases.decide(reference, "return", unreadable, by="supervisor")
    await cases.act("owner", reference, "contest", {"note": "It can be read."})
    await cases.act("owner", reference, "withdrawal", {"reason": "Filed twice."})


async def _held_and_approved(cases: Cases) -> None:
    """Hold, let go on, approve, take back and approve again."""
    reference = await cases.ready()
    on = (cases.walk.stage.clock() + timedelta(days=10)).date().isoformat()
    held = {"action": "place", "reason": "legal_question", "review_on": on}
    await cases.act("officer-1", reference, "hold", held)
    await cases.act("officer-1", reference, "hold", {**held, "action": "release"})
    signer = await cases.approve(reference)
    await cases.act(signer, reference, "recall", {"reason": "Approved by mistake."})
    await cases.approve(reference)
    await cases.walk.pass_time(reference, timedelta(minutes=11))
    if cases.programme.in_force is approval_in_force:  # others walk it once what they issue is in force
        issued = await cases.act("owner", reference, "check-codes", {})
        await cases.read("owner", reference, "/check-codes")
        await cases.act("owner", reference, "check-codes/{code_id}/withdrawal", {}, code_id=issued["id"])
    cases.walk.ids[f"approved {cases.programme.code}"] = reference


async def _refused(cases: Cases) -> None:
    """Refuse by two; and where that can be objected to, object, reject, take back and set aside."""
    reference = await cases.ready()
    await cases.decide(reference, "refuse", _REFUSED)
    await cases.sign(reference)
    if not cases.takes(CommandKind.OBJECT):
        return
    grounds = {"against": "refusal", "grounds": "The contract was renewed."}
    await cases.act("owner", reference, "objection", grounds)
    (theirs,) = (await cases.read("owner", reference))["objections"]
    reject = {"objection": theirs["id"], "action": "reject", "reasons": [{"code": "grounds_unproved"}]}
    await cases.act("supervisor", reference, "objection-decision", reject)
    await cases.act("supervisor", reference, "set-aside", {"reasons": [{"code": "new_proof"}]})
    await cases.sign(reference, by="supervisor-2")
    again = await cases.ready()
    await cases.decide(again, "refuse", _REFUSED)
    await cases.sign(again)
    await cases.act("owner", again, "objection", grounds)
    (theirs,) = (await cases.read("owner", again))["objections"]
    await cases.act("owner", again, "objection-withdrawal", {"objection": theirs["id"]})


async def _facts(cases: Cases) -> None:
    """Record what was seen, read it and contest it."""
    reference = await cases.ready()
    number = (await cases.read("officer-1", reference))["round"]
    await cases.act("officer-1", reference, "facts", {**cases.sample.fact, "round": number})
    await cases.read("officer-2", reference, "/facts", headers=REVIEW)
    if cases.programme.party is Party.EMPLOYER:  # persons read them among all their cases
        await cases.read("owner", reference, "/facts")
    await cases.act("owner", reference, "facts/{number}/contest", {"note": "It is the old one."}, number="1")


async def _evidence(cases: Cases) -> None:
    """See what was given, and let one piece fall."""
    reference = await cases.ready()
    pieces = (await cases.read("officer-1", reference, "/evidence", headers=REVIEW))["items"]
    assert pieces, "the form of a programme with evidence gives some"
    for piece in pieces:
        current = (await cases.read("supervisor-2", reference))["round"]
        value = {} if piece.get("value") is None else {"value": piece["value"]}
        said = {"result": "proved", **value, "seen_in": "The original.", "round": current}
        await cases.act(
            "supervisor-2", reference, "evidence/{evidence_id}/seen", said, evidence_id=piece["evidence_id"]
        )
    assert EvidenceCommand.FALL in cases.programme.commands
    fallen = {"reasons": [{"code": "evidence_revoked"}]}
    await cases.act(
        "supervisor-2", reference, "evidence/{evidence_id}/fallen", fallen, evidence_id=pieces[0]["evidence_id"]
    )


async def _changed(cases: Cases) -> None:
    """Ask for a change, read what waits, and take it."""
    reference = await cases.ready()
    await cases.act("owner", reference, "change", cases.sample.own["change"])
    await cases.read("officer-1", reference, "/change", headers=REVIEW)
    tasks = (await cases.walk.call("officer-1", "GET", "/v1/tasks", params={"kind": "change"}))["items"]
    (place,) = [{"task_id": each["id"]} for each in tasks if each["reference"] == reference]
    await cases.walk.call("officer-1", "POST", "/v1/tasks/{task_id}/answer", {"action": "take"}, places=place)


async def _erased(cases: Cases) -> None:
    """Hold what was withdrawn for the law, let it go, and erase it by two."""
    reference = await cases.ready()
    await cases.act("owner", reference, "withdrawal", {})
    hold = await cases.act("supervisor", reference, "legal-holds", {"reason": "litigation", "paper": "2026-0042"})
    released = "legal-holds/{hold_id}/release"
    await cases.act("supervisor", reference, released, {"reason": "matter_closed"}, hold_id=hold["id"])
    await cases.read("auditor", reference, "/legal-holds")
    async with cases.walk.stage.context.database.begin() as connection:
        told = select(notices.c.notice_id).where(notices.c.reference == reference)
        await connection.execute(update(deliveries).where(deliveries.c.notice_id.in_(told)).values(status="sent"))
    await cases.act("supervisor", reference, "erasure", {"reason": "person_asked"})
    await cases.act("supervisor-2", reference, "erasure/confirmation", {"action": "confirm"})
    await cases.read("auditor", reference, "/erasure")
    cases.walk.references_of[cases.programme.path].remove(reference)


async def _listed(cases: Cases) -> None:
    """Read one case, all of them, and what was asked, told and decided."""
    walk = cases.walk
    reference = next(each for each in walk.references_of[cases.programme.path] if each in cases.owners)
    await walk.call("auditor", "GET", cases.path, params={"limit": 2})
    for persona, headers in (("officer-1", REVIEW), ("auditor", AUDIT)):
        await cases.read(persona, reference, "/requests", headers=headers)
    await cases.read("auditor", reference, "/notices")
    await cases.read("auditor", reference, "/receipts")
    await cases.read("officer-1", reference, "/person", params={"fields": "name_zh"}, headers=REVIEW)
    await walk.call(cases.owners[reference], "GET", f"{cases.path}/export.csv")
