"""Reconciliation: the ledger against the histories against the register against the authority's answers."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import ColumnElement, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.shows import views_in
from cases.case.view import moment
from cases.incidents import rows as incident_rows
from cases.shared.accesses import note_access
from cases.shared.context import Context
from cases.shared.pages import Position, cut
from domain.actors import Actor
from domain.acts import Act
from domain.errors import need
from domain.incidents import Healed, IncidentKind
from domain.languages import Language
from domain.purposes import Purpose
from domain.spellings import DIFFERENCE_ID, RECONCILIATION_CHAIN
from record import archive, archive_incidents
from record.case import Record, gather_runs, ledger_rows, need_case
from record.reconciliation.differences import compare
from record.reconciliation.evidence import Difference, Evidence
from record.reconciliation.gathering import gather_evidence
from record.reconciliation.views import (
    KeptDifference,
    ReconciliationView,
    compared,
    difference_view,
    kept_difference,
)
from record.seal.proofs import prove_case
from store.incident_rows import new_incident, opening
from store.ledger import Entry, append
from store.rows.archive import DifferenceRow
from store.tables import cases, differences, incidents
from temporal.histories import Histories

INCIDENT: Final = IncidentKind.RECORD_DIFFERS.value
_UNCHECKED: Final = "not_compared"
# Less than a day, since a night does not begin at the same moment as the one before.
_SINCE_LAST_NIGHT: Final = timedelta(hours=20)


async def reconcile_case(context: Context, histories: Histories, reference: str) -> tuple[Evidence, list[Difference]]:
    """Compare all records of one case and return them with every difference.

    The histories are read first and the rest after them in one transaction, so that what is written meanwhile makes no
    difference: the ledger may only know more than they do.

    Raises:
        Refused: `case_unknown`.
    """
    async with context.database.begin() as connection:
        at = (await connection.execute(select(func.clock_timestamp()))).scalar_one()
        kept = await archive.archived_runs(connection, reference)
    runs, is_live_known = await gather_runs(context, histories, reference, kept)
    async with context.database.begin() as connection:
        await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        folding = views_in(context, await need_case(connection, reference)).told.folding
        record = Record(reference, folding, await ledger_rows(connection, reference), (), runs, is_live_known)
        evidence = await gather_evidence(context, connection, record, at)
    return evidence, compare(evidence)


async def show_reconciliation(
    context: Context, histories: Histories, actor: Actor, reference: str, language: Language
) -> ReconciliationView:
    """Compare the records of a case for an auditor, and write down that it was done and with what result.

    Its rows are proved into the newest checkpoint too, which at night is done once for the whole seal.
    """
    evidence, found = await reconcile_case(context, histories, reference)
    found += await prove_case(context, reference)
    at = context.clock()
    record = evidence.record
    detail = {"cases": [reference], "differences": len(found), "complete": record.is_live_known}
    entry = Entry(act=Act.RECONCILED, actor=actor, at=at, purpose=Purpose.AUDIT.value, detail=detail)
    async with context.database.begin() as connection:
        await note_access(connection, entry)
    return ReconciliationView(
        reference=reference,
        at=need(moment(at), "at"),
        complete=record.is_live_known,
        compared=compared(evidence),
        differences=[difference_view(each, language) for each in found],
    )


async def keep_differences(
    context: Context, reference: str, found: Sequence[Difference], at: datetime, *, is_complete: bool
) -> int:
    """Keep what a round found of a case: new ones as incidents too; return how many are new.

    Those found earlier and now no more are marked as gone and their incidents closed, but for a round that could not
    ask Temporal. One that was gone and is found again is new.
    """
    ids = {_difference_id(reference, each): each for each in found}
    if not ids and not is_complete:
        return 0
    async with context.database.begin() as connection:
        d = differences
        if is_complete:
            await _mark_gone(connection, at, d.c.reference == reference, d.c.difference_id.not_in(ids))
            await _end_unchecked(connection, reference, at)
        if not ids:
            return 0
        rows = [
            {
                "difference_id": difference_id,
                "reference": reference,
                "code": each.code,
                "place": dict(each.place),
                "expected": each.expected,
                "found": each.found,
                "first_seen_at": at,
                "last_seen_at": at,
            }
            for difference_id, each in ids.items()
        ]
        statement = insert(d).values(rows)
        seen = {"last_seen_at": statement.excluded.last_seen_at, "gone_at": None}
        kept = statement.on_conflict_do_update(index_elements=[d.c.difference_id], set_=seen)
        is_new = text("(old.difference_id IS NULL OR old.gone_at IS NOT NULL) AS is_new")
        added = await connection.execute(kept.returning(d.c.difference_id, is_new))
        new = [row.difference_id for row in added if row.is_new]
        await _open_incidents(connection, reference, {i: ids[i] for i in new}, at)
    return len(new)


async def _open_incidents(
    connection: AsyncConnection,
    reference: str,
    new: Mapping[UUID, Difference],
    at: datetime,
    reopened: Sequence[str] = ("ended", "resumed"),
) -> None:
    if not new:
        return
    r = cases.c
    employer = (await connection.execute(select(r.employer_id).where(r.reference == reference))).scalar_one_or_none()
    rows = [
        new_incident(
            at,
            kind=archive_incidents.KIND if each.code == "history_missing" else INCIDENT,
            step=each.code,
            reason=place_text(each.place),
            reference=reference if employer is not None else None,
            employer_id=employer,
            incident_id=difference_id,
        )
        for difference_id, each in new.items()
    ]
    i = incidents.c
    statement = opening(rows)
    again = {"state": "open", "at": at, "times": i.times + 1}
    again |= {"closed_reason": None, "resumed_at": None, "resumed_by": None}
    # What is open stays as it is; what an operator closed comes back only once it was gone meanwhile.
    await connection.execute(
        statement.on_conflict_do_update(index_elements=[i.incident_id], set_=again, where=i.state.in_(reopened))
    )


async def _mark_gone(connection: AsyncConnection, at: datetime, *which: ColumnElement[bool]) -> None:
    """Mark differences that are no more, and close their incidents, which have the same ids."""
    d, i = differences.c, incidents.c
    gone = update(differences).where(d.gone_at.is_(None), *which).values(gone_at=at).returning(d.difference_id)
    ids = list((await connection.execute(gone)).scalars())
    if ids:
        await incident_rows.end(connection, at, Healed.DIFFERENCE_GONE, "reconcile_cases", i.incident_id.in_(ids))


async def _end_unchecked(connection: AsyncConnection, reference: str, at: datetime) -> None:
    """Close the lines that a case could not be compared."""
    i = incidents.c
    which = (i.reference == reference, i.kind == INCIDENT, i.step == _UNCHECKED)
    await incident_rows.end(connection, at, Healed.COMPARED, "reconcile_cases", *which)


async def end_workflow_lines(context: Context) -> None:
    """Close the lines that workflows had ended which nobody has met since the night before: they are back."""
    at, i = context.clock(), incidents.c
    which = (i.kind == IncidentKind.WORKFLOW_ENDED.value, func.coalesce(i.last_at, i.at) < at - _SINCE_LAST_NIGHT)
    async with context.database.begin() as connection:
        await incident_rows.end(connection, at, Healed.WORKFLOW_BACK, "reconcile_cases", *which)


async def note_unchecked(context: Context, reference: str, why: str) -> None:
    """Put a case whose records cannot be compared before the operator, once."""
    unchecked = Difference(_UNCHECKED, {"error": why})
    new = {_difference_id(reference, unchecked): unchecked}
    async with context.database.begin() as connection:
        await _open_incidents(connection, reference, new, context.clock(), reopened=("ended",))


async def next_cases(context: Context, after: str, most: int) -> list[str]:
    """Return the references of the next cases in the order of references."""
    r = cases.c
    query = select(r.reference).where(r.reference > after).order_by(r.reference).limit(most)
    async with context.database.begin() as connection:
        return list((await connection.execute(query)).scalars())


async def mark_gone(context: Context, reference: str, at: datetime) -> None:
    """Mark what was kept under a reference and that a round which began then did not find again."""
    d = differences.c
    async with context.database.begin() as connection:
        await _mark_gone(connection, at, d.reference == reference, d.last_seen_at < at)


async def record_round(context: Context, actor: Actor, round_id: str, counted: Mapping[str, int]) -> None:
    """Write down once what a round over all cases came to, in a chain of its own."""
    entry = Entry(act=Act.RECONCILED, actor=actor, at=context.clock(), detail=dict(counted))
    async with context.database.begin() as connection:
        chain = f"{RECONCILIATION_CHAIN}{round_id}"
        await connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(chain))))
        known = await connection.execute(text("SELECT 1 FROM ledger WHERE chain = :chain"), {"chain": chain})
        if known.first() is None:
            await append(connection, chain, [entry])


async def list_differences(
    context: Context, *, after: Position | None = None, limit: int = 50, language: Language = Language.EN
) -> tuple[list[KeptDifference], Position | None]:
    """Return a page of the differences that stand, the oldest first."""
    d = differences.c
    query = select(differences).where(d.gone_at.is_(None)).order_by(d.first_seen_at, d.difference_id).limit(limit + 1)
    if after is not None:
        query = query.where(tuple_(d.first_seen_at, d.difference_id) > tuple_(after[0], UUID(after[1])))
    async with context.database.begin() as connection:
        rows = DifferenceRow.all_of(await connection.execute(query))
    page, position = cut(rows, limit, lambda row: (row.first_seen_at, str(row.difference_id)))
    return [kept_difference(row, language) for row in page], position


def place_text(place: Mapping[str, str | int]) -> str:
    """Return a place in one line of codes."""
    return " ".join(f"{name}={value}" for name, value in place.items())


def _difference_id(reference: str, each: Difference) -> UUID:
    named = json.dumps([reference, each.code, sorted(each.place.items())], ensure_ascii=False)
    return uuid5(NAMESPACE_URL, f"{DIFFERENCE_ID}{named}")
