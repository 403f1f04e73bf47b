"""What a programme hears from machines outside, and what staff does with it where it is about no case that is there."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from cases.shared.context import Context
from cases.shared.idempotency import Idempotency, Reply
from domain.actors import Actor, Role
from domain.incidents import IncidentKind
from domain.pages import PageQuery
from domain.routes import Operation


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a message: the reply, and the command that the case's workflow has to hear of."""

    reply: Reply
    reference: str
    command_id: UUID | None = None


# Takes in a message: who signed it, its content, its id and its bytes.
Takes = Callable[[Actor, Any, str, bytes], Awaitable[Received]]
# What is read of a list, `after` a position and up to a `limit`: items, and the position of the next page.
ListRead = Callable[..., Awaitable[tuple[Sequence[Any], Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox(Operation):
    """Signed messages of a machine, each of which is about a case.

    Attributes:
        path: where they are sent to, after the version.
        machine: what the machine is called in the ledger.
        kind: what one whose signature does not hold is to the operator.
        body: the model of a message.
        about: the reference of the case that a message is about.
        view: the model of the answer.
        later: what 202 says.
        open: what takes them in, made once for a process.
    """

    path: str
    machine: str
    kind: IncidentKind
    body: type[BaseModel]
    about: Callable[[Any], str]
    view: type[BaseModel]
    later: str
    open: Callable[[Context], Takes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Operation):
    """A list that staff reads.

    Attributes:
        by: the roles that may read it.
        query: the model of what it is asked for.
        page: the model of a page.
        read: reads it for what is asked.
    """

    by: frozenset[Role]
    query: type[PageQuery]
    page: type[BaseModel]
    read: Callable[[Context, Actor, Any], ListRead]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Operation):
    """What staff asks of a row of such a list.

    Attributes:
        verb: the last part of its path.
        by: the roles that may ask it.
        body: the model of what is given.
        view: the model of the answer.
        is_stored: whether the answer says that it is stored, and not yet done.
        does: does it, and says whose workflow has to hear of it.
    """

    verb: str
    by: frozenset[Role]
    body: type[BaseModel]
    view: type[BaseModel]
    is_stored: bool = False
    does: Callable[[Context, Actor, UUID, Any, Idempotency], Awaitable[tuple[Reply, Received | None]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Rows beside cases that staff works on, all under one path.

    Attributes:
        path: after the version.
        named: what the id of a row is called.
        listing: the list of them.
        steps: what is asked of each.
    """

    path: str
    named: str
    listing: Listing
    steps: tuple[Step, ...]
