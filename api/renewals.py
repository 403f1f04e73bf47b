"""What a renewal of a case would confirm, for programmes whose cases are renewed."""

from typing import Annotated

from fastapi import Request
from starlette.responses import Response

from api.access import allow
from api.answers import json_response
from api.case_routes import ProgrammeRouter, endpoint, says
from api.parameters import CasePath
from api.wiring import wiring_of
from cases.commands.renewals import READ
from cases.decisions import renewal_reads
from cases.decisions.renewal_reads import RenewalAheadView
from domain.actors import Actor, Role
from domain.parties import Party

_OWNER = {Party.EMPLOYER: Role.EMPLOYER, Party.PERSON: Role.PERSON}


def add_renewal(router: ProgrammeRouter) -> None:
    """Serve it under the address of a programme whose cases are renewed."""
    if router.programme.renewal is None:
        return
    owner = _OWNER[router.programme.party]
    readers = allow(owner, Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR, asks_document=owner is Role.PERSON)
    read = endpoint(_read, reference=CasePath, actor=Annotated[Actor, readers])
    tag = "The person" if owner is Role.PERSON else "Employers"
    said = {"response_model": RenewalAheadView, "tags": [tag], **says(READ)}
    router.add("GET", "/{reference}/renewal", read, **said)


async def _read(request: Request, reference: str, actor: Actor) -> Response:
    return json_response(await renewal_reads.read_renewal(wiring_of(request).context, actor, reference))
