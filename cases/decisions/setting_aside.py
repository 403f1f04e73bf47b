"""Setting a decision aside: proposed, signed by a second person, neither of whom decided before; the case goes on.

The decision stays in the ledger, and so do its receipts; what was objected to it is answered with it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case import open_points
from cases.case.file import CaseFile
from cases.case.moves import At
from cases.case.row import OneCase
from cases.case.signers import need_reasons, take_task
from cases.decisions import assessing, contested, objections
from cases.decisions.contested import Standing
from cases.decisions.proposals import need_no_proposal
from cases.decisions.review import proposal, propose
from cases.moves.moving import move, need_move
from cases.moves.objecting import ObjectionEvent
from cases.notices.compose import Said
from cases.programme import Contestable, Signature, programme_of
from domain.actors import Actor, system
from domain.acts import Act
from domain.deadlines import DeadlineKind
from domain.decisions import GivenReason
from domain.errors import Refused, need
from domain.findings import Finding, to_be_mended
from domain.notices import NoticeKind
from domain.objections import LAPSE, REFUSAL, ObjectionState, SetAsideRequest
from domain.open_points import points_of_findings
from domain.reasons import Use
from domain.stages import CLOSED, PendingAct, Stage
from domain.tasks import TaskKind
from store.database import constraint_of
from store.tables import cases


async def ask(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, asked: SetAsideRequest) -> None:
    """Propose to set aside the decision that stands, of the case or of the track that is named."""
    need_move(file, ObjectionEvent.PROPOSE_SET_ASIDE, actor)
    decision = await _named(file, connection, asked.destination)
    await propose_of(file, connection, actor, at, decision, asked.reasons, asked.note)


def refuses(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse to propose setting aside anything of a case of which no decision stands."""
    need_move(file, ObjectionEvent.PROPOSE_SET_ASIDE, actor)
    contested.need_standing(file)


async def propose_of(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    decision: Standing,
    reasons: Sequence[GivenReason],
    note: str | None,
) -> None:
    """Propose to set a decision aside; it takes effect with a second signature."""
    need_move(file, ObjectionEvent.PROPOSE_SET_ASIDE, actor)
    await contested.need_uninvolved(file, connection, actor, decision)
    need_no_proposal(file)
    need_reasons(reasons, Use.SET_ASIDE, file.forms, file.words.reasons)
    if file.find_task(TaskKind.OBJECTION, decision.track) is not None:
        take_task(file, actor, at, TaskKind.OBJECTION, decision.track)
    file.row.round += 1
    file.row.rejected = None
    about = {"against": decision.against, "track": decision.track, "decision": decision.seq}
    event = ObjectionEvent.PROPOSE_SET_ASIDE
    propose(file, actor, at, event, PendingAct.SET_ASIDE, tuple(reasons), note, **about)


async def _named(file: CaseFile, connection: AsyncConnection, track: str | None) -> Standing:
    """Return the decision that stands of the case, or of a track of it.

    Raises:
        Refused: `not_found` where none does.
    """
    for against, declared in programme_of(file).contestable.items():
        if (declared.track is None) == (track is None):
            try:
                return await contested.standing(file, connection, against, track)
            except Refused as refused:
                if refused.code != "not_found":
                    raise
    raise Refused("not_found", words="no_such_decision")


async def _proposed(file: CaseFile, connection: AsyncConnection) -> Standing:
    """Return the decision that is proposed to be set aside, as it stands now.

    Raises:
        Refused: `not_found` where it stands no more.
    """
    pending = need(file.row.pending, "pending")
    decision = await contested.standing(file, connection, pending["against"], pending["track"])
    if decision.seq != pending["decision"]:
        raise Refused("not_found", words="no_such_decision")
    return decision


async def _signer(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime) -> None:
    await contested.need_uninvolved(file, connection, actor, await _proposed(file, connection))


