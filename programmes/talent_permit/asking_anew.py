"""A permit that has ended is asked for once more, with an entry and a term of its own (P53 to P55)."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.decisions import assessing
from cases.moves.moving import Asked
from domain.actors import Actor, system
from domain.acts import Act
from domain.errors import Refused, need
from domain.stages import Stage
from programmes.talent_permit import eligibility, permits, terms
from programmes.talent_permit.authority.messages import ReportedFact
from programmes.talent_permit.permit_stages import PERMIT_FINAL, Destination, PermitStage
from programmes.talent_permit.stages import PermitEvent
from programmes.talent_permit.tables import PermitRow, PermitTermRow, destinations_of, permit_rows
from programmes.talent_permit.words import PermitAct, PermitAnswer, PermitTask
from store.rows.work import TaskRow

# What an application has for itself. Number and days of the last card stay with the permit, as the authority gave them.
_CLEARED: Final[dict[str, Any]] = {
    "end_reason": None,
    "reason": None,
    "decided_on": None,
    "accepted_on": None,
    "reported_at": None,
    "answered_for": False,
    "card_lost_on": None,
    "entry_case": None,
    "pending_act": None,
    "pending": None,
    "rejected": None,
}


def is_over(file: CaseFile, destination: Destination) -> bool:
    """Whether a permit has ended for good, with no application for a further term under way."""
    permit = permit_rows(file).get(destination)
    is_final = permit is not None and permit.stage in PERMIT_FINAL
    return is_final and terms.find_next_pending(file, destination) is None


def wanted_anew(file: CaseFile, wanted: Collection[Destination], held: Collection[Destination]) -> set[Destination]:
    """Return the permits that destinations ask for once more, of those that are over.

    One that was given up is asked for by naming it again; one that is still held, by naming just what is held.
    """
    is_same = set(wanted) == set(held)
    return {each for each in wanted if is_over(file, each) and (is_same or each not in held)}


async def begin(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    destination: Destination,
    by: assessing.By,
) -> None:
    """Begin the track of a destination that was never asked for, or is asked for once more."""
    if destination in permit_rows(file):
        await ask_anew(file, connection, actor, at, destination, by)
    else:
        await eligibility.add(file, connection, actor, at, destination, by)


async def ask_anew(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    destination: Destination,
    by: assessing.By,
) -> None:
    """Begin the track of a permit that is over once more, by the rules of the day (P53, then P1 or P2)."""
    _keep_as_term(file, destination)
    permits.move_permit(file, destination, PermitEvent.ASKED_ANEW, actor, at, **_CLEARED)
    file.record(PermitAct.PERMIT_ASKED_ANEW, actor, at, destination=destination.value)
    await eligibility.add(file, connection, system("eligibility"), at, destination, by)


def _keep_as_term(file: CaseFile, destination: Destination) -> None:
    """Keep what became of the application that is over as a term, with the authority's reason, if it was ever sent."""
    permit, rows = permit_rows(file)[destination], terms.kept_terms(file, destination)
    if not rows and permit.sent_at is not None:
        why = permit.end_reason or permit.stage
        rows = [
            terms.add_term(
                file,
                destination,
                PermitStage(permit.stage or PermitStage.ENDED),
                sent_at=permit.sent_at,
                authority_number=permit.authority_number,
                ended_on=permit.decided_on,
                end_reason=why,
            )
        ]
    if rows and permit.reason is not None and rows[-1].reason is None:
        _move_reason(file, permit, rows[-1])


def _move_reason(file: CaseFile, permit: PermitRow, term: PermitTermRow) -> None:
    place = f"{file.reference}/{permit.destination}"
    said = file.open("permits", "reason", place, permit.reason or b"")
    term.change(reason=file.seal("permit_terms", "reason", terms.reason_place(term), said))


def ask_about_ended(file: CaseFile, actor: Actor, at: datetime, destination: Destination) -> None:
    """Ask an officer what becomes of a permit that the authority ended although the registration stands (P54)."""
    permit = permit_rows(file)[destination]
    if file.stage is not Stage.APPROVED or destination not in destinations_of(file):
        return
    detail = {"stage": permit.stage, "end_reason": permit.end_reason}
    if permit.decided_on is not None:
        detail["ended_on"] = permit.decided_on.isoformat()
    permits.move_permit(file, destination, PermitEvent.ENDED_MEANWHILE, actor, at, asked=Asked(detail=detail))


def was_restored(file: CaseFile, destination: Destination) -> bool:
    """Whether the authority was told of a revocation that was set aside: what it ends after that may come of it."""
    return file.next_attempt(ReportedFact.REGISTRATION_RESTORED, destination) > 1


async def answer_ended(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, action: str, task: TaskRow
) -> None:
    """Ask for the permit anew, by the rules of the day, or leave it as it ended.

    Raises:
        Refused: `wrong_stage` where the registration is not in force.
    """
    destination = Destination(need(task.destination, "destination"))
    if action == PermitAnswer.ASK_ANEW and not assessing.is_in_force(file, at):
        raise Refused("wrong_stage", "The registration is not in force.")
    file.record(
        Act.TASK_ANSWERED, actor, at, outcome=action, destination=destination.value, kind=PermitTask.PERMIT_ENDED.value
    )
    if action == PermitAnswer.ASK_ANEW:
        by = await assessing.of_day(file, connection, at)
        await ask_anew(file, connection, actor, at, destination, by)
    else:
        permits.move_permit(file, destination, PermitEvent.LEFT, actor, at)
    permits.follow_up(file)
