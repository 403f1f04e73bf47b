"""Renewals: asked by the owner, decided by an officer, signed twice where it takes two, in effect once settled."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case import facts as case_facts
from cases.case import open_points
from cases.case.file import CaseFile
from cases.case.identity import need_nobody_elses
from cases.case.moves import At
from cases.case.renewals import CHANGES, RENEWALS, newest_of, renewals_of, under_way
from cases.case.row import OneCase
from cases.case.signers import (
    given,
    need_no_hold,
    need_not_held,
    need_reasons,
    notes_of,
    signature_of,
    take_task,
    with_notes,
)
from cases.deadlines import renewal_limit
from cases.decisions import assessing, contested, objections, settling
from cases.decisions.proposals import need_no_proposal
from cases.decisions.review import proposal, propose
from cases.decisions.setting_aside import told
from cases.moves.apart import need_apart
from cases.moves.moving import Spoken, move, need_move
from cases.moves.renewals import RenewalEvent
from cases.notices.compose import Said
from cases.programme import Contestable, Renewal, Signature, programme_of
from cases.tasks.review import pass_on
from domain.actors import Actor, Role
from domain.acts import Act
from domain.clock import day_of
from domain.deadlines import DeadlineKind
from domain.decisions import GivenReason
from domain.errors import Refused, need
from domain.findings import STANDING_IN_THE_WAY, outcome_of
from domain.notices import NoticeKind, Recipient
from domain.objections import RENEWAL_REFUSAL, KeptObjection, ObjectionState
from domain.reasons import Use
from domain.renewals import (
    RENEWAL_SCOPE,
    WAITING,
    RenewalAction,
    RenewalDecisionRequest,
    RenewalProposal,
    RenewalStage,
)
from domain.signatures import RenewalSignature
from domain.stages import AssessmentOutcome, PendingAct, Stage
from domain.tasks import TaskKind
from policy.pack import Pack
from store.rows.renewals import RenewalRow
from store.rows.work import DeadlineRow

_LOOKED_AT: Final = frozenset({RenewalStage.UNDER_REVIEW, RenewalStage.AWAITING_CONFIRMATION})


def declared(file: CaseFile) -> Renewal:
    """Return how cases of this programme are renewed."""
    return need(programme_of(file).renewal, "renewal")


def can_be_renewed(file: CaseFile) -> dict[str, date]:
    """Return what runs out, or has run out, and nothing follows: each track with its last day."""
    return dict(sorted(declared(file).ends(file).items()))


def opens_on(file: CaseFile, until: date) -> date:
    """Return the first day on which what ends on a day can be renewed."""
    return until - timedelta(days=declared(file).opens_days_before(file))


def refuses_renewal(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse a renewal that cannot be asked now.

    Raises:
        Refused: `wrong_stage` or `case_closed`; `renewal_under_way`; `employer_not_in_good_standing`;
            `nothing_to_renew` where nothing runs out, or the end of the case is reported; `renewal_too_early`.
    """
    need_move(file, RenewalEvent.ASK_RENEWAL, actor)
    if not file.row.settled:
        raise Refused("wrong_stage", "This can be done once the decision has taken effect.")
    if (standing := under_way(file)) is not None:
        raise Refused("renewal_under_way", facts={"renewal": standing.number})
    if (refused := _refused(file)) is not None and _is_being_set_aside(file):
        raise Refused("renewal_under_way", facts={"renewal": refused.number}, words="renewal_looked_at_again")
    file.check_standing(at)
    if file.row.ended_on is not None:
        raise Refused("nothing_to_renew", words="renewal_after_departure")
    ends = can_be_renewed(file)
    if not ends:
        raise Refused("nothing_to_renew")
    if not _open_now(file, ends, at):
        first = min(opens_on(file, until) for until in ends.values())
        raise Refused("renewal_too_early", facts={"opens_on": first.isoformat()})