async def _take(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime) -> None:
    """Set the decision aside with the second signature, and answer what was objected to it."""
    decision = await _proposed(file, connection)
    reasons, _ = proposal(file)
    row = need_move(file, decision.declared.event, actor)
    await _take_place(file, connection, row.to)
    file.row.change(pending_act=None, pending=None, rejected=None)
    file.cancel_deadlines(DeadlineKind.SIGNATURE_EXPECTED)
    answered = await objections.end(file, connection, actor, at, decision, ObjectionState.UPHELD)
    await decision.declared.undo(file, connection, actor, at, decision.track, reasons)
    file.record(
        Act.SET_ASIDE, actor, at, outcome=decision.against, reasons=[reason.code for reason in reasons],
        decision=decision.seq, track=decision.track, objections=answered,
    )  # fmt: skip
    if decision.declared.follows is not None:
        await decision.declared.follows(file, connection, actor, at, decision.track)


async def _take_place(file: CaseFile, connection: AsyncConnection, to: str | None) -> None:
    """Let a case that has closed be live again, where nothing has come in its place.

    Raises:
        Refused: `live_registration_exists` or `client_reference_taken`, by the index that guards each.
    """
    if file.stage not in CLOSED or to is None or to in CLOSED:
        return
    savepoint = await connection.begin_nested()
    try:
        await connection.execute(update(cases).where(cases.c.reference == file.reference).values(stage=to))
    except IntegrityError as error:
        await savepoint.rollback()
        constraint = constraint_of(error)
        if constraint == "uq_cases_live_person":
            raise Refused("live_registration_exists", words="live_meanwhile") from None
        if constraint == "uq_cases_live_client_reference":
            raise Refused("client_reference_taken", words="reference_meanwhile") from None
        raise
    if file.previewed:
        await savepoint.rollback()
        return
    await savepoint.commit()
    file.keep_stage_as_stored(Stage(to))


def told(against: str, track: str | None, reasons: Sequence[GivenReason]) -> Said:
    """Return what the letter says that tells of a decision that was set aside."""
    return Said(facts={"against": against, "about_track": track}, reasons=reasons)


async def _reopen_refused(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    track: str | None,
    reasons: Sequence[GivenReason],
) -> None:
    """Review a refused case again, in the next round; the park has its whole time for it."""
    file.row.change(days_used=0, clock_since=None, overdue=False)
    move(file, ObjectionEvent.SET_ASIDE_REFUSAL, actor, at, said=told(REFUSAL, None, reasons))


async def _assess_again(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, track: str | None
) -> None:
    """Look again at what the registers say of employer and person, which may have changed while the case was closed."""
    if file.assessment() is not None:
        await assessing.assess_again(file, connection, system("set_aside"), at)


async def _reopen_lapsed(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    track: str | None,
    reasons: Sequence[GivenReason],
) -> None:
    """Wait for the correction of a lapsed case again, with the whole time that there is for one."""
    if not open_points.take_out(file):
        # It lapsed before the points were put away: those of the rules are found again.
        assessment = file.assessment()
        findings = [Finding.model_validate(each) for each in assessment.findings] if assessment else []
        mended = to_be_mended(tuple(findings))
        open_points.keep(file, points_of_findings(mended), [None] * len(mended))
    move(file, ObjectionEvent.SET_ASIDE_LAPSE, actor, at, said=told(LAPSE, None, reasons))


def _is_refused(case: OneCase, track: str | None) -> bool:
    return case.stage is Stage.REFUSED


def _has_lapsed(case: OneCase, track: str | None) -> bool:
    return case.stage is Stage.LAPSED


CONTESTABLE: Final[dict[str, Contestable]] = {
    REFUSAL: Contestable(
        act=Act.CONFIRMED,
        outcome=PendingAct.REFUSE,
        letter=NoticeKind.REGISTRATION_REFUSED,
        stands=_is_refused,
        event=ObjectionEvent.SET_ASIDE_REFUSAL,
        undo=_reopen_refused,
        follows=_assess_again,
    ),
    LAPSE: Contestable(
        act=Act.LAPSED,
        letter=NoticeKind.REGISTRATION_LAPSED,
        stands=_has_lapsed,
        event=ObjectionEvent.SET_ASIDE_LAPSE,
        undo=_reopen_lapsed,
    ),
}
SIGNATURES: Final[dict[str, Signature]] = {
    PendingAct.SET_ASIDE: Signature(
        proposed=Act.SET_ASIDE_PROPOSED, rejected=ObjectionEvent.REJECT_SET_ASIDE, signer=_signer, takes=_take
    )
}
