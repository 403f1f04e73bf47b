"""What a case answers, by stage and reader, to the letter: the members, their order, and which of them are absent.

The file is written by this test with HETAO_GOLDEN=write: read what changes, since clients rely on every line of it.
"""

import json
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest_asyncio

from api.case_answers import case_answer
from cases.case.export import begin_export
from cases.case.fact_reads import list_facts
from cases.case.reads import get_case, list_cases
from cases.case.views import AnyCaseView
from cases.programme import Programme
from cases.shared.json_text import json_text
from domain.actors import Actor
from domain.commands import CommandKind
from domain.erasure import HoldReason, LegalHoldRequest
from domain.languages import Language
from domain.purposes import Purpose
from privacy import legal_holds
from programmes import PROGRAMMES
from programmes.talent_permit.words import PermitCommand
from tests.cases.contexts import EMPLOYER_A, OFFICER, SUPERVISOR, key
from tests.cases.driver import OFFICER_2, PERSON, Case, Park, china, open_park
from tests.cases.facts import AUDITOR, LAST_DAY, SHORT, record

_FILE: Final = Path(__file__).with_name("golden.json")
_REFERENCE: Final = re.compile(r"HT-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]")
_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_WRITTEN: Final = re.compile(r'"updated_at":"[^"]*"')  # by PostgreSQL's clock
# Valid numbers of nobody, one for each case.
_NUMBERS: Final = tuple(f"44030419900307{serial:03d}" for serial in range(101, 140, 2))
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass
class Seen:
    """What was answered, by name; findings, which most cases share, are kept once."""

    park: Park
    answers: dict[str, Any] = field(default_factory=dict)
    findings: list[Any] = field(default_factory=list)

    async def case(self, name: str, case: Case, *actors: Actor) -> None:
        """Keep the case as its readers see it."""
        for actor in actors or (EMPLOYER_A, OFFICER):
            reader = await case.known(actor)
            self.keep(f"{name}/{actor.role}", await get_case(self.park.context, reader, case.reference, Language.EN))

    def keep(self, name: str, answer: Any) -> None:
        """Keep an answer."""
        text = json.dumps(_in_order(json.loads(_told(answer))), ensure_ascii=False, separators=(",", ":"))
        for pattern, word in ((_REFERENCE, "HT"), (_ID, "id")):
            for number, each in enumerate(dict.fromkeys(pattern.findall(text)), 1):
                text = text.replace(each, f"<{word} {number}>")
        self.answers[name] = self._once(json.loads(_WRITTEN.sub('"updated_at":"<written>"', text)))

    def _once(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._once(each) for each in value]
        if not isinstance(value, dict):
            return value
        if "audience" in value:
            if not any(list(value.items()) == list(each.items()) for each in self.findings):
                self.findings.append(value)
            return f"finding {self.findings.index(value)}"
        return {name: self._once(each) for name, each in value.items()}


def _of(_reference: str) -> Programme:
    return PROGRAMMES["talent_permit"]


def _told(answer: Any) -> str:
    """Return what the API answers with what the core shows."""
    several = answer if isinstance(answer, list) else [answer]
    told = [case_answer(each, _of) if isinstance(each, AnyCaseView) or _is_case(each) else each for each in several]
    return json_text(told if isinstance(answer, list) else told[0]).decode()


def _is_case(answer: Any) -> bool:
    return isinstance(answer, dict) and "permits" in answer


def _in_order(answer: Any) -> Any:
    """Return an answer with its tasks, which come in no order of their own, by kind and destination."""
    if isinstance(answer, list):
        return [_in_order(each) for each in answer]
    if isinstance(answer, dict) and "tasks" in answer:
        return answer | {"tasks": sorted(answer["tasks"], key=_by_kind)}
    return answer


def _by_kind(task: dict[str, Any]) -> tuple[str, str]:
    return task["kind"], str(task["destination"])


def _person(serial: int) -> dict[str, Any]:
    digits = _NUMBERS[serial]
    check = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=True)) % 11
    return {"identity_number": digits + "10X98765432"[check]}


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


