"""What persons release: that one fact of theirs is taken over into a case which an employer owns (R73).

What may be released is read from those cases of the person that the session opens, and shown to nobody else: an
employer learns of it once it is released, as an offer for its case, and not from which case it comes.
"""

from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile, load_case
from cases.case.view import shown_at
from cases.once_only.offers import Offer, offers_within, view_of
from cases.once_only.views import OfferView
from cases.programme import programme_at
from cases.shared.accesses import note_access
from cases.shared.context import Context
from cases.shared.idempotency import Done, Idempotency, Progress, Reply, once
from domain.actors import Actor
from domain.acts import Act
from domain.errors import Refused
from domain.once_only import Consent, ReleaseRequest, TakeoverState
from domain.parties import Party
from domain.references import find_reference
from domain.stages import CLOSED, Stage
from privacy.own_cases import own_cases
from privacy.sign_in import Session
from privacy.views import OwnReleaseView
from store.database import constraint_of
from store.ledger import Entry, append, begin_chain
from store.rows.takeovers import TakeoverRow
from store.tables import takeovers

_T: Final = takeovers.c
_MOST_SHOWN: Final = 200
_BEFORE_DECISION: Final = frozenset({Stage.RECEIVED, Stage.ASSESSING, Stage.CORRECTION_REQUESTED, Stage.UNDER_REVIEW})


async def list_offers(context: Context, actor: Actor, session: Session, reference: str) -> list[OfferView]:
    """Return what the session's other cases vouch for as proof of items of one of them; the reading is a ledger act.

    Raises:
        Refused: `case_unknown` for a case that the session does not open.
    """
    async with context.database.begin(actor.tenant) as connection:
        file, found = await _offers(context, connection, actor, session, reference)
        if found:
            detail = {
                "cases": [file.reference],
                "fields": list(dict.fromkeys(f"evidence.{each.item}" for each in found)),
            }
            read = Entry(Act.PERSONAL_DATA_READ, actor, context.clock(), purpose="own_data", detail=detail)
            await note_access(connection, read)
    return [view_of(each, knows_source=True) for each in found]


async def release(
    context: Context, actor: Actor, session: Session, asked: ReleaseRequest, idempotency: Idempotency
) -> Reply:
    """Keep that a person agrees that a fact is taken over into a case, until the employer makes use of it.

    Raises:
        Refused: `case_unknown` for a case that the session does not open; `not_found` for what is not on offer;
            `case_closed` and `wrong_stage` after the decision, and for a case that the person owns, who takes it over;
            `already_decided` where it was released before.
    """
    at = context.clock()

    async def write(connection: AsyncConnection) -> Done:
        file, found = await _offers(context, connection, actor, session, asked.reference)
        _need_employers_undecided(file)
        offer = next((each for each in found if each.offer_id == asked.offer), None)
        if offer is None:
            raise Refused("not_found", words="offer_unknown")
        row = TakeoverRow(
            takeover_id=uuid4(),
            person_id=file.row.person_id,
            from_reference=offer.fact.reference,
            from_item=offer.fact.item,
            from_evidence=offer.fact.number,
            to_reference=file.reference,
            to_item=offer.item,
            consent=Consent.PERSON.value,
            state=TakeoverState.RELEASED.value,
            consented_at=at,
        )
        await _insert(connection, row)
        detail = {"item": offer.item, "by": "document" if session.by_document else "link"}
        entry = Entry(Act.EVIDENCE_RELEASED, actor, at, reference=file.reference, detail=detail)
        await begin_chain(connection, _chain(row.takeover_id), [entry])
        return Done(Reply(Progress.STORED, _view(context, row)), file.person_key, file.reference)

    return (await once(context, actor, idempotency, write)).reply


