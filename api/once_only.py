"""What was verified before and is on offer for a case, for programmes that take something over."""

from typing import Annotated, Final

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from api.access import allow
from api.answers import json_response
from api.case_routes import ProgrammeRouter, endpoint, says
from api.parameters import CasePath
from api.wiring import wiring_of
from cases.commands.once_only import OFFERS
from cases.once_only.offers import list_offers
from cases.once_only.views import OfferView
from domain.actors import Actor, Role
from domain.parties import Party

_OWNER: Final = {Party.EMPLOYER: Role.EMPLOYER, Party.PERSON: Role.PERSON}


class OfferList(BaseModel):
    """All that is on offer, the newest first."""

    items: list[OfferView]
    next_cursor: None


def add_offers(router: ProgrammeRouter) -> None:
    """Serve them under the address of a programme that takes something over."""
    if not router.programme.takes:
        return
    owner = _OWNER[router.programme.party]
    readers = allow(owner, asks_document=owner is Role.PERSON)
    read = endpoint(_read, reference=CasePath, actor=Annotated[Actor, readers])
    tag = "The person" if owner is Role.PERSON else "Employers"
    router.add("GET", "/{reference}/offers", read, response_model=OfferList, tags=[tag], **says(OFFERS))


async def _read(request: Request, reference: str, actor: Actor) -> Response:
    items = await list_offers(wiring_of(request).context, actor, reference)
    return json_response({"items": items, "next_cursor": None})
