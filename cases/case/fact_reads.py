"""Reading what officers recorded of a case, in clear: an act of the ledger, like opening person fields."""

from cases.case.facts import opened
from cases.case.file import CaseFile, load_case
from cases.case.reads import record_read
from cases.case.view import fact_view
from cases.case.views import AnyOpenedFactView, OpenedFactForStaff
from cases.shared.context import Context
from domain.actors import Actor, Role
from domain.case_facts import short_of
from domain.errors import Refused
from domain.purposes import Purpose
from store.rows.register import FactRow


async def list_facts(
    context: Context, actor: Actor, reference: str, purpose: Purpose | None
) -> list[AnyOpenedFactView]:
    """Return every fact that officers recorded in a case, with its value and where it was seen, oldest first.

    Raises:
        Refused: `purpose_missing` for all but the employer; `case_unknown`; `facts_erased` after an erasure.
    """
    if purpose is None and actor.role is not Role.EMPLOYER:
        raise Refused("purpose_missing", "Say in the header Purpose what the facts are opened for.")
    async with context.database.begin(actor.tenant) as connection:
        file = await load_case(context, connection, reference)
        fields = tuple(dict.fromkeys(short_of(row.field) for row in file.facts))
        if fields:
            await record_read(connection, actor, [file], fields, purpose, context.clock())
        return [_view(file, row, actor) for row in file.facts]


def _view(file: CaseFile, row: FactRow, actor: Actor) -> AnyOpenedFactView:
    seen = opened(file, row)
    view = AnyOpenedFactView(**vars(fact_view(row)), value=seen.value, seen_in=seen.seen_in, given=seen.given)
    return OpenedFactForStaff(**vars(view), subject=row.seen_by["subject"]) if actor.is_inside else view
