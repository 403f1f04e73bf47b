"""A case as it stood: what the ledger adds up to at a time is what the register said then."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import pytest_asyncio
from rich.console import Console

from cli import story as cli_story
from domain.actors import Actor, Role
from domain.acts import Act
from domain.commands import CommandKind
from domain.languages import Language
from programmes.talent_permit.told import FOLDING
from programmes.talent_permit.words import PermitCommand
from record.reconciliation.reconcile import reconcile_case
from record.story import stood_at
from store import tables
from store.ledger import Entry, append
from store.tables import ledger
from tests.api.engines import NoHistories
from tests.cases.contexts import EMPLOYER_A, OFFICER
from tests.cases.driver import Case, Park, china, open_park
from tests.record.telling import story_of

AUDITOR = Actor(issuer="test", subject="auditor", role=Role.AUDITOR, correlation_id="audit")


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


class Memory:
    """Remembers what the register said at each time."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.said: list[tuple[Any, dict[str, Any]]] = []
        self.beside: dict[datetime, dict[str, Any]] = {}

    async def keep(self, **time_passed: float) -> None:
        view = await self.case.view(OFFICER)
        permits = {p["destination"]: (p["stage"], p["pending_act"]) for p in view["permits"] if p["stage"]}
        row = await self.case.row()
        said = {name: view[name] for name in ("stage", "round", "pending_act", "registration_number")}
        self.beside[self.case.park.clock.at] = await self._beside(view)
        self.said.append((self.case.park.clock.at, said | {"hold": row["hold"] is not None, "permits": permits}))
        await self.case.after(**time_passed or {"minutes": 1})

    async def _beside(self, view: dict[str, Any]) -> dict[str, Any]:
        """Return what the register says beside the stage: findings, version of the facts, due date, tasks."""
        row, rows = await self.case.row(), self.case.park.rows
        open_now = await rows(tables.tasks, tables.tasks.c.closed_at.is_(None))
        found = {"registration": view["findings"]} | {p["destination"]: p["findings"] for p in view["permits"]}
        return {
            "facts_version": row["facts_version"],
            "due": {"at": view["due_at"], "kind": view["due_kind"]} if row["due_at"] else None,
            "tasks": sorted((task["kind"], task["holder"]) for task in open_now),
            "findings": {scope: [each["code"] for each in findings] for scope, findings in found.items() if findings},
        }


async def test_a_case_is_told_as_it_stood_at_each_time_on_its_way(park: Park) -> None:
    before = park.clock.at
    await park.take_on(identity_number="33010619860128072X")
    park.clock.at = china("2026-03-02", "13:00")
    case = await park.review(employment={"state_worker": True})
    memory = Memory(case)
    await memory.keep()
    letter = {"employment": {"consent_letter": {"issuer": "示例局", "number": "1", "date": "2025-10-20"}}}
    await case.do(EMPLOYER_A, CommandKind.CORRECT, **letter)
    await memory.keep(hours=2)
    await case.do(OFFICER, CommandKind.HOLD, action="place", reason="legal_question")
    await memory.keep()
    await case.do(OFFICER, CommandKind.HOLD, action="release", reason="legal_question")
    await memory.keep()
    await case.decide("refuse", "employment_unproved")
    await memory.keep()
    await case.confirm("reject", "reason_not_supported")
    await memory.keep()
    await case.approve()
    await memory.keep()
    await case.make_calls()
    await memory.keep()
    await case.answer("accepted")
    await memory.keep(days=1)
    await case.answer("issued")
    await memory.keep()
    await case.do(OFFICER, PermitCommand.REVOKE, reasons=[{"code": "false_statement"}])
    await memory.keep()
    await case.confirm()
    await memory.keep()

    evidence, found = await reconcile_case(park.context, NoHistories(), case.reference)
    chain = evidence.record.chain
    for at, said in memory.said:
        stood = stood_at(chain, FOLDING, at)
        assert stood is not None
        told = {name: getattr(stood, name) for name in ("stage", "round", "pending_act", "registration_number")}
        permits = {p.destination: (p.stage, p.pending_act) for p in stood.permits}
        assert told | {"hold": "officer" in stood.holds, "permits": permits} == said
    assert stood_at(chain, FOLDING, before) is None
    assert {each.code for each in found} == {"history_missing"}  # there is no Temporal here


