"""Signing in as the person: a link to the address on the case, used once, and nothing told to anyone else."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from cases.notices import due as deliveries
from domain.actors import SESSION_ISSUER
from domain.notices import Channel
from domain.person import SignInLinkRequest
from privacy.sign_in import send_link
from store.tables import cases, data_keys, ledger, person_sessions, persons, sign_in_links
from tests.api.conftest import Stage
from tests.api.persons import LINKS, SESSIONS, find_link, sign_in, taken_links, use
from tests.api.walk import Walk
from tests.cases.contexts import registration_body

MAIL, PHONE = "feng@example.com", "+8613812345678"
MINE = "/v1/me/registrations"


async def _case(stage: Stage, persona: str = "employer-a", **person: str) -> str:
    body = registration_body(**person)
    if persona == "employer-b":
        body["employment"]["work_site"] = "SZP-101"
    answer = await stage.as_(persona).post("/v1/registrations", body)
    assert answer.status_code == 202, answer.text
    await stage.settle()
    return str(answer.json()["reference"])


async def _rows(stage: Stage, query: object) -> list[dict[str, object]]:
    async with stage.context.database.begin() as connection:
        return [dict(row) for row in (await connection.execute(query)).mappings()]  # type: ignore[call-overload]


@pytest.mark.parametrize("address", [{"phone": PHONE}, {"email": "FENG@Example.COM"}])
async def test_a_link_to_the_address_on_the_case_signs_the_person_in(stage: Stage, address: dict[str, str]) -> None:
    reference = await _case(stage)
    link = await find_link(stage, reference, **address)
    assert link is not None
    me = await use(stage, link)

    (mine,) = (await me.get(MINE, headers={"Accept-Language": "en"})).json()["items"]

    assert (mine["reference"], mine["employer_id"]) == (reference, "emp-a")
    assert mine["stage_text"] == "The Park is reviewing the application."
    acts = await _rows(stage, select(ledger).where(ledger.c.act == "signed_in", ledger.c.actor_role == "person"))
    (person,) = await _rows(stage, select(cases.c.person_id))
    assert [(a["actor_issuer"], a["actor_subject"]) for a in acts] == [(SESSION_ISSUER, str(person["person_id"]))]
    assert link not in str([await _rows(stage, select(table)) for table in (sign_in_links, person_sessions, ledger)])


async def test_whoever_asks_is_told_the_same_and_only_the_address_on_the_case_is_written_to(stage: Stage) -> None:
    reference = await _case(stage)
    asked = [
        {"reference": reference, "email": MAIL},
        {"reference": reference, "email": "other@example.com"},
        {"reference": "HT-0000-0000-E", "email": MAIL},
        {"reference": "no reference", "phone": PHONE},
    ]
    answers = [await stage.nobody.send("POST", LINKS, json=each) for each in asked]
    await stage.settle()

    assert {(a.status_code, a.text, tuple(sorted(a.headers))) for a in answers} == {
        (202, answers[0].text, tuple(sorted(answers[0].headers)))
    }
    assert len(await _rows(stage, select(sign_in_links))) == 1


async def test_a_link_works_once_and_every_other_one_gets_one_answer(stage: Stage) -> None:
    reference = await _case(stage)
    second = await find_link(stage, reference, email=MAIL)
    assert second is not None
    tries = [second[:-1] + ("A" if second[-1] != "A" else "B"), second.swapcase(), "x" * 32]
    refused = [await stage.nobody.send("POST", SESSIONS, json={"link": each}) for each in tries]
    both = await asyncio.gather(*(stage.nobody.send("POST", SESSIONS, json={"link": second}) for _ in range(4)))
    late = await find_link(stage, reference, email=MAIL)
    stage.clock.at += timedelta(minutes=15)
    refused.append(await stage.nobody.send("POST", SESSIONS, json={"link": late}))

    assert sorted(answer.status_code for answer in both) == [201, 401, 401, 401]
    refused += [answer for answer in both if answer.status_code == 401]
    assert {(answer.status_code, answer.text) for answer in refused} == {(401, refused[0].text)}
    assert refused[0].json()["code"] == "link_invalid"


async def test_a_link_is_good_for_its_time_whoever_asks_for_others(stage: Stage) -> None:
    reference = await _case(stage)
    links = [await find_link(stage, reference, email=MAIL) for _ in range(3)]
    stage.clock.at += timedelta(minutes=14)
    answers = [await stage.nobody.send("POST", SESSIONS, json={"link": each}) for each in links + links]
    assert [answer.status_code for answer in answers] == [201] * 3 + [401] * 3


async def test_a_session_is_good_for_the_persons_own_calls_alone_and_ends(stage: Stage) -> None:
    reference = await _case(stage)
    me = await sign_in(stage, reference, email=MAIL)

    other = [
        await me.get("/v1/registrations"),
        await me.get(f"/v1/registrations/{reference}"),
        await me.get(f"/v1/registrations/{reference}/person", fields="name_zh", headers={"Purpose": "audit"}),
        await me.get("/v1/tasks"),
        await me.get("/v1/audit/events"),
        await me.post(f"/v1/registrations/{reference}/withdrawal", {}),
    ]
    assert {answer.status_code for answer in other} == {403}
    for persona in ("employer-a", "employer-b", "officer-1", "supervisor", "auditor", "operator", "authority"):
        assert (await stage.as_(persona).get(MINE)).status_code == 403, persona
    assert (await stage.as_("person-1").get(MINE)).status_code == 401  # a token of the issuer is no sign-in by a link
    stage.clock.at += timedelta(minutes=29)
    assert (await me.get(MINE)).status_code == 200
    stage.clock.at += timedelta(minutes=1)
    assert (await me.get(MINE)).status_code == 401
    again = await sign_in(stage, reference, email=MAIL)
    assert (await again.send("POST", "/v1/me/sign-out")).status_code == 204
    assert (await again.get(MINE)).json()["code"] == "token_invalid"


async def test_a_link_opens_what_has_its_address_and_not_what_another_employer_gave_with_another(stage: Stage) -> None:
    """An employer that enters somebody's number with an address of its own sees nothing of others through it."""
    old = await _case(stage)
    await stage.as_("employer-a").post(f"/v1/registrations/{old}/withdrawal", {})
    await stage.settle()
    false = await _case(stage, "employer-b", email="hr@employer-b.example", phone="+8613900000000")
    ids = {row["person_id"] for row in await _rows(stage, select(cases.c.person_id))}
    assert len(ids) == 1

    seen = {}
    for reference, address in ((old, MAIL), (false, "hr@employer-b.example")):
        me = await sign_in(stage, reference, email=address)
        seen[reference] = [each["reference"] for each in (await me.get(MINE)).json()["items"]]
    assert seen == {old: [old], false: [false]}
    assert await find_link(stage, false, email=MAIL) is None
    await stage.as_("employer-b").post(f"/v1/registrations/{false}/change", {"email": MAIL})
    await stage.settle()
    stage.clock.at += timedelta(days=4)
    me = await sign_in(stage, old, email=MAIL)
    both = (await me.get(MINE)).json()["items"]
    assert {(each["reference"], each["employer_id"]) for each in both} == {(old, "emp-a"), (false, "emp-b")}