def _open_now(file: CaseFile, ends: Mapping[str, date], at: datetime) -> dict[str, str]:
    today = day_of(at)
    return {track: until.isoformat() for track, until in ends.items() if opens_on(file, until) <= today}


async def ask(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Mapping[str, Any]) -> None:
    """Take a renewal on: the rules of its day are held to what is confirmed and what changes (R37)."""
    refuses_renewal(file, actor, None, at)
    renewal = declared(file)
    wanted = await renewal.wanted(file, connection, actor, at, renewal.asks.model_validate(body), {})
    by = await assessing.of_day(file, connection, at)
    outcome = await assess(file, connection, at, wanted, by)
    number = len(renewals_of(file)) + 1
    due = renewal_limit.begin(file, day_of(at))
    row = RenewalRow(
        reference=file.reference,
        number=number,
        employer_id=file.employer_id,
        stage=RenewalStage.UNDER_REVIEW.value,
        ends=_open_now(file, can_be_renewed(file), at),
        asked_at=at,
        fields=sorted(wanted),
        changes=file.seal(*CHANGES, place_of(file, number), wanted) if wanted else None,
        assessment=outcome.value,
        policy_version=by.pack.version,
        policy_hash=by.pack.content_hash,
        due_at=due.at,
        due_provisional=due.provisional,
    )
    overtaken = await _overtake(file, connection, actor, at)
    file.own_rows[RENEWALS.name].append(row)
    move(file, RenewalEvent.ASK_RENEWAL, actor, at, said=_received(overtaken))
    with file.ruled(by.pack):
        file.record(
            Act.RENEWAL_ASKED,
            actor,
            at,
            outcome=outcome.value,
            renewal=number,
            fields=row.fields,
            tracks=sorted(row.ends),
            objections=[each["id"] for each in overtaken] or None,
        )


async def assess(
    file: CaseFile, connection: AsyncConnection, at: datetime, wanted: Mapping[str, Any], by: assessing.By
) -> AssessmentOutcome:
    """Keep what the rules find of what would be known once a renewal is granted, and return the outcome.

    Raises:
        Refused: the whole would not hold together.
    """
    programme = programme_of(file)
    known = case_facts.known(file, declared(file).changed(file.application, wanted))
    facts = await programme.gather(file, connection, known, at, True, by.on)
    findings = need(programme.rules.of_renewal, "of_renewal")(facts, by.pack, by.on)
    assessing.keep_assessment(file, RENEWAL_SCOPE, findings, assessing.Known(facts), at, by)
    return outcome_of(findings)


async def _overtake(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime) -> Sequence[KeptObjection]:
    """Answer what was objected to the last refusal, since all of it is looked at again, and return it."""
    if _refused(file) is None:
        return ()
    refusal = await contested.standing(file, connection, RENEWAL_REFUSAL, None)
    found = contested.open_against(file, refusal.seq)
    await objections.end(file, connection, actor, at, refusal, ObjectionState.OVERTAKEN)
    return found


def _received(overtaken: Sequence[KeptObjection]) -> Said | Spoken:
    """Say to each side whose objection is answered by it that it is, and nothing of it to the other."""
    sides = {each["party"] for each in overtaken}
    if not sides:
        return Said()
    return [
        (
            NoticeKind.RENEWAL_RECEIVED,
            Said(facts={"is_overtaken": side.value in sides}, only=frozenset({side})),
        )
        for side in (Recipient.EMPLOYER, Recipient.PERSON)
    ]


