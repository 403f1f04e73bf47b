"""The employer's home: what needs it first, then all its people, whatever the programme."""

from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from cases.programme import Programme
from console.calling import ProblemError
from console.forms import fields_of, placed
from console.programmes import name_of, words_of
from console.rendering import render
from console.routes import Calls, form_key, new_key, see_other, signed_in, text_of
from console.typed import read_form
from domain.actors import Role
from domain.browser_sessions import Session
from domain.languages import Language
from domain.parties import Party
from domain.stages import CLOSED, Holder
from programmes import PROGRAMMES
from texts.story import word

router: Final = APIRouter()
_ROWS: Final = 50
# What an employer applies in.
_OFFERED: Final = tuple(each for each in PROGRAMMES.values() if each.party is Party.EMPLOYER)
# What a form of the browser does not ask: the reference by which an employer's own system knows the case.
_WITHOUT: Final = frozenset({"client_reference", "round", "reference"})


@router.get("/home")
async def home(
    request: Request,
    api: Calls,
    session: Annotated[Session, signed_in(Role.EMPLOYER)],
    q: str = "",
    of: str = "",
    cursor: str | None = None,
) -> Response:
    """List what needs the employer, and its people of a programme."""
    language: Language = request.state.language
    chosen = next((each for each in _OFFERED if each.path == of), _OFFERED[0])
    needs: list[dict[str, Any]] = []
    for each in _OFFERED:
        found = await api.read_json(f"/v1/{each.path}", needs="employer", view="short", limit=_ROWS)
        needs += [_row(case, each, language) for case in found["items"]]
    problem: ProblemError | None = None
    listed: dict[str, Any] = {"items": [], "next_cursor": None}
    try:
        listed = await api.read_json(f"/v1/{chosen.path}", q=q.strip(), view="short", limit=_ROWS, cursor=cursor)
    except ProblemError as refused:
        problem = refused
    asked = {"of": chosen.path, **({"q": q} if q else {})}
    return render(
        request,
        "home",
        status=200 if problem is None else problem.status,
        needs=sorted(needs, key=lambda row: row["due_at"] or "9"),
        rows=[_row(case, chosen, language) for case in listed["items"]],
        programmes=[
            (name_of(request, each), f"/home?{urlencode({'of': each.path})}", None, each is chosen) for each in _OFFERED
        ],
        chosen=chosen.path,
        q=q,
        problem=problem,
        first=f"/home?{urlencode(asked)}" if cursor else None,
        next=f"/home?{urlencode({**asked, 'cursor': listed['next_cursor']})}" if listed["next_cursor"] else None,
    )


def _row(case: dict[str, Any], programme: Programme, language: Language) -> dict[str, Any]:
    person = case.get("person") or {}
    return {
        "reference": case["reference"],
        "name": person.get("name_zh") or person.get("name_en"),
        "stage": word("stages", case["stage"], language, programme.texts),
        "is_over": case["stage"] in CLOSED,
        "is_ours": case.get("holder") == Holder.EMPLOYER,
        "due_at": case.get("due_at"),
        "number": case.get("registration_number"),
        "holder": case.get("holder"),
    }


@router.get("/register")
async def choose(request: Request, session: Annotated[Session, signed_in(Role.EMPLOYER)]) -> Response:
    """Offer the programmes."""
    offered = [(f"/register/{each.path}", name_of(request, each)) for each in _OFFERED]
    return render(request, "register", offered=offered)


@router.get("/register/{path}")
async def fill_in(request: Request, path: str, session: Annotated[Session, signed_in(Role.EMPLOYER)]) -> Response:
    """Show the form of a programme."""
    return _form(request, _programme(path), {}, new_key())


@router.post("/register/{path}")
async def send(
    request: Request, api: Calls, path: str, session: Annotated[Session, signed_in(Role.EMPLOYER)]
) -> Response:
    """Try what was typed against the rules, or send it; what was typed stays through both."""
    programme, form = _programme(path), await request.form()
    words = words_of(request, programme)
    sent = read_form(programme.form, words, form, without=_WITHOUT)
    if not sent.is_sent:
        return _form(request, programme, sent.body, form_key(form))
    try:
        if text_of(form, "look"):
            tried = await api.ask(f"/v1/{path}/check", sent.body, key=new_key())
            return _form(request, programme, sent.body, form_key(form), tried=tried)
        case = await api.ask(f"/v1/{path}", sent.body, key=form_key(form))
    except ProblemError as problem:
        return _form(request, programme, sent.body, new_key(), problem=problem)
    return see_other(f"/cases/{case['reference']}?done=register")


def _programme(path: str) -> Programme:
    found = next((each for each in _OFFERED if each.path == path), None)
    if found is None:
        raise HTTPException(404)
    return found


def _form(
    request: Request,
    programme: Programme,
    given: dict[str, Any],
    key: str,
    *,
    problem: ProblemError | None = None,
    tried: dict[str, Any] | None = None,
) -> Response:
    words = words_of(request, programme)
    fields = fields_of(programme.form, words, given=given, without=_WITHOUT)
    return render(
        request,
        "register_one",
        status=200 if problem is None else problem.status,
        heading=name_of(request, programme),
        asked=fields,
        action=f"/register/{programme.path}",
        can_look=programme.check is not None,
        key=key,
        problem=placed(problem, fields),
        tried=tried,
    )
