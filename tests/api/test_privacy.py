"""Marked values planted in every field of a person: what is written down of calls holds none of them."""

import logging

import pytest
from prometheus_client import generate_latest
from sqlalchemy import select, text
from structlog.testing import capture_logs

from store.tables import commands, ledger, metadata, tenant_tables
from tests.api.conftest import Stage
from tests.api.walk import Walk, identity_number
from tests.cases.contexts import registration_body

MARKS = {
    "name_zh": "萬鬯魙",
    "name_en": "Qzxmark Wvjplant",
    "identity_number": identity_number(777),
    "permit_card_number": "C98989898",
    "email": "qzxmark@planted.example",
    "phone": "+8613898989898",
}
WORK = {"position": "標記職位", "work_site": "標記地址77號"}
NOTES = {"note": "標記便箋", "reason": "標記原因"}
ALL = [*MARKS.values(), *WORK.values(), *NOTES.values(), "13898989898"]


def planted() -> dict[str, object]:
    body = registration_body(**MARKS)
    body["employment"] |= WORK
    return body


async def say_all(stage: Stage) -> None:
    """Send every planted value, in calls that succeed and in calls that are refused."""
    walk, employer, officer = Walk(stage), stage.as_("employer-a"), stage.as_("officer-1")
    case = await walk.call("employer-a", "POST", "/v1/registrations", planted())
    reference = case["reference"]
    await employer.post("/v1/registrations", planted())
    await employer.post("/v1/registrations", {**planted(), "colour": MARKS["name_zh"]})
    await employer.get("/v1/registrations", q=MARKS["name_zh"])
    await employer.get(f"/v1/registrations/{MARKS['name_en']}")
    await employer.post(f"/v1/registrations/{reference}/contest", {"note": NOTES["note"]})
    await officer.post(
        f"/v1/registrations/{reference}/decision",
        {"action": "refuse", "round": 1, "reasons": [{"code": "not_employed_there", "note": NOTES["note"]}]},
    )
    await officer.post(
        f"/v1/registrations/{reference}/decision",
        {"action": NOTES["note"], "round": 1, "reasons": [{"code": NOTES["reason"]}]},
    )
    await employer.post(f"/v1/registrations/{reference}/withdrawal", {"reason": NOTES["reason"]})
    await stage.settle()


async def test_logs_and_metrics_hold_no_planted_value(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with capture_logs() as lines:
        await say_all(stage)

    written = f"{lines!r}\n{caplog.text}\n{generate_latest().decode()}"
    assert [value for value in ALL if value in written] == []


async def test_refusals_hold_no_planted_value(stage: Stage) -> None:
    employer = stage.as_("employer-a")
    body = planted()
    body["person"] = {**MARKS, "language": MARKS["name_zh"], MARKS["name_en"]: 1, "email": MARKS["phone"]}

    answer = await employer.post("/v1/registrations", body, headers={"Accept-Language": "zh-Hans"})

    assert answer.status_code == 422
    assert [value for value in ALL if value in answer.text] == []


async def test_no_column_holds_a_planted_value_in_clear(stage: Stage) -> None:
    await say_all(stage)

    found = []
    async with stage.context.database.begin() as connection:
        for table in metadata.sorted_tables:
            rows = await connection.execute(text(f"SELECT t::text FROM {table.name} t"))
            content = "\n".join(rows.scalars())
            hidden = [value.encode().hex() for value in ALL]
            found += [(table.name, value) for value in [*ALL, *hidden] if value in content]
    assert found == []


async def test_a_query_without_its_filter_sees_no_foreign_row(stage: Stage) -> None:
    await say_all(stage)

    async with stage.context.database.begin("emp-b") as connection:
        seen = {
            name: (await connection.execute(text(f"SELECT employer_id FROM {name}"))).scalars().all()
            for name in tenant_tables()
        }
    assert {owner for owners in seen.values() for owner in owners} <= {"emp-b"}


async def test_every_act_names_its_actor_in_the_ledger(stage: Stage) -> None:
    await say_all(stage)

    async with stage.context.database.begin() as connection:
        acts = (await connection.execute(select(ledger.c.act, ledger.c.actor_subject, ledger.c.correlation_id))).all()
        stored = (await connection.execute(select(commands.c.kind))).scalars().all()
    assert {act for act, _, _ in acts} >= {"submitted", "request_refused", "withdrawn"}
    assert all(subject for _, subject, _ in acts)
    assert set(stored) >= {"start", "withdraw"}
