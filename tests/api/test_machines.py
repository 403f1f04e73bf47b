"""Signed messages of machines."""

import asyncio
from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from proof.webhooks import key_pair_from, sign
from store.tables import ledger
from tests.api.bodies import ANSWER
from tests.api.conftest import AUTHORITY_SECRET, RECEIPTS_SECRET, Stage
from tests.api.walk import Walk

OUTCOMES = "/v1/authority/outcomes"
JSON = {"Content-Type": "application/json"}


async def send(stage: Stage, content: dict[str, Any], secret: str, **changed: str) -> Any:
    body = orjson.dumps(content).decode()
    headers = sign("msg_1", stage.clock(), body, [secret]) | JSON | changed
    return await stage.nobody.send("POST", OUTCOMES, content=body, headers=headers)


async def test_an_answer_signed_by_another_key_is_refused_and_recorded(stage: Stage) -> None:
    answer = await send(stage, ANSWER, RECEIPTS_SECRET)

    assert (answer.status_code, answer.json()["code"]) == (401, "signature_invalid")
    async with stage.context.database.begin() as connection:
        rows = (
            await connection.execute(select(ledger.c.act, ledger.c.reason_codes).where(ledger.c.act.like("%refused")))
        ).all()
    assert [(row.act, row.reason_codes) for row in rows] == [("answer_refused", ["signature_invalid"])]
    (line,) = (await stage.as_("operator").get("/v1/incidents")).json()["items"]
    assert line["reason"] == "signature_invalid"


@pytest.mark.parametrize(
    ("path", "secret", "kind"),
    [(OUTCOMES, RECEIPTS_SECRET, "authority_answer"), ("/v1/receipts", AUTHORITY_SECRET, "delivery_receipt")],
)
async def test_what_is_forged_is_an_incident_of_what_it_claims_to_be(
    stage: Stage, path: str, secret: str, kind: str
) -> None:
    body = orjson.dumps(ANSWER).decode()
    headers = sign("msg_1", stage.clock(), body, [secret]) | JSON

    answer = await stage.nobody.send("POST", path, content=body, headers=headers)

    assert answer.status_code == 401
    (line,) = (await stage.as_("operator").get("/v1/incidents")).json()["items"]
    assert (line["kind"], line["reason"]) == (kind, "signature_invalid")


async def test_a_flood_of_forged_answers_does_not_shut_the_authority_out(stage: Stage) -> None:
    reference = await Walk(stage).approve()
    content = {**ANSWER, "case": f"{reference}/HK", "occurred_at": stage.clock().isoformat()}

    forged = [(await send(stage, ANSWER, RECEIPTS_SECRET)).status_code for _ in range(61)]
    genuine = await send(stage, content, AUTHORITY_SECRET)

    assert (forged[0], forged[-1], genuine.status_code) == (401, 429, 200)


async def test_a_flood_of_forged_answers_leaves_one_line_a_minute_with_their_number(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.forgeries.EVERY_SECONDS", 0.5)
    for count in (20, 30):
        for _ in range(count):
            assert (await send(stage, ANSWER, RECEIPTS_SECRET)).status_code == 401
        await asyncio.sleep(0.7)
    await asyncio.sleep(0.7)
    await send(stage, ANSWER, RECEIPTS_SECRET)
    await send(stage, ANSWER, RECEIPTS_SECRET)
    await stage.settle()

    query = select(ledger.c.detail).where(ledger.c.act == "answer_refused").order_by(ledger.c.xid)
    async with stage.context.database.begin() as connection:
        times = [detail["times"] for detail in (await connection.execute(query)).scalars()]
    assert times == [1, 19, 30, 1, 1]
    (line,) = (await stage.as_("operator").get("/v1/incidents")).json()["items"]
    assert (line["reason"], line["times"]) == ("signature_invalid", 52)


@pytest.mark.parametrize("seconds", [-301, 301])
async def test_an_answer_of_another_time_is_refused(stage: Stage, seconds: int) -> None:
    at = stage.clock() + timedelta(seconds=seconds)

    answer = await send(stage, ANSWER, AUTHORITY_SECRET, **{"webhook-timestamp": str(int(at.timestamp()))})

    assert answer.status_code == 401


async def test_a_token_is_no_substitute_for_a_signature(stage: Stage) -> None:
    answer = await stage.as_("authority").post(OUTCOMES, ANSWER)

    assert (answer.status_code, answer.json()["code"]) == (401, "signature_invalid")


async def test_a_private_key_of_another_signs_nothing(stage: Stage) -> None:
    private, _public = key_pair_from(b"s" * 32)

    assert (await send(stage, ANSWER, private)).status_code == 401


async def test_a_signed_answer_with_a_wrong_body_is_refused_field_by_field(stage: Stage) -> None:
    answer = await send(stage, {**ANSWER, "outcome": "lost"}, AUTHORITY_SECRET)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "outcome")


async def test_an_answer_on_an_unknown_case_is_404(stage: Stage) -> None:
    answer = await send(stage, ANSWER, AUTHORITY_SECRET)

    assert (answer.status_code, answer.json()["code"]) == (404, "case_unknown")


async def test_a_message_seen_before_gets_its_first_answer(stage: Stage) -> None:
    reference = await Walk(stage).approve()
    content = {**ANSWER, "case": f"{reference}/HK", "occurred_at": stage.clock().isoformat()}

    first = await send(stage, content, AUTHORITY_SECRET)
    again = await send(stage, content, AUTHORITY_SECRET)
    known = await stage.nobody.send("POST", OUTCOMES, content=b"{}", headers=JSON)

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    assert known.status_code == 401
