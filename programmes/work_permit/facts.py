"""What the rules of a work permit look at: what is declared, what is proved, and what officers recorded of wages."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case import facts
from cases.case.evidence import proved
from cases.case.file import CaseFile
from cases.case.view import finding_views
from cases.case.views import CheckView
from cases.commands.intake import known_employer
from cases.decisions.reported_days import need_days_past
from cases.incidents.not_loaded import UnknownEmployer, refuse_unknown
from cases.shared.context import Context
from cases.shared.pack_shelf import pack_for
from cases.undeclared import find_nothing_of
from domain import spellings
from domain.actors import Actor
from domain.clock import day_of
from domain.findings import Audience, outcome_of, seen_by
from domain.forms import Form, need_form
from domain.languages import Language
from domain.stages import Standing
from policy.rerun import Rules
from programmes.work_permit.findings import WorkPermitFinding
from programmes.work_permit.requests import LOCAL_WAGES, WorkPermitItem, WorkPermitRequest
from programmes.work_permit.rules.claims import Claims
from programmes.work_permit.rules.conditions import WorkPermitFacts, assess
from programmes.work_permit.rules.extension import of_renewal
from programmes.work_permit.tables import work_permit
from store.case_rows import load_employer

_SEEN: Final = (
    WorkPermitItem.POST_IS_SPECIAL,
    WorkPermitItem.IS_HEALTHY,
    WorkPermitItem.HAS_NO_RECORD,
    WorkPermitItem.HAS_SKILLS,
)


async def gather(
    file: CaseFile, connection: AsyncConnection, form: Form, at: datetime, in_force: bool | None, on: date
) -> WorkPermitFacts:
    """Return the facts of a case: local wages count as an officer recorded them, and conditions as evidence proves."""
    given = need_form(form, WorkPermitRequest)
    recorded = {each.field: each.value for each in facts.in_force(file) if each.field in LOCAL_WAGES}
    found = facts_of(given, proved(file, given), recorded, file.employer.standing_on(day_of(at)))
    row = work_permit(file)
    return found.model_copy(update={"work_permit_until": row.valid_until if row else None})


def facts_of(
    given: WorkPermitRequest, seen: Mapping[str, Any], recorded: Mapping[str, Any], standing: Standing
) -> WorkPermitFacts:
    """Return the facts of what is given, with what evidence proves by item, and what officers recorded by field."""
    known: dict[str, Any] = {
        "category": given.category,
        "declared": given.claims,
        "proved": Claims.proved_by(seen),
        "contract_start": given.job.contract_start,
        "contract_end": given.job.contract_end,
        "employer_standing": standing,
    }
    known |= {field.partition(".")[2]: recorded.get(field) for field in LOCAL_WAGES}
    known |= {item.value: seen.get(item) for item in _SEEN}
    return WorkPermitFacts(**known)


async def check(
    context: Context, actor: Actor, request: WorkPermitRequest, language: Language = Language.ZH_HANS
) -> CheckView:
    """Say what the rules would find today of what is declared; nothing is stored, and nobody is looked for."""
    at = context.clock()
    need_days_past(request, at)
    try:
        async with context.database.begin(actor.tenant) as connection:
            employer = known_employer(await load_employer(connection, actor.employer_id or ""))
            pack = await pack_for(context, connection, spellings.WORK_PERMIT, at)
    except UnknownEmployer:
        raise await refuse_unknown(context) from None
    found = assess(facts_of(request, {}, {}, employer.standing_on(day_of(at))), pack, day_of(at))
    return CheckView(outcome=outcome_of(found), findings=finding_views(seen_by(found, Audience.EMPLOYER), language))


RULES: Final = Rules(
    facts=WorkPermitFacts,
    assess=assess,
    of_renewal=of_renewal,
    of_track=find_nothing_of,
    looked_at={},
    codes=frozenset(WorkPermitFinding),
)
