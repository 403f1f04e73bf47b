"""Joining two persons of the register, and parting them again, in the transaction of the second signature.

The documents and cases of one become the other's: by them the person is found, has their parts in cases, signs in and
is erased. What is sealed stays as it is, under the key that it came with, and says so (`cases.joined_key`,
`person_documents.joined_key`); a case that is begun afterwards by such a document is sealed under that key too. So
nothing is sealed or hashed anew, an erasure destroys the keys of both, and by their keys documents and cases go back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.contact import given_of, serving_now
from cases.case.file import CaseFile, load_case
from cases.notices.compose import Telling, tell
from cases.once_only.standing import let_fall_between
from cases.shared.context import Context
from domain.actors import Actor
from domain.acts import Act
from domain.errors import Refused
from domain.joinings import JoiningKind
from domain.notices import Channel, NoticeKind, Recipient
from domain.parties import PERSON_PREFIX
from domain.person import same_address
from privacy.holding import HeldCase, find_joined
from store.rows.people import JoiningRow

# What came with a person has the key of that person or of one who was joined to them before.
_MOVE_DOCUMENTS: Final = text("""
    UPDATE person_documents d SET person_id = :joiner, joined_key = coalesce(d.joined_key, :own_key)
    WHERE d.person_id = :leaver
""")
_RETURN_DOCUMENTS: Final = text("""
    UPDATE person_documents d SET person_id = :joiner, joined_key = nullif(d.joined_key, :own_key)
    WHERE d.person_id = :leaver AND d.joined_key = ANY(CAST(:keys AS uuid[]))
""")
# Beside the subject of a case, which follows its row, whatever else a person has a part as.
_PARTS: Final = """
    WITH ended AS (
        UPDATE case_parties p SET until = CAST(:at AS timestamptz)
        WHERE p.kind = 'person' AND p.party_id = CAST(CAST(:leaver AS uuid) AS text) AND p.until IS NULL AND {which}
        RETURNING p.reference, p.part, p.programme, p.employer_id
    )
    INSERT INTO case_parties (reference, part, kind, party_id, since, programme, employer_id)
    SELECT reference, part, 'person', CAST(CAST(:joiner AS uuid) AS text), CAST(:at AS timestamptz), programme,
        employer_id FROM ended
    ON CONFLICT ON CONSTRAINT pk_case_parties DO UPDATE SET until = NULL
"""
_MOVE_PARTS: Final = text(_PARTS.format(which="true"))
_RETURN_PARTS: Final = text(
    _PARTS.format(
        which="""(p.reference = ANY(CAST(:references AS text[])) AND p.part <> 'confirmer'
            OR EXISTS (SELECT FROM case_parties b WHERE b.reference = p.reference AND b.part = p.part
                AND b.kind = 'person' AND b.party_id = CAST(CAST(:joiner AS uuid) AS text)
                AND b.until = CAST(:joined_at AS timestamptz)))"""
    )
)
_OBJECTIONS: Final = text("""
    UPDATE objections SET person_id = :joiner
    WHERE person_id = :leaver AND (CAST(:is_all AS boolean) OR reference = ANY(CAST(:references AS text[])))
""")
_TRANSFERS: Final = text("""
    UPDATE transfers SET person_id = :joiner
    WHERE person_id = :leaver AND (CAST(:is_all AS boolean) OR from_reference = ANY(CAST(:references AS text[])))
""")
_TAKEOVERS: Final = text("""
    UPDATE takeovers SET person_id = :joiner
    WHERE person_id = :leaver AND (CAST(:is_all AS boolean) OR to_reference = ANY(CAST(:references AS text[])))
