"""The way of an act on a case: stored as a command first, then brought to the case's workflow."""

from functools import partial
from typing import Any

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from api.case_answers import respond_with_case
from api.wiring import wiring_of
from cases.commands import submit
from cases.commands.submit import Beside
from cases.incidents import defects
from cases.programme import programme_at
from cases.shared.idempotency import Idempotency, Reply
from domain.actors import Actor
from domain.errors import Defect
from temporal.engine import Told
from temporal.telemetry import concern

Content = BaseModel | dict[str, Any]


def pending(case: Any) -> dict[int | str, dict[str, Any]]:
    """Return what the OpenAPI document says of an answer to an awaited command while the engine is away."""
    return {202: {"model": case, "description": "Stored; applied when the engine is back (`pending: true`)."}}


async def act(
    request: Request,
    actor: Actor,
    reference: str,
    kind: str,
    body: Content,
    idempotency: Idempotency,
) -> Response:
    """Store an act and answer with the case."""
    reply = await ask(request, actor, reference, kind, body, idempotency)
    return respond_with_case(reply, partial(programme_at, wiring_of(request).context))


async def ask(
    request: Request,
    actor: Actor,
    reference: str,
    kind: str,
    body: Content,
    idempotency: Idempotency,
    *,
    beside: Beside | None = None,
) -> Reply:
    """Store an act and return its answer: at once where nobody waits for the outcome, else when it is applied.

    When Temporal is away, or the workflow fails the update, the answer to a decision is 202 with `pending: true` and
    says which of the two in `pending_because`; the command is applied later. A failure is put before the operator.

    Raises:
        Refused: what the register, or the step that applied the command, refused it with.
    """
    wiring, language = wiring_of(request), request.state.language
    asked = await submit.ask(wiring.context, actor, reference, kind, body, idempotency, language, beside=beside)
    concern(asked.reference)
    if asked.reply is not None:
        wiring.in_background(wiring.engine.nudge(asked.reference, str(asked.command_id), request.state.correlation_id))
        return asked.reply
    told = await wiring.engine.decide(asked.reference, str(asked.command_id), request.state.correlation_id)
    if told is Told.FAILED:
        failed = Defect("update_failed")
        await defects.note(wiring.context, "decide", failed, asked.reference, request.state.correlation_id)
    return await submit.reply(
        wiring.context, actor, asked, idempotency, language, is_answered=bool(told), pending_because=told.value
    )