async def take_back(
    context: Context, actor: Actor, session: Session, release_id: UUID, idempotency: Idempotency
) -> Reply:
    """Take a release back that nobody has made use of.

    Raises:
        Refused: `not_found` for one of no case that the session opens; `already_decided` once it was made use of, or
            is over.
    """
    at = context.clock()

    async def write(connection: AsyncConnection) -> Done:
        mine = [case.reference for case in await own_cases(context, connection, session, actor)]
        query = select(takeovers).where(_T.takeover_id == release_id, _T.to_reference.in_(mine))
        row = TakeoverRow.one_of(await connection.execute(query))
        if row is None:
            raise Refused("not_found", words="release_unknown")
        only = update(takeovers).where(_T.takeover_id == release_id, _T.state == TakeoverState.RELEASED.value)
        taken_back = only.values(state=TakeoverState.WITHDRAWN.value, over_at=at)
        if row.state != TakeoverState.RELEASED or (await connection.execute(taken_back)).rowcount != 1:
            raise Refused("already_decided", words="release_over")
        row.change(state=TakeoverState.WITHDRAWN.value, over_at=at)
        file = await load_case(context, connection, row.to_reference)
        entry = Entry(Act.EVIDENCE_RELEASE_TAKEN_BACK, actor, at, reference=file.reference)
        await append(connection, _chain(release_id), [entry])
        return Done(Reply(Progress.APPLIED, _view(context, row)), file.person_key, file.reference)

    return (await once(context, actor, idempotency, write)).reply


async def list_own(context: Context, actor: Actor, session: Session) -> list[OwnReleaseView]:
    """Return what was released, or taken over, into the cases that a session opens, the newest first."""
    async with context.database.begin(actor.tenant) as connection:
        mine = [case.reference for case in await own_cases(context, connection, session, actor)]
        return await releases_of(context, connection, mine)


async def releases_of(context: Context, connection: AsyncConnection, mine: list[str]) -> list[OwnReleaseView]:
    """Return the same of the person's cases of these references; which case vouched only where it is among them."""
    query = select(takeovers).where(or_(_T.to_reference.in_(mine), _T.from_reference.in_(mine)))
    query = query.order_by(_T.consented_at.desc(), _T.takeover_id).limit(_MOST_SHOWN)
    return [_view(context, row) for row in TakeoverRow.all_of(await connection.execute(query))]


async def _offers(
    context: Context, connection: AsyncConnection, actor: Actor, session: Session, reference: str
) -> tuple[CaseFile, list[Offer]]:
    """Return a case of a session with what the others of the session vouch for."""
    named = find_reference(reference)
    mine = [case.reference for case in await own_cases(context, connection, session, actor)]
    if named not in mine:
        raise Refused("case_unknown", "There is no case of yours of this reference.")
    file = await load_case(context, connection, named)
    return file, await offers_within(context, file, mine)


def _need_employers_undecided(file: CaseFile) -> None:
    if file.stage in CLOSED:
        raise Refused("case_closed", "The case has closed; nothing is taken over into it any more.")
    if file.owned_by is Party.PERSON:
        raise Refused("wrong_stage", words="release_own_case")
    if file.stage not in _BEFORE_DECISION:
        raise Refused("wrong_stage", words="release_after_decision")


async def _insert(connection: AsyncConnection, row: TakeoverRow) -> None:
    try:
        async with connection.begin_nested():
            await connection.execute(insert(takeovers).values(row.filled()))
    except IntegrityError as error:
        if constraint_of(error) != "uq_takeovers_standing":
            raise
        raise Refused("already_decided", words="released_before") from None


def _view(context: Context, row: TakeoverRow) -> OwnReleaseView:
    return OwnReleaseView(
        id=str(row.takeover_id),
        reference=row.to_reference,
        item=row.to_item,
        source_reference=row.from_reference,
        source_programme=programme_at(context, row.from_reference).code,
        source_item=row.from_item,
        consent=row.consent,
        state=row.state,
        consented_at=shown_at(row.consented_at),
        taken_at=None if row.taken_at is None else shown_at(row.taken_at),
        over_at=None if row.over_at is None else shown_at(row.over_at),
    )


def _chain(takeover_id: UUID) -> str:
    return f"takeover/{takeover_id}"
