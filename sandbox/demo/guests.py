"""Guests of the demo: foreigners whose work permits an employer asks for, and applicants who ask to be recognised."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from domain.clock import CHINA
from domain.errors import need
from sandbox.demo.api import Callers, DemoError, until
from sandbox.standins.issuer import PERSONAS

Row = dict[str, Any]
WATCHER: Final = "auditor"
# Who sees evidence does not decide, and who decides does not sign second.
SEES, DECIDES, SIGNS = "officer-2", "officer-1", "supervisor"
POLL_SECONDS: Final = 0.4
WAIT_SECONDS: Final = 120.0
# The permit to be extended ends within the window in which that is asked for.
ENDS_IN_DAYS: Final = 60
EXTENDED_DAYS: Final = 700
WORK_PERMITS, APPRAISALS = "/v1/work-permits", "/v1/appraisals"
_SEEN_REASON: Final = "document_seen"
_WAITING: Final = frozenset({"queued", "sent"})
_AWAY: Final = "wrong_programme"

_PAPERS: Final = {"kind": "certificate", "issuer": "Sample issuer", "date": "2025-07-01"}
_DECLARED: Final = {
    "education": "doctor",
    "experience_years": 8,
    "months_in_china_a_year": 9,
    "chinese": "hsk5",
    "listed_school_firm_ip_or_five_years": True,
}
_CONDITIONS: Final = ("is_healthy", "has_no_record", "has_skills")
_POINTS: Final = (
    ("education", "doctor"),
    ("listed_school", None),
    ("publications", 8),
    ("experience_years", 8),
    ("patents", 4),
    ("projects_led", 2),
    ("income_year", "500000.00"),
    ("assessment_mark", "38.00"),
)
_STAR: Final = (("national_programme", {"name": "Sample Star Talent Programme", "given_on": "2020-05-01"}),)


@dataclass
class Guests:
    """Brings each guest to the end of their story, and keeps what did not come out as it should."""

    callers: Callers
    tell: Callable[[str], None]
    roster: bytes
    names: dict[str, str] = field(default_factory=dict)
    sent_away: int = 0
    differences: list[str] = field(default_factory=list)
    cases: dict[str, Row] = field(default_factory=dict)
    notices: dict[str, list[Row]] = field(default_factory=dict)

    async def run(self) -> None:
        """Tell all stories beside each other, then read back what is told of them.

        Raises:
            DemoError: an act was refused, or a case does not come to what it should.
        """
        stories: tuple[Coroutine[Any, Any, None], ...] = (
            self._by_points(),
            self._extended(),
            self._away(),
            self._roster(),
            self._by_achievement(),
            self._appraised_by_points(),
            self._fallen(),
        )
        await asyncio.gather(*stories)
        for reference in self.names:
            self.notices[reference] = await self._told(reference)
        self.differences += self._unexpected()

    def view(self) -> dict[str, Any]:
        """Return what came out, for the summary."""
        permits = [case["work_permit"] for case in self.cases.values() if "work_permit" in case]
        recognised = [case["recognition"] for case in self.cases.values() if "recognition" in case]
        return {
            "cases": dict(sorted(Counter(case["programme"] for case in self.cases.values()).items())),
            "work_permits": _stages(permits),
            "recognitions": _stages(recognised),
            "sent_away": self.sent_away,
            "notices": dict(sorted(Counter(row["status"] for told in self.notices.values() for row in told).items())),
        }

    # -- work permits --

    async def _by_points(self) -> None:
        """A doctor is asked for in category A; all that is declared is proved, and the residence permit follows."""
        items = {**_DECLARED, "salary_year": "450000.00", "location": "440304", "birth_date": "1987-05-20"}
        # What holds or does not has no value.
        evidence = [_paper(item, None if value is True else value) for item, value in items.items()]
        evidence += [_paper(item) for item in _CONDITIONS]
        body = _foreigner("Jane Sample", "123456789", "GB", evidence)
        reference = await self._apply("Jane, by points", "employer-a", WORK_PERMITS, body)
        await self._prove(reference, evidence)
        shown = await self._case(reference)
        sides = {side: shown["points"][side]["category"] for side in ("declared", "verified")}
        if sides != {"declared": "A", "verified": "A"}:
            self.differences.append(f"Jane should reach category A declared and proved, and reaches {sides}")
        await self._approve(reference)
        await self._paper(reference, "440300260000001", "A", days=700)
        await self._act("employer-a", reference, "entry", {"entered_on": _day(-3)})
        await self._until(reference, lambda case: case["residence_permit"]["stage"] == "entered")
        await self._act("employer-a", reference, "residence-application", {"applied_on": _day(-1)})
        await self._until(reference, lambda case: case["residence_permit"]["stage"] == "applied")
        given = {"outcome": "issued", "decided_on": _day(0), "valid_until": _day(700)}
        await self._act(DECIDES, reference, "residence-outcome", given)
        await self._end(
            reference,
            lambda case: case["residence_permit"]["stage"] == case["work_permit"]["stage"] == "issued",
            "work_permit_issued",
        )

    async def _extended(self) -> None:
        """A permit that runs out soon is extended: the employer confirms what holds, and two people grant it."""
        body = _foreigner("Erik Sample", "E00000010", "SE", [])
        reference = await self._apply("Erik, to be extended", "employer-b", WORK_PERMITS, body)
        await self._approve(reference)
        await self._paper(reference, "440300260000002", "A", days=ENDS_IN_DAYS)
        await self._until(reference, lambda case: case["work_permit"]["stage"] == "expiring")
        await self._act("employer-b", reference, "renewal", {})
        case = await self._until(reference, lambda case: bool(case["renewal"]))
        reasons = [] if case["renewal"]["assessment"] == "clear" else [{"code": _SEEN_REASON}]
        grant = {"action": "grant", "renewal": case["renewal"]["number"], "reasons": reasons}
        granted = await self._act(DECIDES, reference, "renewal-decision", grant)
        if granted["pending_act"] is not None:
            await self._act(SIGNS, reference, "confirmation", {"action": "confirm", "round": granted["round"]})
        await self._until(reference, lambda case: case["work_permit"]["stage"] == "extending")
        await self._paper(reference, "440300260000002", "A", days=EXTENDED_DAYS, first=ENDS_IN_DAYS + 1)
        await self._end(
            reference, lambda case: case["work_permit"]["valid_until"] == _day(EXTENDED_DAYS), "work_permit_extended"
        )

    async def _away(self) -> None:
        """Somebody of Hong Kong is told that no work permit is needed, and which way to go; nothing is kept."""
        body = _foreigner("Wing Sample", "H00000012", "HK", [])
        code = await self.callers.refused("employer-a", WORK_PERMITS, body)
        self.sent_away += code == _AWAY
        if code != _AWAY:
            self.differences.append(f"a person of Hong Kong should be sent away, and the answer was {code}")

    async def _roster(self) -> None:
        """A roster of two rows: one is taken on, the other is of somebody who needs no work permit."""
        options = {"act": "work_permit_apply", "on_defect": "skip"}
        sent = await self.callers.upload("employer-a", "/v1/rosters", self.roster, **options)
        roster = await until(
            lambda: self.callers.get("employer-a", f"/v1/rosters/{sent['id']}"),
            lambda roster: roster["status"] in ("ready", "done", "failed"),
            lambda roster: f"The roster of work permits is {roster['status']}.",
            within=WAIT_SECONDS,
            pause=POLL_SECONDS,
        )
        if roster["status"] == "failed":
            raise DemoError(f"The roster of work permits is failed: {roster['reason']}")
        rows = await self.callers.pages("employer-a", f"/v1/rosters/{roster['id']}/rows")
        taken = [row["reference"] for row in rows if row["reference"]]
        fields = [each["field"] for row in rows for each in row["errors"]]
        if len(taken) != 1 or fields != ["nationality"]:
            raise DemoError(f"The roster of work permits took {len(taken)} of 1 on, and found {fields} wrong.")
        self.sent_away += 1
        self.names[taken[0]] = "Noor, from a roster"
        await self._end(taken[0], lambda case: case["stage"] == "under_review")

    async def _paper(self, reference: str, number: str, category: str, *, days: int, first: int = 0) -> None:
        """Enter the authority's numbered paper once the approval has settled, and sign it."""
        await self._until(reference, lambda case: case["work_permit"] is not None)
        paper = {"outcome": "issued", "paper": f"SZ-{number[-4:]}-{days}", "number": number, "category": category}
        paper |= {"valid_from": _day(first), "valid_until": _day(days)}
        given = await self._act(DECIDES, reference, "outcome", paper)
        await self._act(SIGNS, reference, "confirmation", {"action": "confirm", "round": given["round"]})

    # -- appraisals --

    async def _by_achievement(self) -> None:
        await self._recognised("Ka Yan, by achievement", "person-3", _applicant("CHAN Ka Yan", "achievement", _STAR))

    async def _appraised_by_points(self) -> None:
        await self._recognised("Ho Man, by points", "person-4", _applicant("LEI Ho Man", "points", _POINTS))

    async def _fallen(self) -> None:
        """What was proved falls after the recognition, which is suspended at once; the decision stands."""
        body = _applicant("LIN Yu Ting", "achievement", _STAR)
        reference = await self._recognised("Yu Ting, whose evidence falls", "person-5", body)
        case = await self._case(reference, by=SEES)
        piece = case["evidence"][0]["evidence_id"]
        fallen = {"reasons": [{"code": "evidence_revoked"}]}
        await self._act(SEES, reference, f"evidence/{piece}/fallen", fallen)
        await self._end(
            reference,
            lambda case: (case["stage"], case["recognition"]["stage"]) == ("approved", "suspended"),
            "appraisal_suspended",
        )

    async def _recognised(self, name: str, persona: str, body: Row) -> str:
        kind, number = need(PERSONAS[persona].document, "document")
        body["person"]["document"] = {"kind": kind, "number": number}
        reference = await self._apply(name, persona, APPRAISALS, body)
        await self._act("employer-a", reference, "employment/confirmed", {})
        await self._until(reference, lambda case: case["employment"] == "confirmed")
        await self._prove(reference, body["evidence"])
        await self._approve(reference)
        await self._end(
            reference,
            lambda case: bool(case["recognition"]) and case["recognition"]["stage"] == "valid",
            "appraisal_recognised",
        )
        return reference

    # -- any case --

    async def _apply(self, name: str, persona: str, path: str, body: Row) -> str:
        taken = await self.callers.write(persona, "POST", path, body)
        reference = str(taken["reference"])
        self.names[reference] = name
        self.tell(f"{persona}: apply for {name}")
        await self._until(reference, lambda case: case["stage"] == "under_review")
        return reference

    async def _prove(self, reference: str, given: Sequence[Row]) -> None:
        """Let an officer see each piece of evidence, proving what it is given for."""
        case = await self._case(reference, by=SEES)
        for shown, said in zip(case["evidence"], given, strict=True):
            seen = {"result": "proved", "seen_in": "the original", "round": case["round"]}
            seen |= {"value": said["value"]} if "value" in said else {}
            await self._act(SEES, reference, f"evidence/{shown['evidence_id']}/seen", seen)

    async def _approve(self, reference: str) -> None:
        case = await self._case(reference)
        reasons = [] if case["assessment"] == "clear" else [{"code": _SEEN_REASON}]
        decision = {"action": "approve", "round": case["round"], "reasons": reasons}
        decided = await self._act(DECIDES, reference, "decision", decision)
        if decided["stage"] == "awaiting_confirmation":
            await self._act(SIGNS, reference, "confirmation", {"action": "confirm", "round": case["round"]})

    async def _act(self, persona: str, reference: str, what: str, body: Mapping[str, Any]) -> Row:
        answer: Row = await self.callers.write(persona, "POST", f"{_path(reference)}/{what}", body)
        self.tell(f"{persona}: {what.split('/')[-1]} {self.names[reference]}")
        return answer

    async def _case(self, reference: str, by: str = WATCHER) -> Row:
        case: Row = await self.callers.get(by, _path(reference))
        return case

    async def _until(self, reference: str, is_so: Callable[[Row], bool]) -> Row:
        return await until(
            lambda: self._case(reference),
            is_so,
            lambda case: f"{self.names[reference]} ({reference}) stays {case['stage']}.",
            within=WAIT_SECONDS,
            pause=POLL_SECONDS,
        )

    async def _end(self, reference: str, is_so: Callable[[Row], bool], notice: str | None = None) -> None:
        """Wait for the end of a story, and see that it was told."""
        self.cases[reference] = await self._until(reference, is_so)
        if notice is not None and not any(row["kind"] == notice for row in await self._told(reference)):
            self.differences.append(f"{self.names[reference]}: nobody was told {notice}")

    async def _told(self, reference: str) -> list[Row]:
        """Read the notices of a case, once none of them waits any more."""
        end = time.monotonic() + WAIT_SECONDS
        while True:
            rows = await self.callers.pages(WATCHER, f"{_path(reference)}/notices")
            if time.monotonic() > end or not any(row["status"] in _WAITING for row in rows):
                return rows
            await asyncio.sleep(POLL_SECONDS)

    def _unexpected(self) -> list[str]:
        wrong = [
            f"{self.names[reference]}: {row['kind']} to {row['recipient']} is {row['status']}"
            for reference, rows in self.notices.items()
            for row in rows
            if row["status"] != "delivered"
        ]
        of = Counter(case["programme"] for case in self.cases.values())
        if of != {"work_permit": 3, "appraisal": 3}:
            wrong.append(f"the guests' cases are {dict(of)}")
        return wrong


