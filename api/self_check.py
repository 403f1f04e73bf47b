"""The self-check: which programmes are for me, and would I qualify? For anyone, about nobody, kept nowhere."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, create_model
from starlette.responses import Response
from starlette.routing import BaseRoute

from api.access import GuardedRoute, anyone
from api.answers import json_response
from api.callers import client_of
from api.case_routes import called, endpoint
from api.wiring import wiring_of
from cases.case.views import ParameterUsedView
from cases.programme import Programme
from cases.shared.pack_shelf import shelf_at_hand
from cases.shared.self_checks import SelfCheckOrigin, SelfCheckOutcome
from domain.bodies import Body
from domain.clock import day_of
from domain.languages import Language
from domain.views import View

_SAYS: Final = (
    "Say which programmes are for somebody of an origin and, for each that facts are given of, whether the rules of"
    " today would be met, which fact decides, and which values are not confirmed. No name, number, address or text is"
    " taken; no case, person or employer is looked at, and nothing is kept."
)


class SelfCheckFinding(View):
    """One thing that was looked at."""

    code: str
    outcome: SelfCheckOutcome
    fact: str | None = Field(description="The field of the question that decides it.")
    needs: str | None = Field(description="What that field would have to be, where a value says so.")
    message: str | None = Field(description="In the caller's language, where there are words for it.")
    parameters: list[ParameterUsedView] = Field(
        description="Values that it rests on; of a `status` other than `confirmed` none is law."
    )


class SelfCheckOfProgramme(View):
    """What one programme comes to."""

    programme: str
    path: str = Field(description="Where its cases are: `/v1/{path}`.")
    for_you: bool | None = Field(description="Whether it is for people of the origin; null where none was given.")
    outcome: SelfCheckOutcome | None = Field(description="Null where it is not for you, or nothing was said of it.")
    unconfirmed: bool = Field(description="Whether a value that it rests on is not confirmed, or a sample.")
    findings: list[SelfCheckFinding]
    rule_version: str | None


class SelfCheckView(View):
    """What each programme comes to; no promise, and no decision."""

    programmes: list[SelfCheckOfProgramme]


def self_check_routes(programmes: Iterable[Programme]) -> list[BaseRoute]:
    """Return the route, whose body has a part for each programme that answers."""
    asked = {each.code: each for each in programmes if each.self_check is not None}
    origin: Any = Annotated[SelfCheckOrigin | None, Field(description="Where somebody is from, by their papers.")]
    parts: dict[str, Any] = {"origin": (origin, None)} | {
        code: (Annotated[each.self_check.asks | None, Field(description=f"Of `{each.path}`.")], None)
        for code, each in asked.items()
        if each.self_check is not None
    }
    says = "What is asked before there is an account or a case."
    body = create_model("SelfCheckRequest", __base__=Body, __doc__=says, **parts)
    router = APIRouter(prefix="/v1", route_class=GuardedRoute, tags=["Anyone"])
    does = endpoint(partial(_answer, asked), body=body, _caller=Annotated[None, anyone()])
    named = {"summary": "Check for yourself", "description": _SAYS, **called("checkForYourself", "too_many_requests")}
    router.add_api_route("/self-check", does, methods=["POST"], response_model=SelfCheckView, **named)
    return router.routes


async def _answer(asked: Mapping[str, Programme], request: Request, body: Any, _caller: None) -> Response:
    wiring, language = wiring_of(request), request.state.language
    await wiring.limiter.count_stranger(client_of(request.scope), "self_check")
    found = [await _of_programme(request, each, body, language) for each in asked.values()]
    shown = SelfCheckView(programmes=found)
    return json_response(shown.as_json(), headers={"Cache-Control": "no-store"})


async def _of_programme(request: Request, programme: Programme, body: Any, language: Language) -> SelfCheckOfProgramme:
    context, declared = wiring_of(request).context, programme.self_check
    assert declared is not None, "only programmes that answer are asked"
    is_for = None if body.origin is None else body.origin in declared.of
    said: BaseModel | None = getattr(body, programme.code)
    if said is None or is_for is False:
        return SelfCheckOfProgramme(
            programme=programme.code,
            path=programme.path,
            for_you=is_for,
            outcome=None,
            unconfirmed=False,
            findings=[],
            rule_version=None,
        )
    shelf = await shelf_at_hand(context, programme.code)
    answer = declared.answers(said, shelf, day_of(context.clock()), language)
    findings = [
        SelfCheckFinding(
            code=each.code,
            outcome=each.outcome,
            fact=each.fact,
            needs=each.needs,
            message=each.message,
            parameters=[ParameterUsedView(**used.model_dump(mode="json")) for used in each.parameters],
        )
        for each in answer.found
    ]
    return SelfCheckOfProgramme(
        programme=programme.code,
        path=programme.path,
        for_you=is_for,
        outcome=answer.outcome,
        unconfirmed=any(used.status != "confirmed" for each in answer.found for used in each.parameters),
        findings=findings,
        rule_version=answer.rule_version,
    )