async def _review(seen: Seen) -> None:
    park = seen.park
    case = await park.take_on(client_reference="our-1", name_en="Feng Chengze", **_person(0))
    await seen.case("received", case, EMPLOYER_A, OFFICER, AUDITOR, PERSON)
    await case.step()
    await case.claim("review")
    await seen.case("under_review", case)
    reason = {"code": "name_differs", "field": "person.name_zh", "note": "请核对"}
    seen.keep(
        "returned, answer",
        await case.do(OFFICER, CommandKind.DECIDE, action="return", round=1, reasons=[reason], note="for staff"),
    )
    await seen.case("returned", case)
    await seen.case("incomplete", await park.review(employment={"state_worker": True}, **_person(1)))
    refused = await park.review(**_person(2))
    await refused.decide("refuse", "employment_unproved", note="仅供内部")
    await seen.case("awaiting_confirmation", refused)
    await refused.confirm("reject", "facts_incomplete")
    await seen.case("second signature not given", refused)
    await refused.decide("refuse", "employment_unproved")
    await refused.confirm()
    await seen.case("refused", refused)
    park.clock.at = china("2026-03-02")
    held = await park.review(**_person(3))
    await held.do(OFFICER, CommandKind.HOLD, action="place", reason="legal_question", note="待法务")
    asked = LegalHoldRequest(reason=HoldReason.LITIGATION, paper="2026-0042")
    await legal_holds.place(park.context, SUPERVISOR, held.reference, asked, key())
    await seen.case("held", held)
    await held.do(EMPLOYER_A, CommandKind.WITHDRAW)
    await seen.case("withdrawn", held)


async def _facts(seen: Seen) -> None:
    case = await seen.park.review(**SHORT, **_person(4))
    seen.keep("fact, answer", await record(case, LAST_DAY, "2036-05-31"))
    seen.keep("contest, answer", await case.do(EMPLOYER_A, CommandKind.CONTEST_FACT, fact=1, note="这是旧证件"))
    await seen.case("contested", case, EMPLOYER_A, OFFICER, PERSON)
    for actor in (EMPLOYER_A, OFFICER):
        facts = await list_facts(seen.park.context, actor, case.reference, Purpose.CASE_REVIEW)
        seen.keep(f"facts/{actor.role}", facts)


async def _permits(seen: Seen) -> None:
    park = seen.park
    case = await park.review(permit_card_number=None, permit_card_valid_until=None, **_person(5))
    seen.keep("approved, answer", await case.decide("approve"))
    await seen.case("settling", case)
    await case.after(minutes=10)
    await seen.case("approved", case)
    reasons = [{"code": "permit_card_ends_early"}]
    await case.do(OFFICER, PermitCommand.ELIGIBILITY, destination="HK", action="withhold", reasons=reasons)
    await seen.case("withholding proposed", case)
    given = {"action": "reject", "reasons": [{"code": "reason_not_supported", "note": "It may be sent."}]}
    await case.do(OFFICER_2, PermitCommand.PERMIT_CONFIRM, destination="HK", **given)
    await seen.case("withholding rejected", case)


async def _issued(seen: Seen) -> None:
    park = seen.park
    case = await park.accepted(**_person(6))
    await seen.case("accepted", case)
    await case.answer("issued")
    await case.answer("refused", "MO", reason_text="内部原因")
    await seen.case("issued and refused", case, EMPLOYER_A, OFFICER, PERSON)
    await case.at("2026-03-12")
    changed = await case.do(EMPLOYER_A, CommandKind.CHANGE, name_en="Feng Cheng Ze", email="new@example.com")
    seen.keep("changed, answer", changed)
    await seen.case("change asked", case)
    lost = await case.do(EMPLOYER_A, PermitCommand.CARD_LOST, destination="HK", lost_on="2026-03-12")
    seen.keep("card lost, answer", lost)
    seen.keep("departed, answer", await case.depart("2026-03-13", by=OFFICER))
    await seen.case("departure proposed", case)
    await case.confirm()
    await case.at("2026-03-20")
    await seen.case("ended", case)


async def test_every_case_answers_to_the_letter(park: Park) -> None:
    seen = Seen(park)
    await _review(seen)
    await _facts(seen)
    await _permits(seen)
    await _issued(seen)
    for actor in (EMPLOYER_A, OFFICER):
        items, _ = await list_cases(park.context, actor, short=True, language=Language.ZH_HANT)
        seen.keep(f"list/{actor.role}", items)
    made = await begin_export(park.context, EMPLOYER_A)
    seen.keep("export", [part.decode() async for part in made.lines()])
    told = json.dumps({"findings": seen.findings, "answers": seen.answers}, ensure_ascii=False, indent=1) + "\n"
    if os.environ.get("HETAO_GOLDEN") == "write":
        _FILE.write_text(told, encoding="utf-8")
    assert told == _FILE.read_text(encoding="utf-8")
