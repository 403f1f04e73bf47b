"""What a signed-in person reads: their data, who read it and why, and never anything of another person."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from cases.notices import compose
from cases.notices.letters import keep_texts
from domain.actors import system
from domain.notices import SALT, Channel
from policy.pack import parse_pack
from register.trials import try_pack
from store.tables import ledger
from tests.api.callers import Caller
from tests.api.conftest import Stage, quiet
from tests.api.persons import sign_in
from tests.api.walk import Walk, identity_number
from tests.cases.contexts import registration_body
from tests.register.drafts import draft
from texts.notices import Rendered

MAIL, PHONE = "feng@example.com", "+8613812345678"
OTHER = {"identity_number": identity_number(555), "email": "wen@example.com", "name_zh": "文书"}
LOG, DATA = "/v1/me/access-log", "/v1/me/data"
ENGLISH = {"Accept-Language": "en"}


async def _case(stage: Stage, persona: str = "employer-a", **person: str) -> str:
    body = registration_body(**person)
    body["employment"]["work_site"] = {"employer-a": "SZP-001", "employer-b": "SZP-101"}[persona]
    answer = await stage.as_(persona).post("/v1/registrations", body)
    assert answer.status_code == 202, answer.text
    await stage.settle()
    return str(answer.json()["reference"])


async def _log(me: Caller, **query: Any) -> dict[str, Any]:
    answer = await me.get(LOG, headers=ENGLISH, **query)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


async def _read_by_all(stage: Stage, reference: str) -> None:
    path = f"/v1/registrations/{reference}/person"
    for persona, purpose, fields in (
        ("officer-1", "case_review", "name_zh,identity_number"),
        ("auditor", "audit", "position"),
        ("employer-a", None, "phone"),
    ):
        headers = {"Purpose": purpose} if purpose else {}
        answer = await stage.as_(persona).get(path, fields=fields, headers=headers)
        assert answer.status_code == 200, answer.text
    assert (await stage.as_("officer-1").get(f"/v1/registrations/{reference}")).status_code == 200
    assert (await stage.as_("auditor").get(f"/v1/audit/cases/{reference}/history")).status_code == 200


async def test_a_person_sees_who_read_what_and_why_and_no_name_of_staff(stage: Stage) -> None:
    reference, other = await _case(stage), await _case(stage, **OTHER)
    await _read_by_all(stage, reference)
    await stage.as_("officer-2").get(f"/v1/registrations/{other}")
    assert len((await stage.as_("officer-2").get("/v1/registrations")).json()["items"]) == 2
    me = await sign_in(stage, reference, email=MAIL)

    page = await _log(me)

    seen = [(row["role"], row["way"], row["purpose"], row["fields"]) for row in page["items"]]
    assert sorted(seen) == sorted(
        [
            ("officer", "Opened your personal data", "case_review", ["name_zh", "identity_number"]),
            ("auditor", "Opened your personal data", "audit", ["position"]),
            ("employer", "Opened your personal data", "own_data", ["phone"]),
            ("officer", "Looked at the case, with your name and identity number masked", "case_work", []),
            ("officer", "Saw the case in a list, with your name and identity number masked", "case_work", []),
            ("auditor", "Read the story of the case", "audit", []),
        ]
    )
    opened = next(row for row in page["items"] if row["purpose"] == "case_review")
    assert (opened["organisation"], opened["purpose_text"]) == ("Park management (officer)", "To review the case")
    assert opened["fields_text"] == ["Chinese name", "Citizen identity number"]
    assert {row["reference"] for row in page["items"]} == {reference}
    assert not [name for name in ("officer-1", "officer-2", "auditor-1", other) if name in str(page)]
    simplified = (await me.get(LOG, headers={"Accept-Language": "zh-Hans"})).json()["items"]
    assert {row["purpose_text"] for row in simplified} >= {"审核案件", "审计"}


async def test_a_person_sees_samples_comparisons_and_trials_of_their_case(stage: Stage) -> None:
    reference, other = await _case(stage), await _case(stage, **OTHER)
    walk = Walk(stage)
    await walk.decide(reference, "approve")
    await stage.settle()
    await quiet(stage)
    auditor = stage.as_("auditor")
    span = {"from": "2026-01-01T00:00:00+08:00", "to": "2026-12-01T00:00:00+08:00"}
    drawn = await auditor.get("/v1/audit/samples", seed="q1", size=5, headers={"Purpose": "complaint"}, **span)
    assert [item["reference"] for item in drawn.json()["items"]] == [reference]
    for case in (reference, other):
        assert (await auditor.get(f"/v1/audit/cases/{case}/reconciliation")).status_code == 200
    await try_pack(stage.context, system("policy_try"), parse_pack(draft()), date(2026, 1, 1))
    me = await sign_in(stage, reference, email=MAIL)

    items = (await _log(me))["items"]

    seen = [(row["role"], row["way"].split(",")[0], row["purpose"], row["purpose_stated"]) for row in items]
    assert set(seen) >= {
        ("auditor", "Drew a decision on the case at random to review it", "complaint", True),
        ("auditor", "Had the records of the case compared", "audit", True),
        ("system", "The engine ran a draft of rules on the facts that are kept; the case stays as it is",
         "rule_trial", False),
    }  # fmt: skip
    assert {row["reference"] for row in items} == {reference}
    assert len(seen) == len(set(seen))


async def test_pages_of_the_log_are_bound_to_the_session(stage: Stage) -> None:
    reference, other = await _case(stage), await _case(stage, **OTHER)
    await _read_by_all(stage, reference)
    me = await sign_in(stage, reference, email=MAIL)
    whole = (await _log(me))["items"]
    pages, cursor = [], None
    while True:
        page = await _log(me, limit=2, **({"cursor": cursor} if cursor else {}))
        pages += page["items"]
        if (cursor := page["next_cursor"]) is None:
            break
    assert pages == whole
    first = (await _log(me, limit=2))["next_cursor"]

    another = await sign_in(stage, other, email=OTHER["email"])

    assert (await _log(another))["items"] == []
    assert (await another.get(LOG, limit=2, cursor=first)).json()["code"] == "cursor_invalid"
    assert (await me.get(LOG, limit=2, cursor=first[:-2] + "AA")).json()["code"] == "cursor_invalid"


async def test_a_person_gets_all_that_is_held_about_them_and_the_reading_is_an_act(stage: Stage) -> None:
    reference, other = await _case(stage), await _case(stage, **OTHER)
    employer = stage.as_("employer-a")
    await employer.post(f"/v1/registrations/{reference}/change", {"language": "en"})
    await stage.settle()
    before = (await employer.get(f"/v1/registrations/{reference}")).json()
    hold = {"reason": "litigation", "paper": "2026-0042"}
    placed = await stage.as_("supervisor").post(f"/v1/registrations/{reference}/legal-holds", hold)
    assert placed.status_code < 300, placed.text
    me = await sign_in(stage, reference, phone=PHONE)

    answer = await me.get(DATA, download="true", headers=ENGLISH)

    assert answer.headers["content-disposition"] == 'attachment; filename="own-data.json"'
    held = answer.json()
    (case,) = held["cases"]
    assert [each["is_current"] for each in case["facts"]] == [False, True]
    facts = {each["field"]: each for each in case["facts"][1]["facts"]}
    assert facts["identity_number"]["value"] == "44030419900307123X"
    assert facts["identity_number"]["purpose"].startswith("One live registration")
    assert "3 years" in facts["identity_number"]["retention"]
    assert [each["kind"] for each in case["requests"]] == ["change"]
    texts = {each["kind"]: each["text"] for each in case["notices"]}
    assert "河套示例科学研究院" in texts["registration_received"]
    assert texts["sign_in_link"] is None
    for told in case["notices"]:
        parts = [told["text_salt"], told["subject"], told["text"], told["html"] or ""]
        proof = hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()
        assert (told["text_hash"] == proof) is (told["kind"] != "sign_in_link")
    assert [(each["reason"], each["says"][:20]) for each in case["legal_holds"]] == [
        ("litigation", "Because of a lawsuit")
    ]
    assert "2026-0042" not in answer.text
    assert len(held["kept_apart"]) > 5
    assert not [word for word in (other, OTHER["email"], OTHER["name_zh"]) if word in answer.text]
    (row,) = [each for each in (await _log(me))["items"] if each["role"] == "person"]
    assert (row["organisation"], row["purpose"]) == ("You", "own_data")
    assert {"identity_number", "notices"} <= set(row["fields"])
    async with stage.context.database.begin() as connection:
        query = select(ledger.c.detail).where(ledger.c.act == "personal_data_read")
        assert (await connection.execute(query)).scalars().one()["cases"] == [reference]
    assert (await employer.get(f"/v1/registrations/{reference}")).json() == before


async def test_a_notice_from_before_the_salts_is_shown_without_one(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def keep_unsalted(texts: Mapping[Channel, Rendered]) -> tuple[dict[str, Any], str]:
        body, proof = keep_texts(texts)
        return {name: value for name, value in body.items() if name != SALT}, proof

    with monkeypatch.context() as patched:
        patched.setattr(compose, "keep_texts", keep_unsalted)
        reference = await _case(stage)
    me = await sign_in(stage, reference, email=MAIL)

    (case,) = (await me.get(DATA)).json()["cases"]

    (told,) = [each for each in case["notices"] if each["kind"] == "registration_received"]
    assert "河套示例科学研究院" in told["text"]
    assert told["text_salt"] is None


async def test_what_was_given_under_a_number_that_was_corrected_is_not_shown(stage: Stage) -> None:
    walk = Walk(stage)
    reference = await _case(stage, identity_number=OTHER["identity_number"], name_zh=OTHER["name_zh"])
    await walk.decide(reference, "return", "identity_number_wrong")
    mended = {"person": {"identity_number": "44030419900307123X", "name_zh": "冯承泽"}}
    await walk.act("employer-a", reference, "correction", mended)
    me = await sign_in(stage, reference, email=MAIL)

    answer = await me.get(DATA)

    (case,) = answer.json()["cases"]
    assert [each["version"] for each in case["facts"]] == [2]
    assert [each["kind"] for each in case["requests"]] == ["correct"]
    assert OTHER["identity_number"] not in answer.text
    assert OTHER["name_zh"] not in answer.text
