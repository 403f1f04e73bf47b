"""Saved views of the inbox and of lists of cases: each its owner's alone."""

from uuid import UUID, uuid4

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.signers import holder_of
from cases.keys.data import add_data_key
from cases.shared.context import Context
from cases.shared.idempotency import Done, Idempotency, Progress, Reply, once
from domain.actors import PARK, Actor
from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from domain.saved_views import MOST, SavedList, SavedViewRequest
from domain.views import Told, View
from store.rows.work import SavedViewRow
from store.tables import saved_views

_V = saved_views.c


class SavedView(View):
    """A filter under a name."""

    id: str
    name: str
    list: SavedList
    filter: dict[str, str]
    saved_at: Told


class SavedViews(View):
    """The saved views of the caller, the oldest first."""

    items: list[SavedView]


async def save(context: Context, actor: Actor, asked: SavedViewRequest, idempotency: Idempotency) -> Reply:
    """Keep a filter under a name.

    Raises:
        Refused: `wrong_stage` where fifty are kept; `invalid` for a list that is not the caller's.
    """
    at, owner = context.clock(), _owner(actor)
    if asked.list is SavedList.INBOX and not actor.is_inside:
        said = "The inbox is staff's; save a view of `cases`."
        raise Refused("invalid", said, [FieldError("list", FieldCode.UNKNOWN_VALUE, said)])

    async def write(connection: AsyncConnection) -> Done:
        kept = select(func.count()).where(_V.owner == owner)
        if (await connection.execute(kept)).scalar_one() >= MOST:
            raise Refused("wrong_stage", words="saved_views_many")
        row = SavedViewRow(
            view_id=uuid4(),
            owner=owner,
            name=asked.name,
            list=asked.list.value,
            filter=dict(asked.filter),
            saved_at=at,
        )
        await connection.execute(insert(saved_views).values(row.filled()))
        return Done(Reply(Progress.MADE, _view(row).as_json()), await add_data_key(context, connection))

    return (await once(context, actor, idempotency, write, tenant=PARK)).reply


async def list_own(context: Context, actor: Actor) -> list[SavedView]:
    """Return the caller's saved views, the oldest first."""
    query = select(saved_views).where(_V.owner == _owner(actor)).order_by(_V.saved_at, _V.view_id).limit(MOST)
    async with context.database.begin() as connection:
        return [_view(row) for row in SavedViewRow.all_of(await connection.execute(query))]


async def discard(context: Context, actor: Actor, view_id: UUID, idempotency: Idempotency) -> Reply:
    """Delete a saved view; one that is gone already is as good."""

    async def write(connection: AsyncConnection) -> Done:
        await connection.execute(delete(saved_views).where(_V.view_id == view_id, _V.owner == _owner(actor)))
        return Done(Reply(Progress.NOTHING))

    return (await once(context, actor, idempotency, write, tenant=PARK)).reply


def _owner(actor: Actor) -> str:
    return f"{actor.organisation}/{holder_of(actor)}"


def _view(row: SavedViewRow) -> SavedView:
    return SavedView(
        id=str(row.view_id), name=row.name, list=SavedList(row.list), filter=row.filter, saved_at=row.saved_at
    )
