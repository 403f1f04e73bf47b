"""What persons agree to when they change employers within the Park: given, taken back, and shown to them (R50).

Who agrees is known by their document, or reads an address on the case of the employer whom they leave: an address on
another employer's case alone shows nobody's will but that one's. The employer whom they leave is not told before the
other has made use of it, and the other one sees no case but its own.
"""

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.contact import given_of, serving_now
from cases.case.file import CaseFile, load_case
from cases.notices.compose import Telling, tell
from cases.programme import programme_of
from cases.shared.context import Context
from cases.shared.idempotency import Done, Idempotency, Progress, Reply, once
from domain.actors import Actor
from domain.acts import Act
from domain.clock import day_of
from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from domain.languages import Language
from domain.notices import NoticeKind, Recipient
from domain.references import find_reference
from domain.stages import CLOSED, Stage, Standing
from domain.transfers import TransferRequest, TransferState
from domain.uscc import normalise_uscc
from privacy.own_cases import need_own, own_cases
from privacy.sign_in import Session
from privacy.views import OwnTransferView
from store import case_writes
from store.case_rows import load_employer
from store.ledger import Entry, append, begin_chain
from store.rows.people import TransferRow
from store.tables import employers, transfers

_T: Final = transfers.c
_MOST_SHOWN: Final = 200
_NAMES: Final = text(
    "SELECT DISTINCT ON (employer_id) employer_id, name_zh, name_en FROM employer_versions"
    " WHERE employer_id = ANY(CAST(:employers AS text[])) AND valid_from <= :today"
    " ORDER BY employer_id, valid_from DESC"
)


class _Named(NamedTuple):
    """An employer as a person named it."""

    employer_id: str
    name: str
    standing: Standing


async def agree(
    context: Context,
    actor: Actor,
    session: Session,
    asked: TransferRequest,
    idempotency: Idempotency,
    language: Language,
) -> Reply:
    """Keep that a person agrees to be registered by another employer, until it is made use of or runs out.

    Raises:
        Refused: `case_unknown` for a case that the session does not open; `invalid` for an employer that the register
            does not have, and for that of the case; `employer_not_in_good_standing`; `case_closed` and `wrong_stage`
            for a case that is not in force; `already_decided` where the same was agreed to, or is under way.
    """
    at = context.clock()
    named = await _named(context, asked.employer, at, language)

    async def write(connection: AsyncConnection) -> Done:
        own = await need_own(context, connection, session, actor, find_reference(asked.reference) or "")
        file = await load_case(context, connection, own.reference)
        to = _need_other(file, named)
        _need_in_force(file)
        await _need_new(connection, file, to.employer_id, at)
        until = file.calendar.deadline(day_of(at), context.limits.transfer_agreement_days)
        row = TransferRow(
            transfer_id=uuid4(),
            person_id=file.row.person_id,
            programme=file.row.programme,
            from_reference=file.reference,
            to_employer=to.employer_id,
            state=TransferState.AGREED.value,
            agreed_at=at,
            holds_until=until.at,
        )
        await connection.execute(insert(transfers).values(row.filled()))
        detail = {"to": to.employer_id, "by": "document" if session.by_document else "link"}
        entry = Entry(Act.TRANSFER_AGREED, actor, at, reference=file.reference, detail=detail)
        await begin_chain(connection, _chain(row.transfer_id), [entry])
        _tell(file, NoticeKind.TRANSFER_AGREED, row, at)
        await case_writes.write_notices(connection, file.notices, file.deliveries)
        return Done(Reply(Progress.STORED, _view(row, to.name, at)), file.person_key, file.reference)

    return (await once(context, actor, idempotency, write)).reply


async def take_back(
    context: Context,
    actor: Actor,
    session: Session,
    transfer_id: UUID,
    idempotency: Idempotency,
    language: Language,
) -> Reply:
    """Take an agreement back that nobody has made use of.

    Raises:
        Refused: `not_found` for one of no case that the session opens; `already_decided` where a registration was
            taken on by it, or it is over.
    """
    at = context.clock()

    async def write(connection: AsyncConnection) -> Done:
        mine = [case.reference for case in await own_cases(context, connection, session, actor)]
        found = select(transfers).where(_T.transfer_id == transfer_id, _T.from_reference.in_(mine))
        row = TransferRow.one_of(await connection.execute(found))
        if row is None:
            raise Refused("not_found", "There is no agreement of yours of this id.")
        only = update(transfers).where(_T.transfer_id == transfer_id, _T.state == TransferState.AGREED.value)
        is_over = row.state != TransferState.AGREED or row.holds_until <= at
        taken_back = only.values(state=TransferState.WITHDRAWN.value, over_at=at)
        if is_over or (await connection.execute(taken_back)).rowcount != 1:
            # Not over a moment ago: a registration was taken on by it since.
            is_begun = not is_over or row.state == TransferState.TAKEN
            raise Refused("already_decided", words="transfer_begun" if is_begun else "transfer_over")
        row.change(state=TransferState.WITHDRAWN.value, over_at=at)
        file = await load_case(context, connection, row.from_reference)
        entry = Entry(Act.TRANSFER_TAKEN_BACK, actor, at, reference=file.reference)
        await append(connection, _chain(transfer_id), [entry])
        _tell(file, NoticeKind.TRANSFER_TAKEN_BACK, row, at)
        await case_writes.write_notices(connection, file.notices, file.deliveries)
        names = await _names(context, [row.to_employer], at, language)
        view = _view(row, names.get(row.to_employer, row.to_employer), at)
        return Done(Reply(Progress.APPLIED, view), file.person_key, file.reference)

    return (await once(context, actor, idempotency, write)).reply


