"""The facts that the rules of the talent permit look at: what is given, and what the park's registers say of it."""

from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.shared.context import Context
from domain.clock import day_of
from domain.employers import EmployerKind
from domain.forms import Form, need_form
from domain.premises import locate
from policy.addresses import fold_address
from programmes.talent_permit.known import PermitFacts, facts_of
from programmes.talent_permit.requests import RegistrationRequest
from register.premises import find_premises
from store.case_rows import LoadedEmployer


async def gather(
    file: CaseFile, connection: AsyncConnection, request: Form, at: datetime, in_force: bool | None, on: date
) -> PermitFacts:
    """Return the facts of a case on a day, with what is given, or known, of it; in force: whether it is, if known."""
    return await gather_facts(
        file.context,
        connection,
        need_form(request, RegistrationRequest),
        file.employer,
        on=on,
        today=day_of(at),
        other_live=False,
        in_force=in_force,
    )


async def gather_facts(
    context: Context,
    connection: AsyncConnection,
    request: RegistrationRequest,
    employer: LoadedEmployer,
    *,
    on: date,
    today: date,
    other_live: bool | None,
    in_force: bool | None = None,
) -> PermitFacts:
    """Return the facts of a registration: kind and premises as of the day of acceptance, standing as of today."""
    version = employer.on(on)
    site = request.employment.work_site
    entries = await find_premises(context, connection, employer.premises_version, site)
    held = {each.code for each in employer.premises if each.covers(on)}
    return facts_of(
        request,
        site=locate(site, entries, on, fold_address),
        employer_kind=EmployerKind(version.kind) if version else None,
        employer_standing=employer.standing_on(today),
        employer_has_premises=None if version is None else bool(held & set(version.premises)),
        other_live_registration=other_live,
        registration_in_force=in_force,
    )
