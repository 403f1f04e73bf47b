"""What persons object to: complaints, which staff answers in time, and disputes, which an officer answers by a task.

Of neither is the employer told more than a dispute changes of its case; the words are sealed under the person's key.
They and their answers are for the address that said them (`privacy.confided`), whoever puts another one on the case.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile, load_case
from cases.case.signers import holder_of, need_unconflicted, signature_of
from cases.commands.submit import Beside
from cases.keys.data import get_data_key
from cases.notices.compose import Telling, tell
from cases.shared.accesses import note_access
from cases.shared.context import Context
from cases.shared.idempotency import Done, Idempotency, Progress, Reply, once
from cases.shared.pages import Position, cut
from domain.actors import Actor
from domain.acts import Act
from domain.clock import day_of, over_at
from domain.errors import Defect, Refused
from domain.notices import NoticeKind
from domain.person import ComplaintAbout, ComplaintAnswer, ComplaintRequest, ObjectionKind
from domain.purposes import Purpose
from domain.references import find_reference
from domain.words import Words
from privacy.confided import Said, confided_by, said_from
from privacy.own_cases import need_own, own_cases
from privacy.sign_in import Session
from privacy.views import ObjectionReceipt, ObjectionView, OwnObjectionView
from store import case_writes
from store.ledger import Entry, append, begin_chain
from store.rows.people import ObjectionRow
from store.tables import conflicts, ledger, objections

_MOST_SHOWN: Final = 200
_O: Final = objections.c


async def complain(
    context: Context, actor: Actor, session: Session, asked: ComplaintRequest, idempotency: Idempotency
) -> Reply:
    """Keep a complaint about a case of the person's own, to be answered within the limit.

    Raises:
        Refused: `case_unknown` for a case that the session does not open.
    """
    at = context.clock()

    async def write(connection: AsyncConnection) -> Done:
        own = await need_own(context, connection, session, actor, find_reference(asked.reference) or "")
        reference, file = own.reference, await load_case(context, connection, own.reference)
        due = file.calendar.deadline(day_of(at), context.limits.complaint_answer_days)
        said = Said(asked.text, session.address_hash, own.signed_in_by)
        row = _row(file, uuid4(), ObjectionKind.COMPLAINT, asked.about.value, said, at, due.at)
        await connection.execute(insert(objections).values(row.filled()))
        detail = {"objection_id": str(row.objection_id), "about": asked.about.value}
        entry = Entry(Act.COMPLAINT_RECEIVED, actor, at, reference=reference, detail=detail)
        await begin_chain(connection, _chain(row.objection_id), [entry])
        reply = Reply(Progress.STORED, _receipt(row).as_json())
        return Done(reply, file.person_key, reference)

    return (await once(context, actor, idempotency, write)).reply


async def need_own_case(context: Context, actor: Actor, session: Session, given: str, text: str) -> tuple[str, Said]:
    """Return the reference of a case of the session, in its one written form, and the text that is said of it.

    Raises:
        Refused: `case_unknown`.
    """
    async with context.database.begin(actor.tenant) as connection:
        own = await need_own(context, connection, session, actor, find_reference(given) or "")
    return own.reference, Said(text, session.address_hash, own.signed_in_by)


async def need_own_reference(context: Context, actor: Actor, session: Session, given: str) -> str:
    """Return the reference of a case of the session, in its one written form.

    Raises:
        Refused: `case_unknown`.
    """
    async with context.database.begin(actor.tenant) as connection:
        return (await need_own(context, connection, session, actor, find_reference(given) or "")).reference


def disputing(said: Said, about: str) -> Beside:
    """Return what stores a dispute beside its command: about a fact that was recorded, or what its programme names."""

    async def keep(file: CaseFile, connection: AsyncConnection, actor: Actor, command_id: UUID, at: datetime) -> None:
        await _keep_dispute(file, connection, actor, command_id, said, at, about=about)

    return keep


async def _keep_dispute(
    file: CaseFile, connection: AsyncConnection, actor: Actor, command_id: UUID, said: Said, at: datetime, *, about: str
) -> None:
    """Keep a dispute in the transaction that stores its command, under the command's id (R22, R36).

    It is about a fact that an officer recorded, or about what its programme lets a person dispute.
    """
    due = file.calendar.deadline(day_of(at), file.context.limits.park_decision_days)
    row = _row(file, command_id, ObjectionKind.DISPUTE, about, said, at, due.at)
    await connection.execute(insert(objections).values(row.filled()))
    detail = {"objection_id": str(command_id)}
    entry = Entry(Act.DISPUTE_RECEIVED, actor, at, reference=file.reference, detail=detail)
    await begin_chain(connection, _chain(command_id), [entry])


async def list_own(context: Context, actor: Actor, session: Session) -> list[OwnObjectionView]:
    """Return what the address of a session objected to in the cases that it opens, with the answers, newest first."""
    async with context.database.begin(actor.tenant) as connection:
        cases = await own_cases(context, connection, session, actor)
        own = (await confided_by(context, connection, session, cases)).own
        query = select(objections).where(_O.objection_id.in_(own))
        query = query.order_by(_O.at.desc(), _O.objection_id).limit(_MOST_SHOWN)
        rows = ObjectionRow.all_of(await connection.execute(query))
        return [await _own_view(context, connection, row) for row in rows]


async def list_open(
    context: Context, actor: Actor, *, after: Position | None = None, limit: int = 50
) -> tuple[list[ObjectionView], Position | None]:
    """Return a page of what waits for an answer, by its due date, with the persons' words; an act of the ledger.

    What is about a case on which the reader declared a conflict of interest is left to others.
    """
    at = context.clock()
    c = conflicts.c
    barred = select(1).where(c.reference == _O.reference, c.subject == holder_of(actor)).exists()
    query = select(objections).where(_O.state == "open", ~barred).order_by(_O.due_at, _O.objection_id).limit(limit + 1)
    if after is not None:
        query = query.where(tuple_(_O.due_at, _O.objection_id) > tuple_(after[0], UUID(after[1])))
    async with context.database.begin() as connection:
        rows = ObjectionRow.all_of(await connection.execute(query))
        page, position = cut(rows, limit, lambda row: (row.due_at, str(row.objection_id)))
        items = [_view(await _own_view(context, connection, row), row, at) for row in page]
        await _record_read(connection, actor, page, at)
    return items, position


async def answer(
    context: Context, actor: Actor, objection_id: UUID, asked: ComplaintAnswer, idempotency: Idempotency
) -> Reply:
    """Answer a complaint; the address that complained is told that there is an answer, and the employer is not.

    Raises:
        Refused: `not_found`; `already_decided`; `wrong_stage` for a dispute or an objection, which are answered
            elsewhere; `facts_erased` once the person was erased; `role_not_allowed` about the actor's own decision, and
            for one who declared a conflict of interest.
    """
    at = context.clock()

    async def write(connection: AsyncConnection) -> Done:
        found = select(objections).where(_O.objection_id == objection_id).with_for_update()
        row = ObjectionRow.one_of(await connection.execute(found))
        if row is None:
            raise Refused("not_found", "There is no complaint of this id.")
        if row.kind == ObjectionKind.OBJECTION:
            raise Refused("wrong_stage", words="objection_decided_elsewhere")
        if row.kind != ObjectionKind.COMPLAINT:
            raise Refused("wrong_stage", "A dispute is answered by its task.")
        if row.state != "open":
            raise Refused("already_decided", "The complaint was answered.")
        await need_unconflicted(connection, actor, [row.reference])
        await _need_not_own(context.words, connection, actor, row)
        key = await get_data_key(context, connection, row.key_id)
        sealed = key.seal("objections", "answer", str(objection_id), json.dumps({"text": asked.text}).encode())
        values = {
            "state": "answered",
            "outcome": asked.outcome.value,
            "answer": sealed,
            "answered_by": signature_of(actor),
            "answered_at": at,
        }
        await connection.execute(update(objections).where(_O.objection_id == objection_id).values(values))
        row.change(**values)
        entry = Entry(
            Act.COMPLAINT_ANSWERED,
            actor,
            at,
            reference=row.reference,
            outcome=asked.outcome.value,
            detail={"objection_id": str(objection_id)},
        )
        await append(connection, _chain(objection_id), [entry])
        file = await load_case(context, connection, row.reference)
        to = await said_from(context, connection, row, key)
        # A case whose identity number was corrected since is another person's, whose name is not for this one.
        if to is not None and row.person_id == file.row.person_id:
            tell(file, Telling(NoticeKind.COMPLAINT_ANSWERED, at, str(objection_id), to=to))
        await case_writes.write_notices(connection, file.notices, file.deliveries)
        reply = Reply(Progress.APPLIED, _receipt(row).as_json())
        return Done(reply, key, row.reference)

    return (await once(context, actor, idempotency, write)).reply


async def _need_not_own(words: Words, connection: AsyncConnection, actor: Actor, row: ObjectionRow) -> None:
    """Refuse to let somebody answer a complaint about what they decided, or about a reading of theirs."""
    x = ledger.c
    is_own = (x.chain == row.reference) & x.act.in_(words.judgements())
    if row.about == ComplaintAbout.READING:
        # Answering complaints means to read them, which is no reading that one is about.
        is_own |= (
            (x.act == Act.PERSONAL_DATA_READ.value)
            & (x.purpose.is_distinct_from(Purpose.COMPLAINT.value))
            & x.detail["cases"].contains([row.reference])
        )
    own = select(1).where(x.actor_issuer == actor.issuer, x.actor_subject == actor.subject, is_own).limit(1)
    if (await connection.execute(own)).first() is not None:
        raise Refused("role_not_allowed", words="own_decision")


def _row(
    file: CaseFile, objection_id: UUID, kind: ObjectionKind, about: str, said: Said, at: datetime, due_at: datetime
) -> ObjectionRow:
    source = None if said.signed_in_by is None else dict(zip(("channel", "address"), said.signed_in_by, strict=True))
    content = {"text": said.text, "from": source}
    return ObjectionRow(
        objection_id=objection_id,
        kind=kind.value,
        reference=file.reference,
        person_id=file.row.person_id,
        key_id=file.person_key.key_id,
        about=about,
        state="open",
        body=file.seal("objections", "body", str(objection_id), content),
        address_hash=said.address_hash,
        at=at,
        due_at=due_at,
    )


def _receipt(row: ObjectionRow) -> ObjectionReceipt:
    return ObjectionReceipt(
        id=str(row.objection_id),
        kind=ObjectionKind(row.kind),
        reference=row.reference,
        about=row.about,
        state=row.state,
        at=row.at,
        due_at=row.due_at,
    )


async def _own_view(context: Context, connection: AsyncConnection, row: ObjectionRow) -> OwnObjectionView:
    words: str | None = None
    told: str | None = None
    try:
        key = await get_data_key(context, connection, row.key_id)
        place = str(row.objection_id)
        words = json.loads(key.open("objections", "body", place, row.body))["text"]
        if row.answer is not None:
            told = json.loads(key.open("objections", "answer", place, row.answer))["text"]
    except (Refused, Defect):
        words = told = None
    return OwnObjectionView(
        **_receipt(row).model_dump(),
        text=words,
        outcome=row.outcome,
        answer=told,
        answered_at=row.answered_at,
        answered_by_role=row.answered_by["role"] if row.answered_by else None,
    )


def _view(own: OwnObjectionView, row: ObjectionRow, at: datetime) -> ObjectionView:
    return ObjectionView(
        **own.model_dump(),
        answered_by=row.answered_by["subject"] if row.answered_by else None,
        overdue=over_at(row.due_at) <= at,
    )


async def _record_read(connection: AsyncConnection, actor: Actor, shown: Sequence[ObjectionRow], at: datetime) -> None:
    if not shown:
        return
    detail = {"cases": sorted({row.reference for row in shown}), "fields": ["objections"]}
    entry = Entry(Act.PERSONAL_DATA_READ, actor, at, purpose="complaint", detail=detail)
    await note_access(connection, entry)


def _chain(objection_id: UUID) -> str:
    return f"objection/{objection_id}"
