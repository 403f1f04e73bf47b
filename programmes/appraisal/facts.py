"""What the rules of appraisal look at, gathered from the form, the employer's word and what evidence proves."""

from datetime import date, datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case import facts as case_facts
from cases.case.evidence import declared, proved
from cases.case.file import CaseFile
from cases.undeclared import find_nothing_of
from domain.clock import day_of
from domain.forms import Form, need_form
from policy.rerun import Rules
from programmes.appraisal.findings import AppraisalFinding
from programmes.appraisal.requests import AppraisalRequest
from programmes.appraisal.rules.claims import AppraisalClaims, AppraisalRoute
from programmes.appraisal.rules.conditions import AppraisalFacts, assess, carries
from programmes.appraisal.tables import employment, route_of
from programmes.appraisal.words import EmploymentStage

_SAID: Final = {
    EmploymentStage.CONFIRMED: True,
    EmploymentStage.DENIED: False,
    EmploymentStage.LEFT: False,
}


async def gather(
    file: CaseFile, connection: AsyncConnection, form: Form, at: datetime, in_force: bool | None, on: date
) -> AppraisalFacts:
    """Return the facts of an appraisal: what is declared beside what is proved."""
    given, asked = need_form(form, AppraisalRequest), employment(file)
    stage = None if asked is None or asked.stage is None else EmploymentStage(asked.stage)
    return AppraisalFacts(
        route=given.route,
        birth_date=given.person.birth_date,
        work_start=given.employment.work_start,
        employer_standing=None if asked is None else file.employer.standing_on(on),
        employment_confirmed=None if stage is None else _SAID.get(stage),
        declared=AppraisalClaims.of(declared(form)),
        proved=AppraisalClaims.of(proved(file, form)),
    )


def is_carried(file: CaseFile) -> bool:
    """Whether what is proved now carries the recognition, by the version of the acceptance."""
    known, on = case_facts.known(file, file.application), day_of(file.row.accepted_at)
    return carries(AppraisalRoute(route_of(file)), AppraisalClaims.of(proved(file, known)), file.pack, on)


RULES: Final = Rules(
    facts=AppraisalFacts,
    assess=assess,
    of_track=find_nothing_of,
    looked_at={},
    codes=frozenset(AppraisalFinding),
    of_renewal=assess,
)
