"""A case does what its own programme declares, beside cases of another one in the same register."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.commands.submit import ask
from cases.programme import Command, Programme, effect
from domain.actors import Actor
from domain.acts import Act
from domain.clock import morning_of
from domain.commands import CommandKind
from domain.decisions import HoldRequest
from domain.errors import Refused
from domain.findings import Finding
from policy.facts import Facts
from policy.pack import Pack
from policy.rerun import Rules
from programmes import PROGRAMMES
from programmes.talent_permit.programme import TALENT_PERMIT
from programmes.talent_permit.words import PermitDeadline
from store.rows.work import DeadlineRow
from tests.cases.contexts import OFFICER, key
from tests.cases.driver import Case, Park, china, open_park
from tests.cases.of_another import make_of

OTHER = "33010619860128072X"


async def _takes_effect(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime) -> None:
    file.record(Act.REMINDED, actor, at, step="of the toy")
    file.set_deadline(PermitDeadline.CONTRACT_REMINDER, morning_of(date(2026, 3, 9)))


def _on_time(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    file.record(Act.CHANGED, actor, at, fields=["toy"])


async def _hold(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: dict[str, Any]) -> None:
    raise Refused("on_hold", "A toy is not held.")


def _nothing(facts: Facts, pack: Pack, on: date) -> tuple[Finding, ...]:
    return ()


def _nothing_of(facts: Facts, track: str, pack: Pack, on: date) -> tuple[Finding, ...]:
    return ()


TOY = replace(
    TALENT_PERMIT,
    code="toy",
    rosters={},
    commands={**TALENT_PERMIT.commands, CommandKind.HOLD: Command(does=_hold, acts=effect(Act.HELD), body=HoldRequest)},
    timers={**TALENT_PERMIT.timers, PermitDeadline.CONTRACT_REMINDER: _on_time},
    rules=Rules(facts=TALENT_PERMIT.rules.facts, assess=_nothing, of_track=_nothing_of, looked_at={}),
    takes_effect=_takes_effect,
)


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield _handed(park, {**PROGRAMMES, TOY.code: TOY})


def _handed(park: Park, programmes: Mapping[str, Programme]) -> Park:
    park.context = replace(park.context, programmes=programmes)
    return park


async def _toy(park: Park, owner_url: str) -> Case:
    case = await park.take_on(identity_number=OTHER)
    await make_of(TOY.code, case, owner_url)
    return case


async def test_what_begins_once_an_approval_has_settled_is_the_programme_s_own(park: Park, owner_url: str) -> None:
    permit, toy = await park.approved(), await _toy(park, owner_url)
    await toy.step()
    assert (await toy.view())["findings"] == []
    await toy.approve()
    assert [each["destination"] for each in (await permit.view())["permits"]] == ["HK", "MO"]
    assert (await toy.view())["permits"] == []
    assert (await toy.ledger())[-1] == Act.REMINDED
    await toy.at("2026-03-10")
    assert (await toy.ledger())[-1] == Act.CHANGED
    assert (await toy.view())["programme"] == "toy"


async def test_a_command_is_tried_and_awaited_as_the_programme_declares_it(park: Park, owner_url: str) -> None:
    permit, toy = await park.review(), await _toy(park, owner_url)
    await toy.step()
    asked = HoldRequest.model_validate({"action": "place", "reason": "legal_question"})
    told = await ask(park.context, OFFICER, permit.reference, CommandKind.HOLD, asked, key("hold"))
    assert told.reply is None
    with pytest.raises(Refused, match="on_hold"):
        await ask(park.context, OFFICER, toy.reference, CommandKind.HOLD, asked, key("hold"))


async def test_a_case_of_a_programme_that_was_not_handed_in_is_not_worked(park: Park, owner_url: str) -> None:
    toy = await _toy(park, owner_url)
    _handed(park, PROGRAMMES)
    with pytest.raises(KeyError, match="toy"):
        await toy.step()
