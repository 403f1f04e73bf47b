"""What is decided against somebody takes effect by its timer, whatever is killed or lost meanwhile."""

from datetime import timedelta

import pytest

from domain.commands import CommandKind
from domain.decisions import RecallRequest
from domain.errors import Refused
from domain.stages import Stage
from programmes.talent_permit.permit_requests import RevocationRequest
from programmes.talent_permit.permit_stages import PermitStage
from programmes.talent_permit.words import PermitCommand
from tests.cases.contexts import OFFICER
from tests.e2e.people import identity_number
from tests.workflows.world import OFFICER_2, World, term

REVOKE = RevocationRequest.model_validate({"reasons": [{"code": "decided_in_error"}]})
pytestmark = pytest.mark.parametrize("parameters", ["default"])


async def test_refusal_takes_effect_by_its_timer_and_ends_the_workflow(world: World) -> None:
    case = await world.submit()
    await case.decide("refuse", "employment_unproved")
    reply = await case.confirm("confirm")
    assert (reply.body["stage"], reply.body["pending"]["signed_by"]) == ("awaiting_confirmation", OFFICER_2.subject)
    assert (await case.course()).wake_for == "takes_effect"
    await case.skip(timedelta(minutes=5))
    assert "registration_refused" not in await case.notices()
    await case.skip(timedelta(minutes=6), settle=False)
    await case.ended()
    assert await case.stage() is Stage.REFUSED
    assert (await case.acts()).count("settled") == 1
    assert (await case.notices()).count("registration_refused") == 2


async def test_refusal_is_taken_back_and_the_case_decided_otherwise(world: World) -> None:
    case = await world.submit()
    await case.decide("refuse", "employment_unproved")
    await case.confirm("confirm")
    with pytest.raises(Refused, match="role_not_allowed"):
        await case.ask(OFFICER, CommandKind.RECALL, RecallRequest(reason="Not mine."))
    reply = await case.ask(OFFICER_2, CommandKind.RECALL, RecallRequest(reason="The wrong case."))
    assert (reply.body["stage"], reply.body["round"]) == ("under_review", 2)
    await case.skip(timedelta(minutes=20))
    assert await case.stage() is Stage.UNDER_REVIEW
    await case.approve()
    assert "registration_refused" not in await case.notices()


async def test_revocation_of_a_case_that_rests_takes_effect_and_is_reported_once(world: World) -> None:
    case = await world.submit()
    await case.approve()
    for destination in ("HK", "MO"):
        await case.answer(destination, "issued", **term(world.clock()), authority_number=f"C-{destination}")
    await case.ask(OFFICER, PermitCommand.REVOKE, REVOKE)
    await case.confirm("confirm")
    await case.skip(timedelta(minutes=5))
    assert (await case.permit()).reported_at is None
    await case.skip(timedelta(minutes=6))
    assert await case.stage() is Stage.ENDED
    assert (await case.permit()).stage == PermitStage.ISSUED
    assert (await case.acts()).count("permit_reported") == 2
    assert (await case.notices()).count("registration_revoked") == 2


async def test_a_workflow_that_is_lost_meanwhile_is_started_again_and_refuses_once(world: World) -> None:
    case = await world.submit(identity_number=identity_number(1))
    await case.decide("refuse", "employment_unproved")
    await case.confirm("confirm")
    await case.end()
    assert await world.engine.start(case.reference)
    await case.skip(timedelta(minutes=5))
    assert await case.stage() is Stage.AWAITING_CONFIRMATION
    await case.skip(timedelta(minutes=6), settle=False)
    await case.ended()
    assert await case.stage() is Stage.REFUSED
    assert (await case.acts()).count("settled") == 1
    assert (await case.notices()).count("registration_refused") == 2
