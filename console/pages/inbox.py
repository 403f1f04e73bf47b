"""Staff's inbox: what waits, the most urgent first, and the claim of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from cases.tasks.views import TaskCounts, TaskView
from console.calling import ProblemError
from console.rendering import render
from console.routes import Calls, form_key, new_key, see_other, signed_in
from domain.actors import STAFF
from domain.browser_sessions import Session
from domain.clock import day_of
from domain.languages import Language
from programmes import room_of
from texts.story import word

router: Final = APIRouter()
_ROWS: Final = 25
# Views of the list: the filter of each.
VIEWS: Final[Mapping[str, Mapping[str, str]]] = {
    "all": {},
    "mine": {"holder": "me"},
    "free": {"holder": "none"},
    "review": {"kind": "review"},
    "sign": {"kind": "confirm"},
}


@dataclass(frozen=True, slots=True)
class Tasks:
    """A page of the list."""

    items: list[TaskView]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the inbox."""

    task: TaskView
    kind: str
    employer: str | None
    days: int | None  # until the day on which it is due; less than none where that is over
    href: str | None
    wrong: int
    unsure: int


@router.get("/inbox")
async def inbox(
    request: Request,
    api: Calls,
    session: Annotated[Session, signed_in(*STAFF)],
    view: str = "all",
    cursor: str | None = None,
) -> Response:
    """List open tasks."""
    view = view if view in VIEWS else "all"
    found = await api.read("/v1/tasks", Tasks, limit=_ROWS, cursor=cursor, **VIEWS[view])
    counts = await api.read("/v1/tasks/counts", TaskCounts)
    mine = next((each.open for each in counts.by_holder if each.holder == session.subject), 0)
    by_kind = {each.kind: each.open for each in counts.by_kind}
    numbers = {
        "all": counts.open, "mine": mine, "free": counts.free,
        "review": by_kind.get("review", 0), "sign": by_kind.get("confirm", 0),
    }  # fmt: skip
    today = request.app.state.today()
    return render(
        request,
        "inbox",
        rows=[_row(each, request.state.language, today) for each in found.items],
        counts=counts,
        mine=mine,
        views=[(name, f"/inbox?{urlencode({'view': name})}", numbers[name], name == view) for name in VIEWS],
        key=new_key(),
        first=f"/inbox?{urlencode({'view': view})}" if cursor else None,
        next=f"/inbox?{urlencode({'view': view, 'cursor': found.next_cursor})}" if found.next_cursor else None,
        nothing=request.query_params.get("nothing"),
    )


@router.post("/inbox/next")
async def take_next(request: Request, api: Calls, session: Annotated[Session, signed_in(*STAFF)]) -> Response:
    """Claim the most urgent task that nobody holds, and open it."""
    form = await request.form()
    try:
        task = await api.ask("/v1/tasks/next", {}, key=form_key(form))
    except ProblemError as refused:
        if refused.status != 404:
            raise
        return see_other("/inbox?nothing=yes")
    return see_other(f"/cases/{task['reference']}" if task["reference"] else "/inbox")


def _row(task: TaskView, language: Language, today: date) -> Row:
    return Row(
        task=task,
        kind=word("tasks", task.kind, language, room_of(task.reference)),
        employer=(task.employer_name_en if language is Language.EN else None) or task.employer_name,
        days=None if task.due_at is None else (day_of(task.due_at) - today).days,
        href=f"/cases/{task.reference}" if task.reference else None,
        wrong=task.findings.get("fail", 0) + task.findings.get("missing", 0),
        unsure=task.findings.get("needs_person", 0),
    )