async def test_findings_facts_due_date_and_holders_are_told_as_they_stood(park: Park) -> None:
    case = await park.review(employment={"state_worker": True})
    memory = Memory(case)
    await memory.keep(hours=1)
    letter = {"employment": {"consent_letter": {"issuer": "示例局", "number": "1", "date": "2025-10-20"}}}
    await case.do(EMPLOYER_A, CommandKind.CORRECT, **letter)
    await memory.keep(hours=1)
    await case.claim("review")
    await memory.keep(hours=1)
    await case.do(OFFICER, CommandKind.HOLD, action="place", reason="legal_question")
    await memory.keep(hours=1)
    await case.do(OFFICER, CommandKind.HOLD, action="release", reason="legal_question")
    await memory.keep(days=3)
    await case.step()
    await memory.keep(hours=1)
    await case.decide("refuse", "employment_unproved")
    await memory.keep(hours=1)
    await case.confirm("reject", "reason_not_supported")
    await memory.keep(hours=1)
    await case.approve()
    await case.make_calls()
    await case.answer("accepted")
    await memory.keep(days=1)
    await case.answer("issued", stay_days=14)
    await memory.keep()

    for at, said in memory.beside.items():
        then, _ = await story_of(park.context, NoHistories(), AUDITOR, case.reference, as_of=at)
        told = {name: then["state"][name] for name in ("facts_version", "due")}
        told["tasks"] = sorted((task["kind"], task["holder"]) for task in then["state"]["tasks"])
        told["findings"] = {
            each["scope"]: [finding["code"] for finding in each["findings"]] for each in then["state"]["findings"]
        }
        assert told == said, at
    seen = list(memory.beside.values())
    assert len({said["facts_version"] for said in seen}) > 1
    assert len({str(said["due"]) for said in seen}) > 2
    assert len({holder for said in seen for _, holder in said["tasks"]}) > 1
    assert "authority_term_differs" in seen[-1]["findings"]["HK"]
    now, _ = await story_of(park.context, NoHistories(), AUDITOR, case.reference)
    assert now["state"] == then["state"]


@pytest.mark.parametrize(
    ("language", "returned", "reason", "waited", "found"),
    [
        (
            Language.ZH_HANS, "工作人员退回申请，要求补正。", "材料无法辨认。", "等待园区",
            "用人单位属于办法列明的机构类型。",
        ),
        (
            Language.ZH_HANT, "工作人員退回申請，要求補正。", "文件無法辨認。", "等待園區",
            "用人單位屬於措施列明的機構類別。",
        ),
    ],
)  # fmt: skip
async def test_the_story_is_told_in_chinese(
    park: Park, language: Language, returned: str, reason: str, waited: str, found: str
) -> None:
    case = await park.review()
    await case.after(hours=3)
    await case.decide("return", "document_unreadable")
    at = park.clock.at

    then, _ = await story_of(
        park.context, NoHistories(), AUDITOR, case.reference, as_of=at, limit=200, language=language
    )

    (decided,) = [item for item in then["items"] if item["what"] == "decided"]
    assert (decided["says"], decided["reasons"][0]["says"], decided["waited"]["says"]) == (returned, reason, waited)
    (assessed,) = then["state"]["findings"]
    assert assessed["findings"][0]["message"] == found
    assert not [item for item in then["items"] if item["says"].isascii()]


async def test_the_story_says_why_and_for_whom_the_case_waited(park: Park) -> None:
    case = await park.review()
    await case.after(hours=3)
    await case.decide("return", "document_unreadable")
    returned_at = park.clock.at
    await case.after(days=1)
    await case.do(EMPLOYER_A, CommandKind.CORRECT, employment={"position": "工程师"})

    story, more = await story_of(park.context, NoHistories(), AUDITOR, case.reference, limit=200)
    items = [item for item in story["items"] if item["source"] == "ledger"]
    decided = next(item for item in items if item["what"] == "decided")
    corrected = next(item for item in items if item["what"] == "corrected")
    assert more is None
    assert decided["says"] == "An officer returned the registration for correction."
    assert decided["reasons"] == [{"code": "document_unreadable", "says": "A document cannot be read."}]
    assert decided["who"] == {"role": "officer", "subject": "officer-1", "issuer": "test"}
    assert (decided["waited"]["for"], decided["waited"]["seconds"]) == ("park", 3 * 3600)
    assert (corrected["waited"]["for"], corrected["waited"]["seconds"]) == ("employer", 86400)
    assert {wait["for"]: wait["seconds"] for wait in story["waits"]}["employer"] == 86400

    then, _ = await story_of(park.context, NoHistories(), AUDITOR, case.reference, as_of=returned_at, limit=200)
    assert then["state"]["stage"] == "correction_requested"
    assert "corrected" not in {item["what"] for item in then["items"]}
    first, at = await story_of(park.context, NoHistories(), AUDITOR, case.reference, limit=2)
    rest, _ = await story_of(park.context, NoHistories(), AUDITOR, case.reference, start=at or 0, limit=200)
    assert [*first["items"], *rest["items"]] == story["items"]
    read = [row for row in await park.rows(ledger) if row["act"] == "case_read" and row["detail"].get("what")]
    assert len(read) == 4


