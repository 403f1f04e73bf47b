"""Defects met on calls: each is a line for the operator by its class and place, whatever it was about."""

from cases.incidents import rows
from cases.shared.context import Context
from domain.errors import Defect
from temporal.telemetry import place_of

KIND = "defect"


async def note(context: Context, step: str, error: Exception, reference: str | None, correlation_id: str) -> str:
    """Put a defect before the operator and return the incident's id: that of the open one, where it was met before.

    Args:
        context: what the transaction needs.
        step: the route or the work that met it.
        error: what was raised.
        reference: what the call gave as a case; named where there is one of it.
        correlation_id: the call.

    Raises:
        Unavailable: when PostgreSQL is away, so that nothing can be put down.
    """
    reason = error.reason if isinstance(error, Defect) else type(error).__name__
    async with context.database.begin() as connection:
        incident_id = await rows.count(
            connection,
            context.clock(),
            kind=KIND,
            step=step,
            reason=reason,
            reference=reference,
            place=place_of(error),
            correlation_id=correlation_id,
        )
    return str(incident_id)
