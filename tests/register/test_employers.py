"""Employers as dated data."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select

from cases.notices.due import lease
from cases.shared.context import Context
from domain.actors import system
from domain.employers import EmployerRequest, RegisterFile
from domain.errors import Refused
from domain.notices import Channel
from policy.limits import limits_of
from policy.packs import load_limits
from register.employers import get_employer, list_employers, load_register, put_employer
from store.tables import employer_versions, employers, ledger
from tests.cases.contexts import (
    EMPLOYER_A,
    EMPLOYER_B,
    SUPERVISOR,
    Clock,
    key,
    load_samples,
    open_context,
    sample_register,
)


@pytest_asyncio.fixture
async def context(clean_database: str) -> AsyncIterator[Context]:
    async with open_context(clean_database, Clock()) as context:
        await load_samples(context)
        yield context


def _request(**changes: Any) -> EmployerRequest:
    body = {
        "uscc": "12440300MB2E48X1JF",
        "name_zh": "河套示例科学研究院（新）",
        "kind": "research_institution",
        "premises": ["SZP-001"],
        "contact": {"email": "new@htri.example", "language": "en"},
        "valid_from": "2026-06-01",
    }
    return EmployerRequest.model_validate(body | changes)


async def _acts(context: Context, chain: str) -> list[str]:
    async with context.database.begin() as connection:
        query = select(ledger.c.act).where(ledger.c.chain == chain).order_by(ledger.c.seq)
        return list((await connection.execute(query)).scalars())


async def test_a_new_version_leaves_the_days_before_as_they_were(context: Context) -> None:
    reply = await put_employer(context, SUPERVISOR, "emp-a", _request(), key())
    assert [(v["valid_from"], v["valid_to"]) for v in reply.body["versions"]] == [
        ("2024-01-01", "2026-05-31"),
        ("2026-06-01", None),
    ]
    assert reply.body["name_zh"] == "河套示例科学研究院"
    assert reply.body["contact"]["email"] == "new@htri.example"
    assert await _acts(context, "employer/emp-a") == ["employer_recorded", "employer_recorded"]


async def test_an_employer_not_met_before_is_added(context: Context) -> None:
    reply = await put_employer(context, SUPERVISOR, "emp-c", _request(uscc="91440300MA5FXT0W9C"), key())
    assert reply.progress == "applied"
    assert reply.body["standing"] == "good"
    assert (await get_employer(context, SUPERVISOR, "emp-c")).uscc == "91440300MA5FXT0W9C"


async def test_the_code_of_another_employer_and_unknown_premises_are_named(context: Context) -> None:
    with pytest.raises(Refused) as refused:
        await put_employer(context, SUPERVISOR, "emp-c", _request(premises=["SZP-001", "SZP-999"]), key())
    assert [(e.field, e.code) for e in refused.value.errors] == [
        ("uscc", "unknown_value"),
        ("premises[1]", "unknown_value"),
    ]
    assert await _acts(context, "employer/emp-c") == []


async def test_the_same_key_gets_the_first_answer(context: Context) -> None:
    first = await put_employer(context, SUPERVISOR, "emp-a", _request(), key(name="k"))
    assert await put_employer(context, SUPERVISOR, "emp-a", _request(), key(name="k")) == first


async def test_recording_what_stands_writes_no_act(context: Context) -> None:
    await put_employer(context, SUPERVISOR, "emp-a", _request(), key())
    await put_employer(context, SUPERVISOR, "emp-a", _request(), key())
    assert len(await _acts(context, "employer/emp-a")) == 2


async def test_an_employer_sees_itself_and_no_other(context: Context) -> None:
    assert (await get_employer(context, EMPLOYER_A, "emp-a")).employer_id == "emp-a"
    with pytest.raises(Refused) as refused:
        await get_employer(context, EMPLOYER_B, "emp-a")
    assert refused.value.code == "not_found"


async def test_employers_are_listed_by_page(context: Context) -> None:
    first, after = await list_employers(context, SUPERVISOR, limit=1)
    second, end = await list_employers(context, SUPERVISOR, after=after, limit=1)
    assert [item.employer_id for item in (*first, *second)] == ["emp-a", "emp-b"]
    assert end is None
    assert "contact" not in first[0].as_json()


async def test_the_contact_is_sealed(context: Context) -> None:
    async with context.database.begin() as connection:
        contact = (await connection.execute(select(employers.c.contact))).scalars().all()
    assert all(b"example" not in sealed for sealed in contact)


async def test_loading_the_register_again_changes_nothing_that_a_supervisor_changed(context: Context) -> None:
    same_day = _request(valid_from="2024-01-01")
    await put_employer(context, SUPERVISOR, "emp-a", same_day, key())
    assert await load_register(context, system("register_load"), sample_register()) == {"premises": 0, "employers": 0}
    found = await get_employer(context, SUPERVISOR, "emp-a")
    assert found.name_zh == "河套示例科学研究院（新）"
    assert found.contact["email"] == "new@htri.example"


async def test_a_later_version_of_the_file_is_added(context: Context) -> None:
    body = sample_register().model_dump(mode="json")
    body["employers"] = [body["employers"][0] | {"valid_from": "2026-09-01", "name_zh": "河套示例研究总院"}]
    file = RegisterFile.model_validate(body)
    assert await load_register(context, system("register_load"), file) == {"premises": 0, "employers": 1}
    async with context.database.begin() as connection:
        query = select(employer_versions.c.valid_to).where(
            employer_versions.c.employer_id == "emp-a", employer_versions.c.valid_from == date(2024, 1, 1)
        )
        assert (await connection.execute(query)).scalar_one() == date(2026, 8, 31)


async def test_a_new_employer_of_the_file_has_the_standing_given_there(context: Context) -> None:
    body = sample_register().model_dump(mode="json")
    one = body["employers"][0] | {"employer_id": "emp-s", "uscc": "91440300MA5FXT0W9C", "standing": "suspended"}
    body["employers"] = [one]
    await load_register(context, system("register_load"), RegisterFile.model_validate(body))
    assert (await get_employer(context, SUPERVISOR, "emp-s")).standing == "suspended"


async def test_an_employer_chooses_one_mail_a_day(context: Context) -> None:
    daily = _request(contact={"email": "new@htri.example", "language": "en", "digest": True})
    await put_employer(context, SUPERVISOR, "emp-a", daily, key())
    async with context.database.begin() as connection:
        chosen = await connection.execute(select(employers.c.digest).where(employers.c.employer_id == "emp-a"))
        assert chosen.scalar_one() is True


async def _digest_of(context: Context, employer_id: str) -> bool:
    async with context.database.begin() as connection:
        chosen = await connection.execute(select(employers.c.digest).where(employers.c.employer_id == employer_id))
        return bool(chosen.scalar_one())


@pytest.mark.parametrize(("parameters", "daily"), [("default", True), ("embedded", False)])
async def test_an_employer_recorded_now_takes_a_daily_mail_as_the_parameters_say(
    context: Context, parameters: str, daily: bool
) -> None:
    now = replace(context, limits=limits_of(load_limits(parameters)))
    await put_employer(now, SUPERVISOR, "emp-new", _request(uscc="91440300MA5H0WEY05"), key())
    assert await _digest_of(context, "emp-new") is daily


async def test_an_employer_recorded_before_keeps_what_it_had(context: Context) -> None:
    now = replace(context, limits=limits_of(load_limits()))
    await put_employer(now, SUPERVISOR, "emp-a", _request(), key())
    assert await _digest_of(context, "emp-a") is False


async def test_a_supervisor_that_gives_another_address_tells_the_earlier_one(context: Context) -> None:
    await put_employer(context, SUPERVISOR, "emp-a", _request(), key())
    dues = await lease(context, Channel.MAIL, context.clock(), 10)
    assert {due.to for due in dues} == {"hr@htri.example", "new@htri.example"}
