"""Approval of several cases at once: each is an act of its own, with its own key and its own outcome."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from fastapi import Request

from api.acts import ask
from api.wiring import wiring_of
from cases import reads
from cases.idempotency import Idempotency
from domain.actors import Actor
from domain.commands import CommandKind
from domain.decisions import BulkDecision, DecisionAction, DecisionRequest
from domain.errors import Refused, Unavailable
from domain.references import find_reference
from domain.stages import AssessmentOutcome

_AT_ONCE: Final = 4  # so that one call does not take all connections to the database


async def approve_all(
    request: Request, actor: Actor, wanted: Sequence[BulkDecision], idempotency: Idempotency
) -> list[dict[str, Any]]:
    """Return one outcome for each case, in the order given."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(decision: BulkDecision) -> dict[str, Any]:
        async with places:
            return await _approve(request, actor, decision, idempotency)

    return list(await asyncio.gather(*(one(decision) for decision in wanted)))


async def _approve(request: Request, actor: Actor, decision: BulkDecision, idempotency: Idempotency) -> dict[str, Any]:
    reference = find_reference(decision.reference)
    if reference is None:
        return {"reference": None, "status": 404, "code": "not_found"}
    named = replace(
        idempotency,
        route=f"{idempotency.route} {reference}",
        body=decision.model_dump_json().encode(),
    )
    try:
        await _need_clear(request, actor, reference)
        body = DecisionRequest(action=DecisionAction.APPROVE, round=decision.round)
        reply = await ask(request, actor, reference, CommandKind.DECIDE, body, named)
    except Refused as refused:
        return {"reference": reference, "status": refused.status, "code": refused.code}
    except Unavailable:
        return {"reference": reference, "status": 503, "code": "engine_unavailable"}
    outcome = {"reference": reference, "status": reply.status, "stage": reply.body["stage"]}
    outcome |= {"permit_obstacles": reply.body.get("permit_obstacles", [])}
    return outcome | ({"pending": True} if reply.body.get("pending") else {})


async def _need_clear(request: Request, actor: Actor, reference: str) -> None:
    """Refuse a case that was not assessed clear: an officer looks at that one alone."""
    case = await reads.get_case(wiring_of(request).context, actor, reference, request.state.language)
    if case["assessment"] != AssessmentOutcome.CLEAR:
        raise Refused("wrong_stage", "Only cases assessed clear are approved together; open this one.")
