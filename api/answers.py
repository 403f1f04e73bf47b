"""Answers to callers: what a verb returned, as JSON."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from api.parameters import PageQuery
from api.wiring import Wiring, wiring_of
from cases.shared.idempotency import Reply
from domain.actors import Actor
from domain.clock import CHINA

ListRead = Callable[..., Awaitable[tuple[Sequence[Any], Any]]]


def json_response(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer with a JSON body."""
    return Response(
        orjson.dumps(content, default=_plain, option=orjson.OPT_PASSTHROUGH_DATETIME),
        status,
        headers,
        "application/json",
    )


def respond(reply: Reply) -> Response:
    """Return the answer that a verb gave."""
    if reply.body is None:
        return Response(status_code=204 if reply.status == 200 else reply.status, headers=reply.headers)
    return json_response(reply.body, reply.status, reply.headers)


class Pages:
    """One list: reads the cursor of a call and writes that of the next page."""

    def __init__(self, wiring: Wiring, actor: Actor, route: str, query: Mapping[str, object]) -> None:
        self._cursors = wiring.cursors
        asked = sorted((name, str(value)) for name, value in query.items() if value is not None)
        self._binding = (route, actor.tenant, actor.subject, *(f"{name}={value}" for name, value in asked))

    def after(self, cursor: str | None) -> Any:
        """Return the position to go on from; None for the first page."""
        return None if cursor is None else self._cursors.read(cursor, binding=self._binding)

    def cursor(self, position: object | None) -> str | None:
        """Return the cursor of a position; None after the last page."""
        return None if position is None else self._cursors.write(position, binding=self._binding)

    def respond(self, items: Sequence[Any], position: object | None) -> Response:
        """Return a page with the cursor of the next one."""
        return json_response({"items": items, "next_cursor": self.cursor(position)})


async def answer_page(request: Request, actor: Actor, route: str, query: PageQuery, read: ListRead) -> Response:
    """Return a page of a list, with the cursor of the next one: every list with pages answers by this.

    Args:
        request: the call.
        actor: whose list it is; nobody else can use its cursors.
        route: the list; together with what is asked for, it binds the cursors.
        query: what is asked for, and which page.
        read: takes the position `after` which the page begins and the `limit` of its items, and returns the items with
            the position of the next page, if there is one.

    Raises:
        Refused: `cursor_invalid`, or as `read` says.
    """
    pages = Pages(wiring_of(request), actor, route, query.asked())
    items, position = await read(after=pages.after(query.cursor), limit=query.limit)
    return pages.respond(items, position)


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, datetime):
        return value.astimezone(CHINA).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(type(value).__name__)
