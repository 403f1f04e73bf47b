"""Reading a change that waits for an officer, in clear and with what the rules would find: an act of the ledger."""

from cases.case.change_views import ChangeAskedForView
from cases.case.file import load_case
from cases.case.reads import record_read
from cases.case.signers import need_unconflicted
from cases.decisions import changes_shown
from cases.shared.context import Context
from domain.actors import Actor
from domain.errors import Refused
from domain.purposes import Purpose


async def get_change(context: Context, actor: Actor, reference: str, purpose: Purpose | None) -> ChangeAskedForView:
    """Return the change that waits for an officer.

    Raises:
        Refused: `purpose_missing`; `case_unknown`; `not_found` where none waits; `role_not_allowed` for one who
            declared a conflict of interest; `facts_erased` after an erasure.
    """
    if purpose is None:
        raise Refused("purpose_missing", "Say in the header Purpose what the change is opened for.")
    async with context.database.begin(actor.tenant) as connection:
        file = await load_case(context, connection, reference)
        await need_unconflicted(connection, actor, [reference])
        shown = await changes_shown.shown(file, connection, context.clock())
        if shown is None:
            raise Refused("not_found", words="no_change_waits")
        fields = tuple(each.field for each in shown.fields)
        await record_read(connection, actor, [file], fields, purpose, context.clock())
        return shown