async def test_the_story_is_in_the_order_of_its_times_whatever_the_chains_are_called(park: Park) -> None:
    case = await park.review()
    read = Entry(Act.PERSONAL_DATA_READ, OFFICER, park.clock.at, reference=case.reference, employer_id="emp-a")
    times = [park.clock.at + timedelta(minutes=minute) for minute in range(1, 5)]
    async with park.context.database.begin() as connection:
        for chain, at in zip(("access/d", "access/b", "access/c", "access/a"), times, strict=True):
            await append(connection, chain, [replace(read, at=at)])
    await case.after(minutes=10)
    await case.decide("return", "document_unreadable")

    story, _ = await story_of(park.context, NoHistories(), AUDITOR, case.reference, limit=200)
    told = [item["at"] for item in story["items"]]
    assert told == sorted(told)
    opened = [item for item in story["items"] if item["what"] == "personal_data_read"]
    assert [item["place"]["chain"] for item in opened] == ["access/d", "access/b", "access/c", "access/a"]
    assert not [item for item in opened if "placed_at" in item]


async def test_what_was_asked_earlier_than_it_was_applied_says_both_times(park: Park) -> None:
    case = await park.review()
    asked = park.clock.at
    await case.store(OFFICER, CommandKind.HOLD, action="place", reason="legal_question", review_on="2026-03-20")
    later = asked + timedelta(minutes=5)
    async with park.context.database.begin() as connection:
        row = Entry(Act.DUE_DATE_CHANGED, OFFICER, later, reference=case.reference, employer_id="emp-a")
        await append(connection, case.reference, [row])
    await case.after(minutes=10)
    await case.step()

    story, _ = await story_of(park.context, NoHistories(), AUDITOR, case.reference, limit=200)
    (held,) = [item for item in story["items"] if item["what"] == "held"]
    assert (held["at"], held["placed_at"]) == (asked.isoformat(), later.isoformat())
    shown = [item.get("placed_at") or item["at"] for item in story["items"]]
    assert shown == sorted(shown)


@pytest.mark.parametrize("language", [Language.ZH_HANS, Language.ZH_HANT])
async def test_the_printed_story_is_in_one_language_and_says_to_whom_each_notice_went(
    park: Park, language: Language
) -> None:
    case = await park.issued()
    story, _ = await story_of(park.context, NoHistories(), AUDITOR, case.reference, limit=500, language=language)
    returned = await park.review(identity_number="33010619860128072X")
    await returned.decide("refuse", "employment_unproved")
    waiting, _ = await story_of(park.context, NoHistories(), AUDITOR, returned.reference, limit=500, language=language)
    for told in (story, waiting):
        printed = _printed(told, language)
        assert {"用人单位", "用人單位"} & set(re.findall(r"致 (\w+)", printed))
        assert {"本人"} & set(re.findall(r"致 (\w+)", printed))
        for item in told["items"]:
            if who := item.get("who"):
                printed = printed.replace(who["subject"], "")
        printed = printed.replace(told["reference"], "").replace("registration-number", "")
        printed = printed.replace(str(told["state"]["registration_number"]), "")
        assert re.findall(r"[A-Za-z]{2,}", printed) == []


def _printed(story: dict[str, Any], language: Language) -> str:
    out = StringIO()
    console, say = Console(file=out, width=400, highlight=False), cli_story.Say(language, story["reference"])
    told = cli_story._read(story)
    cli_story._print_head(console, told, say)
    console.print(cli_story._table(told.items, say))
    return out.getvalue()
