"""The routes that a programme's declaration makes: its cases, what is asked of them, its inboxes and its desks."""

from collections.abc import Collection, Iterable, Sequence
from functools import partial
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response
from starlette.routing import BaseRoute

from api import case_changes, case_reads, check_codes, decision_letters, erasure, receipts
from api.access import GuardedRoute, IdempotencyKey, allow, session_of, signed
from api.acts import act, pending
from api.answers import Pages, answer_page, json_response, respond
from api.case_acts import add_acts
from api.case_answers import case_answer, respond_with_case
from api.case_parts import add_parts
from api.case_routes import ProgrammeRouter, called, endpoint, programme_in, says
from api.evidence import add_evidence
from api.once_only import add_offers
from api.own_asks import own_routes
from api.parameters import CasePath, EvidencePath, FactPath, IdPath, track_path
from api.questions import add_questions
from api.renewals import add_renewal
from api.signed import read_body, signed_body, verified
from api.streams import CsvResponse
from api.views import case_page
from api.wiring import wiring_of
from cases.case import export, reads
from cases.case.views import CheckView
from cases.commands.intake import accept
from cases.programme import Command, Programme, programme_at
from cases.shared.idempotency import Idempotency
from cases.shared.inboxes import Desk, Inbox, Received, Step
from domain.actors import Actor, Role
from domain.commands import CommandKind
from domain.fields import Code, Label, Name, Since
from domain.forms import Form
from domain.pages import PageQuery
from domain.parties import NO_PERSON, PERSONS, Party
from domain.routes import On
from domain.stages import Stage
from temporal.telemetry import concern

_READ_ALL: Final = (Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR)


class CaseQuery(PageQuery):
    """Which cases."""

    stage: Stage | None = Field(default=None, description="Stage of the registration.")
    needs: Literal["employer"] | None = Field(default=None, description="Cases that wait for the employer.")
    client_reference: Label | None = None
    updated_after: Since | None = Field(default=None, description="Changed after this time.")
    q: Name | None = Field(default=None, description="Exact whole name or last four.")
    employer_id: Code | None = Field(default=None, description="Of this employer; staff says it beside `q`.")
    view: Literal["whole", "short"] = Field(
        default="whole", description="`short`: without the findings that pass, for lists of many."
    )


