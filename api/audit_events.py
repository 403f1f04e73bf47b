"""Calls of auditors on the ledger: search, counts, export, samples and possible conflicts of interest."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from api.access import GuardedRoute, allow
from api.answers import Pages, answer_page, json_response
from api.audit_event_views import EventPage
from api.parameters import PurposeHeader
from api.published_words import Act, TrackKey
from api.streams import NdjsonResponse
from api.wiring import wiring_of
from domain.actors import Actor, Role
from domain.errors import Refused
from domain.fields import Code, Since, Until
from domain.pages import PageQuery
from domain.references import find_reference
from record import export as audit_export
from record import review
from record import search as audit_events
from record.event_views import ConflictsView, CountBy, CountsView, SampleView
from record.search import Filters

router = APIRouter(prefix="/v1/audit", route_class=GuardedRoute, tags=["Auditors"])

_AUDITOR = allow(Role.AUDITOR)
_Visible = Annotated[str, StringConstraints(max_length=200, pattern=r"^[!-~]+$")]
_Word = Annotated[str, StringConstraints(max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/,\[\]-]*$")]
_Seed = Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]


class EventQuery(BaseModel):
    """Which rows of the ledger: each that is given must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    act: Act | None = None
    actor: _Visible | None = Field(default=None, description="Subject of the one who acted.", examples=["officer-1"])
    issuer: _Visible | None = Field(default=None, description="Issuer of the subject's token.")
    role: Role | None = None
    employer_id: Code | None = None
    case: Annotated[str, StringConstraints(max_length=40)] | None = Field(
        default=None, description="Reference of a case; readings that showed it are found too."
    )
    outcome: _Word | None = None
    reason_code: _Word | None = None
    rule_version: Code | None = None
    destination: TrackKey | None = None
    begins: Since | None = Field(default=None, alias="from", description="From this time, or this day, on.")
    ends: Until | None = Field(default=None, alias="to", description="Before this time, or up to and with this day.")

    def asked(self) -> dict[str, Any]:
        """Return what is asked for, as a manifest and a cursor name it."""
        return self.model_dump(
            mode="json", exclude={"limit", "cursor", "after", "by"}, exclude_none=True, by_alias=True
        )

    def filters(self) -> Filters:
        """Return the filters; a reference that cannot be one is of no case."""
        case = find_reference(self.case) if self.case is not None else None
        if self.case is not None and case is None:
            raise Refused("case_unknown", "There is no case of this reference.")
        return Filters(
            act=self.act, issuer=self.issuer, subject=self.actor, role=self.role, employer_id=self.employer_id,
            case=case, outcome=self.outcome, reason_code=self.reason_code, rule_version=self.rule_version,
            destination=self.destination, begins=self.begins, ends=self.ends,
        )  # fmt: skip


class EventPageQuery(EventQuery, PageQuery):
    """Which rows, and which page of them."""


class CountQuery(EventQuery):
    """Which rows, and what they are counted by."""

    by: CountBy


class ExportQuery(EventQuery):
    """Which rows, and where an export that broke off goes on."""

    after: str | None = Field(default=None, max_length=1000, description="`after` of the last line `resume` received.")


class RangeQuery(BaseModel):
    """A time range of at most 366 days."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    begins: Since = Field(alias="from", description="From this time, or this day, on.")
    ends: Until = Field(alias="to", description="Before this time, or up to and with this day.")


class SampleQuery(RangeQuery):
    """How a sample is drawn."""

    seed: _Seed = Field(description="Any word; the same one draws the same again.", examples=["2026q1"])
    size: int = Field(default=20, ge=1, le=200, description="How many decisions to draw.")


@router.get("/events", response_model=EventPage, summary="Search the ledger")
async def search(
    request: Request, query: Annotated[EventPageQuery, Query()], actor: Annotated[Actor, _AUDITOR]
) -> Response:
    """List rows of the ledger, newest first; a page may be short or empty and still have a next one."""
    context = wiring_of(request).context
    read = partial(audit_events.search, context, query.filters())
    return await answer_page(request, actor, "audit/events", query, read)


@router.get("/counts", response_model=CountsView, summary="Count rows of the ledger")
async def count(request: Request, query: Annotated[CountQuery, Query()], actor: Annotated[Actor, _AUDITOR]) -> Response:
    """Count the rows of a time range of at most 92 days, most frequent first."""
    counts = await audit_events.count(wiring_of(request).context, query.filters(), query.by)
    return json_response(counts)


@router.get(
    "/export",
    response_class=NdjsonResponse,
    summary="Export rows of the ledger",
    responses={200: {"description": "One JSON object a line: `manifest`, `row`, `resume`, `end`."}},
)
async def export(
    request: Request,
    query: Annotated[ExportQuery, Query()],
    actor: Annotated[Actor, _AUDITOR],
    purpose: PurposeHeader = None,
) -> Response:
    """Send rows oldest first with all that their hashes cover; who exports what and why is a ledger act."""
    if purpose is None:
        raise Refused("purpose_missing", "Say in the header Purpose what the export is for.")
    wiring = wiring_of(request)
    pages = Pages(wiring, actor, "audit/export/part", query.asked())
    made = await audit_export.begin_export(
        wiring.context, actor, query.filters(), purpose, query.asked(),
        after=pages.after(query.after), cursor_of=pages.cursor, later=wiring.in_background,
    )  # fmt: skip
    name = f"ledger-{made.made_at:%Y%m%dT%H%M%S}.ndjson"
    return NdjsonResponse(made.lines(), headers={"Content-Disposition": f'attachment; filename="{name}"'})


@router.get("/samples", response_model=SampleView, summary="Draw decisions for review")
async def sample(
    request: Request,
    query: Annotated[SampleQuery, Query()],
    actor: Annotated[Actor, _AUDITOR],
    purpose: PurposeHeader = None,
) -> Response:
    """Draw decisions at random by a seed, so that anyone can draw the same again; a ledger act."""
    drawn = await review.draw_sample(
        wiring_of(request).context, actor,
        seed=query.seed, size=query.size, begins=query.begins, ends=query.ends, purpose=purpose,
    )  # fmt: skip
    return json_response(drawn)


@router.get("/conflicts", response_model=ConflictsView, summary="Decisions with a possible conflict of interest")
async def conflicts(
    request: Request, query: Annotated[RangeQuery, Query()], actor: Annotated[Actor, _AUDITOR]
) -> Response:
    """Show second signatures by the proposer, and officers seen unusually often with one employer."""
    found = await review.find_conflicts(wiring_of(request).context, query.begins, query.ends)
    return json_response(found)
