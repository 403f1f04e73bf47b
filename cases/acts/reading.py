"""Reading what may be done with a case now."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.acts.asking import Explain, acts_of
from cases.acts.line import line_of, tracks_of
from cases.acts.turn import turn_of
from cases.acts.views import CaseActsView
from cases.case.file import load_case
from cases.case.view import case_view
from cases.commands.submit import for_reader
from cases.shared.accesses import record_access
from cases.shared.context import Context
from domain.actors import Actor
from domain.errors import Refused
from domain.languages import Language
from store.rows.record import LedgerRow
from store.tables import ledger


async def get_acts(
    context: Context, actor: Actor, reference: str, language: Language, *, explain: Explain
) -> CaseActsView:
    """Return where a case stands, whose turn it is, and what the actor may do with it now; nothing is changed.

    What depends on what is given with an act (a reason, a day, the round) is refused when it is asked.

    Args:
        context: the collaborators.
        actor: who would ask; another tenant's case is not found.
        reference: of the case.
        language: of the sentences.
        explain: what a refusal says, in a language.

    Raises:
        Refused: `case_unknown`; `facts_erased` after an erasure, when nothing can be done any more.
    """
    at = context.clock()

    def to_reader(refused: Refused, language: Language) -> str:
        return explain(for_reader(refused, actor), language)

    async with context.database.begin(actor.tenant, case=reference) as connection:
        file = await load_case(context, connection, reference)
        chain = await _chain(connection, reference)
        await record_access(connection, actor, "case", [(file.reference, file.employer_id)], at)
    seen = case_view(file, actor, language, short=True)
    return CaseActsView(
        reference=file.reference,
        stage=seen.stage,
        round=seen.round,
        line=line_of(file, seen, chain, language),
        tracks=tracks_of(file, seen, language),
        turn=turn_of(file, seen, language),
        acts=acts_of(file, actor, at, language, shown_round=seen.round, explain=to_reader),
    )


async def _chain(connection: AsyncConnection, reference: str) -> list[LedgerRow]:
    query = select(ledger).where(ledger.c.chain == reference).order_by(ledger.c.seq)
    return list(LedgerRow.all_of(await connection.execute(query)))
