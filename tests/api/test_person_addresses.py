"""Whoever changes an address on a case reads nothing by it that was said in confidence, and shuts nobody out."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from cases.notices import due as deliveries
from domain.notices import Channel
from domain.person import SignInLinkRequest
from privacy.sign_in import send_link
from store.tables import objections
from tests.api.callers import Caller
from tests.api.conftest import Stage
from tests.api.persons import sign_in
from tests.api.walk import Walk, identity_number

MAIL, PHONE = "feng@example.com", "+8613812345678"
EVIL, EVIL_PHONE = "hr@employer-a.example", "+8613900000001"
EMPLOYER = "hr@htri.example"
MINE, DATA, OBJECTIONS, LOG = "/v1/me/registrations", "/v1/me/data", "/v1/me/objections", "/v1/me/access-log"
WORDS, ANSWER = "单位让我签空白合同", "已约谈该单位"
THREE_DAYS = timedelta(days=3, hours=12)  # from Monday noon to the end of Thursday
ENGLISH = {"Accept-Language": "en"}


async def _messages(stage: Stage, channel: Channel = Channel.MAIL) -> list[tuple[str, str]]:
    """Return which persons messages go to now, and what they say; they count as taken by the channel."""
    found: list[tuple[str, str]] = []
    while dues := await deliveries.lease(stage.context, channel, stage.clock(), 100):
        found += [(due.to, due.text) for due in dues if due.blocked is None and due.to != EMPLOYER]
    return found


async def _change(stage: Stage, reference: str, **changed: Any) -> None:
    answer = await stage.as_("employer-a").post(f"/v1/registrations/{reference}/change", changed)
    assert answer.status_code == 202, answer.text
    await stage.settle()


async def _gets_link(stage: Stage, reference: str, **address: str) -> bool:
    """Return whether a link is sent to an address, asked for past the limits of the API."""
    return await send_link(stage.context, SignInLinkRequest(reference=reference, **address))


async def _seen(me: Caller) -> list[str]:
    return [each["reference"] for each in (await me.get(MINE)).json()["items"]]


async def _complaint(stage: Stage, me: Caller, reference: str) -> None:
    """Complain, and let an officer read, answer and look at the case for it."""
    body = {"reference": reference, "about": "handling", "text": WORDS}
    assert (await me.post("/v1/me/complaints", body)).status_code == 202
    (waiting,) = (await stage.as_("officer-1").get("/v1/objections")).json()["items"]
    headers = {"Purpose": "complaint"}
    opened = await stage.as_("officer-1").get(
        f"/v1/registrations/{reference}/person", fields="position", headers=headers
    )
    assert opened.status_code == 200
    path = f"/v1/objections/{waiting['id']}/answer"
    assert (await stage.as_("officer-2").post(path, {"outcome": "upheld", "text": ANSWER})).status_code == 200


async def test_an_address_that_the_employer_puts_on_a_case_reads_no_complaint_and_no_answer(stage: Stage) -> None:
    walk = Walk(stage)
    reference = await walk.approve()
    me = await sign_in(stage, reference, email=MAIL)
    await walk.act("employer-a", reference, "departure", {"last_day": "2026-12-31", "reason": "resigned"})
    assert (await me.post("/v1/me/disputes", {"reference": reference, "text": WORDS})).status_code == 202
    await stage.settle()
    (dispute,) = (await stage.as_("officer-1").get("/v1/objections")).json()["items"]
    assert dispute["text"] == WORDS
    (task,) = (await stage.as_("officer-1").get("/v1/tasks", kind="departure_disputed")).json()["items"]
    await stage.as_("officer-1").post(f"/v1/tasks/{task['id']}/answer", {"action": "set_aside"})
    await stage.settle()
    await _complaint(stage, me, reference)
    await _change(stage, reference, email=EVIL)
    stage.clock.at += THREE_DAYS
    stage._callers.clear()
    await stage.as_("officer-2").get(f"/v1/registrations/{reference}")

    thief = await sign_in(stage, reference, email=EVIL)

    assert await _seen(thief) == [reference]
    assert (await thief.get(OBJECTIONS)).json()["items"] == []
    held = (await thief.get(DATA, headers=ENGLISH)).json()
    log = (await thief.get(LOG, headers=ENGLISH)).json()
    assert not [word for word in (WORDS, ANSWER) if word in str(held) + str(log)]
    kinds = [each["kind"] for case in held["cases"] for each in case["notices"]]
    assert "complaint_answered" not in kinds
    assert "contact_changed" not in kinds
    assert [each["kind"] for case in held["cases"] for each in case["requests"]] == ["depart", "change"]
    assert not [row for row in log["items"] if row["purpose"] == "complaint" or "objections" in row["fields"]]
    assert ["position"] in [row["fields"] for row in log["items"]]  # that it was opened is told


async def test_the_answer_to_a_complaint_is_told_to_the_address_that_complained(stage: Stage) -> None:
    reference = await Walk(stage).register()
    me = await sign_in(stage, reference, email=MAIL)
    await _messages(stage)
    body = {"reference": reference, "about": "handling", "text": WORDS}
    await me.post("/v1/me/complaints", body)
    await _change(stage, reference, email=EVIL)
    await _messages(stage)
    stage.clock.at += THREE_DAYS
    stage._callers.clear()
    (waiting,) = (await stage.as_("officer-1").get("/v1/objections")).json()["items"]
    path = f"/v1/objections/{waiting['id']}/answer"
    assert (await stage.as_("officer-1").post(path, {"outcome": "upheld", "text": ANSWER})).status_code == 200

    assert [to for to, text in await _messages(stage) if "您的投诉已有答复" in text] == [MAIL]


async def test_until_three_working_days_are_over_the_old_address_signs_in_and_the_new_one_does_not(
    stage: Stage,
) -> None:
    reference = await Walk(stage).register()
    before = await sign_in(stage, reference, email=MAIL)
    await _change(stage, reference, email=EVIL)

    assert await _seen(before) == [reference]  # a session stays
    assert not await _gets_link(stage, reference, email=EVIL)
    assert await _seen(await sign_in(stage, reference, email=MAIL)) == [reference]
    (mine,) = (await before.get(MINE, headers=ENGLISH)).json()["items"]
    (waiting,) = mine["contact_changes"]
    assert (waiting["channel"], waiting["address"], waiting["serves_from"]) == (
        "mail",
        "h***@employer-a.example",
        "2026-03-06",
    )
    stage.clock.at += timedelta(days=3, hours=11, minutes=50)  # Thursday 23:50, the third working day
    assert not await _gets_link(stage, reference, email=EVIL)
    last = await sign_in(stage, reference, email=MAIL)
    stage.clock.at += timedelta(minutes=10)
    assert await _seen(last) == []
    assert not await _gets_link(stage, reference, email=MAIL)
    await _messages(stage)
    new = await sign_in(stage, reference, email=EVIL)
    assert await _seen(new) == [reference]
    assert (await new.get(MINE)).json()["items"][0]["contact_changes"] == []


async def test_every_address_that_signs_in_is_told_who_changed_what_and_from_when(stage: Stage) -> None:
    reference = await Walk(stage).register()
    await _messages(stage)
    await _messages(stage, Channel.SMS)
    await _change(stage, reference, email=EVIL)

    ((to, text),) = await _messages(stage)
    assert to == MAIL
    assert "h***@employer-a.example" in text
    assert EVIL not in text
    assert "2026年3月6日" in text
    assert "河套示例科学研究院" in text
    assert [to for to, _ in await _messages(stage, Channel.SMS)] == [PHONE]
    me = await sign_in(stage, reference, phone=PHONE)
    (told,) = [each for each in (await me.get(DATA)).json()["cases"][0]["notices"] if each["kind"] == "contact_changed"]
    assert told["text"]


@pytest.mark.parametrize(
    "changed", [{"phone": EVIL_PHONE}, {"email": "x@example.com"}, {"email": None}, {"email": MAIL}]
)
async def test_a_second_change_meanwhile_waits_for_an_officer(stage: Stage, changed: dict[str, Any]) -> None:
    walk = Walk(stage)
    reference = await walk.register()
    await _change(stage, reference, email=EVIL)
    await _change(stage, reference, language="en", **changed)

    fields = f"/v1/registrations/{reference}/person"
    given = (await stage.as_("employer-a").get(fields, fields="email,phone")).json()
    assert given == {"email": EVIL, "phone": PHONE}
    assert (await walk.case("employer-a", reference))["person"]["language"] == "en"
    (task,) = (await stage.as_("officer-1").get("/v1/tasks", kind="change")).json()["items"]
    stage.clock.at += timedelta(days=1)
    stage._callers.clear()
    answer = await stage.as_("officer-1").post(f"/v1/tasks/{task['id']}/answer", {"action": "take"})
    assert answer.status_code == 200, answer.text
    given = (await stage.as_("employer-a").get(fields, fields="email,phone")).json()
    assert given == {"email": EVIL, "phone": PHONE} | changed
    # What an officer takes is counted anew, and the address from before both still serves.
    stage.clock.at += timedelta(days=2)
    assert await _seen(await sign_in(stage, reference, email=MAIL)) == [reference]
    for name, address in changed.items():
        if address not in (None, MAIL):
            assert not await _gets_link(stage, reference, **{name: address})


async def test_a_correction_changes_an_address_no_faster(stage: Stage) -> None:
    walk = Walk(stage)
    reference = await walk.register()
    await walk.decide(reference, "return", "contact_unusable")
    await _messages(stage)
    await walk.act("employer-a", reference, "correction", {"person": {"email": EVIL}})
    assert MAIL in [to for to, _ in await _messages(stage)]
    assert not await _gets_link(stage, reference, email=EVIL)
    await walk.decide(reference, "return", "contact_unusable")
    await walk.act("employer-a", reference, "correction", {"person": {"phone": EVIL_PHONE, "name_en": "Feng C"}})

    given = await stage.as_("employer-a").get(f"/v1/registrations/{reference}/person", fields="name_en,phone")
    assert given.json() == {"name_en": "Feng C", "phone": PHONE}
    (task,) = (await stage.as_("officer-1").get("/v1/tasks", kind="change")).json()["items"]
    assert task["reference"] == reference
    assert await _seen(await sign_in(stage, reference, email=MAIL)) == [reference]


async def test_an_address_beside_another_and_one_taken_away_wait_as_well(stage: Stage) -> None:
    reference = await Walk(stage).register(phone=None)
    await _messages(stage)
    await _change(stage, reference, phone=EVIL_PHONE)
    assert [to for to, _ in await _messages(stage)] == [MAIL]
    assert not await _gets_link(stage, reference, phone=EVIL_PHONE)
    stage.clock.at += timedelta(days=4)
    stage._callers.clear()
    assert await _gets_link(stage, reference, phone=EVIL_PHONE)
    await _change(stage, reference, email=None)
    assert await _seen(await sign_in(stage, reference, email=MAIL)) == [reference]
    stage.clock.at += timedelta(days=7)
    assert not await _gets_link(stage, reference, email=MAIL)


async def test_the_first_address_of_a_case_without_any_serves_at_once(stage: Stage) -> None:
    reference = await Walk(stage).register(phone=None, email=None)
    await _change(stage, reference, email=MAIL)
    assert await _gets_link(stage, reference, email=MAIL)


async def test_an_address_that_came_with_another_persons_number_opens_nothing_at_once(stage: Stage) -> None:
    walk = Walk(stage)
    reference = await walk.register()
    await walk.decide(reference, "return", "identity_number_wrong")
    before = await sign_in(stage, reference, email=MAIL)
    mended = {"person": {"identity_number": identity_number(777), "email": EVIL}}
    await walk.act("employer-a", reference, "correction", mended)

    assert await _seen(before) == []
    assert not await _gets_link(stage, reference, email=MAIL)
    assert not await _gets_link(stage, reference, email=EVIL)
    stage.clock.at += timedelta(days=4)
    assert await _gets_link(stage, reference, email=EVIL)


async def test_what_is_for_the_person_alone_goes_to_the_address_that_signs_in(stage: Stage) -> None:
    """The authority's reason is never the employer's to read, and an address of its choosing makes no difference."""
    walk = Walk(stage)
    reference = await walk.approve()
    await walk.answer(reference, "accepted")
    await _messages(stage)
    await _change(stage, reference, email=EVIL)
    await _messages(stage)
    await walk.answer(reference, "refused", reason_text="记录不符", reason_code="x")

    told = [(to, text) for to, text in await _messages(stage) if "记录不符" in text]
    assert [to for to, _ in told] == [MAIL]


async def test_a_complaint_from_before_its_address_was_kept_is_shown_to_the_addresses_of_its_time(stage: Stage) -> None:
    reference = await Walk(stage).register()
    me = await sign_in(stage, reference, email=MAIL)
    await _complaint(stage, me, reference)
    async with stage.context.database.begin() as connection:
        await connection.execute(update(objections).values(address_hash=None))
    stage.clock.at += timedelta(minutes=1)
    await _change(stage, reference, email=EVIL)
    assert len((await me.get(OBJECTIONS)).json()["items"]) == 1
    stage.clock.at += timedelta(days=4)
    thief = await sign_in(stage, reference, email=EVIL)
    assert (await thief.get(OBJECTIONS)).json()["items"] == []
