"""A work permit through the real application: forms, pieces of evidence, and a case brought to its stages."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

from cases.case.file import CaseFile
from domain.errors import need
from domain.stages import Stage
from programmes.work_permit.tables import WorkPermitRow, work_permit
from tests.programmes.park import Park
from tests.programmes.work_permit.forms import FORM, PAPER
from tests.workflows.world import Case

REASONS: Final = [{"code": "document_seen"}]


def form(**parts: Any) -> dict[str, Any]:
    """Return a right form, with other values in some of its parts."""
    changed = {name: {**FORM[name], **part} if isinstance(part, dict) else part for name, part in parts.items()}
    return {**FORM, **changed}


async def take_on(park: Park, given: Mapping[str, Any] = FORM, by: str = "employer-a") -> tuple[Case, str]:
    """Take a case on and bring it before an officer; also its address."""
    taken = await park.ask(by, "POST", "/v1/work-permits", given, expects=202)
    case = Case(park.world, taken["reference"])
    park.world.started.append(case.reference)
    await case.until_stage(Stage.UNDER_REVIEW)
    return case, f"/v1/work-permits/{case.reference}"


async def approved(park: Park, given: Mapping[str, Any] = FORM) -> tuple[Case, str]:
    """Take a case on, approve it with two signatures where it takes them, and let the approval settle."""
    case, here = await take_on(park, given)
    decision = {"action": "approve", "round": 1, "reasons": REASONS}
    shown = await park.ask("officer-1", "POST", f"{here}/decision", decision)
    if shown["stage"] == "awaiting_confirmation":
        confirmation = {"action": "confirm", "round": shown["round"]}
        await park.ask("supervisor-1", "POST", f"{here}/confirmation", confirmation)
    await case.skip(case.world.context.limits.settling + timedelta(seconds=5))
    await case.until(lambda file: bool(file.row.settled))
    return case, here


async def issued(park: Park, paper: Mapping[str, Any] = PAPER) -> tuple[Case, str]:
    """Bring a case to an issued permit."""
    case, here = await approved(park)
    await enter(park, here, paper)
    return case, here


async def enter(park: Park, here: str, paper: Mapping[str, Any] = PAPER, action: str = "confirm") -> dict[str, Any]:
    """Enter what a paper says, and sign it or not."""
    await park.ask("officer-1", "POST", f"{here}/outcome", paper)
    shown = await park.ask("officer-2", "GET", here)
    reasons = [] if action == "confirm" else [{"code": "reason_not_supported"}]
    signed = {"action": action, "round": shown["round"], "reasons": reasons}
    answer: dict[str, Any] = await park.ask("officer-2", "POST", f"{here}/confirmation", signed)
    return answer


async def skip_to(case: Case, day: str) -> None:
    """Let it be noon of a day."""
    await case.skip(timedelta(days=(date.fromisoformat(day) - case.world.clock().date()).days))


def permit_of(file: CaseFile) -> WorkPermitRow:
    """Return the permit of a file."""
    return need(work_permit(file), "work_permit")


async def extend(park: Park, here: str, case: Case, number: int = 1) -> None:
    """Ask for an extension, grant it, and let that settle."""
    await park.ask("employer-a", "POST", f"{here}/renewal", {}, expects=202)
    await case.until(lambda file: file.find_task("renewal") is not None)
    await decide_extension(park, here, case, number)


async def decide_extension(park: Park, here: str, case: Case, number: int = 1) -> None:
    """Grant an extension that was asked, and let that settle."""
    shown = await park.ask("officer-1", "GET", here)
    fails = [each["code"] for each in shown["renewal"]["findings"] if each["outcome"] in ("fail", "missing")]
    asked = {"action": "grant", "renewal": number, "reasons": [{"code": "document_seen"}] if fails else []}
    shown = await park.ask("officer-1", "POST", f"{here}/renewal-decision", asked)
    if shown["pending_act"] is not None:
        signed = {"action": "confirm", "round": shown["round"], "reasons": []}
        await park.ask("officer-2", "POST", f"{here}/confirmation", signed)
    await case.skip(case.world.context.limits.settling + timedelta(seconds=5))
    await case.until(lambda file: permit_of(file).stage == "extending")


def extended_paper(**changed: Any) -> dict[str, Any]:
    """Return the paper of an extension."""
    return {**PAPER, "paper": "SZ-2", "valid_from": "2028-01-01", "valid_until": "2029-12-31", **changed}
