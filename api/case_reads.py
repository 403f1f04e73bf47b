"""What is read of a case beside itself: fields of its person, its notices, what was asked of it, recorded facts."""

from functools import partial
from typing import Annotated, Final

from fastapi import Header, Query, Request
from pydantic import Field
from starlette.responses import Response

from api.access import allow
from api.answers import answer_page, json_response
from api.case_routes import CaseRoutes, called, programme_in
from api.fact_views import opened_facts
from api.notice_views import NoticePage
from api.parameters import CasePath, PurposeHeader
from api.views import AmendmentList, RequestPage
from api.wiring import wiring_of
from cases.case import difference_reads, fact_reads, reads, requests
from cases.notices import reads as notice_reads
from domain.actors import Actor, Role
from domain.bodies import Body as RequestBody
from domain.pages import PageQuery
from domain.purposes import Purpose

routes: Final = CaseRoutes("Staff")

_INSIDE = allow(Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR, Role.OPERATOR)
_REVIEWERS = allow(Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR)
_READERS = allow(Role.EMPLOYER, Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR)


class PersonQuery(RequestBody):
    """Which fields of the person to open."""

    fields: str = Field(
        min_length=1, max_length=300, description="Names, separated by commas.", examples=["name_zh,identity_number"]
    )

    @property
    def names(self) -> tuple[str, ...]:
        """The names, each once, in the order given."""
        return tuple(dict.fromkeys(name.strip() for name in self.fields.split(",") if name.strip()))


@routes.get(
    "/person",
    answers=lambda shown: shown.person,
    summary="Open person fields",
    **called("openPerson", "purpose_missing", "facts_erased"),
)
async def open_person(
    request: Request,
    reference: CasePath,
    query: Annotated[PersonQuery, Query()],
    actor: Annotated[Actor, _READERS],
    purpose: Annotated[
        Purpose | None, Header(alias="Purpose", description="Why; an employer opens its own without.")
    ] = None,
) -> Response:
    """Return fields of the person in clear; the reading is a ledger act."""
    opened = await reads.open_person(wiring_of(request).context, actor, reference, query.names, purpose)
    return json_response(opened)


@routes.get(
    "/notices", response_model=NoticePage, summary="Notices of a case", **called("listCaseNotices", "not_found")
)
async def list_notices(
    request: Request, reference: CasePath, query: Annotated[PageQuery, Query()], actor: Annotated[Actor, _INSIDE]
) -> Response:
    """List who was told what by which channel, oldest first, and how far each delivery got."""
    context = wiring_of(request).context
    read = partial(notice_reads.list_notices, context, actor, reference)
    return await answer_page(request, actor, f"{programme_in(request).path}/{reference}/notices", query, read)


@routes.get(
    "/requests",
    response_model=RequestPage,
    summary="What was asked of a case",
    **called("listCaseRequests", "purpose_missing", "facts_erased"),
)
async def list_requests(
    request: Request,
    reference: CasePath,
    query: Annotated[PageQuery, Query()],
    actor: Annotated[Actor, _REVIEWERS],
    purpose: PurposeHeader = None,
) -> Response:
    """List what employer, person and staff asked of a case, with their notes, oldest first; a ledger act."""
    context = wiring_of(request).context
    read = partial(requests.list_requests, context, actor, reference, purpose)
    return await answer_page(request, actor, f"{programme_in(request).path}/{reference}/requests", query, read)


@routes.get(
    "/differences",
    response_model=AmendmentList,
    summary="What was changed under review",
    **called("listCaseDifferences", "purpose_missing", "facts_erased"),
)
async def list_differences(
    request: Request, reference: CasePath, actor: Annotated[Actor, _REVIEWERS], purpose: PurposeHeader = None
) -> Response:
    """Return what was given again under review, old and new in clear; the reading is a ledger act."""
    items = await difference_reads.list_differences(wiring_of(request).context, actor, reference, purpose)
    return json_response({"items": items, "next_cursor": None})


@routes.get(
    "/facts",
    answers=opened_facts,
    summary="Read recorded facts",
    **called("listFacts", "purpose_missing", "facts_erased"),
)
async def list_facts(
    request: Request, reference: CasePath, actor: Annotated[Actor, _READERS], purpose: PurposeHeader = None
) -> Response:
    """Return what officers recorded in a case in clear; the reading is a ledger act."""
    items = await fact_reads.list_facts(wiring_of(request).context, actor, reference, purpose)
    return json_response({"items": items, "next_cursor": None})
