"""The page of a case, for whoever may see it: where it stands, whose turn it is, what is found, what can be done."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import Response

from cases.acts.views import ActView, CaseActsView
from cases.decisions.foretelling import LettersView
from cases.programme import Programme
from console.calling import ProblemError, as_view
from console.form_pages import form_page
from console.forms import fields_of
from console.programmes import programme_of, words_of
from console.rendering import render
from console.routes import Calls, form_key, new_key, see_other, signed_in, text_of
from console.typed import read_form
from domain.actors import STAFF, Role
from domain.browser_sessions import Session
from domain.commands import CommandKind
from domain.purposes import Purpose

router: Final = APIRouter()
_READERS: Final = (Role.EMPLOYER, *STAFF, Role.AUDITOR)
_REVIEW: Final[Mapping[str, str]] = {"Purpose": Purpose.CASE_REVIEW}
# What needs a place in its address that no page asks for yet.
_PLACES: Final = "{"


@dataclass(frozen=True, slots=True)
class Doable:
    """An act that can be asked for now, and where."""

    act: ActView
    href: str


@router.get("/cases/{reference}")
async def show(
    request: Request, api: Calls, reference: str, session: Annotated[Session, signed_in(*_READERS)]
) -> Response:
    """Show a case."""
    path = f"/v1/{programme_of(reference).path}/{reference}"
    case = await api.read_json(path)
    told = await api.read(f"{path}/acts", CaseActsView)
    doable = [Doable(each, _href(reference, each)) for each in told.acts if _can_be_asked(each)]
    return render(
        request,
        "case",
        case=case,
        told=told,
        doable=doable,
        done=request.query_params.get("done", ""),
        is_staff=session.role in STAFF,
        is_auditor=session.role is Role.AUDITOR,
    )


@router.get("/cases/{reference}/decide")
async def decide(
    request: Request, api: Calls, reference: str, session: Annotated[Session, signed_in(*STAFF)]
) -> Response:
    """Show a case beside the form of its decision."""
    return await _decision(request, api, reference, FormData(), new_key())


@router.post("/cases/{reference}/decide")
async def send_decision(
    request: Request, api: Calls, reference: str, session: Annotated[Session, signed_in(*STAFF)]
) -> Response:
    """Show the letter as its reader would get it, or store the decision; what was typed stays through both."""
    form = await request.form()
    path = f"/v1/{programme_of(reference).path}/{reference}/decision"
    body = _decided(form)
    try:
        if text_of(form, "look"):
            letters = await api.call("POST", f"{path}/preview", body=body, headers=_REVIEW)
            return await _decision(request, api, reference, form, form_key(form), letters=as_view(letters, LettersView))
        await api.ask(path, body, key=form_key(form))
    except ProblemError as problem:
        # Another key: what is mended is another decision, and the one that was refused stays refused.
        return await _decision(request, api, reference, form, new_key(), problem=problem)
    return see_other(f"/cases/{reference}?done=decide")


@router.get("/cases/{reference}/acts/{act}")
async def ask(
    request: Request,
    api: Calls,
    reference: str,
    act: str,
    session: Annotated[Session, signed_in(*_READERS)],
    track: str = "",
) -> Response:
    """Show the form of an act that can be asked of the case now."""
    programme, found = programme_of(reference), await _act(api, reference, act, track)
    return _act_page(request, programme, reference, found, {}, new_key())


@router.post("/cases/{reference}/acts/{act}")
async def send_act(
    request: Request,
    api: Calls,
    reference: str,
    act: str,
    session: Annotated[Session, signed_in(*_READERS)],
    track: str = "",
) -> Response:
    """Ask it."""
    programme, found = programme_of(reference), await _act(api, reference, act, track)
    form = await request.form()
    model = programme.commands[found.act].body
    assert model is not None, "an act with a page has a body"
    sent = read_form(model, words_of(request, programme), form)
    if not sent.is_sent:
        return _act_page(request, programme, reference, found, sent.body, form_key(form))
    body = {**sent.body, **({"round": int(text_of(form, "round"))} if text_of(form, "round").isdigit() else {})}
    try:
        await api.ask(found.address, body, key=form_key(form))
    except ProblemError as problem:
        return _act_page(request, programme, reference, found, sent.body, new_key(), problem=problem)
    return see_other(f"/cases/{reference}?done={found.act}")


def _can_be_asked(act: ActView) -> bool:
    return act.is_allowed and _PLACES not in act.address


def _href(reference: str, act: ActView) -> str:
    if act.act == CommandKind.DECIDE:
        return f"/cases/{reference}/decide"
    track = f"?track={act.destination}" if act.destination else ""
    return f"/cases/{reference}/acts/{act.act}{track}"


async def _act(api: Calls, reference: str, act: str, track: str) -> ActView:
    """Return an act of a case as it is now.

    Raises:
        ProblemError: it cannot be asked now; with the reason that the API gives.
        HTTPException: 404, there is no such act.
    """
    path = f"/v1/{programme_of(reference).path}/{reference}"
    told = await api.read(f"{path}/acts", CaseActsView)
    for each in told.acts:
        if each.act == act and (each.destination or "") == track and _PLACES not in each.address:
            if each.why_not is not None:
                raise ProblemError(409, each.why_not.code, each.label, each.why_not.detail)
            return each
    raise HTTPException(404)


def _act_page(
    request: Request,
    programme: Programme,
    reference: str,
    act: ActView,
    given: Mapping[str, Any],
    key: str,
    *,
    problem: ProblemError | None = None,
) -> Response:
    model = programme.commands[act.act].body
    if model is None:
        raise HTTPException(404)
    carried = {"round": act.round} if "round" in model.model_fields else {}
    says = [said for way in act.ways for said in way.says]
    return form_page(
        request,
        heading=act.label,
        fields=fields_of(model, words_of(request, programme), given=given),
        action=_href(reference, act),
        act=act.label,
        key=key,
        lead=" ".join(dict.fromkeys(says)) or None,
        leave=f"/cases/{reference}",
        problem=problem,
        carried=carried,
    )


def _decided(form: FormData) -> dict[str, Any]:
    action = text_of(form, "action")
    codes = [each for each in form.getlist(f"reason.{action}") if isinstance(each, str)]
    note = text_of(form, f"note.{action}")
    body: dict[str, Any] = {"action": action, "round": int(text_of(form, "round") or 0)}
    # The words for the reader go with the first reason into the letter; without a reason they are for the file alone.
    body["reasons"] = [{"code": code, **({"note": note} if note and not at else {})} for at, code in enumerate(codes)]
    if note and not codes:
        body["note"] = note
    return body


async def _decision(
    request: Request,
    api: Calls,
    reference: str,
    form: FormData,
    key: str,
    *,
    letters: LettersView | None = None,
    problem: ProblemError | None = None,
) -> Response:
    path = f"/v1/{programme_of(reference).path}/{reference}"
    case = await api.read_json(path)
    told = await api.read(f"{path}/acts", CaseActsView)
    act = next((each for each in told.acts if each.act == CommandKind.DECIDE), None)
    if act is None or (not act.is_allowed and problem is None):
        why = act.why_not if act is not None else None
        raise problem or ProblemError(409, why.code if why else "wrong_stage", "", why.detail if why else "")
    chosen = [str(each) for each in form.getlist(f"reason.{text_of(form, 'action')}")]
    return render(
        request,
        "decide",
        status=200 if problem is None else problem.status,
        case=case,
        told=told,
        act=act,
        key=key,
        action=text_of(form, "action"),
        chosen=chosen,
        typed={way.event: text_of(form, f"note.{way.event}") for way in act.ways},
        letters=letters,
        problem=problem,
    )