async def test_a_message_with_a_link_goes_to_no_address_set_since_and_not_after_its_time(stage: Stage) -> None:
    reference = await _case(stage)
    for _ in range(2):
        await stage.nobody.send("POST", LINKS, json={"reference": reference, "email": MAIL})
        await stage.settle()
        await stage.as_("employer-a").post(f"/v1/registrations/{reference}/change", {"email": "hr@example.com"})
        await stage.settle()
        dues = await deliveries.lease(stage.context, Channel.MAIL, stage.clock(), 100)
        assert [due.to for due in dues if "#" in due.text] == [MAIL]

    await stage.nobody.send("POST", LINKS, json={"reference": reference, "email": MAIL})
    await stage.settle()
    stage.clock.at += timedelta(minutes=16)
    assert await taken_links(stage, reference) == []


async def test_after_an_erasure_nobody_is_found(stage: Stage) -> None:
    reference = await _case(stage)
    me = await sign_in(stage, reference, email=MAIL)
    link = await find_link(stage, reference, phone=PHONE)
    async with stage.context.database.begin() as connection:
        key_id: UUID = (await connection.execute(select(persons.c.key_id))).scalar_one()
        gone = update(data_keys).where(data_keys.c.key_id == key_id).values(wrapped=None, destroyed_at=stage.clock.at)
        await connection.execute(gone)

    assert (await me.get(MINE)).status_code == 401
    assert (await stage.nobody.send("POST", SESSIONS, json={"link": link})).status_code == 401
    assert await find_link(stage, reference, email=MAIL) is None


async def test_links_are_limited_for_each_case_with_its_address_and_others_tries_cost_nothing(stage: Stage) -> None:
    reference, other = await _case(stage), await Walk(stage).register(email="wen@example.com")
    wrong = [
        *[{"reference": reference, "email": "guess@example.com"}] * 4,
        *[{"reference": other, "email": MAIL}] * 4,
        *[{"reference": reference, "phone": "+8613900000009"}] * 4,
    ]
    answers = [await stage.nobody.send("POST", LINKS, json=each) for each in wrong]
    assert [answer.status_code for answer in answers] == [202, 202, 202, 429] * 3
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert await find_link(stage, reference, email=MAIL) is not None
    assert await find_link(stage, other, email="wen@example.com") is not None


async def test_five_links_an_hour_are_sent_to_one_address_and_more_only_where_none_is_good_any_more(
    stage: Stage,
) -> None:
    reference = await _case(stage)
    asked = SignInLinkRequest(reference=reference, email=MAIL)
    assert [await send_link(stage.context, asked) for _ in range(6)] == [True] * 5 + [False]
    assert await send_link(stage.context, SignInLinkRequest(reference=reference, phone=PHONE))
    stage.clock.at += timedelta(minutes=16)
    assert [await send_link(stage.context, asked) for _ in range(2)] == [True, False]
    stage.clock.at += timedelta(hours=1, seconds=1)
    assert await send_link(stage.context, asked)


async def test_who_asks_by_another_case_uses_up_no_links_of_the_same_person(stage: Stage) -> None:
    """Another employer that has the same person with an address of its own asks for all the links it likes."""
    mine = await _case(stage)
    await stage.as_("employer-a").post(f"/v1/registrations/{mine}/withdrawal", {})
    await stage.settle()
    theirs = await _case(stage, "employer-b", email="hr@employer-b.example")
    for _ in range(6):
        await send_link(stage.context, SignInLinkRequest(reference=theirs, email="hr@employer-b.example"))
    assert await send_link(stage.context, SignInLinkRequest(reference=mine, email=MAIL))
