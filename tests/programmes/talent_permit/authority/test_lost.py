"""Answers of the authority about what a restore took away: kept once, applied when it is there, or attached by two."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from sqlalchemy import insert

from cases.case.file import read_case
from cases.notices import staff
from cases.shared.idempotency import Reply
from domain.actors import Actor, system
from domain.errors import Refused
from domain.languages import Language
from programmes.talent_permit.authority import lost as lost_answers
from programmes.talent_permit.authority import lost_acts, outcomes, polling
from programmes.talent_permit.authority.answers import AuthorityAnswer
from programmes.talent_permit.authority.lost_views import AttachmentConfirmation, AttachmentRequest
from programmes.talent_permit.authority.outcomes import Said
from programmes.talent_permit.notices import PermitNotice
from programmes.talent_permit.permit_stages import Destination, PermitStage
from programmes.talent_permit.tables import permit_rows
from store import tables
from tests.cases.contexts import OFFICER, SUPERVISOR, key
from tests.cases.driver import AUTHORITY, OFFICER_2, Case, Park, china, open_park
from tests.cases.facts import differences
from tests.rows import Rows

LOST = "HT-0000-0000-E"


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


def _answer(park: Park, reference: str = LOST, **given: Any) -> AuthorityAnswer:
    body = {
        "outcome_id": "out-1",
        "case": f"{reference}/HK",
        "outcome": "accepted",
        "authority_number": "A-77",
        "occurred_at": park.clock.at,
    }
    return AuthorityAnswer.model_validate(body | given)


async def _refused(park: Park, answer: AuthorityAnswer, message_id: str | None = "msg_1") -> None:
    with pytest.raises(Refused, match="case_unknown"):
        await outcomes.receive(park.context, AUTHORITY, answer, message_id=message_id, body=b"{}")


async def _kept(park: Park) -> list[dict[str, Any]]:
    items, _ = await lost_answers.list_answers(park.context, None, after=None, limit=50)
    return [item.as_json() for item in items]


async def _propose(park: Park, answer_id: str, case: Case, actor: Any = OFFICER) -> Reply:
    asked = AttachmentRequest(reference=case.reference)
    return await lost_acts.propose(park.context, actor, UUID(answer_id), asked, key())


async def _sign(park: Park, answer_id: str, action: str, actor: Any = OFFICER_2) -> Reply:
    asked = AttachmentConfirmation.model_validate({"action": action})
    reply, received = await lost_acts.confirm(park.context, actor, UUID(answer_id), asked, key())
    if received is not None and received.command_id is not None:
        await Case(park, received.reference).step()
    return reply


async def test_an_answer_about_a_case_that_is_not_there_is_kept_once_and_still_refused(park: Park) -> None:
    answer = _answer(park)
    for _ in range(3):
        await _refused(park, answer)
    # The same by poll, and its instant written in another way.
    for result in await outcomes.receive_each(park.context, [Said(system("ask_authority"), answer, source="poll")]):
        assert isinstance(result, Refused)
    (kept,) = await _kept(park)
    assert {name: kept[name] for name in ("case", "authority_number", "message_id", "source", "state")} == {
        "case": f"{LOST}/HK",
        "authority_number": "A-77",
        "message_id": "msg_1",
        "source": "callback",
        "state": "kept",
    }
    (row,) = await park.rows(tables.lost_answers)
    assert b"A-77" not in row["body"]
    assert [lost["reference"] for lost in await park.rows(tables.lost_cases)] == [LOST]
    assert await polling.unknown_answers(park.context, [answer]) == []
    # Something else that is said of it is another answer.
    await _refused(park, _answer(park, outcome_id="out-2", outcome="withdrawn"), None)
    assert len(await _kept(park)) == 2
    seen = await park.rows(tables.ledger, tables.ledger.c.act == "answer_refused")
    assert [row["detail"].get("kept") for row in seen][:2] == [kept["id"], None]


async def test_an_answer_about_what_a_restore_took_away_is_applied_once_it_is_there_again(
    park: Park, rows: Rows
) -> None:
    case = await park.review()
    await rows.back_up()
    await case.approve()
    await case.make_calls()
    await rows.restore()
    accepted = _answer(park, case.reference)
    await _refused(park, accepted)
    assert await lost_acts.take_found(park.context) == []
    # Approved again, it is followed again: the answer that the authority gave meanwhile proves that it was told.
    await case.approve()
    heard = await lost_acts.take_found(park.context)
    for received in heard:
        assert received.reference == case.reference
    await case.step()
    file = await read_case(park.context, case.reference)
    permit = permit_rows(file)[Destination.HK]
    assert (permit.stage, permit.authority_number) == (PermitStage.ACCEPTED, "A-77")
    (row,) = await park.rows(tables.lost_answers)
    assert (row["state"], row["body"]) == ("applied", None)
    (key,) = await park.rows(tables.data_keys, tables.data_keys.c.key_id == row["key_id"])
    assert key["wrapped"] is None
    assert await lost_acts.take_found(park.context) == []
    # The authority that repeats it hears that it is known.
    again = await outcomes.receive(park.context, AUTHORITY, accepted, message_id="msg_1", body=b"{}")
    assert again.reply.body == {"status": "already_recorded"}


async def test_an_answer_is_attached_by_two_to_the_case_that_was_submitted_anew(park: Park) -> None:
    await _refused(park, _answer(park))
    (kept,) = await _kept(park)
    case = await park.submitted()
    assert (await _propose(park, kept["id"], case)).progress == "stored"
    with pytest.raises(Refused, match="wrong_stage"):
        await _propose(park, kept["id"], case)
    with pytest.raises(Refused, match="same_signer"):
        await _sign(park, kept["id"], "confirm", OFFICER)
    assert permit_rows(await read_case(park.context, case.reference))[Destination.HK].stage == PermitStage.SUBMITTED
    signed = await _sign(park, kept["id"], "confirm")
    assert signed.body is not None
    assert (signed.body["state"], signed.body["attached_to"]) == ("attached", case.reference)
    permit = permit_rows(await read_case(park.context, case.reference))[Destination.HK]
    assert (permit.stage, permit.authority_number) == (PermitStage.ACCEPTED, "A-77")
    assert await differences(case) == set()
    acts = [row["act"] for row in await park.rows(tables.ledger, tables.ledger.c.chain == case.reference)]
    assert [act for act in acts if "attach" in act] == ["answer_attach_proposed", "answer_attached"]
    with pytest.raises(Refused, match="already_decided"):
        await _propose(park, kept["id"], case)
    (row,) = await park.rows(tables.lost_answers)
    assert (row["body"], row["attached_to"]) == (None, case.reference)
    (data_key,) = await park.rows(tables.data_keys, tables.data_keys.c.destroyed_at.is_not(None))
    assert data_key["wrapped"] is None


async def test_who_may_sign_an_attachment_is_told_what_waits_and_by_when(park: Park) -> None:
    await _refused(park, _answer(park))
    (kept,) = await _kept(park)
    case = await park.submitted()
    await _propose(park, kept["id"], case)
    asked = PermitNotice.ATTACHMENT_PROPOSED

    async def told(reader: Actor, language: Language = Language.EN) -> list[str]:
        notices, _ = await staff.list_own(park.context, reader, language, kind=asked)
        return [notice.text or "" for notice in notices]

    assert await told(OFFICER) == []
    for reader in (OFFICER_2, SUPERVISOR):
        (said,) = await told(reader)
        assert said.startswith(f"{case.reference} (Hong Kong): a proposal that an answer")
        assert said.endswith("sign or reject it by Tuesday, 3 March 2026.")
    (simplified,), (traditional,) = [await told(OFFICER_2, each) for each in (Language.ZH_HANS, Language.ZH_HANT)]
    assert "等待第二人签署" in simplified
    assert "等待第二人簽署" in traditional
    # Rejected and proposed by the other one, it is another question.
    await _sign(park, kept["id"], "reject")
    park.clock.at += timedelta(minutes=1)
    await _propose(park, kept["id"], case, OFFICER_2)
    assert len(await told(OFFICER)) == 1


async def test_an_attachment_that_is_not_signed_leaves_the_answer_as_it_was(park: Park) -> None:
    await _refused(park, _answer(park))
    (kept,) = await _kept(park)
    case = await park.submitted()
    await _propose(park, kept["id"], case)
    rejected = await _sign(park, kept["id"], "reject")
    assert rejected.body is not None
    assert (rejected.body["state"], rejected.body["attached_to"]) == ("kept", None)
    assert await _kept(park) == [kept]
    assert await park.rows(tables.answers) == []
    with pytest.raises(Refused, match="wrong_stage"):
        await _sign(park, kept["id"], "confirm")
    assert (await _propose(park, kept["id"], case)).progress == "stored"


async def test_who_declared_a_conflict_attaches_nothing_and_a_case_without_the_permit_takes_nothing(
    park: Park,
) -> None:
    await _refused(park, _answer(park))
    (kept,) = await _kept(park)
    early = await park.review()
    with pytest.raises(Refused, match="wrong_stage"):
        await _propose(park, kept["id"], early)
    case = await park.submitted(identity_number="33010619860128072X")
    conflict = {"reference": case.reference, "subject": "test officer-1", "employer_id": "emp-a"}
    async with park.context.database.begin() as connection:
        await connection.execute(insert(tables.conflicts).values(**conflict, declared_at=park.clock.at))
    with pytest.raises(Refused, match="role_not_allowed"):
        await _propose(park, kept["id"], case)
    await _propose(park, kept["id"], case, OFFICER_2)
    with pytest.raises(Refused, match="role_not_allowed"):
        await _sign(park, kept["id"], "confirm", OFFICER)
    with pytest.raises(Refused, match="not_found"):
        await _propose(park, str(uuid4()), case)


async def test_kept_answers_are_deleted_with_their_keys_after_the_time_of_registered_cases(park: Park) -> None:
    await _refused(park, _answer(park))
    async with park.context.database.begin() as connection:
        await lost_answers.forget_before(connection, park.clock.at - timedelta(days=1), 10)
    assert len(await _kept(park)) == 1
    async with park.context.database.begin() as connection:
        await lost_answers.forget_before(connection, park.clock.at + timedelta(days=1), 10)
    assert await _kept(park) == []
