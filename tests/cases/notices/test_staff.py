"""Notices of the inbox reach their reader: own ones and those of the queue, in the reader's language, until read."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from cases.notices import failed as delivery_lists
from cases.notices import marks, staff
from cases.notices.due import lease, settle
from cases.shared.views import document
from cases.tasks import inbox as tasks
from domain.actors import Actor
from domain.commands import CommandKind
from domain.errors import Refused
from domain.languages import Language
from domain.notices import Channel, NoticeKind, Recipient
from programmes.talent_permit.notices import NOTICES, PermitNotice
from store import tables
from store.tables import data_keys, persons
from tests.cases.contexts import OFFICER, SUPERVISOR, key
from tests.cases.driver import OFFICER_2, Park, china, open_park
from tests.cases.notices.telling import failed, sent

OFFICER_3 = OFFICER.model_copy(update={"subject": "officer-3"})


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:  # a Monday
        yield park


async def inbox(park: Park, reader: Actor, language: Language = Language.EN, **chosen: Any) -> list[dict[str, Any]]:
    """Return the whole inbox of a reader as its JSON says it, page by page of two."""
    found: list[dict[str, Any]] = []
    after = None
    while True:
        items, after = await staff.list_own(park.context, reader, language, after=after, limit=2, **chosen)
        found += map(document, items)
        if after is None:
            return found


async def read(park: Park, reader: Actor, notice_id: str) -> dict[str, Any]:
    """Mark a notice as read."""
    told = staff.told_to(park.context.words, reader)
    reply = await marks.mark_read(park.context, reader, UUID(notice_id), told, key())
    return dict(reply.body)


async def kinds(park: Park, reader: Actor, **chosen: Any) -> list[str]:
    """Return the kinds of notices in the inbox of a reader, the newest first."""
    return [notice["kind"] for notice in await inbox(park, reader, **chosen)]


async def test_what_is_due_soon_reaches_the_holder_else_the_queue(park: Park) -> None:
    held, free = await park.review(), await park.review(identity_number="33010619860128072X")
    park.clock.at = china("2026-03-05", "08:00")
    await held.claim("review", by=OFFICER)
    await held.at("2026-03-05", "09:00")
    await free.step()
    mine = [notice["reference"] for notice in await inbox(park, OFFICER, kind=NoticeKind.DUE_SOON)]
    others = [notice["reference"] for notice in await inbox(park, OFFICER_2, kind=NoticeKind.DUE_SOON)]
    assert (sorted(mine), others) == (sorted([held.reference, free.reference]), [free.reference])
    (told, *_) = await inbox(park, OFFICER_2, kind=NoticeKind.DUE_SOON)
    assert (told["recipient"], told["read_at"], told["destination"]) == ("park", None, None)
    assert told["text"] == f"{free.reference}: please decide by Monday, 9 March 2026."


async def test_a_hold_to_be_looked_at_reaches_its_reader_in_each_language(park: Park) -> None:
    case = await park.review()
    await case.do(OFFICER, CommandKind.HOLD, action="place", reason="legal_question", review_on="2026-03-03")
    await case.at("2026-03-03", "09:00")
    texts = {}
    for language in Language:
        (told,) = await inbox(park, SUPERVISOR, language, kind=NoticeKind.HOLD_REVIEW_DUE)
        assert told["language"] == language
        texts[language] = told["text"]
    assert len(set(texts.values())) == len(Language)
    assert all(case.reference in said for said in texts.values())


async def test_every_kind_of_the_inbox_is_read_by_whom_the_table_names(park: Park) -> None:
    case = await park.review()
    readers = {
        Recipient.OFFICERS: {OFFICER, OFFICER_3, SUPERVISOR},
        Recipient.SUPERVISORS: {SUPERVISOR},
        Recipient.PARK: {OFFICER, OFFICER_3, SUPERVISOR},
        Recipient.HOLDER: {OFFICER_3},
        Recipient.PROPOSER: {OFFICER_3},
    }
    at = park.clock.at
    for kind, plan in NOTICES.items():
        for recipient, channels in plan.recipients.items():
            if Channel.INBOX not in channels.channels:
                continue
            notice_id = await _told(park, case.reference, kind, recipient, holder=OFFICER_3)
            expected = set(readers[recipient])
            if recipient is Recipient.OFFICERS and Recipient.SUPERVISORS in plan.recipients:
                expected -= {SUPERVISOR}  # who is told by a notice of their own
            for reader in (OFFICER, OFFICER_3, SUPERVISOR):
                found = {notice["id"] for notice in await inbox(park, reader, kind=kind)}
                assert (str(notice_id) in found) is (reader in expected), (kind, recipient, reader.subject)
    assert park.clock.at == at


async def _told(park: Park, reference: str, kind: str, recipient: Recipient, holder: Actor) -> UUID:
    """Write a notice as the row of another one, for a reader."""
    notice = (await park.rows(tables.notices, tables.notices.c.reference == reference))[0]
    own = recipient in (Recipient.HOLDER, Recipient.PROPOSER)
    notice_id = UUID(int=len(await park.rows(tables.notices)) + 1)
    changed = {
        "notice_id": notice_id,
        "kind": str(kind),
        "recipient": recipient.value,
        "subject": f"{holder.issuer} {holder.subject}" if own else "",
        "body": b"",
    }
    async with park.context.database.begin() as connection:
        await connection.execute(tables.notices.insert().values(**{**notice, **changed}))
    return notice_id


async def test_a_request_for_a_signature_is_read_by_all_but_the_proposer(park: Park) -> None:
    case = await park.review()
    await case.decide("refuse", "employment_unproved")
    assert await kinds(park, OFFICER) == []
    assert await kinds(park, OFFICER_2) == await kinds(park, SUPERVISOR) == ["second_signature_requested"]
    await case.confirm("reject", "facts_incomplete")
    assert await kinds(park, OFFICER) == ["second_signature_rejected"]
    await case.decide("refuse", "employment_unproved")
    await tasks.release(park.context, OFFICER_2, await case.task_id("confirm"), True, key())
    assert await kinds(park, OFFICER_2) == []  # who may not act on the case hears no more of it
    assert await kinds(park, SUPERVISOR) == ["second_signature_requested"] * 2


async def test_a_notice_is_read_once_and_by_each_reader_for_themselves(park: Park) -> None:
    case = await park.review()
    await case.decide("refuse", "employment_unproved")
    (told,) = await inbox(park, OFFICER_2)
    first = await read(park, OFFICER_2, told["id"])
    park.clock.at = china("2026-03-03")
    again = await read(park, OFFICER_2, told["id"])
    assert first == again
    assert [notice["read_at"] for notice in await inbox(park, OFFICER_2)] == [first["read_at"]]
    assert await kinds(park, OFFICER_2, unread=True) == []
    assert await kinds(park, OFFICER_3, unread=True) == ["second_signature_requested"]
    for stranger in (OFFICER, SUPERVISOR):  # the proposer, and one who has a notice of their own
        with pytest.raises(Refused, match="not_found"):
            await read(park, stranger, told["id"])


async def test_a_notice_without_kept_facts_is_shown_as_it_was_written_and_an_erased_one_without_words(
    park: Park,
) -> None:
    case = await park.review()
    await case.decide("refuse", "employment_unproved")
    async with park.context.database.begin() as connection:
        keyed = persons.select().with_only_columns(persons.c.key_id)
        await connection.execute(data_keys.update().where(data_keys.c.key_id.in_(keyed)).values(wrapped=None))
    (told,) = await inbox(park, OFFICER_2)
    assert (told["subject"], told["text"], told["reference"]) == (None, None, case.reference)


async def test_deliveries_that_failed_are_listed_with_what_they_were_to_say_to_whom(park: Park) -> None:
    context, at = park.context, park.clock.at
    case = await park.take_on()
    mails = await lease(context, Channel.MAIL, at, 10)
    await settle(context, failed(mails), at)
    items, _ = await delivery_lists.list_failed(context, OFFICER)
    assert {(i.reference, i.kind, i.channel, i.status) for i in items} == {
        (case.reference, "registration_received", "mail", "failed")
    }
    assert {i.recipient for i in items} == {"employer", "person"}
    assert all(i.reason for i in items)
    # The person has a phone, by which they may still be reached.
    unreached, _ = await delivery_lists.list_failed(context, OFFICER, unreached=True)
    assert [i.recipient for i in unreached] == ["employer"]
    await settle(context, sent(await lease(context, Channel.SMS, at, 10)), at)
    chosen: dict[str, Any]
    for chosen, count in (
        ({"channel": Channel.SMS}, 0),
        ({"channel": Channel.MAIL, "recipient": Recipient.PERSON}, 1),
        ({"kind": PermitNotice.PERMIT_ISSUED}, 0),
        ({"employer_id": "emp-b"}, 0),
        ({"employer_id": "emp-a"}, 2),
    ):
        found, _ = await delivery_lists.list_failed(context, OFFICER, **chosen)
        assert len(found) == count, chosen
    first, after = await delivery_lists.list_failed(context, OFFICER, limit=1)
    rest, end = await delivery_lists.list_failed(context, OFFICER, limit=1, after=after)
    assert ([i.id for i in [*first, *rest]], end) == ([i.id for i in items], None)
