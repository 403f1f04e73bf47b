"""Drafts: kept sealed for whoever writes them, taken for nothing, and gone thirty days after their last change.

An employer's are sealed under its key and seen by all who act for it; a person's and an officer's have a key of their
own, which is destroyed with the draft. A person is known by a document here and not by a link, which shows one address
alone. Whoever is erased takes along all drafts in which one of their documents stands, whoever wrote them.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from pydantic import Field, JsonValue
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.signers import holder_of
from cases.keys.data import add_data_key, get_data_key
from cases.programme import programmes_of
from cases.shared.context import Context
from cases.shared.idempotency import Done, Idempotency, Progress, Reply, once
from cases.shared.persons import document_hash
from domain.actors import PARK, Actor, Role
from domain.documents import Document, DocumentError, document_of_identity_number, parse_document
from domain.drafts import KEPT, LARGEST, DraftChange, DraftKind, DraftRequest
from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from domain.references import find_reference
from domain.views import Told, View
from privacy.sign_in import Session
from store.encryption import DataKey
from store.rows.people import DraftRow
from store.tables import cases, drafts, employers

_D: Final = drafts.c
_MOST: Final = {Role.EMPLOYER: 200}
_MOST_OF_ONE: Final = 50
_DESTROY: Final = text("""
    UPDATE data_keys k SET wrapped = NULL, destroyed_at = :at WHERE k.key_id = ANY(CAST(:keys AS uuid[]))
    AND NOT EXISTS (SELECT FROM employers e WHERE e.key_id = k.key_id)
""")


class DraftView(View):
    """A draft, without what it says."""

    id: str
    programme: str
    kind: DraftKind
    reference: str | None
    version: int = Field(description="Goes up with each change; `ETag` says the same.")
    begun_at: Told
    changed_at: Told
    gone_at: Told = Field(description="When it is deleted, unless it is changed before.")


class OpenedDraftView(DraftView):
    """A draft with what it says."""

    content: dict[str, JsonValue]


class DraftsView(View):
    """The drafts of an owner, the one changed last first."""

    items: list[DraftView]


async def begin(
    context: Context, actor: Actor, session: Session | None, asked: DraftRequest, idempotency: Idempotency
) -> Reply:
    """Keep a draft.

    Raises:
        Refused: `invalid` for a programme that there is not, for too much, or for what the caller keeps no draft of;
            `case_unknown`; `wrong_stage` where too many are kept.
    """
    at, owner, plain = context.clock(), _owner(actor, session), _plain(asked.content)
    if asked.programme not in {each.code for each in programmes_of(context)}:
        raise _wrong("programme", "There is no such programme.")
    if (asked.kind is DraftKind.DECISION) is not actor.is_inside:
        raise _wrong("kind", "Employers and persons keep drafts of forms, staff of decisions.")

    async def write(connection: AsyncConnection) -> Done:
        reference = await _case(connection, asked) if actor.is_inside else None
        count = select(func.count()).where(_D.owner == owner, _D.changed_at > at - KEPT)
        if (await connection.execute(count)).scalar_one() >= _MOST.get(actor.role, _MOST_OF_ONE):
            raise Refused("wrong_stage", words="drafts_many")
        draft_id, key = uuid4(), await _key(context, connection, actor)
        row = DraftRow(
            draft_id=draft_id,
            owner=owner,
            programme=asked.programme,
            kind=asked.kind.value,
            reference=reference,
            key_id=key.key_id,
            body=_sealed(key, draft_id, plain),
            document_hashes=_hashes(context, asked.content),
            version=1,
            begun_at=at,
            changed_at=at,
        )
        await connection.execute(insert(drafts).values(row.filled()))
        return Done(Reply(Progress.MADE, _view(row).as_json()), key)

    return (await once(context, actor, idempotency, write, tenant=PARK)).reply


async def change(
    context: Context,
    actor: Actor,
    session: Session | None,
    draft_id: UUID,
    asked: DraftChange,
    version: int,
    idempotency: Idempotency,
) -> Reply:
    """Put other content in the place of what a draft says, as it was in a version.

    Raises:
        Refused: `not_found`; `draft_changed` where it was changed since that version; `invalid` for too much.
    """
    at, plain = context.clock(), _plain(asked.content)

    async def write(connection: AsyncConnection) -> Done:
        row = await _find(context, connection, actor, session, draft_id, lock=True)
        if row.version != version:
            raise Refused("draft_changed")
        key = await get_data_key(context, connection, row.key_id)
        changed = {
            "body": _sealed(key, draft_id, plain),
            "document_hashes": _hashes(context, asked.content),
            "version": version + 1,
            "changed_at": at,
        }
        await connection.execute(update(drafts).where(_D.draft_id == draft_id).values(changed))
        row.change(**changed)
        return Done(Reply(Progress.APPLIED, _view(row).as_json()), key)

    return (await once(context, actor, idempotency, write, tenant=PARK)).reply


async def discard(
    context: Context, actor: Actor, session: Session | None, draft_id: UUID, idempotency: Idempotency
) -> Reply:
    """Delete a draft; one that is gone already is as good.

    Raises:
        Refused: as `once`.
    """
    at = context.clock()

    async def write(connection: AsyncConnection) -> Done:
        mine = delete(drafts).where(_D.draft_id == draft_id, _D.owner == _owner(actor, session))
        keys = list((await connection.execute(mine.returning(_D.key_id))).scalars())
        await connection.execute(_DESTROY, {"keys": keys, "at": at})
        return Done(Reply(Progress.NOTHING))

    return (await once(context, actor, idempotency, write, tenant=PARK)).reply


async def read(context: Context, actor: Actor, session: Session | None, draft_id: UUID) -> OpenedDraftView:
    """Return a draft with what it says.

    Raises:
        Refused: `not_found` for one that is not the caller's, or is gone.
    """
    async with context.database.begin() as connection:
        row = await _find(context, connection, actor, session, draft_id)
        key = await get_data_key(context, connection, row.key_id)
    content = json.loads(key.open("drafts", "body", str(draft_id), row.body))
    return OpenedDraftView(**_view(row).model_dump(), content=content)


async def list_own(context: Context, actor: Actor, session: Session | None) -> list[DraftView]:
    """Return the caller's drafts without what they say, the one changed last first."""
    since = context.clock() - KEPT
    query = select(drafts).where(_D.owner == _owner(actor, session), _D.changed_at > since)
    async with context.database.begin() as connection:
        found = await connection.execute(query.order_by(_D.changed_at.desc(), _D.draft_id).limit(_MOST[Role.EMPLOYER]))
        return [_view(row) for row in DraftRow.all_of(found)]


