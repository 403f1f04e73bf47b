"""What persons ask of their own cases: one path for all programmes whose cases take it, each with its own body."""

from collections.abc import Iterable, Mapping
from functools import partial, reduce
from operator import or_
from typing import Annotated, Any, Final, NamedTuple

from fastapi import APIRouter, Request
from pydantic import BaseModel, WrapValidator
from starlette.responses import Response
from starlette.routing import BaseRoute

from api.access import GuardedRoute, IdempotencyKey, own
from api.acts import ask
from api.answers import json_response
from api.case_routes import endpoint, says
from api.wiring import wiring_of
from cases.programme import Programme
from cases.shared.idempotency import Idempotency
from domain.references import find_reference
from domain.routes import OwnRoute
from privacy import objections
from privacy.sign_in import Session


class _Way(NamedTuple):
    """How cases whose references begin with one of the prefixes are asked."""

    kind: str
    asked: OwnRoute
    prefixes: frozenset[str]


_Ways = tuple[_Way, ...]


def own_routes(programmes: Iterable[Programme]) -> list[BaseRoute]:
    """Return the routes, by their paths below that of the person."""
    found: dict[str, _Ways] = {}
    for programme in programmes:
        for kind, command in programme.commands.items():
            if command.own is not None:
                ways = found.get(command.own.verb, ())
                found[command.own.verb] = _with(ways, _Way(kind, command.own, frozenset({programme.prefix})))
    router = APIRouter(prefix="/v1/me", route_class=GuardedRoute, tags=["The person"])
    for verb, ways in found.items():
        first = ways[0].asked
        given = {"body": _body(ways), "idempotency": IdempotencyKey, "session": Annotated[Session, own()]}
        problems = frozenset[str]().union(*(each.asked.problems for each in ways))
        said = {"status_code": 202, "response_model": _any(each.asked.view for each in ways), **says(first, problems)}
        router.add_api_route(f"/{verb}", endpoint(partial(_ask, ways), **given), methods=["POST"], **said)
    return router.routes


def _with(ways: _Ways, more: _Way) -> _Ways:
    """Return ways with one more, or with its cases among those of one that is the same."""
    if all(each[:2] != more[:2] for each in ways):
        return (*ways, more)
    joint = {more[:2]: more.prefixes}
    return tuple(each._replace(prefixes=each.prefixes | joint.get(each[:2], frozenset())) for each in ways)


def _any(models: Iterable[type[BaseModel]]) -> Any:
    return reduce(or_, dict.fromkeys(models))


def _body(ways: _Ways) -> Any:
    """Return the type of a body, which is that of the case that it names."""
    if len(ways) == 1:
        return ways[0].asked.body

    def of_its_case(value: Any, _: Any) -> BaseModel:
        named = value.get("reference") if isinstance(value, Mapping) else None
        return _way_to(ways, named).asked.body.model_validate(value)

    return Annotated[_any(each.asked.body for each in ways), WrapValidator(of_its_case)]


def _way_to(ways: _Ways, named: object) -> _Way:
    """Return how the case is asked that is named so; of what names none the first way says what is wrong."""
    text = named if isinstance(named, str) else ""
    return next((each for each in ways if find_reference(text, each.prefixes)), ways[0])


async def _ask(ways: _Ways, request: Request, body: Any, idempotency: Idempotency, session: Session) -> Response:
    context, actor = wiring_of(request).context, request.state.actor
    kind, asked, prefixes = _way_to(ways, body.reference)
    named: Final = find_reference(body.reference, prefixes) or ""
    beside, content = None, dict(asked.asks(body))
    if asked.says_by:
        reference, said = await objections.need_own_case(context, actor, session, named, "")
        content[asked.says_by] = said.as_kept()
    elif asked.about is None:
        reference = await objections.need_own_reference(context, actor, session, named)
    else:
        reference, said = await objections.need_own_case(context, actor, session, named, body.text)
        beside = objections.disputing(said, asked.about(body))
    await ask(request, actor, reference, kind, content, idempotency, beside=beside)
    return json_response({"reference": reference, **asked.tells(body), "status": "received"}, 202)
