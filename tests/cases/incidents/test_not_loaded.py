"""The first registration where nothing was loaded says so, to the caller and to the operator."""

from collections.abc import AsyncIterator
from datetime import date

import pytest
import pytest_asyncio

from cases.deadlines.calendar_loads import load_calendar
from cases.incidents.stopped import list_incidents
from cases.shared.context import Context
from domain.actors import Actor, Role, system
from domain.errors import Refused
from programmes.talent_permit.registration import check
from programmes.talent_permit.requests import RegistrationRequest
from register.employers import load_register
from tests.cases.contexts import EMPLOYER_A, Clock, key, load_samples, open_context, registration_body, sample_register
from tests.cases.taking_on import accept

OPERATOR = Actor(issuer="test", subject="operator", role=Role.OPERATOR)
REQUEST = RegistrationRequest.model_validate(registration_body())


@pytest_asyncio.fixture
async def context(clean_database: str) -> AsyncIterator[Context]:
    async with open_context(clean_database, Clock()) as context:
        yield context


async def _lines(context: Context) -> dict[str, int]:
    return {line.step: line.times for line in (await list_incidents(context, OPERATOR))[0]}


async def _refused(context: Context, actor: Actor) -> Refused:
    with pytest.raises(Refused, match="employer_not_in_good_standing") as refused:
        await accept(context, actor, REQUEST, key())
    return refused.value


async def test_a_registration_where_nothing_is_loaded_says_so_and_is_two_lines_until_it_is(context: Context) -> None:
    assert [(await _refused(context, EMPLOYER_A)).words for _ in range(2)] == ["register_not_loaded"] * 2
    with pytest.raises(Refused) as checked:
        await check(context, EMPLOYER_A, REQUEST)
    assert checked.value.words == "register_not_loaded"
    assert await _lines(context) == {"employers": 3, "calendar": 3}
    await load_calendar(context, system("calendar_load"), {date(2026, 3, 3): False})
    assert await _lines(context) == {"employers": 3}
    # Not as other tests load it, who put back what stood there when it was loaded first.
    await load_register(context, system("register_load"), sample_register())
    assert await _lines(context) == {}
    assert (await accept(context, EMPLOYER_A, REQUEST, key())).reply.progress == "stored"


async def test_an_employer_that_is_not_among_those_loaded_is_nobodys_incident(context: Context) -> None:
    await load_samples(context)
    stranger = EMPLOYER_A.model_copy(update={"employer_id": "emp-of-nobody"})
    refused = await _refused(context, stranger)
    assert (refused.words, refused.detail) == ("", "The park has no employer of this id on its register.")
    assert await _lines(context) == {}
