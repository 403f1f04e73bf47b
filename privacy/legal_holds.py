"""Legal holds on a case: placed and released by a supervisor, stronger than any erasure, shown to whoever may know."""

import json
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.signers import need_unconflicted, signature_of
from cases.case.view import moment
from cases.keys.data import add_data_key, get_data_key
from cases.shared.accesses import record_access
from cases.shared.context import Context
from cases.shared.idempotency import Idempotency, Progress, Reply, find_known, remember
from domain.actors import Actor
from domain.acts import Act
from domain.erasure import LegalHoldRelease, LegalHoldRequest
from domain.errors import Refused
from store.encryption import DataKey
from store.ledger import Entry, append
from store.tables import legal_holds, persons, registrations

_GROWN: Final = text("UPDATE registrations SET version = version + 1 WHERE reference = :reference")


async def place(
    context: Context, actor: Actor, reference: str, request: LegalHoldRequest, idempotency: Idempotency
) -> Reply:
    """Place a legal hold on a case, whatever its stage; nothing of its person is erased until all are released.

    Raises:
        Refused: `case_unknown`; `facts_erased` where there is nothing left to keep; `role_not_allowed` for one who
            declared a conflict of interest.
    """
    at = context.clock()
    async with context.database.begin(case=reference) as connection:
        known = await find_known(context, connection, actor, idempotency)
        if known is not None and known.reply is not None:
            return known.reply
        case, key = await _case(context, connection, actor, reference)
        hold_id = uuid4()
        row = {
            "hold_id": hold_id,
            "reference": reference,
            "employer_id": case["employer_id"],
            "reason": request.reason.value,
            "paper": key.seal("legal_holds", "paper", str(hold_id), json.dumps(request.paper).encode()),
            "placed_by": signature_of(actor),
            "placed_at": at,
            "released_by": None,
            "release_reason": None,
            "released_at": None,
        }
        await connection.execute(insert(legal_holds).values(row))
        await _record(connection, Act.LEGAL_HOLD_PLACED, actor, case, row)
        return await _answer(context, connection, actor, idempotency, hold_view(row, key))


async def release(
    context: Context,
    actor: Actor,
    reference: str,
    hold_id: UUID,
    request: LegalHoldRelease,
    idempotency: Idempotency,
) -> Reply:
    """Release a legal hold.

    Raises:
        Refused: `case_unknown`; `not_found` for a hold that the case does not have; `already_decided`;
            `role_not_allowed` for one who declared a conflict of interest.
    """
    at = context.clock()
    async with context.database.begin(case=reference) as connection:
        known = await find_known(context, connection, actor, idempotency)
        if known is not None and known.reply is not None:
            return known.reply
        case, key = await _case(context, connection, actor, reference)
        h = legal_holds.c
        query = select(legal_holds).where(h.hold_id == hold_id, h.reference == reference)
        found = (await connection.execute(query)).mappings().one_or_none()
        if found is None:
            raise Refused("not_found", "The case has no legal hold of this id.")
        if found["released_at"] is not None:
            raise Refused("already_decided", "The legal hold is released.")
        released = {"released_by": signature_of(actor), "release_reason": request.reason.value, "released_at": at}
        await connection.execute(update(legal_holds).where(h.hold_id == hold_id).values(released))
        row = {**found, **released}
        await _record(connection, Act.LEGAL_HOLD_RELEASED, actor, case, row)
        return await _answer(context, connection, actor, idempotency, hold_view(row, key))


async def list_holds(context: Context, actor: Actor, reference: str) -> list[dict[str, Any]]:
    """Return the legal holds of a case, the newest first; after an erasure without the numbers of their papers."""
    async with context.database.begin() as connection:
        case = await _find(connection, reference)
        await record_access(connection, actor, "legal_holds", [(reference, case["employer_id"])], context.clock())
        try:
            key = await get_data_key(context, connection, case["key_id"])
        except Refused:
            key = None
        h = legal_holds.c
        query = select(legal_holds).where(h.reference == reference).order_by(h.placed_at.desc(), h.hold_id).limit(100)
        return [hold_view(row, key) for row in (await connection.execute(query)).mappings()]


async def holds_on_person(connection: AsyncConnection, person_id: UUID) -> list[dict[str, Any]]:
    """Return the legal holds that stand on any case of a person, as the person may see them: why and since when."""
    h, r = legal_holds.c, registrations.c
    query = (
        select(h.reference, h.reason, h.placed_at)
        .join(registrations, r.reference == h.reference)
        .where(r.person_id == person_id, h.released_at.is_(None))
        .order_by(h.placed_at, h.hold_id)
    )
    return [
        {"reference": row.reference, "reason": row.reason, "since": moment(row.placed_at)}
        for row in await connection.execute(query)
    ]


def hold_view(row: Mapping[Any, Any], key: DataKey | None) -> dict[str, Any]:
    """Return a legal hold as staff and auditors see it."""
    paper = None
    if key is not None:
        paper = json.loads(key.open("legal_holds", "paper", str(row["hold_id"]), row["paper"]))
    released = row["released_by"]
    return {
        "id": str(row["hold_id"]),
        "reference": row["reference"],
        "reason": row["reason"],
        "paper": paper,
        "placed_by": row["placed_by"]["subject"],
        "placed_at": moment(row["placed_at"]),
        "released_by": released["subject"] if released else None,
        "release_reason": row["release_reason"],
        "released_at": moment(row["released_at"]),
    }


async def _case(
    context: Context, connection: AsyncConnection, actor: Actor, reference: str
) -> tuple[Mapping[Any, Any], DataKey]:
    """Return a case on which the actor may act, and the key of its person."""
    case = await _find(connection, reference)
    await need_unconflicted(connection, actor, [reference])
    return case, await get_data_key(context, connection, case["key_id"])


async def _find(connection: AsyncConnection, reference: str) -> Mapping[Any, Any]:
    r = registrations.c
    query = (
        select(r.reference, r.employer_id, r.stage, r.round, persons.c.key_id)
        .join(persons, persons.c.person_id == r.person_id)
        .where(r.reference == reference)
    )
    found = (await connection.execute(query)).mappings().one_or_none()
    if found is None:
        raise Refused("case_unknown", "There is no case of this reference.")
    return found


async def _record(
    connection: AsyncConnection, act: Act, actor: Actor, case: Mapping[Any, Any], row: Mapping[Any, Any]
) -> None:
    """Write an act on a hold into the chain of its case, which is held, and show that the chain has grown."""
    reason = row["release_reason"] or row["reason"]
    entry = Entry(
        act,
        actor,
        row["released_at"] or row["placed_at"],
        reference=case["reference"],
        employer_id=case["employer_id"],
        reason_codes=(reason,),
        detail={"stage": case["stage"], "round": case["round"], "hold_id": str(row["hold_id"])},
    )
    await connection.execute(_GROWN, {"reference": case["reference"]})
    await append(connection, case["reference"], [entry])


async def _answer(
    context: Context, connection: AsyncConnection, actor: Actor, idempotency: Idempotency, view: dict[str, Any]
) -> Reply:
    reply = Reply(Progress.APPLIED, view)
    # Under a key of its own: the answer holds no more than the number of a paper, and goes with the keys of writes.
    key = await add_data_key(context, connection)
    await remember(context, connection, actor, idempotency, reference=view["reference"], reply=reply, key=key)
    return reply
