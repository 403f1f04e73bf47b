"""What the exit-entry administration is told once for an employer that left the Park: the permits that end with it."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.programme import LeavingReport
from domain.outward import Message
from domain.spellings import REPORT_KEY
from programmes.talent_permit.authority.messages import BatchReport, ReportedFact
from programmes.talent_permit.permit_stages import PermitStage
from programmes.talent_permit.reasons import PermitReason
from programmes.talent_permit.tables import permit_terms, permits
from store.tables import cases

_TOLD: Final = (PermitStage.SUBMITTED.value, PermitStage.ACCEPTED.value, PermitStage.ISSUED.value)


async def _permits_told(connection: AsyncConnection, employer_id: str) -> Sequence[str]:
    """Return the permits whose registration ends with the employer's leaving, by the names the authority has."""
    ends = exists().where(
        cases.c.reference == permits.c.reference,
        or_(cases.c.live, cases.c.end_reason == PermitReason.EMPLOYER_LEFT_PARK.value),
    )
    t = permit_terms.c
    # The last term is over, and the authority has an application for the next one.
    asks_again = and_(
        permits.c.stage == PermitStage.EXPIRED.value,
        exists().where(
            t.reference == permits.c.reference,
            t.destination == permits.c.destination,
            t.stage.in_((PermitStage.SUBMITTED.value, PermitStage.ACCEPTED.value)),
        ),
    )
    query = (
        select(permits.c.reference, permits.c.destination, permits.c.entry_case)
        .where(permits.c.employer_id == employer_id, or_(permits.c.stage.in_(_TOLD), asks_again), ends)
        .order_by(permits.c.reference, permits.c.destination)
    )
    return [row.entry_case or f"{row.reference}/{row.destination}" for row in await connection.execute(query)]


def _message(on: date, cases: Sequence[str]) -> Message:
    return BatchReport(what=ReportedFact.EMPLOYER_LEFT_PARK, on=on, cases=tuple(cases)).message()


LEAVING: Final = LeavingReport(
    what=ReportedFact.EMPLOYER_LEFT_PARK.value, begins=f"{REPORT_KEY}/employer", names=_permits_told, sends=_message
)
