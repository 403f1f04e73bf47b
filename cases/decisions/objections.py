"""Objections against decisions: taken on once for each side, taken back, rejected with a letter, or overdue.

The grounds are sealed in `objections`; the row of the case keeps codes, ids and times alone.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.case.moves import At
from cases.case.signers import need_reasons, signature_of, take_task
from cases.decisions import contested
from cases.decisions.contested import Standing
from cases.decisions.proposals import need_no_proposal
from cases.decisions.settling import letter
from cases.moves.moving import Asked, move, need_move
from cases.moves.objecting import ObjectionEvent
from cases.notices.compose import Said
from cases.tasks.review import pass_on
from domain.actors import Actor, Role
from domain.acts import Act
from domain.clock import day_of
from domain.deadlines import DeadlineKind
from domain.errors import Refused, need
from domain.notices import NoticeKind, Recipient
from domain.objections import KeptObjection, ObjectionDecision, ObjectionRequest, ObjectionState
from domain.person import ObjectionKind
from domain.reasons import Use
from domain.tasks import TaskKind
from store.rows.people import ObjectionRow
from store.rows.work import DeadlineRow
from store.tables import objections


async def take(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    asked: ObjectionRequest,
    said_by: Mapping[str, Any] | None,
) -> None:
    """Take on an objection of the owner or the person of a case, once for each side and decision, within its term.

    Raises:
        Refused: `not_found` where no such decision stands; `objection_exists`; `objection_term_over`; `invalid`.
    """
    need_move(file, ObjectionEvent.OBJECT, actor)
    decision = await contested.standing(file, connection, asked.against, asked.destination)
    party = "person" if actor.role is Role.PERSON else "employer"
    for each in contested.kept(file):
        if (each["decision"], each["party"]) == (decision.seq, party):
            raise Refused("objection_exists", facts={"objection": each["id"]})
    until = await contested.last_day(file, connection, decision, party)
    if until is not None and day_of(at) > until:
        raise Refused("objection_term_over", facts={"until": until.isoformat()})
    objection_id = need(file.applying, "applying")
    due = file.set_working_days(
        DeadlineKind.OBJECTION_OVER,
        day_of(at),
        file.context.limits.objection_decision_days,
        destination=str(objection_id),
    )
    kept: KeptObjection = {
        "id": str(objection_id),
        "against": decision.against,
        "track": decision.track,
        "decision": decision.seq,
        "party": "person" if party == "person" else "employer",
        "at": at.isoformat(),
        "due_at": due.at.isoformat(),
        "state": ObjectionState.OPEN.value,
    }
    file.row.objections = [*contested.kept(file), kept]
    said = _to(kept, facts={"due_on": day_of(due.at), "due_provisional": due.provisional})
    asks = Asked(due_at=due.at, about=decision.track, detail={"against": decision.against})
    move(file, ObjectionEvent.OBJECT, actor, at, asked=asks, said=[(NoticeKind.OBJECTION_RECEIVED, said)])
    file.record(
        Act.OBJECTION_RECEIVED, actor, at, outcome=decision.against,
        objection_id=str(objection_id), decision=decision.seq, track=decision.track,
    )  # fmt: skip
    if not file.previewed:
        row = _row(file, objection_id, kept, asked.grounds, said_by, at, due.at)
        await connection.execute(insert(objections).values(row.filled()))


async def withdraw(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, objection_id: UUID) -> None:
    """Take an objection back, by the side that made it; the decision stands.

    Raises:
        Refused: `not_found` for another side's; `already_decided`.
    """
    need_move(file, ObjectionEvent.WITHDRAW_OBJECTION, actor)
    party = "person" if actor.role is Role.PERSON else "employer"
    kept = _need_open(file, objection_id, party)
    await _settle(file, connection, actor, at, kept, ObjectionState.WITHDRAWN)
    move(file, ObjectionEvent.WITHDRAW_OBJECTION, actor, at)
    file.record(Act.OBJECTION_WITHDRAWN, actor, at, outcome=kept["against"], objection_id=kept["id"])


async def reject(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    asked: ObjectionDecision,
    decision: Standing,
) -> None:
    """Let a decision stand that was objected to, by a letter that says why and what can be done next.

    Raises:
        Refused: those of its reasons; `already_decided` while setting it aside waits for its signature.
    """
    need_move(file, ObjectionEvent.REJECT_OBJECTION, actor)
    await contested.need_uninvolved(file, connection, actor, decision)
    need_no_proposal(file)
    codes = need_reasons(asked.reasons, Use.DISMISS, file.forms, file.words.reasons)
    take_task(file, actor, at, TaskKind.OBJECTION, decision.track)
    kept = _need_open(file, asked.objection)
    of_letter = letter(file, actor, at, asked.reasons, may_object=False)
    said = _to(kept, facts={**(of_letter.facts or {}), "against": kept["against"], "about_track": kept["track"]})
    said = Said(occasion=said.occasion, facts=said.facts, reasons=asked.reasons, only=said.only)
    answer = "\n".join(reason.note for reason in asked.reasons if reason.note)
    await _settle(file, connection, actor, at, kept, ObjectionState.REJECTED, answer=answer or None)
    move(file, ObjectionEvent.REJECT_OBJECTION, actor, at, said=[(NoticeKind.OBJECTION_REJECTED, said)])
    file.record(
        Act.OBJECTION_REJECTED, actor, at, outcome=kept["against"], reasons=codes,
        objection_id=kept["id"], decision=decision.seq, track=decision.track,
    )  # fmt: skip


async def decided_of(file: CaseFile, connection: AsyncConnection, objection_id: UUID) -> Standing:
    """Return the decision that an open objection is against.

    Raises:
        Refused: `not_found`; `already_decided`.
    """
    kept = _need_open(file, objection_id)
    decision = await contested.standing(file, connection, kept["against"], kept["track"])
    if decision.seq != kept["decision"]:
        raise Refused("not_found", words="no_such_decision")
    return decision


async def end(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    decision: Standing,
    state: ObjectionState,
) -> list[str]:
    """Answer all open objections against a decision alike before its row is moved by, and return their ids."""
    found = contested.open_against(file, decision.seq)
    for kept in found:
        await _settle(file, connection, actor, at, kept, state)
    return [kept["id"] for kept in found]


def overdue(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Pass an objection that nobody has answered in time to the supervisors; nothing is decided by it."""
    kept = next((each for each in contested.kept(file) if each["id"] == deadline.destination), None)
    task = None if kept is None else file.find_task(TaskKind.OBJECTION, kept["track"])
    if kept is None or task is None or kept["state"] != ObjectionState.OPEN:
        return
    pass_on(file, task)
    said = Said(occasion=f"objection/{kept['id']}", facts={"days_over": 1, "due_on": day_of(deadline.at)})
    move(file, ObjectionEvent.OBJECTION_OVER, actor, at, said=[(NoticeKind.ESCALATED, said)])
    file.record(Act.ESCALATED, actor, at, objection_id=kept["id"])


