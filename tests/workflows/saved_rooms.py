"""Lives of work permits and of appraisals whose histories are saved: what is asked of them, by the real application."""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Final

from temporalio.client import WorkflowHistory

from domain.clock import day_of
from domain.errors import need
from programmes.appraisal.tables import recognition
from programmes.appraisal.words import RecognitionStage
from programmes.work_permit.tables import residence
from tests.programmes.appraisal import people
from tests.programmes.park import Park, served
from tests.programmes.work_permit import room
from tests.workflows import histories
from tests.workflows.world import Case, World

Scenario = Callable[[World, str], Awaitable[list[WorkflowHistory]]]
_Life = Callable[[Park], Awaitable[Case]]


def _lived(life: _Life) -> Scenario:
    async def scenario(world: World, database_url: str) -> list[WorkflowHistory]:
        async with served(world, database_url) as park:
            case = await life(park)
            await case.idle()
            return await histories.runs(case)

    return scenario


async def work_permit(park: Park) -> Case:
    """A permit and its residence permit, two years, an extension that is granted, and the paper of it."""
    case, here = await room.issued(park)
    await park.ask("employer-a", "POST", f"{here}/entry", {"entered_on": "2026-03-01"}, expects=202)
    await case.until(lambda file: need(residence(file), "residence").stage == "entered")
    applied = {"applied_on": "2026-03-02"}
    await park.ask("employer-a", "POST", f"{here}/residence-application", applied, expects=202)
    await case.until(lambda file: need(residence(file), "residence").stage == "applied")
    given = {"outcome": "issued", "decided_on": "2026-03-02", "valid_until": "2027-12-31"}
    await park.ask("officer-1", "POST", f"{here}/residence-outcome", given, expects=202)
    await case.until(lambda file: need(residence(file), "residence").stage == "issued")
    await room.skip_to(case, "2027-11-01")
    await room.extend(park, here, case)
    await room.enter(park, here, room.extended_paper())
    await case.until(lambda file: room.permit_of(file).stage == "issued")
    return case


async def work_permit_cancelled(park: Park) -> Case:
    """An end that is reported, its cancellation, asked for late, and the paper of it."""
    case, here = await room.issued(park)
    await park.ask("employer-a", "POST", f"{here}/end", {"ended_on": "2026-03-02"}, expects=202)
    await case.until(lambda file: file.row.ended_on is not None)
    await case.skip(timedelta(days=20))
    await park.ask("employer-a", "POST", f"{here}/cancellation", {}, expects=202)
    await case.until(lambda file: file.find_task("work_permit_cancellation", "work_permit") is not None)
    await room.enter(park, here, {"outcome": "cancelled", "paper": "SZ-9"})
    await case.ended()
    return case


async def appraisal(park: Park) -> Case:
    """A recognition that is suspended and restored, and whose person is appraised again before it ends."""
    case = await people.recognised(park, route="achievement", evidence=people.STAR)
    here = f"/v1/appraisals/{case.reference}"
    await park.ask("officer-1", "POST", f"{here}/suspension", {"reasons": [{"code": "false_statement_suspected"}]})
    await park.ask("officer-1", "POST", f"{here}/restoration", {})
    await case.skip(timedelta(days=(date(2028, 12, 1) - day_of(case.world.clock())).days))
    await park.ask(people.me(park), "POST", f"{here}/renewal", {}, expects=202)
    await case.until(lambda file: file.find_task("renewal") is not None)
    await park.ask("officer-1", "POST", f"{here}/renewal-decision", {"action": "grant", "renewal": 1})
    await case.skip(park.world.context.limits.settling + timedelta(seconds=5))
    row = need(recognition(await case.file()), "recognition")
    assert (row.stage, row.valid_until) == (RecognitionStage.VALID, date(2032, 3, 1))
    return case


async def appraisal_refused(park: Park) -> Case:
    """An application whose employer denies the employment, and which is refused by two."""
    case = await people.applied(park, route="achievement", evidence=people.STAR)
    here = f"/v1/appraisals/{case.reference}"
    await people.answered(park, case, "denied")
    reasons = [{"code": "appraisal_employment_unconfirmed"}]
    await park.ask("officer-1", "POST", f"{here}/decision", {"action": "refuse", "round": 1, "reasons": reasons})
    await park.ask("officer-2", "POST", f"{here}/confirmation", {"action": "confirm", "round": 1})
    await case.ended()
    return case


SCENARIOS: Final[dict[str, Scenario]] = {
    "work_permit": _lived(work_permit),
    "work_permit_cancelled": _lived(work_permit_cancelled),
    "appraisal": _lived(appraisal),
    "appraisal_refused": _lived(appraisal_refused),
}
