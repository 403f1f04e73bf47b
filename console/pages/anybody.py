"""What anybody may look at without signing in: whether something is in force, and whether they would qualify."""

import re
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from cases.programme import Programme
from cases.shared.self_checks import SelfCheckOrigin
from console.calling import ProblemError
from console.forms import fields_of, placed
from console.programmes import name_of, words_of
from console.rendering import render
from console.routes import Calls
from console.typed import read_form
from programmes import PROGRAMMES

router: Final = APIRouter()
# What was typed becomes a part of an address: nothing of it may lead to another one.
_NO_PART_OF_A_CODE: Final = re.compile(r"[^0-9A-Za-z]+")


@router.get("/check")
async def check(request: Request, api: Calls, code: str = "") -> Response:
    """Ask for a check code, and say what is in force by it: a wrong, a withdrawn and an erased one look alike."""
    return await _checked(request, api, code)


@router.get("/check/{code}")
async def check_by_link(request: Request, api: Calls, code: str) -> Response:
    """Say what is in force by the code in the address, as it stands on a printed sheet."""
    return await _checked(request, api, code)


async def _checked(request: Request, api: Calls, code: str) -> Response:
    found, problem = None, None
    if code.strip():
        try:
            found = await api.read_json(f"/v1/check/{_NO_PART_OF_A_CODE.sub('-', code.strip())}")
        except ProblemError as refused:
            problem = refused
    programme = found and next((each for each in PROGRAMMES.values() if each.code == found["programme"]), None)
    named = name_of(request, programme) if programme else None
    return render(
        request,
        "check",
        status=200 if problem is None else problem.status,
        code=code,
        found=found,
        programme=named,
        problem=problem,
    )


@router.get("/self-check")
async def self_check(request: Request, api: Calls, origin: str = "") -> Response:
    """Ask where somebody is from, and say which programmes are for them."""
    known = origin in set(SelfCheckOrigin)
    answers = (await api.ask("/v1/self-check", {"origin": origin}, key="none"))["programmes"] if known else []
    words = {each.path: name_of(request, each) for each in PROGRAMMES.values()}
    return render(
        request,
        "self_check",
        origins=[each.value for each in SelfCheckOrigin],
        origin=origin if known else "",
        offered=[(words[each["path"]], each) for each in answers],
    )


@router.get("/self-check/{path}")
async def ask_yourself(request: Request, path: str) -> Response:
    """Show the questions of a programme."""
    return _questions(request, _programme(path), {})


@router.post("/self-check/{path}")
async def answer_yourself(request: Request, api: Calls, path: str) -> Response:
    """Say whether the rules of today would be met by the answers; nothing of it is kept."""
    programme, form = _programme(path), await request.form()
    assert programme.self_check is not None
    sent = read_form(programme.self_check.asks, words_of(request, programme), form)
    try:
        found = await api.ask("/v1/self-check", {programme.code: sent.body}, key="none")
    except ProblemError as problem:
        return _questions(request, programme, sent.body, problem=problem)
    answer = next(each for each in found["programmes"] if each["programme"] == programme.code)
    return _questions(request, programme, sent.body, answer=answer)


def _questions(
    request: Request,
    programme: Programme,
    given: dict[str, Any],
    *,
    answer: dict[str, Any] | None = None,
    problem: ProblemError | None = None,
) -> Response:
    assert programme.self_check is not None
    words = words_of(request, programme)
    fields = fields_of(programme.self_check.asks, words, given=given)
    return render(
        request,
        "self_check_one",
        status=200 if problem is None else problem.status,
        heading=name_of(request, programme),
        asked=fields,
        action=f"/self-check/{programme.path}",
        answer=answer,
        labels={field.path: field.label for field in fields},
        problem=placed(problem, fields),
    )


def _programme(path: str) -> Programme:
    found = next((each for each in PROGRAMMES.values() if each.path == path and each.self_check is not None), None)
    if found is None:
        raise HTTPException(404)
    return found
