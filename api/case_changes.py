"""The change of a case that waits for an officer, read before it is taken or declined."""

from typing import Annotated, Final

from fastapi import Request
from starlette.responses import Response

from api.access import allow
from api.answers import json_response
from api.case_routes import CaseRoutes, called
from api.parameters import CasePath, PurposeHeader
from api.wiring import wiring_of
from cases.case.change_views import ChangeAskedForView
from cases.decisions.change_reads import get_change
from domain.actors import Actor, Role

routes: Final = CaseRoutes("Staff")
_REVIEWERS = allow(Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR)


@routes.get(
    "/change",
    response_model=ChangeAskedForView,
    summary="Read the change that waits",
    **called("readChange", "purpose_missing", "not_found", "facts_erased"),
)
async def read_change(
    request: Request, reference: CasePath, actor: Annotated[Actor, _REVIEWERS], purpose: PurposeHeader = None
) -> Response:
    """Return the change that waits for an officer: old and new, who asked, on what proof, and which rules look at it.

    The reading is a ledger act.
    """
    shown = await get_change(wiring_of(request).context, actor, reference, purpose)
    return json_response(shown, in_china=True)
