"""What the register lacks before anything was loaded: told to whoever registers, and to the operator, a line each."""

from datetime import datetime
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.incidents import rows
from cases.shared.context import Context
from domain.errors import Refused
from domain.incidents import Healed, IncidentKind
from domain.spellings import NOT_LOADED_ID
from store.incident_rows import new_incident, opening
from store.tables import incidents

EMPLOYERS: Final = "employers"
CALENDAR: Final = "calendar"
_LOADED: Final = text("""
    SELECT EXISTS (SELECT FROM employers) AS employers, EXISTS (SELECT FROM calendar_days) AS calendar
""")


class UnknownEmployer(Exception):  # noqa: N818 - told to the caller by another name, once no transaction is open
    """The register has no employer of the caller's id."""


async def refuse_unknown(context: Context) -> Refused:
    """Return the refusal of an employer that is not on the register; where nobody is, it says so.

    Then the operator is told too, once for each that is lacking, with how often somebody met it.
    """
    at = context.clock()
    async with context.database.begin() as connection:
        loaded = (await connection.execute(_LOADED)).one()
        if loaded.employers:
            detail = "The park has no employer of this id on its register."
            return Refused("employer_not_in_good_standing", detail)
        for step, is_loaded in ((EMPLOYERS, loaded.employers), (CALENDAR, loaded.calendar)):
            if not is_loaded:
                await _tell(connection, step, at)
    return Refused("employer_not_in_good_standing", words="register_not_loaded")


async def end(connection: AsyncConnection, step: str, at: datetime, by: str) -> None:
    """Close the line that says that something is not loaded, in the transaction that loads it."""
    i = incidents.c
    which = (i.kind == IncidentKind.NOT_LOADED.value, i.step == step)
    await rows.end(connection, at, Healed.LOADED, by, *which)


async def _tell(connection: AsyncConnection, step: str, at: datetime) -> None:
    i = incidents.c
    one, kind = uuid5(NAMESPACE_URL, f"{NOT_LOADED_ID}{step}"), IncidentKind.NOT_LOADED.value
    opened = opening([new_incident(at, kind=kind, step=step, reason="never_loaded", incident_id=one)])
    again = {"state": "open", "times": i.times + 1, "last_at": at}
    again |= {"closed_reason": None, "resumed_at": None, "resumed_by": None}
    await connection.execute(opened.on_conflict_do_update(index_elements=[i.incident_id], set_=again))
