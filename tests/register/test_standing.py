"""An employer's standing, and how its cases and the authority hear of it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import insert, select, update

from cases.shared.context import Context
from domain.decisions import PermitConfirmationRequest
from domain.employers import StandingRequest
from domain.errors import Defect, Refused
from domain.stages import Standing
from programmes.talent_permit.authority.leaving import LEAVING
from programmes.talent_permit.registration import accept
from programmes.talent_permit.requests import RegistrationRequest
from programmes.talent_permit.tables import permits
from register.employers import get_employer
from register.rollout import (
    Change,
    count_unapplied,
    find_unspread,
    finish,
    gather_departed,
    get_change,
    record_lost,
    record_unanswered,
    settle_report,
    spread_chunk,
)
from register.standing import confirm_standing, propose_standing
from store.tables import calls, cases, commands, deliveries, employer_standings, ledger, notices
from tests.cases.contexts import (
    EMPLOYER_A,
    NOON,
    OFFICER,
    SUPERVISOR,
    SUPERVISOR_2,
    Clock,
    key,
    load_samples,
    open_context,
    registration_body,
)

NUMBERS = ("44030419900307123X", "33010619860128072X", "620102199304213908")


@pytest_asyncio.fixture
async def context(clean_database: str) -> AsyncIterator[Context]:
    async with open_context(clean_database, Clock()) as context:
        await load_samples(context)
        yield context


def _to(standing: Standing, day: date = date(2026, 3, 2)) -> StandingRequest:
    return StandingRequest(standing=standing, valid_from=day)


async def _propose(context: Context, standing: Standing, day: date = date(2026, 3, 2)) -> dict[str, Any]:
    reply = await propose_standing(context, SUPERVISOR, "emp-a", _to(standing, day), key())
    body: dict[str, Any] = reply.body
    return body


def _answer(action: str, **more: Any) -> PermitConfirmationRequest:
    return PermitConfirmationRequest.model_validate({"action": action, **more})


async def _left(context: Context) -> Change:
    proposed = await _propose(context, Standing.LEFT_PARK)
    await confirm_standing(context, SUPERVISOR_2, "emp-a", _answer("confirm"), key())
    return await get_change(context, proposed["change_id"])


async def _cases(context: Context, count: int = 2) -> list[str]:
    references = []
    for number in NUMBERS[:count]:
        request = RegistrationRequest.model_validate(registration_body(identity_number=number))
        references.append((await accept(context, EMPLOYER_A, request, key())).reference)
    return sorted(references)


async def _acts(context: Context) -> list[str]:
    async with context.database.begin() as connection:
        query = select(ledger.c.act).where(ledger.c.chain == "employer/emp-a").order_by(ledger.c.seq)
        return [act for act in (await connection.execute(query)).scalars() if act.startswith("standing")]


async def test_a_suspension_holds_at_once_and_the_employer_is_told_once(context: Context) -> None:
    request = _to(Standing.SUSPENDED)
    first = await propose_standing(context, SUPERVISOR, "emp-a", request, key(name="k"))
    second = await propose_standing(context, SUPERVISOR, "emp-a", request, key(name="k"))
    assert first == second
    assert first.body["state"] == "in_force"
    assert (await get_employer(context, SUPERVISOR, "emp-a")).standing == "suspended"
    assert await _acts(context) == ["standing_set"]
    async with context.database.begin() as connection:
        rows = (await connection.execute(select(notices).where(notices.c.reference == "employer/emp-a"))).all()
        channels = (
            (await connection.execute(select(deliveries.c.channel).where(deliveries.c.notice_id == rows[0].notice_id)))
            .scalars()
            .all()
        )
    assert [(row.kind, row.recipient) for row in rows] == [("employer_suspended", "employer")]
    assert channels == ["mail"]


async def test_a_suspended_employer_submits_nothing_new_until_it_is_reinstated(context: Context) -> None:
    await _propose(context, Standing.SUSPENDED)
    request = RegistrationRequest.model_validate(registration_body())
    with pytest.raises(Refused) as refused:
        await accept(context, EMPLOYER_A, request, key())
    assert refused.value.code == "employer_not_in_good_standing"
    await _propose(context, Standing.GOOD)
    assert (await accept(context, EMPLOYER_A, request, key())).reply.progress == "stored"


async def test_a_standing_of_a_later_day_does_not_hold_yet(context: Context) -> None:
    proposed = await _propose(context, Standing.SUSPENDED, date(2026, 3, 9))
    assert (await get_employer(context, SUPERVISOR, "emp-a")).standing == "good"
    assert await find_unspread(context, NOON) == []
    assert await find_unspread(context, NOON + timedelta(days=7)) == [proposed["change_id"]]


async def test_the_standing_it_has_cannot_be_set_again(context: Context) -> None:
    with pytest.raises(Refused) as refused:
        await _propose(context, Standing.GOOD)
    assert refused.value.code == "already_decided"


async def test_a_standing_does_not_begin_before_the_one_it_follows(context: Context) -> None:
    await _propose(context, Standing.SUSPENDED)
    with pytest.raises(Refused) as refused:
        await _propose(context, Standing.GOOD, date(2026, 3, 1))
    assert [(e.field, e.code) for e in refused.value.errors] == [("valid_from", "date_order")]


async def test_leaving_the_park_waits_for_a_second_signature(context: Context) -> None:
    proposed = await propose_standing(context, SUPERVISOR, "emp-a", _to(Standing.LEFT_PARK), key())
    assert (proposed.progress, proposed.body["state"]) == ("stored", "proposed")
    assert (await get_employer(context, SUPERVISOR, "emp-a")).standing == "good"
    assert (await get_employer(context, EMPLOYER_A, "emp-a")).standings == []
    with pytest.raises(Refused) as refused:
        await confirm_standing(context, SUPERVISOR, "emp-a", _answer("confirm"), key())
    assert refused.value.code == "same_signer"
    with pytest.raises(Refused) as refused:
        await _propose(context, Standing.SUSPENDED)
    assert refused.value.code == "wrong_stage"
    confirmed = await confirm_standing(context, OFFICER, "emp-a", _answer("confirm"), key())
    assert confirmed.body["state"] == "in_force"
    assert await _acts(context) == ["standing_proposed", "standing_set"]


async def test_a_rejected_proposal_never_holds_and_another_can_follow(context: Context) -> None:
    await _propose(context, Standing.LEFT_PARK)
    with pytest.raises(Refused) as refused:
        await confirm_standing(context, SUPERVISOR_2, "emp-a", _answer("reject"), key())
    assert refused.value.code == "reason_missing"
    given = {"reasons": [{"code": "reason_not_supported", "note": "no proof"}], "note": "look again"}
    rejected = await confirm_standing(context, SUPERVISOR_2, "emp-a", _answer("reject", **given), key())
    assert rejected.body["state"] == "rejected"
    with pytest.raises(Refused) as refused:
        await confirm_standing(context, SUPERVISOR_2, "emp-a", _answer("confirm"), key())
    assert refused.value.code == "already_decided"
    async with context.database.begin() as connection:
        kept = (await connection.execute(select(employer_standings.c.confirmed_by))).scalar_one()
    assert "look again" not in str(kept)
    assert kept["reasons"] == [{"code": "reason_not_supported", "field": None}]
    await _propose(context, Standing.LEFT_PARK)
    assert await _acts(context) == ["standing_proposed", "standing_rejected", "standing_proposed"]


async def test_nothing_is_confirmed_where_nothing_was_proposed(context: Context) -> None:
    with pytest.raises(Refused) as refused:
        await confirm_standing(context, SUPERVISOR, "emp-a", _answer("confirm"), key())
    assert refused.value.code == "wrong_stage"


async def test_an_unknown_employer_is_not_found(context: Context) -> None:
    with pytest.raises(Refused) as refused:
        await propose_standing(context, SUPERVISOR, "emp-x", _to(Standing.SUSPENDED), key())
    assert refused.value.code == "not_found"


async def test_two_supervisors_at_once_set_one_standing(context: Context) -> None:
    asked = [propose_standing(context, s, "emp-a", _to(Standing.SUSPENDED), key()) for s in (SUPERVISOR, SUPERVISOR_2)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["Refused", "Reply"]


async def test_every_live_case_gets_one_command_however_often_it_is_spread(context: Context) -> None:
    references = await _cases(context)
    change = await get_change(context, (await _propose(context, Standing.SUSPENDED))["change_id"])
    first = await asyncio.gather(*(spread_chunk(context, change, NOON, "") for _ in range(2)))
    assert [reference for reference, _ in first[0][0]] == references
    assert first[0] == first[1]
    assert await spread_chunk(context, change, NOON, first[0][1]) == ([], "")
    assert await count_unapplied(context, change) == len(references)
    await finish(context, change)
    assert await find_unspread(context, NOON) == []


async def test_a_closed_case_hears_nothing(context: Context) -> None:
    references = await _cases(context)
    async with context.database.begin() as connection:
        closed = update(cases).where(cases.c.reference == references[0])
        await connection.execute(closed.values(stage="withdrawn"))
    change = await get_change(context, (await _propose(context, Standing.SUSPENDED))["change_id"])
    asked, _ = await spread_chunk(context, change, NOON, "")
    assert [reference for reference, _ in asked] == references[1:]


async def test_the_authority_is_told_once_of_all_permits_it_knows(context: Context) -> None:
    references = await _cases(context, 3)
    stages = ("submitted", "issued", "refused")
    async with context.database.begin() as connection:
        rows = [
            {"reference": r, "destination": "HK", "employer_id": "emp-a", "stage": s, "updated_at": NOON}
            for r, s in zip(references, stages, strict=True)
        ]
        await connection.execute(insert(permits).values(rows))
        await connection.execute(update(cases).values(stage="approved"))
    change = await _left(context)
    first = await gather_departed(context, LEAVING, change, NOON)
    assert first is not None
    assert first.cases == (f"{references[0]}/HK", f"{references[1]}/HK")
    assert first.on == date(2026, 3, 2)
    async with context.database.begin() as connection:
        await connection.execute(update(permits).values(stage="revoked"))
    assert await gather_departed(context, LEAVING, change, NOON) == first
    await record_unanswered(context, change, first, NOON, "authority_503")
    await record_lost(context, change, first, NOON, attempt=3)
    await settle_report(context, change, first, NOON, attempt=3)
    await settle_report(context, change, first, NOON)  # twice is once
    assert await gather_departed(context, LEAVING, change, NOON) is None
    async with context.database.begin() as connection:
        assert (await connection.execute(select(calls.c.state))).scalars().all() == ["done"]
        told = select(ledger).where(ledger.c.chain.startswith("call/")).order_by(ledger.c.recorded_at)
        said = (await connection.execute(told)).all()
    assert [(row.act, row.outcome, row.detail["attempt"]) for row in said] == [
        ("call_made", "no_answer", 1),
        ("call_made", "unrecorded", 2),
        ("call_answered", "taken", 3),
    ]
    assert said[2].detail["cases"] == sorted(references[:2])


async def test_nobody_is_told_where_the_authority_knows_no_permit(context: Context) -> None:
    await _cases(context)
    assert await gather_departed(context, LEAVING, await _left(context), NOON) is None


async def test_a_change_that_is_not_in_force_cannot_be_spread(context: Context) -> None:
    proposed = await _propose(context, Standing.LEFT_PARK)
    with pytest.raises(Defect):
        await get_change(context, proposed["change_id"])


async def test_commands_of_a_standing_are_stored_as_the_engines_own(context: Context) -> None:
    await _cases(context, 1)
    change = await get_change(context, (await _propose(context, Standing.SUSPENDED))["change_id"])
    await spread_chunk(context, change, NOON, "")
    async with context.database.begin() as connection:
        row = (await connection.execute(select(commands).where(commands.c.kind == "standing"))).one()
    assert (row.actor["role"], row.body, row.state) == ("system", None, "stored")


async def test_a_suspension_meets_every_registration_that_is_being_taken_on(context: Context) -> None:
    requests = [RegistrationRequest.model_validate(registration_body(identity_number=n)) for n in NUMBERS]
    accepting = [accept(context, EMPLOYER_A, request, key()) for request in requests]
    proposing = propose_standing(context, SUPERVISOR, "emp-a", _to(Standing.SUSPENDED), key())
    answers, proposed = await asyncio.gather(asyncio.gather(*accepting, return_exceptions=True), proposing)
    change = await get_change(context, proposed.body["change_id"])
    asked, _ = await spread_chunk(context, change, NOON, "")
    taken = {answer.reference for answer in answers if not isinstance(answer, BaseException)}
    assert {reference for reference, _ in asked} == taken
    assert all(isinstance(answer, Refused) for answer in answers if isinstance(answer, BaseException))