async def list_own(context: Context, actor: Actor, session: Session, language: Language) -> list[OwnTransferView]:
    """Return what was agreed to of the cases that a session opens, the newest first."""
    at = context.clock()
    async with context.database.begin(actor.tenant) as connection:
        mine = [case.reference for case in await own_cases(context, connection, session, actor)]
        query = select(transfers).where(_T.from_reference.in_(mine)).order_by(_T.agreed_at.desc(), _T.transfer_id)
        rows = TransferRow.all_of(await connection.execute(query.limit(_MOST_SHOWN)))
    names = await _names(context, [row.to_employer for row in rows], at, language)
    return [_view(row, names.get(row.to_employer, row.to_employer), at) for row in rows]


def _need_other(file: CaseFile, named: _Named | None) -> _Named:
    """Return the employer that was named, which is another one that may register somebody.

    Raises:
        Refused: `invalid` or `employer_not_in_good_standing`.
    """
    if named is None:
        raise _wrong_employer("transfer_employer_unknown", "The Park has no employer of this code.")
    if named.employer_id == file.employer_id:
        raise _wrong_employer("transfer_to_same", "This is the employer of that very case.")
    if named.standing is not Standing.GOOD:
        raise Refused("employer_not_in_good_standing", "The employer's standing does not allow new submissions.")
    return named


def _wrong_employer(words: str, said: str) -> Refused:
    return Refused("invalid", said, [FieldError("employer", FieldCode.UNKNOWN_VALUE, said, words=words)])


def _need_in_force(file: CaseFile) -> None:
    """Refuse what would follow a case that is not in force; an approval that settles is no more than one under review.

    Raises:
        Refused: `case_closed` or `wrong_stage`.
    """
    if file.stage in CLOSED:
        raise Refused("case_closed", "The case has closed; whoever employs you may register you at once.")
    if programme_of(file).transfer is None or file.stage is not Stage.APPROVED or not file.row.settled:
        raise Refused("wrong_stage", words="transfer_not_yet")


async def _need_new(connection: AsyncConnection, file: CaseFile, to: str, at: datetime) -> None:
    query = select(transfers).where(_T.from_reference == file.reference, _T.state.in_(("agreed", "taken")))
    for row in TransferRow.all_of(await connection.execute(query)):
        if row.state == TransferState.TAKEN:
            raise Refused("already_decided", words="transfer_begun")
        if row.to_employer == to and row.holds_until > at:
            raise Refused("already_decided", words="transfer_agreed_before")


async def _named(context: Context, code: str, at: datetime, language: Language) -> _Named | None:
    """Return the employer of a social credit code or an id, found by the park: a person sees only their own."""
    is_it = (employers.c.employer_id == code) | (employers.c.uscc == normalise_uscc(code))
    async with context.database.begin() as connection:
        found = (await connection.execute(select(employers.c.employer_id).where(is_it).limit(1))).scalar_one_or_none()
        employer = None if found is None else await load_employer(connection, found)
    if found is None or employer is None:
        return None
    names = await _names(context, [found], at, language)
    return _Named(found, names.get(found, found), employer.standing_on(day_of(at)))


async def _names(context: Context, employer_ids: list[str], at: datetime, language: Language) -> dict[str, str]:
    if not employer_ids:
        return {}
    async with context.database.begin() as connection:
        rows = await connection.execute(_NAMES, {"employers": sorted(set(employer_ids)), "today": day_of(at)})
        return {row.employer_id: (language is Language.EN and row.name_en) or row.name_zh for row in rows}


def _tell(file: CaseFile, kind: NoticeKind, row: TransferRow, at: datetime) -> None:
    """Tell each address by which the person signs in on the case that they leave."""
    only = frozenset({Recipient.PERSON})
    for channel, address in serving_now(file, given_of(file)).items():
        occasion = f"{row.transfer_id}/{channel.value}"
        facts = {"due_on": day_of(row.holds_until)}
        tell(file, Telling(kind, at, occasion, facts=facts, only=only, to=(channel, address)))


def _view(row: TransferRow, name: str, at: datetime) -> OwnTransferView:
    has_run_out = row.state == TransferState.AGREED and row.holds_until <= at
    return OwnTransferView(
        id=str(row.transfer_id),
        reference=row.from_reference,
        employer_id=row.to_employer,
        employer=name,
        state="run_out" if has_run_out else row.state,
        agreed_at=row.agreed_at,
        holds_until=row.holds_until,
        taken_at=row.taken_at,
        over_at=row.over_at,
    )


def _chain(transfer_id: UUID) -> str:
    return f"transfer/{transfer_id}"
