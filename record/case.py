"""All that is kept of one case beside the person's data: its ledger rows, its notices, and its histories."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.shows import views_in
from cases.shared.context import Context
from domain.errors import Defect, KeyUnknown, Refused, Unavailable
from domain.folding import Folding
from record import archive
from record.archive import Archived
from store.notice_reads import NoticeKept, read_notices
from store.rows.record import LedgerRow
from store.tables import cases, ledger
from temporal.histories import Histories, Run, events_of


@dataclass(frozen=True, slots=True)
class KeptRun:
    """A run of the case with its events; `problem` says why they cannot be had."""

    run: Run
    events: Sequence[Mapping[str, Any]]
    sha256: bytes | None
    archived: Archived | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept of a case, and how its rows are read; `is_live_known` is false while Temporal does not answer."""

    reference: str
    folding: Folding
    ledger: Sequence[LedgerRow]
    notices: Sequence[NoticeKept] = ()
    runs: Sequence[KeptRun] = ()
    is_live_known: bool = True
    room: str = ""  # the package that says its words

    @property
    def chain(self) -> list[LedgerRow]:
        """The rows of the case's own chain, in their order."""
        return [row for row in self.ledger if row.chain == self.reference]


async def read_record(context: Context, histories: Histories, reference: str) -> Record:
    """Return what is kept of a case, its open and not yet archived runs read from Temporal.

    Raises:
        Refused: `case_unknown`.
    """
    async with context.database.begin() as connection:
        code = await need_case(connection, reference)
        rows = await ledger_rows(connection, reference)
        notices = await read_notices(connection, reference)
        kept = await archive.archived_runs(connection, reference)
    texts = context.programmes[code].texts
    runs, is_live_known = await gather_runs(context, histories, reference, kept)
    return Record(reference, views_in(context, code).told.folding, rows, notices, runs, is_live_known, texts)


async def need_case(connection: AsyncConnection, reference: str) -> str:
    """Return the code of a case's programme; refuse a reference that no case has."""
    r = cases.c
    found = (await connection.execute(select(r.programme).where(r.reference == reference))).scalar_one_or_none()
    if found is None:
        raise Refused("case_unknown", "There is no case of this reference.")
    return str(found)


async def ledger_rows(connection: AsyncConnection, reference: str) -> list[LedgerRow]:
    """Return the ledger rows about a case, whatever chain they stand in, chain by chain."""
    query = select(ledger).where(ledger.c.reference == reference).order_by(ledger.c.chain, ledger.c.seq)
    return LedgerRow.all_of(await connection.execute(query))


async def gather_runs(
    context: Context, histories: Histories, reference: str, kept: Sequence[Archived]
) -> tuple[list[KeptRun], bool]:
    """Return the archived runs and those that only Temporal has, the first one first, and whether Temporal answered."""
    found = {each.run.run_id: _opened(context, each) for each in kept}
    is_live_known = True
    try:
        for run in await histories.runs_of(context.case_types.id_of(reference)):
            if run.run_id in found:
                continue
            try:
                fetched = await histories.fetch(run)
            except (ValueError, KeyUnknown):
                found[run.run_id] = KeptRun(run, (), None, problem="unreadable")
                continue
            if fetched is not None:
                found[run.run_id] = KeptRun(run, fetched.events, fetched.sha256)
    except Unavailable:
        is_live_known = False
    return sorted(found.values(), key=lambda each: (each.run.started_at, each.run.run_id)), is_live_known


def _opened(context: Context, kept: Archived) -> KeptRun:
    try:
        return KeptRun(kept.run, events_of(kept.open(context)), kept.sha256, archived=kept)
    except (Defect, KeyUnknown) as error:
        return KeptRun(kept.run, (), None, archived=kept, problem=error.reason)
