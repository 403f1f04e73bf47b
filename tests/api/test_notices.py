"""Employers read what they were told, set where it goes, see what waits, and take their cases home as a file."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from cases.case import export
from cases.notices.due import lease
from domain.decisions import DecisionAction
from domain.notices import Channel
from store.tables import cases, deliveries, employers, notices
from tests.api.conftest import Stage
from tests.api.walk import Walk

NOTICES = "/v1/notices"
CONTACT = "/v1/employers/me/contact"
EXPORT = "/v1/registrations/export.csv"


async def _notices(stage: Stage, persona: str = "employer-a", **query: Any) -> list[dict[str, Any]]:
    answer = await stage.as_(persona).get(NOTICES, **query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_an_employer_reads_its_notices_with_their_texts_and_no_other_does(stage: Stage) -> None:
    reference = await Walk(stage).register()
    (notice,) = await _notices(stage)
    assert (notice["kind"], notice["reference"], notice["recipient"]) == (
        "registration_received",
        reference,
        "employer",
    )
    assert reference in notice["subject"]
    assert "冯承泽" in notice["text"]
    assert await _notices(stage, "employer-b") == []
    assert (await stage.as_("person-1").get(NOTICES)).status_code == 403


async def test_a_reader_marks_a_notice_as_read_for_themselves(stage: Stage) -> None:
    await Walk(stage).register()
    (notice,) = await _notices(stage)
    assert notice["read_at"] is None
    path = f"{NOTICES}/{notice['id']}/read"
    for stranger in ("employer-b", "officer-1"):
        assert (await stage.as_(stranger).post(path)).status_code == 404, stranger
    marked = (await stage.as_("employer-a").post(path)).json()
    assert (await _notices(stage))[0]["read_at"] == marked["read_at"]
    assert await _notices(stage, unread="true") == []


async def test_a_letter_is_read_whole(stage: Stage) -> None:
    walk = Walk(stage)
    refused = await walk.register()
    await walk.decide(refused, "refuse", "not_employed_there")
    await walk.confirm(refused)
    (letter,) = await _notices(stage, kind="registration_refused")
    for words in ("不予备案", "此人不在该用人单位工作", "行政复议", "待确认"):
        assert words in letter["text"]


async def test_notices_are_listed_by_case_newest_first_and_by_page(stage: Stage) -> None:
    walk = Walk(stage)
    first, second = await walk.register(), await walk.register()
    stage.clock.at += timedelta(minutes=1)
    await walk.decide(first, "return", "document_unreadable")
    listed = [(n["reference"], n["kind"]) for n in await _notices(stage, reference=first)]
    assert listed == [(first, "correction_requested"), (first, "registration_received")]
    page = (await stage.as_("employer-a").get(NOTICES, limit=2)).json()
    rest = (await stage.as_("employer-a").get(NOTICES, limit=2, cursor=page["next_cursor"])).json()
    assert len({n["id"] for n in page["items"] + rest["items"]}) == 3
    assert {n["reference"] for n in page["items"] + rest["items"]} == {first, second}
    unknown = await stage.as_("employer-a").get(NOTICES, reference="HT-0000-0000-0")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "case_unknown")


async def test_an_approval_that_can_be_recalled_is_not_told(stage: Stage) -> None:
    walk = Walk(stage)
    reference = await walk.register()
    await walk.decide(reference, "approve")
    assert [n["kind"] for n in await _notices(stage)] == ["registration_received"]
    await walk.act("officer-1", reference, "recall", {"reason": "Approved by mistake."})
    assert [n["kind"] for n in await _notices(stage)] == ["registration_received"]
    await walk.approve()
    assert "registration_approved" in [n["kind"] for n in await _notices(stage)]


async def test_an_employer_sets_its_contact_and_the_earlier_address_is_told(stage: Stage) -> None:
    employer = stage.as_("employer-a")
    before = (await employer.get(CONTACT)).json()
    assert (before["email"], before["digest"]) == ("hr@htri.example", False)
    given = {"email": "people@htri.example", "language": "en", "digest": True}
    answer = await employer.put(CONTACT, given)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"email": "people@htri.example", "phone": None, "language": "en", "digest": True}
    assert (await employer.get(CONTACT)).json() == answer.json()
    told = await _notices(stage, kind="employer_contact_changed")
    assert [n["language"] for n in told].count("en") == 1
    assert len(told) == 2
    assert told[0]["reference"] is None
    async with stage.context.database.begin() as connection:
        row = (await connection.execute(select(employers).where(employers.c.employer_id == "emp-a"))).one()
    assert (row.digest, row.language) == (True, "en")


async def test_the_same_contact_again_tells_nobody_and_leaves_the_daily_mail_as_it_was(stage: Stage) -> None:
    employer = stage.as_("employer-a")
    before = (await employer.get(CONTACT)).json()
    same = {name: value for name, value in before.items() if name != "digest" and value is not None}
    assert (await employer.put(CONTACT, same)).json() == before
    assert await _notices(stage, kind="employer_contact_changed") == []


async def test_a_contact_that_cannot_be_written_to_is_refused_and_names_the_field(stage: Stage) -> None:
    employer = stage.as_("employer-a")
    answer = await employer.put(CONTACT, {"email": "nobody", "language": "en"})
    assert answer.status_code == 422
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [("email", "bad_email")]
    assert (await employer.get(CONTACT)).json()["email"] == "hr@htri.example"


async def test_a_pending_change_shows_on_the_case_until_it_is_answered(stage: Stage) -> None:
    walk = Walk(stage)
    reference = await walk.register()
    assert (await walk.case("employer-a", reference))["pending_change"] is None
    await walk.act("employer-a", reference, "change", {"name_en": "Feng Chengze", "contract_end": "2029-06-30"})
    for persona in ("employer-a", "officer-1"):
        change = (await walk.case(persona, reference))["pending_change"]
        assert change["fields"] == ["contract_end", "name_en"]
        assert change["asked_at"].startswith("2026-03-02")
        assert change["due_at"].startswith("2026-03-09")
    task = next(t for t in (await stage.as_("officer-1").get("/v1/tasks", kind="change")).json()["items"])
    await walk.call(
        "officer-1", "POST", "/v1/tasks/{task_id}/answer", {"action": "take"}, places={"task_id": task["id"]}
    )
    assert (await walk.case("employer-a", reference))["pending_change"] is None


def _table(content: bytes) -> list[dict[str, str]]:
    text = content.decode("utf-8")
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


async def test_an_employer_takes_its_cases_home_with_names_whole_and_days_of_expiry(stage: Stage) -> None:
    walk = Walk(stage)
    reference = await walk.approve()
    dates = {"valid_from": "2026-03-02", "valid_until": "2029-03-01", "stay_days": 30, "entries": "multiple"}
    await walk.answer(reference, "accepted")
    await walk.answer(reference, "issued", **dates)
    answer = await stage.as_("employer-a").get(EXPORT)
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["cache-control"] == "no-store"
    (row,) = _table(answer.content)
    assert (row["reference"], row["name_zh"], row["stage"]) == (reference, "冯承泽", "approved")
    assert row["identity_number"].startswith("4403**********")
    assert (row["contract_end"], row["permit_card_valid_until"]) == ("2028-12-31", "2035-03-16")
    assert (row["hk_stage"], row["hk_valid_until"], row["mo_stage"]) == ("issued", "2029-03-01", "eligible")
    assert _table((await stage.as_("employer-b").get(EXPORT)).content) == []
    assert (await stage.as_("officer-1").get(EXPORT)).status_code == 403


async def test_what_would_be_a_formula_is_text(stage: Stage) -> None:
    walk = Walk(stage)
    reference = await walk.register()
    async with stage.context.database.begin() as connection:
        named = update(cases).where(cases.c.reference == reference)
        await connection.execute(named.values(client_reference='=HYPERLINK("https://x.example","y")'))
    (row,) = _table((await stage.as_("employer-a").get(EXPORT)).content)
    assert row["client_reference"] == '\'=HYPERLINK("https://x.example","y")'


async def test_an_export_hides_what_the_employer_does_not_see(stage: Stage) -> None:
    walk = Walk(stage)
    proposed = await walk.register()
    await walk.decide(proposed, "refuse", "not_employed_there")
    settling = await walk.register()
    await walk.decide(settling, DecisionAction.APPROVE.value)
    rows = _table((await stage.as_("employer-a").get(EXPORT)).content)
    assert {row["stage"] for row in rows} == {"under_review"}
    assert {row["registration_number"] for row in rows} == {""}
    assert len(_table((await stage.as_("employer-a").get(EXPORT, stage="under_review")).content)) == 2
    assert _table((await stage.as_("employer-a").get(EXPORT, stage="approved")).content) == []


async def test_a_long_export_says_where_the_next_one_begins(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    walk = Walk(stage)
    references = {await walk.register() for _ in range(3)}
    monkeypatch.setattr(export, "MOST_ROWS", 2)
    first = await stage.as_("employer-a").get(EXPORT)
    link = first.headers["link"]
    assert link.endswith('rel="next"')
    second = await stage.as_("employer-a").send("GET", link[1 : link.index(">")])
    assert "link" not in second.headers
    rows = _table(first.content) + _table(second.content)
    assert {row["reference"] for row in rows} == references
    assert len(rows) == 3


async def test_the_mail_about_a_new_contact_goes_to_both_addresses(stage: Stage) -> None:
    async with stage.context.database.begin() as connection:
        await connection.execute(update(deliveries).values(status="delivered", next_attempt=None))
        assert (await connection.execute(select(notices.c.notice_id))).first() is None
    await stage.as_("employer-a").put(CONTACT, {"email": "people@htri.example", "language": "en"})
    dues = await lease(stage.context, Channel.MAIL, stage.clock(), 10)
    assert {due.to for due in dues} == {"hr@htri.example", "people@htri.example"}
