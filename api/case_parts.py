"""The routes of employers that confirm something of cases that persons own: their own part, and what they say of it."""

from functools import partial
from typing import Annotated, Any

from fastapi import Query, Request
from pydantic import BaseModel, create_model
from starlette.responses import Response

from api.access import IdempotencyKey, allow
from api.answers import answer_page, json_response, respond
from api.case_routes import ProgrammeRouter, endpoint, programme_in, says
from api.parameters import CasePath
from api.views import Page
from api.wiring import wiring_of
from cases.case import part_reads
from cases.case.part_reads import place_of
from cases.case.parties import DeclaredPart
from cases.commands.by_part import ask_by_part
from cases.programme import Command
from cases.shared.idempotency import Idempotency
from domain.actors import Actor, Role
from domain.pages import PageQuery
from domain.parties import Part, Party
from domain.routes import On
from temporal.telemetry import concern

_TAG = ["Employers"]


def add_parts(router: ProgrammeRouter) -> frozenset[str]:
    """Add what employers who confirm are shown and ask of cases of a programme, and return the kinds of commands."""
    found: set[str] = set()
    for declared in router.programme.parts:
        if (declared.part, declared.kind) == (Part.CONFIRMER, Party.EMPLOYER) and declared.place is not None:
            _add_reads(router, declared)
            for kind in declared.asks:
                _add_command(router, declared, kind, router.programme.commands[kind])
            found.update(declared.asks)
    return frozenset(found)


def _add_reads(router: ProgrammeRouter, declared: DeclaredPart) -> None:
    place = place_of(declared)
    actor = Annotated[Actor, allow(Role.EMPLOYER)]
    page = create_model(f"{place.shown.__name__}Page", __base__=Page, items=(list[place.shown], ...))  # type: ignore[name-defined]
    listed = endpoint(partial(_list, declared), query=Annotated[PageQuery, Query()], actor=actor)
    router.add("GET", f"/{place.path}", listed, response_model=page, tags=_TAG, **says(place.lists))
    read = endpoint(partial(_get, declared), reference=CasePath, actor=actor)
    router.add("GET", f"/{{reference}}/{place.path}", read, response_model=place.shown, tags=_TAG, **says(place.reads))


async def _list(declared: DeclaredPart, request: Request, query: PageQuery, actor: Actor) -> Response:
    context, programme = wiring_of(request).context, programme_in(request)
    read = partial(part_reads.list_parts, context, actor, programme.code, declared, language=request.state.language)
    return await answer_page(request, actor, f"{programme.path}/{place_of(declared).path}", query, read)


async def _get(declared: DeclaredPart, request: Request, reference: str, actor: Actor) -> Response:
    context, code = wiring_of(request).context, programme_in(request).code
    shown = await part_reads.get_part(context, actor, code, declared, reference, request.state.language)
    return json_response(shown)


def _add_command(router: ProgrammeRouter, declared: DeclaredPart, kind: str, command: Command) -> None:
    route, place = command.route, place_of(declared)
    assert route is not None, f"{kind} is asked over HTTP"
    assert route.on is On.CASE, f"{kind} is asked of a part, which is one a case"
    assert route.by == {Role.EMPLOYER}, f"{kind} is asked by the employer who confirms"
    assert command.body is not None, f"{kind} is asked with a body"

    async def ask_it(
        request: Request, reference: str, idempotency: Idempotency, actor: Actor, body: BaseModel
    ) -> Response:
        wiring = wiring_of(request)
        asked = await ask_by_part(
            wiring.context,
            actor,
            programme_in(request).code,
            declared,
            reference,
            kind,
            body.model_dump(mode="json", exclude_unset=True),
            idempotency,
            request.state.language,
        )
        concern(reference)
        if not asked.is_repeated:
            wiring.in_background(wiring.engine.nudge(reference, str(asked.command_id), request.state.correlation_id))
        return respond(asked.reply)

    given: dict[str, Any] = {
        "body": command.body,
        "idempotency": IdempotencyKey,
        "actor": Annotated[Actor, allow(Role.EMPLOYER)],
    }
    does = endpoint(ask_it, reference=CasePath, **given)
    said = {"status_code": 202, "response_model": place.shown, **says(route, route.refusals)}
    router.add("POST", f"/{{reference}}/{place.path}/{route.verb}", does, tags=_TAG, **said)