def _stages(parts: Sequence[Row | None]) -> dict[str, int]:
    return dict(sorted(Counter(part["stage"] if part else "none" for part in parts).items()))


def _path(reference: str) -> str:
    return f"{WORK_PERMITS if reference.startswith('WP') else APPRAISALS}/{reference}"


def _day(days: int) -> str:
    return (datetime.now(CHINA).date() + timedelta(days=days)).isoformat()


def _paper(item: str, value: object = None) -> Row:
    return {"item": item, **_PAPERS} | ({} if value is None else {"value": value})


def _foreigner(name: str, passport: str, nationality: str, evidence: list[Row]) -> Row:
    return {
        "person": {
            "name_en": name,
            "document": {"kind": "passport", "place": nationality, "number": passport},
            "nationality": nationality,
            "birth_date": "1987-05-20",
            "email": f"{name.split()[0].lower()}@guests.example",
            "language": "en",
        },
        "job": {
            "position": "Materials scientist",
            "work_site": "SZP-001",
            "location": "440304",
            "salary_year": "450000.00",
            "contract_start": _day(-30),
            "contract_end": _day(1000),
        },
        "declared": _DECLARED,
        "category": "A",
        "evidence": evidence,
    }


def _applicant(name: str, route: str, evidence: Sequence[tuple[str, object]]) -> Row:
    person = {"name_zh": name, "name_en": name, "birth_date": "1990-05-14", "language": "en"}
    person["email"] = f"{name.split()[0].lower()}@guests.example"
    work = {"employer": "emp-a", "position": "Researcher", "work_start": _day(-30)}
    papers = [_paper(item, value) for item, value in evidence]
    return {"person": person, "route": route, "employment": work, "evidence": papers}