def refuses_decision(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse a decision where no renewal waits for one, or this actor cannot make it now."""
    need_move(file, RenewalEvent.GRANT_RENEWAL, actor)
    need_waiting(file, RenewalStage.UNDER_REVIEW)
    need_no_proposal(file)
    need_no_hold(file)
    need_not_held(file, actor, TaskKind.RENEWAL)


def decide(file: CaseFile, actor: Actor, at: datetime, asked: RenewalDecisionRequest) -> None:
    """Grant a renewal, or propose what takes two people: a refusal, and a grant over a failed finding (R38, R39)."""
    renewal = take_up(file, actor, at, asked)
    if asked.action is RenewalAction.REFUSE:
        need_reasons(asked.reasons, Use.REFUSE, file.forms, file.words.reasons)
        event, act = RenewalEvent.PROPOSE_RENEWAL_REFUSAL, RenewalProposal.REFUSE
        _propose(file, actor, at, event, act, asked, renewal)
        return
    need_lasting(file)
    over = _fails(file)
    codes = need_reasons(asked.reasons, Use.OVERRIDE, file.forms, file.words.reasons, at_least_one=over)
    if over:
        _propose(file, actor, at, RenewalEvent.PROPOSE_RENEWAL_GRANT, RenewalProposal.GRANT, asked, renewal)
    else:
        _take(file, actor, at, renewal, RenewalStage.GRANTED, asked.reasons)
        move(file, RenewalEvent.GRANT_RENEWAL, actor, at)
        with file.ruled(pack_of(file, renewal)):
            outcome = RenewalAction.GRANT.value
            file.record(Act.RENEWAL_GRANTED, actor, at, outcome=outcome, reasons=codes, renewal=renewal.number)


async def need_own_documents(file: CaseFile, connection: AsyncConnection) -> None:
    """Refuse to grant what would give the person a document that is another's (`cases.case.identity`)."""
    renewal = under_way(file)
    if renewal is not None:
        await need_nobody_elses(file, connection, declared(file).changed(file.application, wanted_by(file, renewal)))


def take_up(file: CaseFile, actor: Actor, at: datetime, asked: RenewalDecisionRequest) -> RenewalRow:
    """Return the renewal that is decided on, its task taken by who decides.

    Raises:
        Refused: as `refuses_decision`; `stale_round` where another was looked at.
    """
    refuses_decision(file, actor, None, at)
    renewal = need_waiting(file, RenewalStage.UNDER_REVIEW)
    if asked.renewal != renewal.number:
        raise Refused("stale_round", f"The renewal that waits is number {renewal.number}; load the case again.")
    need_apart(file, actor)
    take_task(file, actor, at, TaskKind.RENEWAL)
    file.row.rejected = None
    return renewal


def _propose(
    file: CaseFile,
    actor: Actor,
    at: datetime,
    event: RenewalEvent,
    act: RenewalProposal,
    asked: RenewalDecisionRequest,
    renewal: RenewalRow,
) -> None:
    file.row.round += 1
    renewal.stage = RenewalStage.AWAITING_CONFIRMATION.value
    with file.ruled(pack_of(file, renewal)):
        propose(file, actor, at, event, act, asked.reasons, asked.note, renewal=renewal.number)


def confirm(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Give the second signature on what was proposed of a renewal (R40)."""
    act = RenewalProposal(need(file.row.pending_act, "pending_act"))
    grants = act is RenewalProposal.GRANT
    need_move(file, RenewalEvent.CONFIRM_RENEWAL_GRANT if grants else RenewalEvent.CONFIRM_RENEWAL_REFUSAL, actor)
    need_no_hold(file)
    renewal = need_waiting(file, RenewalStage.AWAITING_CONFIRMATION)
    if grants:
        need_lasting(file)
    reasons, _ = proposal(file)
    codes = [reason.code for reason in reasons]
    file.row.change(pending_act=None, pending=None)
    pack = pack_of(file, renewal)
    _take(file, actor, at, renewal, RenewalStage.GRANTED if grants else RenewalStage.REFUSED, reasons)
    move(file, RenewalEvent.CONFIRM_RENEWAL_GRANT if grants else RenewalEvent.CONFIRM_RENEWAL_REFUSAL, actor, at)
    about: dict[str, Any] = {} if grants else {"remedy": settling.remedy_stated(file)}
    with file.ruled(pack):
        file.record(Act.CONFIRMED, actor, at, outcome=act.value, reasons=codes, renewal=renewal.number, **about)


def after_rejected(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Let a renewal whose second signature was not given be looked at again (R40)."""
    renewal = need_waiting(file, RenewalStage.AWAITING_CONFIRMATION)
    renewal.stage = RenewalStage.UNDER_REVIEW.value
    _keep_overdue(file, renewal)


def refuses_recall(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse to take back a decision on a renewal whose settling time is over, or that there is not."""
    need_move(file, RenewalEvent.RECALL_RENEWAL, actor)
    renewal = under_way(file)
    if renewal is None or renewal.settles_at is None or renewal.settles_at <= at:
        raise Refused("wrong_stage", "No decision on a renewal can be recalled: its settling time is over.")


def recall(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Take a decision on a renewal back before anything was sent (R41)."""
    refuses_recall(file, actor, None, at)
    row = need(programme_of(file).moves.find(file.row.stage, RenewalEvent.RECALL_RENEWAL), "row")
    need(row.who.need, "need")(file, actor, None)
    renewal = need(under_way(file), "renewal")
    file.row.round += 1
    renewal.change(stage=RenewalStage.UNDER_REVIEW.value, decided_on=None, decided_by=None, settles_at=None)
    file.cancel_deadlines(DeadlineKind.RENEWAL_SETTLED)
    renewal_limit.run_on(file, renewal, day_of(at))
    move(file, RenewalEvent.RECALL_RENEWAL, actor, at)
    _keep_overdue(file, renewal)
    with file.ruled(pack_of(file, renewal)):
        file.record(Act.RENEWAL_RECALLED, actor, at, renewal=renewal.number)


def remind(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Remind the holder of a renewal, or the queue, that the park's limit for it comes near (R46)."""
    renewal = under_way(file)
    if renewal is None or renewal.stage not in _LOOKED_AT:
        return
    task = file.find_task(TaskKind.RENEWAL) or (file.find_task(TaskKind.CONFIRM) if _is_proposed(file) else None)
    holder = task.holder if task else None
    only = frozenset({Recipient.HOLDER if holder else Recipient.PARK})
    due_on = day_of(need(renewal.due_at, "due_at"))
    occasion = f"renewal/{renewal.number}/{due_on}/{deadline.step}"
    move(file, RenewalEvent.RENEWAL_REMINDER_DUE, actor, at, said=Said(occasion=occasion, only=only, holder=holder))
    file.record(Act.REMINDED, actor, at, step=deadline.step, renewal=renewal.number)


async def settle(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime) -> None:
    """Let what follows of a decided renewal begin, once nobody can recall the decision any more (R41)."""
    renewal = under_way(file)
    if renewal is None or renewal.stage in WAITING:
        return
    granted = renewal.stage == RenewalStage.GRANTED
    if granted:
        move(file, RenewalEvent.RENEWAL_GRANT_SETTLED, actor, at)
    else:
        move(file, RenewalEvent.RENEWAL_REFUSAL_SETTLED, actor, at, said=_letter(file, actor, at, renewal))
    renewal.settled = True
    file.record(Act.RENEWAL_SETTLED, actor, at, outcome=renewal.stage, renewal=renewal.number)
    if granted:
        await declared(file).begins(file, connection, actor, at, sorted(renewal.ends), wanted_by(file, renewal))


def escalate(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Put a renewal whose limit has passed before the supervisors; nothing is decided by it (R42)."""
    renewal = under_way(file)
    if renewal is None:
        return
    renewal.overdue = True
    for task in file.tasks:
        if task.kind == TaskKind.RENEWAL or (task.kind == TaskKind.CONFIRM and _is_proposed(file)):
            pass_on(file, task)
    move(file, RenewalEvent.RENEWAL_OVER, actor, at)
    file.record(Act.ESCALATED, actor, at, renewal=renewal.number)


def refuses_withdrawal(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse to withdraw a renewal where none waits to be decided."""
    need_move(file, RenewalEvent.WITHDRAW_RENEWAL, actor)
    need_waiting(file, *WAITING)


def withdraw(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Withdraw a renewal; what was proposed of it never takes effect, and what runs goes on to its end (R43)."""
    refuses_withdrawal(file, actor, None, at)
    renewal = need_waiting(file, *WAITING)
    _end(file, renewal)
    move(file, RenewalEvent.WITHDRAW_RENEWAL, actor, at)
    if _is_proposed(file):
        file.row.change(pending_act=None, pending=None, round=file.row.round + 1)
    renewal.change(stage=RenewalStage.WITHDRAWN.value, ended_on=day_of(at))
    file.record(Act.RENEWAL_WITHDRAWN, actor, at, renewal=renewal.number)


def close(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Close a renewal whose case ends while it waits, or before its decision has settled (R43)."""
    renewal = under_way(file)
    if renewal is None:
        return
    move(file, RenewalEvent.CLOSE_RENEWAL, actor, at)
    if _is_proposed(file):
        file.row.change(pending_act=None, pending=None)
    _end(file, renewal)
    file.cancel_deadlines(DeadlineKind.RENEWAL_SETTLED)
    renewal.change(stage=RenewalStage.CLOSED.value, ended_on=day_of(at), settles_at=None)
    file.record(Act.RENEWAL_CLOSED, actor, at, renewal=renewal.number)


def _end(file: CaseFile, renewal: RenewalRow) -> None:
    """Wait for nobody any more: neither the park, nor the owner of whom a correction was asked."""
    renewal_limit.end(file)
    renewal_limit.end_correction(file)
    if renewal.stage == RenewalStage.CORRECTION_REQUESTED:
        open_points.clear(file)


def _take(
    file: CaseFile,
    actor: Actor,
    at: datetime,
    renewal: RenewalRow,
    stage: RenewalStage,
    reasons: Sequence[GivenReason],
) -> None:
    """Keep a decision, by whom and why, until nobody can recall it."""
    settles_at = at + file.context.limits.settling
    notes = notes_of(file, "renewals", place_of(file, renewal.number), [reason.note for reason in reasons])
    decided: RenewalSignature = {**signature_of(actor), "reasons": given(reasons), "notes": notes}
    renewal.change(stage=stage.value, decided_on=day_of(at), decided_by=decided, settles_at=settles_at, settled=False)
    renewal_limit.end(file)
    file.set_deadline(DeadlineKind.RENEWAL_SETTLED, settles_at)


def _keep_overdue(file: CaseFile, renewal: RenewalRow) -> None:
    task = file.find_task(TaskKind.RENEWAL)
    if task is not None and renewal.overdue:
        pass_on(file, task)


def _letter(file: CaseFile, actor: Actor, at: datetime, renewal: RenewalRow) -> Said:
    """Return a refusal as a letter says it: who decided and when, why, by which rules, and what can be done."""
    decided = need(renewal.decided_by, "decided_by")
    notes = file.open("renewals", "note", place_of(file, renewal.number), bytes.fromhex(decided["notes"]))
    reasons = with_notes(decided["reasons"], notes)
    said = settling.letter(file, actor, at, reasons)
    facts = {
        **(said.facts or {}),
        "role": Role(decided["role"]),
        "decided_on": renewal.decided_on,
        "rule_version": renewal.policy_version,
    }
    return Said(facts=facts, reasons=reasons)


async def _open_again(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    track: str | None,
    reasons: Sequence[GivenReason],
) -> None:
    """Look again at a renewal that was refused, within the park's whole time for it; after the case's end at none."""
    renewal = need(_refused(file), "renewal")
    renewal.change(decided_on=None, decided_by=None, settles_at=None, settled=False, overdue=False)
    if file.stage is Stage.APPROVED:
        file.row.round += 1
        renewal.stage = RenewalStage.UNDER_REVIEW.value
        renewal_limit.begin_anew(file, renewal, day_of(at))
    else:
        renewal.change(stage=RenewalStage.CLOSED.value, ended_on=day_of(at))
    move(file, RenewalEvent.SET_ASIDE_RENEWAL_REFUSAL, actor, at, said=told(RENEWAL_REFUSAL, None, reasons))


def _refused(case: OneCase) -> RenewalRow | None:
    """Return the newest renewal, where its refusal has taken effect."""
    newest = newest_of(case)
    return newest if newest is not None and newest.stage == RenewalStage.REFUSED and newest.settled else None


def _stands(case: OneCase, track: str | None) -> bool:
    return _refused(case) is not None


def _is_being_set_aside(file: CaseFile) -> bool:
    waits = file.row.pending_act == PendingAct.SET_ASIDE
    return waits and need(file.row.pending, "pending")["against"] == RENEWAL_REFUSAL


def need_waiting(file: CaseFile, *stages: RenewalStage) -> RenewalRow:
    """Return the renewal that waits, in one of these stages.

    Raises:
        Refused: `not_found` where none waits; `wrong_stage` where it was sent back; `already_decided` else.
    """
    renewal = under_way(file)
    if renewal is None:
        raise Refused("not_found", "No renewal of this case waits.", words="no_renewal")
    if renewal.stage not in stages:
        if renewal.stage == RenewalStage.CORRECTION_REQUESTED:
            raise Refused("wrong_stage", words="renewal_sent_back")
        raise Refused("already_decided", "A decision on this renewal is recorded.")
    return renewal


def need_lasting(file: CaseFile) -> None:
    """Refuse to renew what is reported to end."""
    if file.row.ended_on is not None:
        raise Refused("nothing_to_renew", words="renewal_after_departure")


def _fails(file: CaseFile) -> bool:
    assessment = file.assessment(RENEWAL_SCOPE)
    return assessment is None or any(f["outcome"] in STANDING_IN_THE_WAY for f in assessment.findings)


def _is_proposed(file: CaseFile) -> bool:
    return file.row.pending_act in frozenset(RenewalProposal)


def wanted_by(file: CaseFile, renewal: RenewalRow) -> dict[str, Any]:
    """Return what changes with a renewal, as the programme's declaration knows it."""
    if renewal.changes is None:
        return {}
    wanted: dict[str, Any] = file.open(*CHANGES, place_of(file, renewal.number), renewal.changes)
    return wanted


def pack_of(file: CaseFile, renewal: RenewalRow) -> Pack:
    """Return the rules of the day on which a renewal was asked."""
    return file.shelf.version(renewal.policy_version)


def place_of(file: CaseFile, number: int) -> str:
    """Return the place to which what is sealed of a renewal is bound."""
    return f"{file.reference}/{number}"


SIGNATURES: Final[Mapping[str, Signature]] = {
    RenewalProposal.GRANT: Signature(
        proposed=Act.RENEWAL_GRANT_PROPOSED,
        rejected=RenewalEvent.REJECT_RENEWAL,
        given=confirm,
        withheld=after_rejected,
    ),
    RenewalProposal.REFUSE: Signature(
        proposed=Act.RENEWAL_REFUSAL_PROPOSED,
        rejected=RenewalEvent.REJECT_RENEWAL,
        given=confirm,
        withheld=after_rejected,
    ),
}
# What rows of the ledger tell of proposals about renewals, for `Folding.case_proposed`.
PROPOSED: Final[Mapping[str, str]] = {
    Act.RENEWAL_GRANT_PROPOSED: RenewalProposal.GRANT.value,
    Act.RENEWAL_REFUSAL_PROPOSED: RenewalProposal.REFUSE.value,
}
CONTESTABLE: Final[Mapping[str, Contestable]] = {
    RENEWAL_REFUSAL: Contestable(
        act=Act.CONFIRMED,
        outcome=RenewalProposal.REFUSE,
        letter=NoticeKind.RENEWAL_REFUSED,
        stands=_stands,
        event=RenewalEvent.SET_ASIDE_RENEWAL_REFUSAL,
        undo=_open_again,
    )
}
