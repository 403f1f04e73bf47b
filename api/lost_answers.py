"""Calls of staff about answers of the authority on cases that the register does not have."""

from datetime import date, datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from api.access import GuardedRoute, IdempotencyKey, allow
from api.answers import answer_page, respond
from api.parameters import IdPath, PageQuery
from api.wiring import wiring_of
from domain.actors import Actor, Role
from domain.answers import Outcome
from domain.lost_answers import AttachmentConfirmation, AttachmentRequest, LostAnswerState
from programmes.talent_permit.authority import lost as lost_answers
from programmes.talent_permit.authority import lost_acts as lost_answer_acts

router = APIRouter(prefix="/v1/lost-answers", route_class=GuardedRoute, tags=["Staff"])

_READERS = allow(Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR)
_STAFF = allow(Role.OFFICER, Role.SUPERVISOR)


class LostAnswerQuery(PageQuery):
    """Which answers."""

    state: LostAnswerState | None = Field(default=None, description="What became of them.")


class LostAnswerView(BaseModel):
    """An answer of the authority about a case, or a permit, that the register did not have when it came."""

    id: str
    case: str = Field(description="The case as the authority named it.")
    outcome: Outcome
    outcome_id: str
    message_id: str | None = Field(description="Id of the message that brought it; null from the poll.")
    source: str = Field(description="`callback` or `poll`.")
    authority_number: str | None = Field(description="Null once a case has the answer.")
    valid_from: date | None
    valid_until: date | None
    occurred_at: datetime
    received_at: datetime
    state: LostAnswerState
    attached_to: str | None = Field(description="The case to which it was proposed, or belongs.")
    proposed_by: str | None
    proposed_at: datetime | None
    decided_by: str | None
    decided_at: datetime | None


class LostAnswerPage(BaseModel):
    """A page of answers."""

    items: list[LostAnswerView]
    next_cursor: str | None


@router.get("", response_model=LostAnswerPage, summary="List answers about cases that are not there")
async def list_answers(
    request: Request, query: Annotated[LostAnswerQuery, Query()], actor: Annotated[Actor, _READERS]
) -> Response:
    """List what the authority answered about cases that the register does not have, the newest first."""
    context = wiring_of(request).context
    read = partial(lost_answers.list_answers, context, query.state)
    return await answer_page(request, actor, "lost-answers", query, read)


@router.post("/{answer_id}/attachment", response_model=LostAnswerView, status_code=202, summary="Propose its case")
async def propose_attachment(
    request: Request,
    answer_id: IdPath,
    body: AttachmentRequest,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _STAFF],
) -> Response:
    """Propose that an answer belongs to a case, such as the same person's that was submitted anew after a restore."""
    return respond(await lost_answer_acts.propose(wiring_of(request).context, actor, answer_id, body, idempotency))


@router.post(
    "/{answer_id}/attachment/confirmation", response_model=LostAnswerView, summary="Sign, or reject, the attachment"
)
async def confirm_attachment(
    request: Request,
    answer_id: IdPath,
    body: AttachmentConfirmation,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _STAFF],
) -> Response:
    """Give or refuse the second signature; given, the answer is taken in as one about the case that was named."""
    wiring = wiring_of(request)
    reply, received = await lost_answer_acts.confirm(wiring.context, actor, answer_id, body, idempotency)
    if received is not None and received.command_id is not None:
        wiring.in_background(
            wiring.engine.nudge(received.reference, str(received.command_id), request.state.correlation_id)
        )
    return respond(reply)