""")
# Who is signed in, or has a link, signs in again and then sees what is theirs now.
_SIGN_OUT: Final = (
    text("DELETE FROM person_sessions WHERE person_id = :leaver"),
    text("DELETE FROM sign_in_links WHERE person_id = :leaver"),
)
_POINT: Final = text("UPDATE persons SET joined_to = :joined_to WHERE person_id = :person_id")


@dataclass(frozen=True, slots=True)
class Signed:
    """A joining or parting that takes effect: its row, who signs it last, and when."""

    row: JoiningRow
    actor: Actor
    at: datetime


async def join(
    context: Context, connection: AsyncConnection, signed: Signed, cases: Sequence[HeldCase]
) -> list[Channel]:
    """Let the one person have all of the other's, whose cases and own the caller holds; return what goes out.

    Raises:
        Defect: where a case cannot be opened; nothing is joined then.
    """
    row = signed.row
    own_key = (await find_joined(connection, [row.joined_id]))[row.joined_id]
    moved = {each.reference: each.joined_key or own_key for each in cases if each.person_id == row.joined_id}
    both = {"joiner": row.kept_id, "leaver": row.joined_id}
    await connection.execute(_MOVE_DOCUMENTS, both | {"own_key": own_key})
    await connection.execute(_MOVE_PARTS, both | {"at": signed.at})
    await connection.execute(_OBJECTIONS, both | {"is_all": True, "references": []})
    await connection.execute(_TRANSFERS, both | {"is_all": True, "references": []})
    await connection.execute(_TAKEOVERS, both | {"is_all": True, "references": []})
    await connection.execute(_POINT, {"person_id": row.joined_id, "joined_to": row.kept_id})
    await _sign_out(connection, row.joined_id)
    return await _follow(context, connection, signed, cases, {name: (row.kept_id, key) for name, key in moved.items()})


async def part(
    context: Context,
    connection: AsyncConnection,
    signed: Signed,
    cases: Sequence[HeldCase],
    *,
    holder: UUID,
    joined_at: datetime,
) -> list[Channel]:
    """Let the person who was joined have again what came with them, and what was begun since by their documents.

    Args:
        context: the collaborators.
        connection: the transaction, which holds both persons with all cases.
        signed: the parting.
        cases: of the holder.
        holder: who has them now: who was kept, or whom that one was joined to since.
        joined_at: when the two were joined.

    Raises:
        Refused: `wrong_stage` where the holder began a case of their own since by a document that came.
    """
    row = signed.row
    of_tree = await find_joined(connection, [row.joined_id])
    own_key, keys = of_tree[row.joined_id], set(of_tree.values())
    returned = {
        each.reference: None if each.joined_key == own_key else each.joined_key
        for each in cases
        if each.joined_key in keys
    }
    own = [
        each.reference for each in cases if each.reference in returned and each.employer_id.startswith(PERSON_PREFIX)
    ]
    if own:
        raise Refused("wrong_stage", f"{own[0]} is a case of the person's own, begun since by a document that came.")
    both = {"joiner": row.joined_id, "leaver": holder}
    await connection.execute(_RETURN_DOCUMENTS, both | {"own_key": own_key, "keys": list(keys)})
    given: dict[str, Any] = {"at": signed.at, "joined_at": joined_at, "references": list(returned)}
    await connection.execute(_RETURN_PARTS, both | given)
    await connection.execute(_OBJECTIONS, both | {"is_all": False, "references": list(returned)})
    await connection.execute(_TRANSFERS, both | {"is_all": False, "references": list(returned)})
    await connection.execute(_POINT, {"person_id": row.joined_id, "joined_to": None})
    await _sign_out(connection, holder)
    theirs = {name: (row.joined_id, key) for name, key in returned.items()}
    rung = await _follow(context, connection, signed, cases, theirs)
    # What one of the two proved is no proof of the other.
    await let_fall_between(connection, [row.joined_id, holder], signed.at)
    await connection.execute(_TAKEOVERS, both | {"is_all": False, "references": list(returned)})
    return rung


async def _sign_out(connection: AsyncConnection, person_id: UUID) -> None:
    for statement in _SIGN_OUT:
        await connection.execute(statement, {"leaver": person_id})


async def _follow(
    context: Context,
    connection: AsyncConnection,
    signed: Signed,
    cases: Sequence[HeldCase],
    moved: dict[str, tuple[UUID, UUID | None]],
) -> list[Channel]:
    """Write into the chain of every case of both whose it is now, and tell each address of theirs once."""
    is_joining = signed.row.kind == JoiningKind.JOINING
    told: set[str] = set()
    rung: list[Channel] = []
    # The newest first, whose addresses and language are the latest.
    for case in sorted(cases, key=lambda each: (each.live, each.reference), reverse=True):
        file = await load_case(context, connection, case.reference)
        part_of = "kept"
        if case.reference in moved:
            person_id, key_id = moved[case.reference]
            file.row.change(person_id=person_id, joined_key=key_id)
            part_of = "joined"
        act = Act.PERSONS_JOINED if is_joining else Act.PERSONS_PARTED
        ids = {"joining_id": str(signed.row.joining_id), "as": part_of}
        file.record(act, signed.actor, signed.at, outcome="done", reasons=(signed.row.reason,), **ids)
        _tell(file, signed, told)
        rung += [Channel(each.channel) for each in file.deliveries]
        await file.save(connection)
    return rung


def _tell(file: CaseFile, signed: Signed, told: set[str]) -> None:
    """Tell each address by which the person signs in on this case, once for all their cases."""
    kind = NoticeKind.PERSONS_JOINED if signed.row.kind == JoiningKind.JOINING else NoticeKind.PERSONS_PARTED
    for channel, address in serving_now(file, given_of(file)).items():
        if same_address(address) in told:
            continue
        told.add(same_address(address))
        occasion = f"{signed.row.joining_id}/{channel.value}"
        only = frozenset({Recipient.PERSON})
        tell(file, Telling(kind, signed.at, occasion, only=only, to=(channel, address)))
