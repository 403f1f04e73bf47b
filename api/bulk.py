"""Several acts in one call: each has its own key and its own outcome, which says what a refusal of it alone would."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar
from uuid import UUID

from fastapi import Request

from api.acts import ask
from api.answers import status_of
from api.case_answers import act_answer
from api.problems import outcome_of
from api.wiring import wiring_of
from cases.case import reads
from cases.programme import programme_at
from cases.shared.idempotency import Idempotency
from cases.tasks import inbox
from domain.actors import Actor
from domain.commands import CommandKind
from domain.decisions import BulkDecision, DecisionAction, DecisionRequest
from domain.errors import Refused, Unavailable
from domain.references import find_reference
from domain.stages import AssessmentOutcome

_Wanted = TypeVar("_Wanted")
_AT_ONCE: Final = 4  # so that one call does not take all connections to the database


async def approve_all(
    request: Request, actor: Actor, wanted: Sequence[BulkDecision], idempotency: Idempotency
) -> list[dict[str, Any]]:
    """Approve cases, and return one outcome for each in the order given."""
    return await _each(wanted, lambda decision: _approve(request, actor, decision, idempotency))


async def assign_all(
    request: Request, actor: Actor, task_ids: Sequence[UUID], subject: str, idempotency: Idempotency
) -> list[dict[str, Any]]:
    """Assign tasks to somebody, and return one outcome for each in the order given."""
    return await _each(task_ids, lambda task_id: _assign(request, actor, task_id, subject, idempotency))


async def _each(wanted: Sequence[_Wanted], do: Callable[[_Wanted], Awaitable[dict[str, Any]]]) -> list[dict[str, Any]]:
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(each: _Wanted) -> dict[str, Any]:
        async with places:
            return await do(each)

    return list(await asyncio.gather(*(one(each) for each in wanted)))


async def _outcome(request: Request, doing: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    """Return what an act came to, or what it was refused with."""
    try:
        return await doing
    except Refused as refused:
        return outcome_of(refused, request.state.language)
    except Unavailable:
        return outcome_of(Refused("engine_unavailable"), request.state.language)


async def _assign(
    request: Request, actor: Actor, task_id: UUID, subject: str, idempotency: Idempotency
) -> dict[str, Any]:
    async def do() -> dict[str, Any]:
        reply = await inbox.assign(wiring_of(request).context, actor, task_id, subject, named)
        return {"status": status_of(reply), "reference": reply.body["reference"], "holder": reply.body["holder"]}

    named = replace(idempotency, route=f"{idempotency.route} {task_id}", body=subject.encode())
    return {"id": str(task_id), **await _outcome(request, do())}


async def _approve(request: Request, actor: Actor, decision: BulkDecision, idempotency: Idempotency) -> dict[str, Any]:
    reference = find_reference(decision.reference)
    if reference is None:
        unknown = Refused("not_found", "There is no case of this reference.")
        return {"reference": None, **outcome_of(unknown, request.state.language)}
    named = replace(
        idempotency,
        route=f"{idempotency.route} {reference}",
        body=decision.model_dump_json().encode(),
    )

    async def do() -> dict[str, Any]:
        await _need_clear(request, actor, reference)
        body = DecisionRequest(action=DecisionAction.APPROVE, round=decision.round)
        reply = await ask(request, actor, reference, CommandKind.DECIDE, body, named)
        answer = act_answer(reply, partial(programme_at, wiring_of(request).context))
        outcome = {"status": status_of(reply), "stage": answer["stage"]}
        outcome |= {"permit_obstacles": answer.get("permit_obstacles", [])}
        return outcome | ({"pending": True} if answer.get("pending") is True else {})

    return {"reference": reference, **await _outcome(request, do())}


async def _need_clear(request: Request, actor: Actor, reference: str) -> None:
    """Refuse a case that was not assessed clear: an officer looks at that one alone."""
    case = await reads.get_case(wiring_of(request).context, actor, reference, request.state.language)
    if case.assessment is not AssessmentOutcome.CLEAR:
        raise Refused("wrong_stage", "Only cases assessed clear are approved together; open this one.")
