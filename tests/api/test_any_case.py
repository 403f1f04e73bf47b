"""What any case takes is walked for a programme by its entry of the samples, and nothing of that is left out."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest_asyncio

from domain.routes import On
from programmes import PROGRAMMES
from tests.api.any_case import REVIEW, Cases, walk_any_case
from tests.api.callers import TestIssuer
from tests.api.conftest import Stage, set_stage
from tests.api.routes import all_routes
from tests.api.walk import Walk
from tests.programmes.conftest import toy_database
from tests.programmes.toy.programme import TOY

__all__ = ["toy_database"]
BOTH = {**PROGRAMMES, TOY.code: TOY}


@pytest_asyncio.fixture
async def with_toys(toy_database: str, issuer_of_tests: TestIssuer) -> AsyncIterator[Stage]:
    async with set_stage(toy_database, issuer_of_tests, programmes=BOTH) as stage:
        # What is published is of the registry, which this process began with: an answer of a toy is not described.
        stage.client.event_hooks["response"].clear()
        yield stage


async def test_what_any_case_takes_is_walked_for_a_second_programme(with_toys: Stage) -> None:
    walk = Walk(with_toys)
    await walk_any_case(walk, TOY)
    await _take_over(walk)

    own = {each.route.verb for each in TOY.commands.values() if each.route and each.route.on is On.TRACK}
    routes = {f"{method} {path}" for method, path, _ in all_routes(with_toys.app) if path.startswith("/v1/toys")}
    assert {each for each in routes - set(walk.seen) if each.rpartition("/")[2] not in own} == set()


async def _take_over(walk: Walk) -> None:
    """Take an age that was proved in one case over into the next of the same person, which a programme walks itself."""
    toys = Cases(walk, TOY)
    form, employer = toys.form()
    there = await toys.ready(form, employer)
    (piece,) = (await toys.read("officer-1", there, "/evidence", headers=REVIEW))["items"]
    seen = {"result": "proved", "value": piece["value"], "seen_in": "The original.", "round": 1}
    await toys.act("supervisor-2", there, "evidence/{evidence_id}/seen", seen, evidence_id=piece["evidence_id"])
    # An employer has one live case of a person, so that of the toy that was made has to have ended.
    await toys.approve(there)
    await walk.pass_time(there, timedelta(minutes=11))
    await toys.act("officer-2", there, "workshops/{workshop}/finished", {}, workshop="wood")
    reference = await toys.open(form, employer)
    (offer,) = (await toys.read("owner", reference, "/offers"))["items"]
    assert (offer["source_reference"], offer["value"]) == (there, piece["value"])
    await toys.act("owner", reference, "take-over", {"offer": offer["offer"]})
    taken = (await toys.read("officer-1", reference, "/evidence", headers=REVIEW))["items"]
    assert [each["value"] for each in taken if each["source_reference"] == there] == [piece["value"]], taken