class CaseExportQuery(BaseModel):
    """Which cases, and where an export of many goes on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stage: Stage | None = Field(default=None, description="Stage of the registration.")
    cursor: str | None = Field(default=None, max_length=1000, description="From the header `Link` of the file before.")

    def asked(self) -> dict[str, object]:
        """Return what is asked for, without the place where it goes on."""
        return self.model_dump(mode="json", exclude={"cursor"}, exclude_none=True)


# Routes by the declarations that they are made of, which are kept with them so that no other ever has their ids. They
# hold nothing of the app that serves them, and take a second and more to make.
_MADE: Final[dict[tuple[int, ...], tuple[Sequence[Programme], Sequence[BaseRoute]]]] = {}


def routes_of(programmes: Iterable[Programme]) -> Sequence[BaseRoute]:
    """Return the routes of all programmes, made once in a process.

    What persons ask of their own cases has one path for all that take it.
    """
    declared = tuple(programmes)
    ids = tuple(map(id, declared))
    if ids not in _MADE:
        _MADE[ids] = declared, [*(route for each in declared for route in _routes(each)), *own_routes(declared)]
    return _MADE[ids][1]


def _routes(programme: Programme) -> list[BaseRoute]:
    router = ProgrammeRouter(programme)
    by_part = add_parts(router)  # whose list stands before what takes any reference
    _add_cases(router)
    add_questions(router)
    for kind, command in programme.commands.items():
        if command.route is not None and command.route.on is not On.TASK and kind not in by_part:
            _add_command(router, kind, command)
    add_acts(router)
    add_renewal(router)
    add_evidence(router)
    add_offers(router)
    case_reads.routes.add_to(router)
    if CommandKind.DECIDE in programme.commands:
        decision_letters.routes.add_to(router)
    if programme.changing is not None:
        case_changes.routes.add_to(router)
    erasure.routes.add_to(router)
    receipts.routes.add_to(router)
    check_codes.routes.add_to(router)
    beside = APIRouter(prefix="/v1", route_class=GuardedRoute)
    for inbox in programme.inboxes:
        _add_inbox(beside, inbox)
    for desk in programme.desks:
        _add_desk(beside, desk)
    return [*router.routes, *beside.routes]


def _asked_by(roles: Collection[Role]) -> Any:
    """Return the type of an actor who has one of the roles; a person asks as who they are known to be."""
    return Annotated[Actor, allow(*roles, asks_document=Role.PERSON in roles)]


def _tag(roles: Iterable[Role]) -> list[str]:
    """Return the group of a call: what an employer or a person may ask too is not told to staff alone."""
    if Role.PERSON in roles:
        return ["The person"]
    return ["Employers" if Role.EMPLOYER in roles else "Staff"]


# --- Cases ------------------------------------------------------------------------------------------------------------


def _add_cases(router: ProgrammeRouter) -> None:
    programme = router.programme
    given: dict[str, Any] = {
        "body": programme.form,
        "idempotency": IdempotencyKey,
        "actor": _asked_by(programme.by),
    }
    made: dict[str, Any] = {
        "status_code": 202,
        "response_model": programme.views.published.case,
        "tags": _tag(programme.by),
    }
    owner = {Party.EMPLOYER: Role.EMPLOYER, Party.PERSON: Role.PERSON}[programme.party]
    own = {"actor": _asked_by({owner})}
    readers = {"actor": _asked_by({owner, *_READ_ALL})}
    exported = endpoint(_export, query=Annotated[CaseExportQuery, Query()], **own)
    router.add("GET", "/export.csv", exported, **_EXPORT)
    router.add("POST", "", endpoint(_submit, **given), **made, **says(programme.submit))
    if programme.check is not None:
        given.pop("idempotency")
        made = {"response_model": CheckView, "tags": _tag(programme.by)}
        router.add("POST", "/check", endpoint(_check, **given), **made, **says(programme.check[0]))
    listed = endpoint(_list_cases, query=Annotated[CaseQuery, Query()], **readers)
    router.add("GET", "", listed, answers=case_page, summary="List cases", **_LIST)
    case = programme.views.published.case
    read = endpoint(_get_case, reference=CasePath, **readers)
    router.add("GET", "/{reference}", read, response_model=case, summary="Read a case", **_READ)


async def _submit(request: Request, body: Form, idempotency: Idempotency, actor: Actor) -> Response:
    wiring, session = wiring_of(request), session_of(request)
    accepted = await accept(
        wiring.context,
        programme_in(request),
        actor,
        body,
        idempotency,
        request.state.language,
        proved=None if session is None else session.address_hash,
    )
    concern(accepted.reference)
    # Whoever became known by it waits behind nobody else who did.
    owner = accepted.reference if actor.tenant == NO_PERSON else actor.tenant
    wiring.starts.add(owner, accepted.reference, request.state.correlation_id)
    return respond_with_case(accepted.reply, partial(programme_at, wiring.context), is_new=True)


async def _check(request: Request, body: BaseModel, actor: Actor) -> Response:
    declared = programme_in(request).check
    assert declared is not None
    return json_response(await declared[1](wiring_of(request).context, actor, body, request.state.language))


async def _list_cases(request: Request, query: CaseQuery, actor: Actor) -> Response:
    context, programme = wiring_of(request).context, programme_in(request)
    read = partial(
        reads.list_cases,
        context,
        actor,
        programme=programme.code,
        stage=query.stage,
        needs=query.needs,
        client_reference=query.client_reference,
        updated_after=query.updated_after,
        q=query.q,
        within=PERSONS if programme.party is Party.PERSON else None,
        employer_id=query.employer_id,
        short=query.view == "short",
        language=request.state.language,
    )
    answer = partial(case_answer, of=partial(programme_at, context))
    return await answer_page(request, actor, programme.path, query, read, answer)


async def _get_case(request: Request, reference: str, actor: Actor) -> Response:
    context = wiring_of(request).context
    case = await reads.get_case(context, actor, reference, request.state.language)
    return json_response(case_answer(case, partial(programme_at, context)), in_china=True)


async def _export(request: Request, query: CaseExportQuery, actor: Actor) -> Response:
    wiring, programme = wiring_of(request), programme_in(request)
    path = f"{programme.path}/export.csv"
    pages = Pages(wiring, actor, path, query.asked())
    made = await export.begin_export(
        wiring.context,
        actor,
        programme=programme.code,
        stage=query.stage,
        after=pages.after(query.cursor),
        most=export.MOST_ROWS,
    )
    headers = {"Content-Disposition": f'attachment; filename="{programme.path}.csv"', "Cache-Control": "no-store"}
    if (cursor := pages.cursor(made.next_position)) is not None:
        stage = f"&stage={query.stage.value}" if query.stage is not None else ""
        headers["Link"] = f'</v1/{path}?cursor={cursor}{stage}>; rel="next"'
    return CsvResponse(made.lines(), headers=headers)


_LIST: Final[dict[str, Any]] = {
    "tags": ["Employers"],
    "description": "List cases by the time of their last change, oldest first.",
    **called("listCases"),
}
_READ: Final[dict[str, Any]] = {
    "tags": ["Employers"],
    "description": "Return a case as its reader may see it.",
    **called("readCase"),
}
_EXPORT: Final[dict[str, Any]] = {
    "description": "Send one line a case, with its stage and the days on which contract, card and permits end; "
    "names are whole.",
    "tags": ["Employers"],
    "response_class": CsvResponse,
    "summary": "Your cases as a CSV file",
    "responses": {200: {"description": 'At most 5,000 cases; `Link` with `rel="next"` leads to those after them.'}},
    **called("exportCases"),
}


# --- Commands ---------------------------------------------------------------------------------------------------------


def _add_command(router: ProgrammeRouter, kind: str, command: Command) -> None:
    """Add the route by which a command is asked, as it is declared."""
    route = command.route
    assert route is not None
    path, places = f"/{{reference}}/{route.verb}", {}
    if route.on is On.TRACK:
        tracks = None if command.track is None else router.programme.tracks[command.track].path
        assert tracks is not None, f"{kind} is asked of a track that has no path"
        path = f"/{{reference}}/{tracks.path}/{{{tracks.named}}}/{route.verb}"
        places = {tracks.named: track_path(tracks)}
    elif route.on is On.FACT:
        path, places = f"/{{reference}}/facts/{{number}}/{route.verb}", {"number": FactPath}
    elif route.on is On.EVIDENCE:
        path, places = f"/{{reference}}/evidence/{{evidence_id}}/{route.verb}", {"evidence_id": EvidencePath}

    async def ask_it(
        request: Request, reference: str, idempotency: Idempotency, actor: Actor, body: BaseModel, **at: Any
    ) -> Response:
        if command.completes is not None:
            whole = await command.completes(wiring_of(request).context, actor, reference, body)
            return await act(request, actor, reference, kind, whole, idempotency)
        if not at:
            return await act(request, actor, reference, kind, body, idempotency)
        named = dict(zip(command.named, at.values(), strict=True))
        wanted = {**named, **body.model_dump(mode="json", exclude_unset=True)}
        return await act(request, actor, reference, kind, wanted, idempotency)

    assert command.body is not None, f"{kind} is asked with a body"
    given = {"body": command.body, "idempotency": IdempotencyKey, "actor": _asked_by(route.by)}
    case = router.programme.views.published.case
    waits = {"responses": pending(case)} if route.by <= command.waits else {"status_code": 202}
    does = endpoint(ask_it, reference=CasePath, **places, **given)
    router.add("POST", path, does, response_model=case, tags=_tag(route.by), **waits, **says(route, route.refusals))


# --- Inboxes and desks ------------------------------------------------------------------------------------------------


def _add_inbox(router: APIRouter, inbox: Inbox) -> None:
    async def receive(request: Request, _caller: Annotated[None, signed()]) -> Response:
        wiring = wiring_of(request)
        message_id, content, actor = await verified(request, wiring.callbacks, inbox.machine, inbox.kind)
        message = read_body(request, content, inbox.body)
        concern(inbox.about(message))
        request.state.actor = None  # the verb writes its own ledger row for a message that it refuses
        received = await wiring.inboxes[inbox.path](actor, message, message_id, content)
        _let_hear(request, received)
        return respond(received.reply)

    said = says(inbox)
    said["openapi_extra"] |= signed_body(inbox.body)
    answers: dict[int | str, dict[str, Any]] = {202: {"model": inbox.view, "description": inbox.later}}
    path = f"/{inbox.path}"
    router.add_api_route(
        path, receive, methods=["POST"], response_model=inbox.view, responses=answers, tags=["Machines"], **said
    )


def _add_desk(router: APIRouter, desk: Desk) -> None:
    listing = desk.listing

    async def read(request: Request, query: PageQuery, actor: Actor) -> Response:
        found = listing.read(wiring_of(request).context, actor, query)
        return await answer_page(request, actor, desk.path, query, found)

    given = {"query": Annotated[listing.query, Query()], "actor": Annotated[Actor, allow(*listing.by)]}
    said = {"response_model": listing.page, "tags": ["Staff"], **says(listing)}
    router.add_api_route(f"/{desk.path}", endpoint(read, **given), methods=["GET"], **said)
    for step in desk.steps:
        _add_step(router, desk, step)


def _add_step(router: APIRouter, desk: Desk, step: Step) -> None:
    async def do(request: Request, idempotency: Idempotency, actor: Actor, body: BaseModel, **at: UUID) -> Response:
        (row_id,) = at.values()
        reply, received = await step.does(wiring_of(request).context, actor, row_id, body, idempotency)
        if received is not None:
            _let_hear(request, received)
        return respond(reply)

    given = {desk.named: IdPath, "body": step.body, "idempotency": IdempotencyKey}
    does = endpoint(do, **given, actor=Annotated[Actor, allow(*step.by)])
    said = {"response_model": step.view, "tags": ["Staff"], **says(step)}
    if step.is_stored:
        said["status_code"] = 202
    router.add_api_route(f"/{desk.path}/{{{desk.named}}}/{step.verb}", does, methods=["POST"], **said)


def _let_hear(request: Request, received: Received) -> None:
    """Let the workflow of a case hear of what came in."""
    if received.command_id is not None:
        wiring, about = wiring_of(request), str(received.command_id)
        wiring.in_background(wiring.engine.nudge(received.reference, about, request.state.correlation_id))
