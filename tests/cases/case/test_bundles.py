"""What one step tells one reader is one mail or SMS; each notice keeps its row, its hash and its status."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import select, update

from cases.case.file import open_case, read_case
from cases.notices import receipts
from cases.notices.compose import Telling, tell
from cases.notices.due import Due, lease, settle, text_instead
from cases.shared.inboxes import Received
from domain.notices import Channel, Recipient
from domain.webhooks import ReceiptRequest, ReceiptStatus
from programmes.talent_permit.authority.answers import AuthorityAnswer
from programmes.talent_permit.authority.outcomes import Said, receive_each
from programmes.talent_permit.notices import PermitNotice
from programmes.talent_permit.permit_stages import Destination
from store import tables
from store.tables import deliveries, ledger, notices
from tests.cases.driver import AUTHORITY, Case, Park, china, open_park
from tests.cases.notices.telling import failed, later, sent, take_digests
from texts.notices import Rendered, text_hash

ISSUED = {"valid_from": "2026-03-10", "valid_until": "2029-03-09", "stay_days": 30, "entries": "multiple"}


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:  # a Monday
        yield park


async def _send_all(park: Park, channel: Channel = Channel.MAIL) -> list[Due]:
    """Send whatever is due on a channel and return the messages."""
    dues = await lease(park.context, channel, park.clock.at, 100)
    await settle(park.context, sent(dues), park.clock.at)
    return dues


def _both(messages: list[Due], *to: str) -> list[Due]:
    """Return the messages that carry two notices, to these addresses or to any."""
    return [m for m in messages if len(m.leased.delivery_ids) == 2 and m.to in (to or (m.to,))]


async def _answer_both(case: Case, outcome: str) -> None:
    """Let the authority answer on both destinations at the same moment."""
    said = []
    for destination in ("HK", "MO"):
        case.park.answered += 1
        given: dict[str, Any] = {
            "outcome_id": f"o-{case.park.answered}",
            "case": f"{case.reference}/{destination}",
            "outcome": outcome,
            "occurred_at": case.park.clock.at,
            "authority_number": f"C-{destination}-1",
        } | (ISSUED if outcome == "issued" else {})
        said.append(Said(AUTHORITY, AuthorityAnswer.model_validate(given), f"m-{case.park.answered}"))
    for received in await receive_each(case.park.context, said):
        assert isinstance(received, Received), received
    await case.step()


async def _deliveries(case: Case, kind: str, recipient: str, channel: str = "mail") -> list[dict[str, Any]]:
    query = (
        select(deliveries, notices.c.status.label("notice_status"), notices.c.text_hash)
        .join(notices, notices.c.notice_id == deliveries.c.notice_id)
        .where(notices.c.reference == case.reference, notices.c.kind == kind, notices.c.recipient == recipient)
        .where(deliveries.c.channel == channel)
    )
    async with case.park.context.database.begin() as connection:
        return [dict(row) for row in (await connection.execute(query)).mappings()]


async def test_a_straight_case_for_both_makes_sixteen_notices_and_ten_messages(park: Park) -> None:
    messages = []
    case = await park.review()
    messages += await _send_all(park)
    await case.approve()
    messages += await _send_all(park)
    await case.make_calls()
    messages += await _send_all(park)
    await _answer_both(case, "accepted")
    messages += await _send_all(park)
    await _answer_both(case, "issued")
    messages += await _send_all(park)
    rows = await park.rows(notices)
    assert len(rows) == 16
    assert len({row["text_hash"] for row in rows}) == 16
    assert {row["status"] for row in rows} == {"sent"}
    assert Counter(message.to for message in messages) == {"hr@htri.example": 5, "feng@example.com": 5}
    assert await park.rows(deliveries, deliveries.c.status != "sent") == []


async def test_the_one_mail_names_both_destinations_and_says_the_rest_once(park: Park) -> None:
    await park.submitted()
    (mail,) = _both(await _send_all(park), "feng@example.com")
    assert "（香港、澳门）" in mail.subject
    assert "目的地为香港、澳门" in mail.text
    assert mail.text.count("请携带") == 1
    assert mail.html is not None
    assert mail.html.count("<h1") == 1


async def test_what_differs_by_destination_has_a_section_each(park: Park) -> None:
    case = await park.submitted()
    await _send_all(park)
    await case.answer("issued", "HK")
    await _send_all(park)
    await case.depart("2026-03-05")
    await case.at("2026-03-06")
    (mail,) = [m for m in await _send_all(park) if m.to == "feng@example.com" and "已终止" in m.text]
    for words in ("2 项通知", "备案已终止", "备案的终止已告知出入境管理机构"):
        assert words in mail.text
    assert await case.told("registration_ended") == Counter(employer=1, person=1)


async def test_the_ledger_tells_the_truth_of_each_notice_and_of_the_message(park: Park) -> None:
    case = await park.submitted()
    (mail,) = _both(await _send_all(park), "hr@htri.example")
    rows = await _deliveries(case, "permit_submitted", "employer")
    assert {row["carried_by"] or row["delivery_id"] for row in rows} == {min(row["delivery_id"] for row in rows)}
    assert mail.message_id == str(min(row["delivery_id"] for row in rows))
    (hashed,) = {row["message_hash"] for row in rows}
    head = next(row for row in rows if row["carried_by"] is None)
    (notice,) = await park.rows(notices, notices.c.notice_id == head["notice_id"])
    texts = (await read_case(park.context, case.reference)).open(
        "notices", "body", str(notice["notice_id"]), notice["body"]
    )
    assert hashed == text_hash(Rendered(mail.subject, mail.text, mail.html), texts["salt"])
    entries = await park.rows(ledger, ledger.c.chain.in_([f"notice/{row['notice_id']}" for row in rows]))
    details = {entry["detail"]["delivery_id"]: entry["detail"] for entry in entries}
    assert {each["message"] for each in details.values()} == {mail.message_id}
    assert {each["message_hash"] for each in details.values()} == {hashed}
    assert {d["text_hash"] for d in details.values()} == {row["text_hash"] for row in rows}


async def test_a_mail_that_waits_goes_out_again_as_the_same_message(park: Park) -> None:
    await park.submitted()
    first = _both(await lease(park.context, Channel.MAIL, park.clock.at, 100))
    await settle(park.context, later(first), park.clock.at)
    again = await lease(park.context, Channel.MAIL, park.clock.at + timedelta(hours=1), 100)
    assert {(m.message_id, m.text) for m in _both(again)} == {(m.message_id, m.text) for m in first}
    assert len(first) == 2


async def test_a_lease_that_ends_gives_the_whole_message_again(park: Park) -> None:
    await park.submitted()
    first = await lease(park.context, Channel.MAIL, park.clock.at, 100)
    assert await lease(park.context, Channel.MAIL, park.clock.at, 100) == []
    again = await lease(park.context, Channel.MAIL, park.clock.at + timedelta(minutes=2), 100)
    assert {m.leased.delivery_ids for m in again} == {m.leased.delivery_ids for m in first}


@pytest.mark.parametrize("about", ["gateway", "own"])
async def test_a_receipt_is_for_every_notice_of_the_message(park: Park, about: str) -> None:
    case = await park.submitted()
    dues = await lease(park.context, Channel.MAIL, park.clock.at, 100)
    await settle(park.context, [r for due in dues for r in sent([due], f"{due.message_id}@x")], park.clock.at)
    rows = await _deliveries(case, "permit_submitted", "person")
    head = str(min(row["delivery_id"] for row in rows))
    named = f"<{head}@x>" if about == "gateway" else head
    receipt = ReceiptRequest.model_validate({"id": named, "status": ReceiptStatus.DELIVERED, "at": park.clock.at})
    await receipts.receive(park.context, "r-1", receipt)
    rows = await _deliveries(case, "permit_submitted", "person")
    assert {row["notice_status"] for row in rows} == {"delivered"}


async def test_a_mail_that_fails_is_followed_by_one_sms(park: Park) -> None:
    case = await park.submitted()
    dues = await lease(park.context, Channel.MAIL, park.clock.at, 100)
    theirs = _both(dues, "feng@example.com")
    await settle(park.context, failed(theirs), park.clock.at)
    rows = await _deliveries(case, "permit_submitted", "person", "sms")
    assert len(rows) == 2
    (text,) = await _send_all(park, Channel.SMS)
    assert set(text.leased.delivery_ids) == {row["delivery_id"] for row in rows}
    assert {row["status"] for row in await _deliveries(case, "permit_submitted", "person", "sms")} == {"sent"}


async def test_a_mail_that_is_late_is_followed_by_one_sms(park: Park) -> None:
    await park.submitted()
    at = park.clock.at + timedelta(hours=25)
    await text_instead(park.context, at)
    rows = await park.rows(deliveries, deliveries.c.channel == "sms")
    carried = Counter(row["carried_by"] is not None for row in rows)
    assert carried == {False: 3, True: 1}  # received, approved, and one for both list entries


async def test_a_person_without_mail_gets_one_sms_for_both(park: Park) -> None:
    await park.submitted(email=None)
    texts = await lease(park.context, Channel.SMS, park.clock.at, 100)
    assert sorted(len(m.leased.delivery_ids) for m in texts) == [1, 1, 2]


async def test_where_nobody_is_reached_the_employer_gets_one_mail_to_hand_over(park: Park) -> None:
    case = await park.submitted(email=None, phone=None)
    rows = await _deliveries(case, "hand_over_requested", "employer")
    mails = Counter(row["carried_by"] or row["delivery_id"] for row in rows)
    assert sorted(mails.values()) == [1, 1, 2]


async def test_a_mail_that_reaches_nobody_has_its_case_told_once_for_all(park: Park) -> None:
    case = await park.submitted(phone=None)
    dues = await lease(park.context, Channel.MAIL, park.clock.at, 100)
    theirs = _both(dues, "feng@example.com")
    await settle(park.context, failed(theirs), park.clock.at)
    assert {row["notice_status"] for row in await _deliveries(case, "permit_submitted", "person")} == {"failed"}
    asked = await _deliveries(case, "hand_over_requested", "employer")
    assert len({row["carried_by"] or row["delivery_id"] for row in asked}) == 1


async def test_where_one_notice_cannot_go_the_other_goes_by_itself(park: Park) -> None:
    case = await park.submitted()
    rows = await _deliveries(case, "permit_submitted", "employer")
    head = min(row["delivery_id"] for row in rows)
    gone = next(row for row in rows if row["delivery_id"] == head)
    async with park.context.database.begin() as connection:
        emptied = update(notices).where(notices.c.notice_id == gone["notice_id"])
        await connection.execute(emptied.values(body=b""))
    dues = await lease(park.context, Channel.MAIL, park.clock.at, 100)
    mine = [m for m in dues if set(m.leased.delivery_ids) & {row["delivery_id"] for row in rows}]
    assert sorted(m.dropped for m in mine) == [False, True]
    (left,) = [m for m in mine if not m.dropped]
    assert "香港、澳门" not in left.text
    await settle(park.context, later([left]), park.clock.at)
    again = await lease(park.context, Channel.MAIL, park.clock.at + timedelta(hours=1), 100)
    assert left.message_id in {m.message_id for m in again}
    (row,) = [r for r in await park.rows(deliveries) if r["delivery_id"] == left.leased.delivery_ids[0]]
    assert (row["carried_by"], row["message_hash"]) == (None, None)


async def test_what_was_told_before_carries_nothing_that_is_told_now(park: Park) -> None:
    case = await park.submitted()
    async with open_case(park.context, case.reference) as (file, _):
        only = frozenset({Recipient.EMPLOYER})
        # The first was told already, so that neither it nor its deliveries are written again.
        for destination, occasion in ((Destination.HK, str(file.round)), (Destination.MO, "again")):
            tell(file, Telling(PermitNotice.PERMIT_SUBMITTED, park.clock.at, occasion, destination, only=only))
        mails = [row for row in file.deliveries if row.channel == "mail"]
        for row, number in zip(mails, (1, 2), strict=True):
            row.delivery_id = UUID(int=number)
    rows = await park.rows(deliveries, deliveries.c.delivery_id.in_([UUID(int=1), UUID(int=2)]))
    assert [(row["delivery_id"], row["carried_by"]) for row in rows] == [(UUID(int=2), None)]


async def test_letters_and_daily_mails_go_as_before(park: Park) -> None:
    await take_digests(park.context)
    case = await park.submitted()
    rows = await _deliveries(case, "permit_submitted", "employer")
    assert {(row["digest"], row["carried_by"]) for row in rows} == {(True, None)}
    refused = await park.review(identity_number="33010619860128072X", email="b@example.com")
    await refused.refuse()
    rows = await _deliveries(refused, "registration_refused", "employer")
    assert [(row["carried_by"], row["message_hash"]) for row in rows] == [(None, None)]


async def test_webhooks_stay_one_a_destination(park: Park) -> None:
    values = {
        "webhook_id": "11111111-1111-1111-1111-111111111111",
        "employer_id": "emp-a",
        "url": b"",
        "secrets": b"",
        "state": "active",
        "kinds": ["permit_submitted"],
        "at": park.clock.at,
    }
    async with park.context.database.begin() as connection:
        await connection.execute(tables.webhooks.insert().values(**values))
    case = await park.submitted()
    rows = await _deliveries(case, "permit_submitted", "employer", "webhook")
    assert [row["carried_by"] for row in rows] == [None, None]
