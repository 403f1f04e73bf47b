"""What persons said in confidence, bound to the address that said it: others on the same case read nothing of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.keys.data import get_data_key
from cases.shared.context import Context
from domain.errors import Defect, Refused
from domain.notices import Channel
from domain.sign_in_addresses import addresses_of
from privacy.own_cases import OwnCase
from privacy.sign_in import Session, address_hash
from store.encryption import DataKey
from store.rows.people import ObjectionRow
from store.tables import applications, objections

_O: Final = objections.c


@dataclass(frozen=True, slots=True)
class Said:
    """Words of a person, and the address by which they had signed in; None by a document, whose hash it is then."""

    text: str
    address_hash: bytes
    signed_in_by: tuple[Channel, str] | None

    def as_kept(self) -> dict[str, Any]:
        """Return who said it, as it is kept with a command: the keyed hash of the address, and the address itself."""
        by = self.signed_in_by
        source = None if by is None else {"channel": by[0].value, "address": by[1]}
        return {"address_hash": self.address_hash.hex(), "from": source}


@dataclass(frozen=True, slots=True)
class Confided:
    """Of the cases of a session: the objections that its address made, and the cases on which only others did."""

    own: frozenset[UUID]
    silent: frozenset[str]


async def confided_by(
    context: Context, connection: AsyncConnection, session: Session, cases: Sequence[OwnCase]
) -> Confided:
    """Return what the address of a session said in confidence in its cases, and where others said something."""
    query = select(objections).where(_O.reference.in_([case.reference for case in cases]), _O.party == "person")
    own: dict[UUID, str] = {}
    all_of: set[str] = set()
    for row in ObjectionRow.all_of(await connection.execute(query)):
        all_of.add(row.reference)
        if row.person_id == session.person_id and await _is_by(context, connection, session, row):
            own[row.objection_id] = row.reference
    return Confided(frozenset(own), frozenset(all_of - set(own.values())))


async def said_from(
    context: Context, connection: AsyncConnection, row: ObjectionRow, key: DataKey
) -> tuple[Channel, str] | None:
    """Return the address that an objection came from; of an old one that does not say, the first of its time.

    None where a document was shown: its holder reads the answer, and no address that others gave is told of it.
    """
    body = json.loads(key.open("objections", "body", str(row.objection_id), row.body))
    said = body.get("from")
    if said is None and "from" in body:
        return None
    if said is not None:
        return Channel(said["channel"]), str(said["address"])
    return next(iter((await _addresses_then(context, connection, row)).items()), None)


async def _is_by(context: Context, connection: AsyncConnection, session: Session, row: ObjectionRow) -> bool:
    if row.address_hash is not None:
        return bytes(row.address_hash) == session.address_hash
    then = await _addresses_then(context, connection, row)
    return any(address_hash(context, address) == session.address_hash for address in then.values())


async def _addresses_then(context: Context, connection: AsyncConnection, row: ObjectionRow) -> dict[Channel, str]:
    """Return the addresses on the case when something was said that does not say by which of them."""
    a = applications.c
    query = select(a.version, a.body).where(a.reference == row.reference, a.given_at <= row.at)
    found = (await connection.execute(query.order_by(a.version.desc()).limit(1))).one_or_none()
    if found is None:
        return {}
    try:
        key = await get_data_key(context, connection, row.key_id)
        body = json.loads(key.open("applications", "body", f"{row.reference}/{found.version}", found.body))
    except (Refused, Defect):
        return {}  # erased, or sealed under the key of a corrected identity number
    return {channel: address for channel, address in addresses_of(body["person"]).items() if address}
