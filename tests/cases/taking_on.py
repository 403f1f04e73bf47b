"""Taking on registrations in tests, as the API does."""

from cases.commands.intake import Accepted
from cases.commands.intake import accept as accept_case
from cases.shared.context import Context
from cases.shared.idempotency import Idempotency
from domain.actors import Actor
from domain.forms import Form
from domain.languages import Language
from programmes.talent_permit.programme import TALENT_PERMIT


async def accept(
    context: Context, actor: Actor, form: Form, idempotency: Idempotency, language: Language = Language.ZH_HANS
) -> Accepted:
    """Take on a registration, as `cases.commands.intake.accept`."""
    return await accept_case(context, TALENT_PERMIT, actor, form, idempotency, language)
