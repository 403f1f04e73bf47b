"""The letter of a decision, before it is made."""

from typing import Annotated, Final

from fastapi import Request
from starlette.responses import Response

from api.access import allow
from api.answers import json_response
from api.case_routes import CaseRoutes, called
from api.parameters import CasePath, PurposeHeader
from api.wiring import wiring_of
from cases.decisions.foretelling import LettersView, foretell_decision
from domain.actors import Actor, Role
from domain.decisions import DecisionRequest
from domain.routes import REASONS

routes: Final = CaseRoutes("Staff")


@routes.post(
    "/decision/preview",
    response_model=LettersView,
    summary="Read the letter of a decision before it is made",
    **called(
        "previewDecision",
        "purpose_missing",
        "wrong_stage",
        "case_closed",
        "stale_round",
        "already_decided",
        "on_hold",
        "task_held",
        "evidence_seen_by_decider",
        "live_registration_exists",
        "return_not_allowed",
        "facts_erased",
        *REASONS,
    ),
)
async def preview_decision(
    request: Request,
    reference: CasePath,
    body: DecisionRequest,
    actor: Annotated[Actor, allow(Role.OFFICER, Role.SUPERVISOR)],
    purpose: PurposeHeader = None,
) -> Response:
    """Return what employer and person would read of a decision, each in their language; nothing is decided by it.

    It is refused as the decision would be. Since a letter names the person, reading it is a ledger act with a purpose.
    """
    return json_response(await foretell_decision(wiring_of(request).context, actor, reference, body, purpose))
