"""Erasing a person: nothing that is stored names them any more, and everything that was proved is proved still."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import text

from cases.shared.persons import find_person
from cases.shared.views import document
from domain.actors import Actor, Role
from domain.commands import CommandKind
from domain.decisions import ConfirmationAction
from domain.documents import document_of_identity_number
from domain.erasure import (
    ErasureConfirmation,
    ErasureReason,
    ErasureRequest,
    HoldReason,
    LegalHoldRelease,
    LegalHoldRequest,
    ReleaseReason,
)
from domain.errors import Refused, Unavailable
from domain.folding import fold
from domain.roster import OnDefect
from privacy import erasures, legal_holds
from privacy.erasing import hold_person
from programmes.talent_permit.rosters import PermitRoster
from programmes.talent_permit.told import FOLDING
from proof.files import verify
from proof.ledger_rows import row_hash
from proof.receipts import canonical
from proof.verdicts import read_keys
from record.seal import log
from register.rosters import intake
from register.rosters.work import work_once
from store import tables
from store.erasure_list import ErasureList
from store.forgetting import forget
from store.rows.record import LedgerRow
from tests.cases.contexts import EMPLOYER_A, NOON, OFFICER, SUPERVISOR, SUPERVISOR_2, key
from tests.cases.driver import OFFICER_2, Case, Park, open_park
from tests.privacy.sweep import places_of
from tests.record.seal.sealed import seal_all
from tests.record.telling import receipts_of

AUDITOR = Actor(issuer="test", subject="auditor", role=Role.AUDITOR)
PERSON = {
    "name_zh": "冯承泽",
    "name_en": "Feng Chengze",
    "identity_number": "44030419900307123X",
    "permit_card_number": "C12345678",
    "email": "feng@example.com",
    "phone": "+8613812345678",
}
WORDS = [value.encode() for value in (*PERSON.values(), "C-HK-0001", "HR-FENG-7", "他的备注")]
CSV = (
    "client_reference,name_zh,identity_number,position,work_site,employment_kind,contract_start,language,destinations,"
    "state_worker\nR-7,冯承泽,44030419900307123X,主管,SZP-001,contract,2025-01-01,zh-Hans,HK,no\n"
)


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, NOON) as park:
        yield park


async def ended_case(park: Park) -> Case:
    """Take a person the whole way: returned, corrected, approved, issued, lost, departed, and all of it answered."""
    case = await park.review(
        client_reference="HR-FENG-7", destinations=["HK"], name_en="Feng Chengze", permit_card_number="C12345678"
    )
    await case.decide("return", "document_unreadable", note="他的备注")
    await case.do(EMPLOYER_A, CommandKind.CORRECT, person={"phone": "+8613812345678"})
    await case.approve()
    await case.make_calls()
    await case.answer("accepted")
    await case.answer("issued")
    await case.depart("2026-03-03")
    await case.at("2026-03-05")
    await case.make_calls()
    await case.answer("revoked", reason_code="x", reason_text="他的备注")
    await settle_notices(park)
    return case


async def settle_notices(park: Park) -> None:
    """Let everything that waits have gone out."""
    async with park.context.database.begin() as connection:
        await connection.execute(tables.deliveries.update().values(status="sent"))


async def hand_in(park: Park, *, dry_run: bool, content: str = CSV) -> None:
    """Hand in a roster that holds the person, and work it off."""
    file = intake.RosterFile(content.encode(), "text/csv", "r.csv", PermitRoster.REGISTER, dry_run, OnDefect.SKIP)
    await intake.receive(park.context, EMPLOYER_A, file, key("POST /v1/rosters"))
    while await work_once(park.context):
        pass


async def propose(park: Park, case: Case, reason: ErasureReason = ErasureReason.PERSON_ASKED) -> Any:
    return await erasures.propose(park.context, SUPERVISOR, case.reference, ErasureRequest(reason=reason), key())


async def sign(park: Park, case: Case, by: Actor = SUPERVISOR_2) -> Any:
    said = ErasureConfirmation(action=ConfirmationAction.CONFIRM)
    return await erasures.confirm(park.context, by, case.reference, said, key())


async def erase(park: Park, case: Case) -> None:
    await propose(park, case)
    await sign(park, case)


async def code_of(coroutine: Any) -> str:
    with pytest.raises(Refused) as caught:
        await coroutine
    return caught.value.code


async def test_nothing_that_is_stored_names_an_erased_person(park: Park) -> None:
    case = await ended_case(park)
    await hand_in(park, dry_run=True)
    hashes = [(await case.row())[name] for name in ("name_hash", "last_four_hash")]
    hashes += [row["identity_hash"] for row in await park.rows(tables.persons)]
    words = [*WORDS, *hashes]
    before = await places_of(park.context, words)
    assert before >= {
        "applications.body", "assessments.facts", "answers.body", "notices.body", "commands.body", "idempotency.answer",
        "permits.authority_number", "permits.reason", "roster_rows.body", "persons.identity_hash",
        "person_documents.lookup_hash",
        "cases.client_reference", "cases.name_hash", "cases.last_four_hash",
    }  # fmt: skip
    for word in words:
        assert await places_of(park.context, [word]), word
    await erase(park, case)
    assert await places_of(park.context, words) == set()


async def test_a_row_that_names_the_person_in_full_width_is_emptied(park: Park) -> None:
    case = await ended_case(park)
    wide = "".join(chr(ord(mark) + 0xFEE0) for mark in "44030419900307123X")
    lines = CSV.replace("44030419900307123X", wide).replace("冯承泽", "冯承择")
    await hand_in(park, dry_run=True, content=lines)
    assert [bool(row["body"]) for row in await park.rows(tables.roster_rows)] == [True]
    await erase(park, case)
    assert [bool(row["body"]) for row in await park.rows(tables.roster_rows)] == [False]


async def test_what_was_proved_before_is_proved_after(park: Park) -> None:
    case = await ended_case(park)
    await seal_all(park.context)
    keys = read_keys(json.dumps(document(log.public_keys(park.context))))
    kept = canonical(await receipts_of(park.context, AUDITOR, case.reference))
    assert verify(kept, keys).holds
    await erase(park, case)
    await seal_all(park.context)
    assert verify(kept, keys).holds
    later = canonical(await receipts_of(park.context, AUDITOR, case.reference))
    assert verify(later, keys).holds
    for receipt in json.loads(later)["items"]:
        facts = receipt["content"]["facts"]
        assert facts
        assert all((fact["shown"], fact["value"]) == ("erased", None) for fact in facts)
    old, new = (json.loads(answer)["items"] for answer in (kept, later))
    for name in ("decision", "findings", "ledger"):
        assert [each["content"][name] for each in old] == [each["content"][name] for each in new]
    rows = await park.rows(tables.ledger, tables.ledger.c.chain == case.reference)
    assert [row_hash(row) for row in rows] == [row["hash"] for row in rows]
    destroyed = await case.last("key_destroyed")
    assert (destroyed["outcome"], destroyed["reason_codes"]) == ("erased", ["person_asked"])
    in_order = sorted(rows, key=lambda row: row["seq"])
    assert fold((LedgerRow.from_mapping(row) for row in in_order), FOLDING).stage == "ended"


async def test_the_same_person_comes_again_as_a_new_one(park: Park) -> None:
    case = await ended_case(park)
    await erase(park, case)
    again = await park.review()
    assert (await again.row())["person_id"] != (await case.row())["person_id"]
    assert (await again.view())["person"] == {
        "name_zh": "冯○○", "name_en": None, "identity_number": "4403**********123X", "document": None,
        "language": "zh-Hans",
        "erased": False,
    }  # fmt: skip
    erased = (await case.view())["person"]
    assert erased.pop("erased")
    assert set(erased.values()) == {None}


async def test_a_submission_that_meets_an_erasure_is_no_case_of_the_erased_person(park: Park) -> None:
    case = await ended_case(park)
    await propose(park, case)
    signing, coming = sign(park, case), park.take_on()
    outcomes: Any = await asyncio.gather(signing, coming, return_exceptions=True)
    signed, again = outcomes
    assert (await again.view())["person"]["erased"] is False
    if isinstance(signed, BaseException):  # the new case was first, so that the person is live
        assert isinstance(signed, Refused)
        assert signed.code == "case_not_at_rest"
    else:
        assert (await again.row())["person_id"] != (await case.row())["person_id"]


async def test_what_is_live_or_waits_is_not_erased_and_the_ledger_says_why(park: Park) -> None:
    case = await park.review(destinations=["HK"])
    assert await code_of(propose(park, case)) == "case_not_at_rest"
    await case.approve()
    await case.make_calls()
    await case.answer("accepted")
    await case.answer("issued")
    await case.depart("2026-03-03")
    await case.at("2026-03-05")
    assert await case.stage() == "ended"
    await settle_notices(park)
    assert await code_of(propose(park, case)) == "case_not_at_rest"
    await case.make_calls()
    await case.answer("revoked")
    assert await code_of(propose(park, case)) == "case_not_at_rest"
    await settle_notices(park)
    await propose(park, case)
    refused = await park.rows(tables.ledger, tables.ledger.c.act == "erasure_refused")
    assert sorted(row["detail"]["kept_by"] for row in refused) == ["case_live", "permit_running", "work_waits"]
    assert {row["reference"] for row in refused} == {case.reference}
    assert await park.rows(tables.persons, tables.persons.c.identity_hash.is_(None)) == []


async def test_an_erasure_takes_two_and_can_be_rejected(park: Park) -> None:
    case = await ended_case(park)
    assert await code_of(sign(park, case)) == "wrong_stage"
    assert await code_of(propose(park, case, ErasureReason.RETENTION_OVER)) == "invalid"
    await propose(park, case)
    assert await code_of(propose(park, case)) == "wrong_stage"
    assert await code_of(sign(park, case, by=SUPERVISOR)) == "same_signer"
    barred = {"reference": case.reference, "subject": f"test {OFFICER_2.subject}", "employer_id": "emp-a"}
    async with park.context.database.begin() as connection:
        await connection.execute(tables.conflicts.insert().values(**barred, declared_at=park.clock.at))
    assert await code_of(sign(park, case, by=OFFICER_2)) == "role_not_allowed"
    no = ErasureConfirmation(action=ConfirmationAction.REJECT)
    await erasures.confirm(park.context, OFFICER, case.reference, no, key())
    assert (await case.view())["person"]["erased"] is False
    await erase(park, case)
    assert await code_of(propose(park, case)) == "facts_erased"
    assert (await case.ledger())[-4:] == [
        "erasure_proposed", "erasure_rejected", "erasure_proposed", "key_destroyed",
    ]  # fmt: skip
    listed = await erasures.list_erasures(park.context, case.reference)
    assert sorted(each.state for each in listed) == ["done", "rejected"]


async def test_a_legal_hold_wins_over_an_erasure_until_it_is_released(park: Park) -> None:
    case = await ended_case(park)
    await propose(park, case)
    asked = LegalHoldRequest(reason=HoldReason.LITIGATION, paper="2026-0042")
    hold = (await legal_holds.place(park.context, SUPERVISOR, case.reference, asked, key())).body
    assert await code_of(sign(park, case)) == "legal_hold"
    (shown,) = (await case.view(AUDITOR))["legal_holds"]
    assert (shown["id"], shown["reason"]) == (hold["id"], "litigation")
    assert "legal_holds" not in await case.view(EMPLOYER_A)
    ends = LegalHoldRelease(reason=ReleaseReason.MATTER_CLOSED)
    given = (park.context, SUPERVISOR_2, case.reference, UUID(hold["id"]), ends)
    await legal_holds.release(*given, key())
    assert await code_of(legal_holds.release(*given, key())) == "already_decided"
    await sign(park, case)
    (after,) = await legal_holds.list_holds(park.context, AUDITOR, case.reference)
    assert (after.paper, after.release_reason) == (None, "matter_closed")
    assert {"legal_hold_placed", "legal_hold_released"} < set(await case.ledger())


async def test_without_the_list_nothing_is_erased(park: Park, tmp_path: Path) -> None:
    case = await ended_case(park)
    await propose(park, case)
    nowhere = ErasureList(tmp_path / "nowhere" / "erasures.jsonl", park.context.keyring)
    unable = replace(park.context, erasure_list=nowhere)
    said = ErasureConfirmation(action=ConfirmationAction.CONFIRM)
    with pytest.raises(Unavailable):
        await erasures.confirm(unable, SUPERVISOR_2, case.reference, said, key())
    assert (await case.view())["person"]["erased"] is False


async def test_an_answer_about_an_erased_person_is_refused_and_shown_to_the_operator(park: Park) -> None:
    case = await ended_case(park)
    await erase(park, case)
    assert await code_of(case.answer("kept")) == "facts_erased"
    (line,) = await park.rows(tables.incidents)
    assert (line["kind"], line["reason"]) == ("authority_answer", "facts_erased")


async def test_a_case_that_a_corrected_number_moved_is_erased_under_both_keys(park: Park) -> None:
    case = await park.review()
    await case.decide("return", "identity_number_wrong")
    await case.do(EMPLOYER_A, CommandKind.CORRECT, person={"identity_number": "440304197001010012"})
    await case.do(EMPLOYER_A, CommandKind.WITHDRAW)
    await settle_notices(park)
    words = [b"44030419900307123X", b"440304197001010012", "冯承泽".encode()]
    await erase(park, case)
    assert await places_of(park.context, words) == set()
    assert {row["identity_hash"] for row in await park.rows(tables.persons)} == {None}
    assert await park.rows(tables.person_documents) == []


async def test_who_asks_for_a_person_while_they_are_erased_finds_nobody(park: Park) -> None:
    case = await ended_case(park)
    database, number = park.context.database, PERSON["identity_number"]
    row = await case.row()
    (person,) = await park.rows(tables.persons)

    async def find() -> object:
        async with database.begin("emp-b") as connection:
            return await find_person(park.context, connection, document_of_identity_number(number))

    assert await find() is not None
    async with database.begin() as connection:
        await hold_person(connection, row["person_id"])
        waiting = asyncio.create_task(find())
        blocked = text("SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))")
        while (await connection.execute(blocked)).first() is None:
            assert not waiting.done()
            await asyncio.sleep(0.01)
        await forget(
            connection,
            keys=[person["key_id"]],
            persons=[row["person_id"]],
            references=[case.reference],
            at=NOON,
            own=park.context.own_tables,
        )
    assert await waiting is None
