"""Answers to callers: what a verb returned, as JSON."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from api.wiring import Wiring, wiring_of
from cases.shared.idempotency import Progress, Reply
from cases.shared.json_text import json_text
from domain.actors import Actor
from domain.pages import PageQuery

_STATUS: Final = {
    Progress.APPLIED: 200,
    Progress.MADE: 201,
    Progress.STORED: 202,
    Progress.PENDING: 202,
    Progress.NOTHING: 204,
}
ListRead = Callable[..., Awaitable[tuple[Sequence[Any], Any]]]


def json_response(
    content: Any, status: int = 200, headers: Mapping[str, str] | None = None, *, in_china: bool = False
) -> Response:
    """Return an answer with a JSON body; where all its times have China's offset already, it is made faster."""
    return Response(json_text(content, in_china=in_china), status, headers, "application/json")


def respond(reply: Reply, headers: Mapping[str, str] | None = None) -> Response:
    """Return the answer that a verb gave."""
    if reply.body is None:
        return Response(status_code=204 if reply.progress is Progress.APPLIED else status_of(reply))
    return json_response(reply.body, status_of(reply), headers)


def status_of(reply: Reply) -> int:
    """Return the HTTP status of what became of a call."""
    return _STATUS[reply.progress]


class Pages:
    """One list: reads the cursor of a call and writes that of the next page."""

    def __init__(self, wiring: Wiring, actor: Actor, route: str, query: Mapping[str, object]) -> None:
        self._cursors = wiring.cursors
        asked = sorted((name, str(value)) for name, value in query.items() if value is not None)
        self._binding = (route, actor.organisation, actor.subject, *(f"{name}={value}" for name, value in asked))

    def after(self, cursor: str | None) -> Any:
        """Return the position to go on from; None for the first page."""
        return None if cursor is None else self._cursors.read(cursor, binding=self._binding)

    def cursor(self, position: object | None) -> str | None:
        """Return the cursor of a position; None after the last page."""
        return None if position is None else self._cursors.write(position, binding=self._binding)

    def respond(self, items: Sequence[Any], position: object | None, *, in_china: bool = False) -> Response:
        """Return a page with the cursor of the next one."""
        return json_response({"items": items, "next_cursor": self.cursor(position)}, in_china=in_china)


async def answer_page(
    request: Request,
    actor: Actor,
    route: str,
    query: PageQuery,
    read: ListRead,
    answer: Callable[[Any], Any] | None = None,
) -> Response:
    """Return a page of a list, with the cursor of the next one: every list with pages answers by this.

    Args:
        request: the call.
        actor: whose list it is; nobody else can use its cursors.
        route: the list; together with what is asked for, it binds the cursors.
        query: what is asked for, and which page.
        read: takes the position `after` which the page begins and the `limit` of its items, and returns the items with
            the position of the next page, if there is one.
        answer: makes of an item what is answered, its times with China's offset; without it that is the item itself.

    Raises:
        Refused: `cursor_invalid`, or as `read` says.
    """
    pages = Pages(wiring_of(request), actor, route, query.asked())
    items, position = await read(after=pages.after(query.cursor), limit=query.limit)
    if answer is None:
        return pages.respond(items, position)
    return pages.respond([answer(item) for item in items], position, in_china=True)
