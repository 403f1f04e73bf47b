"""What a return, a rejected signature and an end say to their readers: in mail, on the case and to machines."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy import insert

from cases.case import reads
from cases.case.file import open_case
from domain.commands import CommandKind
from domain.errors import Refused
from domain.languages import Language
from programmes.talent_permit.notices import NOTICES
from programmes.talent_permit.words import PermitCommand
from store import tables
from tests.cases.contexts import EMPLOYER_A, OFFICER, shown
from tests.cases.driver import MENDED, OFFICER_2, Case, Park, china, open_park

NOTE = "护照与合同上的姓名不同，请按护照填写。"
STATE_WORKER = {"state_worker": True}


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:  # a Monday
        yield park


async def _subscribe(park: Park) -> None:
    """Let the employer have a webhook of every kind; its address is never opened here."""
    values = {
        "webhook_id": uuid4(), "employer_id": "emp-a", "url": b"", "secrets": b"", "state": "active",
        "kinds": sorted(kind for kind, plan in NOTICES.items() if plan.by_webhook), "at": park.clock.at,
    }  # fmt: skip
    async with park.context.database.begin() as connection:
        await connection.execute(insert(tables.webhooks).values(**values))


async def _texts(case: Case, kind: str, recipient: str = "employer") -> dict[str, Any]:
    """Return the texts of the newest notice of a kind, by channel."""
    row = (await case.notices(kind, recipient))[-1]
    async with open_case(case.park.context, case.reference) as (file, _):
        texts: dict[str, Any] = file.open("notices", "body", str(row["notice_id"]), row["body"])
    return texts


async def _told(case: Case, kind: str, recipient: str = "employer") -> str:
    return str((await _texts(case, kind, recipient))["mail"]["text"])


async def _event(case: Case, kind: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((await _texts(case, kind))["webhook"]["text"])["data"]
    return data


async def _returned(park: Park, **reason: Any) -> Case:
    case = await park.review()
    given = {"code": "name_differs", "field": "person.name_zh", "note": NOTE} | reason
    await case.do(OFFICER, CommandKind.DECIDE, action="return", round=1, reasons=[given], note="for staff")
    return case


async def test_an_officers_return_says_in_the_mail_what_to_mend_where_and_by_when(park: Park) -> None:
    text = await _told(await _returned(park), "correction_requested")
    for words in ("姓名与证件不一致。", "中文姓名", NOTE, "2026年3月23日"):
        assert words in text
    assert "name_differs" not in text
    assert "for staff" not in text


async def test_the_case_shows_the_open_points_to_the_employer_until_it_answers(park: Park) -> None:
    case = await _returned(park, field="name_zh")
    point = {
        "code": "name_differs",
        "message": "姓名与证件不一致。",
        "field": "person.name_zh",
        "fields": ["person.name_zh"],
        "note": NOTE,
    }
    assert (await case.view(EMPLOYER_A))["open_points"] == [point]
    in_english = shown(await reads.get_case(park.context, EMPLOYER_A, case.reference, Language.EN))
    assert in_english["open_points"][0]["message"] == "The name differs from the document."
    await case.do(EMPLOYER_A, CommandKind.CORRECT, person={"name_zh": "冯承"})
    assert (await case.view(EMPLOYER_A))["open_points"] == []


async def test_a_contest_ends_the_open_points_too(park: Park) -> None:
    case = await _returned(park)
    await case.do(EMPLOYER_A, CommandKind.CONTEST, note="The name is right.")
    assert (await case.view(EMPLOYER_A))["open_points"] == []


async def test_a_reminder_repeats_the_open_points(park: Park) -> None:
    case = await _returned(park)
    await case.at("2026-03-12")
    text = await _told(case, "correction_reminder")
    assert "姓名与证件不一致。" in text
    assert NOTE in text


async def test_a_lapse_says_what_was_not_mended_and_leaves_nothing_open(park: Park) -> None:
    case = await _returned(park)
    await case.at("2026-03-24")
    assert await case.stage() == "lapsed"
    assert NOTE in await _told(case, "registration_lapsed")
    assert (await case.view(EMPLOYER_A))["open_points"] == []


async def test_a_webhook_carries_stage_and_codes_and_no_free_text(park: Park) -> None:
    await _subscribe(park)
    case = await _returned(park)
    data = await _event(case, "correction_requested")
    assert data["stage"] == "correction_requested"
    assert data["round"] == 1
    assert data["open_points"] == [{"code": "name_differs", "field": "person.name_zh", "fields": ["person.name_zh"]}]
    assert data["due_on"] == "2026-03-23"
    assert NOTE not in json.dumps(data, ensure_ascii=False)


async def test_what_the_rules_find_missing_is_an_open_point_with_its_fields(park: Park) -> None:
    case = await park.review(employment=STATE_WORKER)
    (point,) = (await case.view(EMPLOYER_A))["open_points"]
    assert point["code"] == "consent_letter_missing"
    assert point["fields"] == ["employment.state_worker", "employment.consent_letter"]
    assert point["message"] in await _told(case, "correction_requested")
    await case.do(EMPLOYER_A, CommandKind.CORRECT, **MENDED)
    assert (await case.view(EMPLOYER_A))["open_points"] == []


async def test_a_reason_about_a_field_that_there_is_not_is_refused_with_those_there_are(park: Park) -> None:
    with pytest.raises(Refused) as refused:
        await _returned(park, field="passport")
    assert refused.value.code == "invalid"
    (error,) = refused.value.errors
    assert (error.field, error.code) == ("reasons[0].field", "unknown_value")
    assert "person.name_zh" in error.message


async def _rejected(park: Park) -> Case:
    case = await park.review()
    await case.decide("refuse", "employment_unproved")
    reasons = [{"code": "facts_incomplete", "note": "The letter is missing."}]
    given = {"action": "reject", "round": 1, "reasons": reasons, "note": "See page 3."}
    await case.do(OFFICER_2, CommandKind.CONFIRM, **given)
    return case


async def test_the_proposer_reads_why_the_second_signature_was_not_given(park: Park) -> None:
    case = await _rejected(park)
    for channel, text in (await _texts(case, "second_signature_rejected", "proposer")).items():
        if channel in ("inbox", "mail"):
            for words in ("事实尚未查清", "The letter is missing.", "See page 3."):
                assert words in text["text"]
            assert "facts_incomplete" not in text["text"]


async def test_staff_sees_the_rejection_on_the_case_until_the_next_decision_and_outsiders_never(park: Park) -> None:
    case = await _rejected(park)
    rejected = (await case.view(OFFICER))["rejected"]
    assert (rejected["act"], rejected["by"], rejected["note"]) == ("refuse", "officer-2", "See page 3.")
    (reason,) = rejected["reasons"]
    assert reason["code"] == "facts_incomplete"
    assert reason["message"]
    assert reason["note"] == "The letter is missing."
    assert "rejected" not in await case.view(EMPLOYER_A)
    await case.decide("approve")
    assert (await case.view(OFFICER))["rejected"] is None


async def test_a_rejected_withholding_says_why_as_well(park: Park) -> None:
    case = await park.approved(permit_card_number=None, permit_card_valid_until=None)
    reasons = [{"code": "permit_card_ends_early"}]
    await case.do(OFFICER, PermitCommand.ELIGIBILITY, destination="HK", action="withhold", reasons=reasons)
    given = {"action": "reject", "reasons": [{"code": "reason_not_supported", "note": "It may be sent."}]}
    await case.do(OFFICER_2, PermitCommand.PERMIT_CONFIRM, destination="HK", **given)
    permit = next(p for p in (await case.view(OFFICER))["permits"] if p["destination"] == "HK")
    assert permit["rejected"]["reasons"][0]["note"] == "It may be sent."
    texts = await _texts(case, "second_signature_rejected", "proposer")
    assert "It may be sent." in texts["inbox"]["text"]


@pytest.mark.parametrize("kind", ["departure_recorded", "registration_ended"])
async def test_an_end_gives_its_reason_in_words_and_its_code_to_machines(park: Park, kind: str) -> None:
    await _subscribe(park)
    case = await park.submitted()
    await case.depart("2026-03-05", "moved_out_of_park")
    await case.at("2026-03-06")
    for recipient in ("employer", "person"):
        text = await _told(case, kind, recipient)
        assert "moved_out_of_park" not in text
        assert "转到园区外工作" in text
    assert (await _event(case, kind))["end_reason"] == "moved_out_of_park"


async def test_an_approval_tells_a_webhook_the_stage_it_has_when_it_goes_out(park: Park) -> None:
    await _subscribe(park)
    case = await park.review()
    await case.decide("approve")
    assert (await case.view(EMPLOYER_A))["stage"] == "under_review"
    assert (await _event(case, "registration_approved"))["stage"] == "approved"


async def test_a_proposal_never_shows_in_what_a_webhook_says(park: Park) -> None:
    await _subscribe(park)
    case = await park.review()
    await case.decide("refuse", "employment_unproved")
    await case.do(EMPLOYER_A, CommandKind.WITHDRAW)
    assert (await _event(case, "registration_withdrawn"))["stage"] == "withdrawn"
    assert await case.notices("decision_delayed") == []


async def test_the_person_reads_why_the_authority_revoked_and_the_employer_does_not(park: Park) -> None:
    await _subscribe(park)
    case = await park.issued()
    await case.answer("revoked", reason_code="R12", reason_text="条件不再符合")
    assert "条件不再符合" in await _told(case, "permit_revoked", "person")
    for text in (await _texts(case, "permit_revoked", "employer")).values():
        assert "条件不再符合" not in str(text)
        assert "R12" not in str(text)


async def test_a_code_without_an_explanation_is_told_as_what_it_is(park: Park) -> None:
    case = await park.accepted()
    await case.answer("refused", reason_code="R12")
    assert "只告知了代码“R12”" in await _told(case, "permit_refused", "person")
    assert "R12" not in await _told(case, "permit_refused", "employer")
