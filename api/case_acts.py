"""What the caller may do with a case now, its line of stages and whose turn it is."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.access import GuardedRoute, allow, own
from api.answers import json_response
from api.case_routes import ProgrammeRouter, called, endpoint
from api.parameters import CasePath
from api.problems import sentence_of
from api.wiring import wiring_of
from cases.acts.reading import get_acts
from cases.acts.views import CaseActsView
from domain.actors import Actor, Role
from domain.parties import Party
from privacy.objections import need_own_reference
from privacy.sign_in import Session

router = APIRouter(prefix="/v1/me", route_class=GuardedRoute, tags=["The person"])

_SAYS: Final[dict[str, Any]] = {
    "summary": "What may be done with a case now",
    "description": "Return the line of its stages, whose turn it is, and each act of the caller's role: where it is "
    "asked, whether it would be taken now and why not, and what it sets going. What depends on what is given with an "
    "act is refused when it is asked.",
}


def add_acts(made: ProgrammeRouter) -> None:
    """Serve it under the address of each case of a programme, to its owner and the park's people."""
    owner = {Party.EMPLOYER: Role.EMPLOYER, Party.PERSON: Role.PERSON}[made.programme.party]
    readers = allow(owner, Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR, asks_document=owner is Role.PERSON)
    read = endpoint(_read, reference=CasePath, actor=Annotated[Actor, readers])
    said = {"response_model": CaseActsView, "tags": ["The person" if owner is Role.PERSON else "Employers"], **_SAYS}
    made.add("GET", "/{reference}/acts", read, **said, **called("listActs", "facts_erased"))


async def _read(request: Request, reference: str, actor: Actor) -> Response:
    shown = await get_acts(wiring_of(request).context, actor, reference, request.state.language, explain=sentence_of)
    return json_response(shown, in_china=True)


@router.get("/registrations/{reference}/acts", response_model=CaseActsView, **_SAYS)
async def list_own_acts(request: Request, reference: CasePath, session: Annotated[Session, own()]) -> Response:
    """Return it of a case of the person's own, with what the person may ask."""
    context, actor = wiring_of(request).context, request.state.actor
    named = await need_own_reference(context, actor, session, reference)
    return await _read(request, named, actor)
