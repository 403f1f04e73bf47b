"""The evidence of a case, read in clear, for programmes that declare some."""

from typing import Annotated

from fastapi import Header, Request
from pydantic import BaseModel
from starlette.responses import Response

from api.access import allow
from api.answers import json_response
from api.case_routes import ProgrammeRouter, says
from api.parameters import CasePath
from api.wiring import wiring_of
from cases.case.evidence_reads import list_evidence
from cases.case.evidence_views import OpenedEvidenceView
from cases.commands.evidence import READ
from domain.actors import Actor, Role
from domain.parties import Party
from domain.purposes import Purpose

# Said by whoever is not the owner.
_Purpose = Annotated[Purpose | None, Header(alias="Purpose", description="Why; the owner opens its own without.")]
_OWNER = {Party.EMPLOYER: Role.EMPLOYER, Party.PERSON: Role.PERSON}


class EvidenceList(BaseModel):
    """All evidence of a case, the first piece first."""

    items: list[OpenedEvidenceView]
    next_cursor: None


def add_evidence(router: ProgrammeRouter) -> None:
    """Serve it under the address of a programme whose cases have evidence."""
    if router.programme.evidence is None:
        return
    owner = _OWNER[router.programme.party]
    readers = allow(owner, Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR, asks_document=owner is Role.PERSON)

    async def read(
        request: Request, reference: CasePath, actor: Annotated[Actor, readers], purpose: _Purpose = None
    ) -> Response:
        items = await list_evidence(wiring_of(request).context, actor, reference, purpose)
        return json_response({"items": items, "next_cursor": None})

    said = {"response_model": EvidenceList, "tags": ["Staff"], **says(READ)}
    router.add("GET", "/{reference}/evidence", read, **said)
