"""What can be asked of a programme's rules and is of no case: answered at once, and neither kept nor written down."""

from functools import partial
from typing import Annotated

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from api.access import allow
from api.answers import json_response
from api.case_routes import ProgrammeRouter, endpoint, programme_in, says
from api.wiring import wiring_of
from cases.programme import Calculator
from cases.shared.pack_shelf import shelf_at_hand
from domain.actors import Actor, Role


def add_questions(router: ProgrammeRouter) -> None:
    """Serve what a programme declares, below its address."""
    for asked in router.programme.questions:
        tag = "Employers" if Role.EMPLOYER in asked.by else "The person" if Role.PERSON in asked.by else "Staff"
        does = endpoint(partial(_answer, asked), body=asked.body, actor=Annotated[Actor, allow(*asked.by)])
        router.add("POST", f"/{asked.path}", does, response_model=asked.view, tags=[tag], **says(asked))


async def _answer(asked: Calculator, request: Request, body: BaseModel, actor: Actor) -> Response:
    wiring, programme = wiring_of(request), programme_in(request)
    await wiring.limiter.count_question(actor, f"{programme.code}/{asked.path}", asked.a_minute)
    shelf = await shelf_at_hand(wiring.context, programme.code)
    answer = asked.answers(body, shelf, request.state.language)
    return json_response(answer.model_dump(mode="json"))