async def forget_old(connection: AsyncConnection, at: datetime, most: int) -> int:
    """Delete a batch of drafts that nobody changed for so long, with the keys that are theirs; return how many."""
    old = select(_D.draft_id).where(_D.changed_at <= at - KEPT).limit(most)
    gone = await connection.execute(delete(drafts).where(_D.draft_id.in_(old)).returning(_D.key_id))
    keys = list(gone.scalars())
    if keys:
        await connection.execute(_DESTROY, {"keys": keys, "at": at})
    return len(keys)


def _owner(actor: Actor, session: Session | None) -> str:
    if actor.is_inside:
        return f"staff/{holder_of(actor)}"
    if actor.role is Role.PERSON:
        if session is None or not session.by_document:
            raise Refused("token_invalid", "Only a person who is known by a document keeps drafts.")
        return f"document/{session.address_hash.hex()}"
    return str(actor.employer_id)


async def _key(context: Context, connection: AsyncConnection, actor: Actor) -> DataKey:
    """Return the key of an employer, or a new one."""
    if actor.role is not Role.EMPLOYER:
        return await add_data_key(context, connection)
    query = select(employers.c.key_id).where(employers.c.employer_id == actor.employer_id)
    key_id = (await connection.execute(query)).scalar_one_or_none()
    if key_id is None:
        raise Refused("not_found", "The register has no employer of this id.")
    return await get_data_key(context, connection, key_id)


async def _case(connection: AsyncConnection, asked: DraftRequest) -> str:
    wanted = find_reference(asked.reference or "")
    query = select(cases.c.reference).where(cases.c.reference == wanted, cases.c.programme == asked.programme)
    found = (await connection.execute(query.where(cases.c.erased_at.is_(None)))).scalar_one_or_none()
    if found is None:
        raise Refused("case_unknown", "There is no case of this reference.")
    return str(found)


async def _find(
    context: Context,
    connection: AsyncConnection,
    actor: Actor,
    session: Session | None,
    draft_id: UUID,
    *,
    lock: bool = False,
) -> DraftRow:
    since = context.clock() - KEPT
    query = select(drafts).where(_D.draft_id == draft_id, _D.owner == _owner(actor, session), _D.changed_at > since)
    row = DraftRow.one_of(await connection.execute(query.with_for_update() if lock else query))
    if row is None:
        raise Refused("not_found", "You have no draft of this id.")
    return row


def _plain(content: Mapping[str, Any]) -> bytes:
    plain = json.dumps(content, ensure_ascii=False).encode()
    if len(plain) > LARGEST:
        said = "A draft has at most 64 KiB."
        raise Refused("invalid", said, [FieldError("content", FieldCode.TOO_LONG, said)])
    return plain


def _sealed(key: DataKey, draft_id: UUID, plain: bytes) -> bytes:
    return key.seal("drafts", "body", str(draft_id), plain)


def _hashes(context: Context, content: object) -> list[bytes]:
    """Return the keyed hashes of all documents of persons that stand in a draft, wherever they do."""
    return sorted({document_hash(context, each) for each in _documents(content)})


def _documents(content: object) -> list[Document]:
    if isinstance(content, list):
        return [found for each in content for found in _documents(each)]
    if not isinstance(content, dict):
        return []
    found = [each for value in content.values() for each in _documents(value)]
    number, kind, place = content.get("identity_number"), content.get("kind"), content.get("place")
    try:
        if isinstance(number, str):
            found.append(document_of_identity_number(number))
        if isinstance(kind, str) and isinstance(content.get("number"), str):
            found.append(parse_document(kind, content["number"], place if isinstance(place, str) else None))
    except (DocumentError, ValueError):
        pass  # what is no document yet is nobody's
    return found


def _wrong(field: str, said: str) -> Refused:
    return Refused("invalid", said, [FieldError(field, FieldCode.UNKNOWN_VALUE, said)])


def _view(row: DraftRow) -> DraftView:
    return DraftView(
        id=str(row.draft_id),
        programme=row.programme,
        kind=DraftKind(row.kind),
        reference=row.reference,
        version=row.version,
        begun_at=row.begun_at,
        changed_at=row.changed_at,
        gone_at=row.changed_at + KEPT,
    )
