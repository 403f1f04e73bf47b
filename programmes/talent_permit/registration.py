"""A registration as it is given: what the permit keeps of it, and what the rules would find of it today."""

from collections.abc import Mapping, Sequence
from typing import Any

from cases.case.file import CaseFile
from cases.case.view import finding_views
from cases.case.views import CheckView
from cases.commands.intake import known_employer
from cases.commands.one_live import OWN_LIVE, own_live
from cases.incidents.not_loaded import UnknownEmployer, refuse_unknown
from cases.shared.context import Context
from cases.shared.pack_shelf import pack_for
from domain import spellings
from domain.actors import Actor
from domain.clock import day_of
from domain.findings import Audience, outcome_of, seen_by
from domain.forms import Form, need_form
from domain.languages import Language
from programmes.talent_permit.facts import gather_facts
from programmes.talent_permit.requests import RegistrationRequest
from programmes.talent_permit.rules import assess
from programmes.talent_permit.tables import TALENT_PERMITS, TalentPermitRow, destinations_of
from store.case_rows import load_employer
from store.rows.base import TableRow
from store.rows.register import CaseRow


def own_rows(form: Form, case: CaseRow) -> Mapping[str, Sequence[TableRow]]:
    """Return what the permit keeps of a new case, by table."""
    given = need_form(form, RegistrationRequest)
    row = TalentPermitRow(
        reference=case.reference,
        employer_id=case.employer_id,
        destinations=[d.value for d in given.destinations],
        undertaking_version=given.undertaking_version,
        contract_end=given.employment.contract_end,
    )
    return {TALENT_PERMITS.name: [row]}


def opened(file: CaseFile) -> Mapping[str, Any]:
    """Return what the ledger says of a new case beside what it says of any."""
    return {"destinations": list(destinations_of(file))}


async def check(
    context: Context, actor: Actor, request: RegistrationRequest, language: Language = Language.ZH_HANS
) -> CheckView:
    """Say what the rules would find today; nothing is stored, and only the caller's own cases are looked at.

    Whoever the person is, the same is asked of the database and no key is opened, so that the time tells nothing.
    """
    at, employer_id = context.clock(), actor.employer_id or ""
    try:
        async with context.database.begin(actor.tenant) as connection:
            beside = own_live(context, spellings.TALENT_PERMIT, employer_id, request.subject.document)
            employer = known_employer(await load_employer(connection, employer_id, beside=beside))
            live, on = employer.beside.of(OWN_LIVE), day_of(at)
            facts = await gather_facts(context, connection, request, employer, on=on, today=on, other_live=live)
            pack = await pack_for(context, connection, spellings.TALENT_PERMIT, at)
    except UnknownEmployer:
        raise await refuse_unknown(context) from None
    findings = assess(facts, pack, on)
    return CheckView(
        outcome=outcome_of(findings), findings=finding_views(seen_by(findings, Audience.EMPLOYER), language)
    )
