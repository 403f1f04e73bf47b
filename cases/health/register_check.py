"""Looking at what the register holds before and while it serves: calendars, employers, erasures, incidents."""

from datetime import date, timedelta
from typing import Final

from sqlalchemy import text

from cases.health.restore_watch import look_at_restore
from cases.shared.context import Context
from domain.checkups import Line, fail, ok, warn
from domain.clock import day_of
from domain.errors import Defect, Unavailable

# A notice of the year to come is out in November.
_SOON: Final = timedelta(days=45)
_LOADED: Final = text("""
    SELECT (SELECT count(*) FROM employers) AS employers, (SELECT count(*) FROM premises) AS premises,
        (SELECT max(day) FROM calendar_days) AS last_day,
        EXISTS (SELECT FROM ledger WHERE act = 'key_destroyed') AS has_erased
""")
_OPEN: Final = text("""
    SELECT kind, count(*) AS incidents FROM incidents WHERE state = 'open' GROUP BY kind ORDER BY count(*) DESC, kind
""")


async def look_at_register(context: Context) -> list[Line]:
    """Return what is loaded, the list of erasures, whether a restore is not declared, and what waits for an operator.

    Raises:
        Unavailable: when PostgreSQL is away.
    """
    async with context.database.begin() as connection:
        found = (await connection.execute(_LOADED)).one()
        waiting = {row.kind: row.incidents for row in await connection.execute(_OPEN)}
    return [
        _employers(found.employers, found.premises),
        _calendar(found.last_day, day_of(context.clock())),
        await _erasures(context, has_erased=found.has_erased),
        await look_at_restore(context),
        _incidents(waiting),
    ]


def _employers(count: int, places: int) -> Line:
    if not count:
        to_do = "run `hetao register load FILE`; until then every registration is refused"
        return fail("employers", "none is loaded", to_do)
    if not places:
        return fail("employers", f"{count}, and no premises", "run `hetao register load FILE` with the Park's premises")
    return ok("employers", f"{count}, premises {places}")


def _calendar(last: date | None, today: date) -> Line:
    if last is None:
        return warn("calendar", "no year is loaded; the library's stand in", "run `hetao calendar load`")
    # What the next year's notice may still move is provisional (docs/operations.md, "The working calendar").
    left = (last - today).days
    if left < 0:
        to_do = "run `hetao calendar load YEAR`, or with `--file` for a notice that the library does not have"
        return fail("calendar", f"ended on {last.isoformat()}: due dates are provisional", to_do)
    if timedelta(days=left) < _SOON:
        to_do = "load the next year as soon as its notice is out: `hetao calendar load YEAR`"
        return warn("calendar", f"{left} days left, until {last.isoformat()}", to_do)
    return ok("calendar", f"{left} days left, until {last.isoformat()}")


async def _erasures(context: Context, *, has_erased: bool) -> Line:
    name = "list of erasures"
    if context.erasure_list is None:
        return fail(name, "none is named", "set HETAO_ERASURE_LIST")
    try:
        entries = await context.erasure_list.read()
        is_there, takes = await context.erasure_list.is_there(), await context.erasure_list.takes_writes()
    except Defect:
        return fail(name, "a line was altered, put in or left out", "put the file's own backup in its place")
    except Unavailable:
        return fail(name, "it cannot be read", "let the user of the service read the file of HETAO_ERASURE_LIST")
    if has_erased and not is_there:
        to_do = "put its backup there; where there is none, `hetao erasures complete`"
        return fail(name, "persons were erased, and the file is not there", to_do)
    if not takes:
        to_do = "let the user of the service write the file of HETAO_ERASURE_LIST and its directory"
        return fail(name, "it cannot be written, so that nobody can be erased", to_do)
    return ok(name, f"{len(entries)} entries" if is_there else "not begun yet; its directory can be written")


def _incidents(waiting: dict[str, int]) -> Line:
    if not waiting:
        return ok("incidents", "none is open")
    said = ", ".join(f"{kind} {count}" for kind, count in waiting.items())
    return warn("incidents", f"open: {said}", "read `GET /v1/incident-causes`: it says what to do of each")