def refuses_objection(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse an objection to a case of which no decision stands that can be objected to."""
    need_move(file, ObjectionEvent.OBJECT, actor)
    contested.need_standing(file)


def refuses_withdrawal(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse to take an objection back where that side has none open."""
    need_move(file, ObjectionEvent.WITHDRAW_OBJECTION, actor)
    party = "person" if actor.role is Role.PERSON else "employer"
    _need_any_open(file, party)


def refuses_decision(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse to decide on objections of a case that has none open."""
    _need_any_open(file, None)


def _need_any_open(file: CaseFile, party: str | None) -> None:
    if not any(
        each["state"] == ObjectionState.OPEN and party in (None, each["party"]) for each in contested.kept(file)
    ):
        raise Refused("not_found", words="no_open_objection")


def _need_open(file: CaseFile, objection_id: UUID, party: str | None = None) -> KeptObjection:
    for each in contested.kept(file):
        if each["id"] == str(objection_id) and party in (None, each["party"]):
            if each["state"] != ObjectionState.OPEN:
                raise Refused("already_decided", words="objection_answered")
            return each
    raise Refused("not_found", words="no_open_objection")


async def _settle(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    kept: KeptObjection,
    state: ObjectionState,
    *,
    answer: str | None = None,
) -> None:
    """Write what an objection came to; the row that is moved by then closes the task where nobody else objects."""
    done: KeptObjection = {**kept, "state": state.value, "decided_at": at.isoformat()}
    file.row.objections = [done if each["id"] == kept["id"] else each for each in contested.kept(file)]
    file.cancel_deadlines(DeadlineKind.OBJECTION_OVER, destination=kept["id"])
    if file.previewed:
        return
    values: dict[str, Any] = {
        "state": "answered",
        "outcome": state.value,
        "answered_by": signature_of(actor),
        "answered_at": at,
    }
    if answer is not None:
        values["answer"] = file.seal("objections", "answer", kept["id"], {"text": answer})
    which = objections.c.objection_id == UUID(kept["id"])
    await connection.execute(update(objections).where(which).values(**values))


def _row(
    file: CaseFile,
    objection_id: UUID,
    kept: KeptObjection,
    grounds: str,
    said_by: Mapping[str, Any] | None,
    at: datetime,
    due_at: datetime,
) -> ObjectionRow:
    content = {"text": grounds, "from": said_by["from"] if said_by else None}
    track = kept["track"]
    return ObjectionRow(
        objection_id=objection_id,
        kind=ObjectionKind.OBJECTION.value,
        reference=file.reference,
        person_id=file.row.person_id,
        key_id=file.person_key.key_id,
        about=kept["against"] if track is None else f"{kept['against']}/{track}",
        party=kept["party"],
        state="open",
        body=file.seal("objections", "body", str(objection_id), content),
        address_hash=bytes.fromhex(said_by["address_hash"]) if said_by else None,
        at=at,
        due_at=due_at,
    )


def _to(kept: KeptObjection, facts: Mapping[str, Any]) -> Said:
    """Return what is said of an objection to the side that made it, and to nobody else."""
    recipient = Recipient.PERSON if kept["party"] == "person" else Recipient.EMPLOYER
    said = {"against": kept["against"], "about_track": kept["track"], "objected_on": _day(kept["at"])}
    return Said(occasion=kept["id"], facts={**said, **facts}, only=frozenset({recipient}))


def _day(at: str) -> date:
    return day_of(datetime.fromisoformat(at))
