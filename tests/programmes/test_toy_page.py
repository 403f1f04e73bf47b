"""The toy's page of the API, through the real application and the real engine: nobody told the core of it."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest_asyncio
from sqlalchemy import select, update
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from domain.messages import DeliveryRound
from domain.notices import Channel
from domain.stages import Stage
from programmes import PROGRAMMES
from store.tables import deliveries
from tests.activities.test_deliveries import delivering
from tests.activities.test_mail import Relay, running
from tests.e2e.people import identity_number
from tests.programmes.park import Park, served
from tests.programmes.toy.programme import TOY
from tests.programmes.toy.tables import makings, toy_makings
from tests.programmes.toy.words import MakingStage
from tests.workflows.world import MONDAY, Case, open_world

BOTH = {**PROGRAMMES, TOY.code: TOY}


@pytest_asyncio.fixture
async def park(toy_database: str, temporal_client: Client) -> AsyncIterator[Park]:
    async with (
        open_world(toy_database, temporal_client, start=MONDAY, programmes=BOTH) as world,
        served(world, toy_database) as park,
    ):
        yield park


def _wish(toy: str, number: int = 0) -> dict[str, Any]:
    person = {"name_zh": "欧阳娜", "identity_number": identity_number(number), "email": "nana@example.com"}
    return {"person": person, "wish": {"toy": toy}}


async def _asked(park: Park, toy: str) -> Case:
    taken = await park.ask("employer-a", "POST", "/v1/toys", _wish(toy), expects=202)
    assert (taken["programme"], taken["reference"][:3]) == ("toy", "TY-")
    assert taken["links"] == {"self": f"/v1/toys/{taken['reference']}"}
    case = Case(park.world, taken["reference"])
    park.world.started.append(case.reference)
    await case.until_stage(Stage.UNDER_REVIEW)
    return case


async def _begun(park: Park, case: Case) -> None:
    await case.skip(park.world.context.limits.settling + timedelta(seconds=5))
    await case.until(lambda file: file.row.settled and not file.calls)
    await case.idle()


async def test_a_toy_that_is_not_safe_is_signed_twice_and_made_on_its_day(park: Park) -> None:
    case = await _asked(park, "弹弓")
    here = f"/v1/toys/{case.reference}"
    seen = await park.ask("officer-1", "GET", here)
    (found,) = seen["findings"]
    assert (found["code"], found["outcome"], found["message"]) == ("toy_not_safe", "fail", "The toy is dangerous.")
    decision = {"action": "approve", "round": 1, "reasons": [{"code": "document_seen"}]}
    assert (await park.ask("officer-1", "POST", f"{here}/decision", decision))["stage"] == "awaiting_confirmation"
    signature = {"action": "confirm", "round": 1}
    await park.ask("officer-1", "POST", f"{here}/confirmation", signature, expects=409)
    assert (await park.ask("officer-2", "POST", f"{here}/confirmation", signature))["stage"] == "approved"

    await _begun(park, case)
    making = {"workshop": "wood", "stage": "making", "made_on": None}
    assert (await park.ask("employer-a", "GET", here))["makings"] == [making]
    await case.skip(timedelta(days=8))
    await case.until(lambda file: makings(file)["wood"].stage == MakingStage.MADE)
    assert (await park.ask("employer-a", "GET", here))["makings"][0]["made_on"] == date(2026, 3, 9).isoformat()
    assert {"toy_begun", "toy_made"} <= set(await case.acts())
    assert (await case.notices()).count("toy_made") == 2
    relay = Relay()
    async with running(relay) as port, delivering(park.world.context, relay_port=port) as out:
        await ActivityEnvironment().run(out.deliver, DeliveryRound(channel=Channel.MAIL, rounds=1))
    told = [str(mail["To"]) for mail in relay.mails if f"玩具 {case.reference} 已做好" in str(mail["Subject"])]
    assert len(told) == 2
    assert "nana@example.com" in told


async def test_an_officer_may_say_that_a_toy_is_made(park: Park) -> None:
    case = await _asked(park, "木马")
    here = f"/v1/toys/{case.reference}"
    await park.ask("officer-1", "POST", f"{here}/workshops/wood/finished", {}, expects=409)
    await park.ask("officer-1", "POST", f"{here}/decision", {"action": "approve", "round": 1})
    await _begun(park, case)
    await park.ask("employer-a", "POST", f"{here}/workshops/wood/finished", {}, expects=403)
    await park.ask("officer-1", "POST", f"{here}/workshops/wood/finished", {}, expects=202)
    await case.until(lambda file: makings(file)["wood"].stage == MakingStage.MADE)
    ended = await case.file()
    assert (ended.stage, ended.deadlines) == (Stage.ENDED, {})
    await _asked(park, "积木")  # the same person's next one, which a live case would stand in the way of


async def test_a_toy_is_corrected_as_any_case_is(park: Park) -> None:
    case = await _asked(park, "木马")
    here = f"/v1/toys/{case.reference}"
    reasons = [{"code": "document_unreadable", "field": "wish.toy"}]
    await park.ask("officer-1", "POST", f"{here}/decision", {"action": "return", "round": 1, "reasons": reasons})
    refused = await park.ask("employer-a", "POST", f"{here}/correction", {"wish": {"toy": None}}, expects=422)
    assert (refused["code"], refused["errors"][0]["field"]) == ("invalid", "wish.toy")
    await park.ask("employer-a", "POST", f"{here}/correction", {"wish": {"toy": "积木"}}, expects=202)
    await case.until(lambda file: file.stage is Stage.UNDER_REVIEW and file.round == 2)
    assert (await case.file()).application.given_of("wish.toy") == "积木"


async def test_a_toy_is_its_employers_alone(park: Park) -> None:
    case = await _asked(park, "木马")
    await park.ask("officer-1", "POST", f"/v1/toys/{case.reference}/decision", {"action": "approve", "round": 1})
    await _begun(park, case)
    await park.ask("employer-b", "GET", f"/v1/toys/{case.reference}", expects=404)
    await park.ask("employer-a", "GET", f"/v1/registrations/{case.reference}", expects=404)
    for persona, listed in (("employer-a", 1), ("employer-b", 0)):
        assert len((await park.ask(persona, "GET", "/v1/toys"))["items"]) == listed
        assert len((await park.ask(persona, "GET", "/v1/toys/export.csv")).splitlines()) == 1 + listed
    for tenant, rows in (("emp-a", 1), ("emp-b", 0), ("*", 1)):
        async with park.world.context.database.begin(tenant) as connection:
            assert len((await connection.execute(select(toy_makings))).all()) == rows


async def test_the_person_of_a_toy_is_erased_with_two_signatures(park: Park) -> None:
    case = await _asked(park, "木马")
    here = f"/v1/toys/{case.reference}"
    await park.ask("employer-a", "POST", f"{here}/withdrawal", {}, expects=202)
    await case.until_stage(Stage.WITHDRAWN)
    context = park.world.context
    async with context.database.begin() as connection:
        await connection.execute(update(deliveries).values(status="sent"))
    await park.ask("supervisor", "POST", f"{here}/erasure", {"reason": "person_asked"}, expects=202)
    await park.ask("supervisor-2", "POST", f"{here}/erasure/confirmation", {"action": "confirm"})
    assert (await park.ask("officer-1", "GET", here))["person"]["erased"] is True


async def test_the_record_of_a_toy_is_told(park: Park) -> None:
    case = await _asked(park, "木马")
    here = f"/v1/toys/{case.reference}"
    await park.ask("officer-1", "POST", f"{here}/decision", {"action": "approve", "round": 1})
    await _begun(park, case)
    await case.skip(timedelta(days=8))
    story = await park.ask("auditor", "GET", f"/v1/audit/cases/{case.reference}/history")
    assert "The toy was made." in str(story)
    (decided,) = (await park.ask("employer-a", "GET", f"{here}/receipts"))["pending"]
    assert (decided["act"], decided["rule_version"]) == ("decided", "2025-01-01")
