"""Whether a permit may be asked for: the rules of each destination, what is still open of them, and who is asked."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.case.views import CaseForStaff
from cases.decisions import assessing, finding_answers
from cases.moves.moving import Asked, move
from cases.programme import programme_of
from domain.actors import Actor, system
from domain.findings import Finding, outcome_of
from domain.languages import Language
from domain.stages import PendingAct, Stage
from policy.facts import Facts
from policy.rerun import REGISTRATION_SCOPE
from programmes.talent_permit import contract, permits, running_on, views
from programmes.talent_permit.permit_stages import PERMIT_FINAL, Destination
from programmes.talent_permit.stages import PermitEvent, permit_of
from programmes.talent_permit.tables import destinations_of, permit_rows, set_permit
from programmes.talent_permit.words import PermitAct, PermitTask


async def begin(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime) -> None:
    """Begin a track for each destination: eligible and to be sent, or a task for an officer (P1, P2)."""
    contract.plan_contract_end(file, at)
    known = await assessing.known_facts(file, connection, at, in_force=assessing.is_in_force(file, at))
    before = await running_on.find_before(file, connection)
    for destination in destinations_of(file):
        if destination not in running_on.offered(file, before):
            _weigh(file, actor, at, destination, known)
    if before is not None:
        running_on.ask(file, actor, at, before)
    permits.follow_up(file)


async def weigh_again(file: CaseFile, connection: AsyncConnection, at: datetime) -> None:
    """Run the rules of every destination that nobody has sent or withheld, after a fact came or went."""
    asked = waiting(file)
    if not asked:
        return
    for destination in asked:
        by = _begun_by(file, destination)
        known = await assessing.known_facts(file, connection, at, in_force=assessing.is_in_force(file, at), on=by.on)
        _weigh(file, system("eligibility"), at, destination, known, by)
    permits.follow_up(file)


async def add(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    destination: Destination,
    by: assessing.By,
) -> None:
    """Begin the track of a destination that is asked for after the approval, by the rules of the day (P1, P2)."""
    known = await assessing.known_facts(file, connection, at, in_force=assessing.is_in_force(file, at), on=by.on)
    _weigh(file, actor, at, destination, known, by)


async def weigh_known(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    destination: Destination,
    by: assessing.By,
) -> None:
    """Run the rules of a destination again after what is known has changed.

    One that an officer is asked about may be sent by it, or be asked about otherwise. Of one that is sent the findings
    are kept for staff: the authority decides, and is told what its entry names.
    """
    permit = permit_rows(file)[destination]
    if permit.stage in PERMIT_FINAL:
        return
    if permit.stage is None:
        if permit.pending_act is None:
            by = _begun_by(file, destination)
            known = await assessing.known_facts(
                file, connection, at, in_force=assessing.is_in_force(file, at), on=by.on
            )
            _weigh(file, actor, at, destination, known, by)
        return
    known = await assessing.known_facts(file, connection, at, in_force=assessing.is_in_force(file, at), on=by.on)
    rules, earlier = programme_of(file).rules, file.assessment(destination.value)
    findings = rules.of_track(known.facts, destination, by.pack, by.on)
    said = [Finding.model_validate(each) for each in earlier.findings] if earlier else []
    kept = (*findings, *(each for each in said if each.code in rules.about_answers))
    assessing.keep_assessment(file, destination.value, kept, known, at, by)
    outcome = outcome_of(findings).value
    file.record(PermitAct.PERMIT_ASSESSED, actor, at, destination=destination.value, outcome=outcome)


def _begun_by(file: CaseFile, destination: Destination) -> assessing.By:
    """Return the rules by which the track of a destination was begun."""
    kept = file.assessment(destination.value)
    if kept is None or kept.evaluated_on is None:
        return assessing.of_acceptance(file)
    return assessing.By(file.shelf.version(kept.policy_version), kept.evaluated_on)


def carry_on(file: CaseFile, at: datetime) -> None:
    """Let an answer that was just given serve the other destinations that wait for the same one."""
    for destination in waiting(file):
        kept = file.assessment(destination.value)
        if kept is None:
            continue
        findings = tuple(Finding.model_validate(each) for each in kept.findings)
        facts = finding_answers.kept_facts(file, kept)
        if not finding_answers.open_questions(file, findings, facts):
            _send(file, system("eligibility"), at, destination, findings, facts)


async def obstacles(file: CaseFile, connection: AsyncConnection, at: datetime) -> list[tuple[Destination, Finding]]:
    """Return what an officer would still be asked before a permit may be sent, by the rules of permits run ahead."""
    asked = [d for d in destinations_of(file) if d not in permit_rows(file) or permit_rows(file)[d].stage is None]
    if not asked or file.stage not in (Stage.UNDER_REVIEW, Stage.AWAITING_CONFIRMATION, Stage.APPROVED):
        return []
    # Approved it will be in force: what is asked here is what then still stands in the way.
    facts = (await assessing.known_facts(file, connection, at, in_force=True)).facts
    pack = file.pack
    pending = file.row.pending if file.row.pending_act == PendingAct.APPROVE else None
    proposed = pending["reasons"] if pending else []
    further = finding_answers.answers_given(file, REGISTRATION_SCOPE, proposed, at)
    return [
        (destination, finding)
        for destination in asked
        for finding in finding_answers.open_questions(
            file,
            programme_of(file).rules.of_track(facts, destination, pack, file.accepted_on),
            facts,
            further=further,
        )
    ]


async def outlook(
    file: CaseFile,
    connection: AsyncConnection,
    at: datetime,
    language: Language,
    seen: CaseForStaff,
    needs: bool | None,
) -> CaseForStaff:
    """Return a case with the same, as the answer to a decision shows it."""
    return views.looking_ahead(seen, await obstacles(file, connection, at), language, needs)


def _weigh(
    file: CaseFile,
    actor: Actor,
    at: datetime,
    destination: Destination,
    known: assessing.Known,
    by: assessing.By | None = None,
) -> None:
    by, facts = by or assessing.of_acceptance(file), known.facts
    findings = programme_of(file).rules.of_track(facts, destination, by.pack, by.on)
    assessing.keep_assessment(file, destination.value, findings, known, at, by)
    asked = finding_answers.open_questions(file, findings, facts)
    if not asked:
        _send(file, actor, at, destination, findings, facts)
        return
    if destination not in permit_rows(file):
        set_permit(file, destination, at)
    about = {"findings": sorted(finding.code for finding in asked)}
    asks = Asked(detail=about)
    task = move(file, PermitEvent.NOT_CLEAR, actor, at, track=permit_of(destination), asked=asks).task
    if task.detail.get("findings") != about["findings"]:
        file.change_task(task, detail=task.detail | about)
    file.record(
        PermitAct.PERMIT_NOT_CLEAR, actor, at, destination=destination.value, outcome=outcome_of(findings).value
    )


def _send(
    file: CaseFile,
    actor: Actor,
    at: datetime,
    destination: Destination,
    findings: tuple[Finding, ...],
    facts: Facts,
) -> None:
    """Make a destination eligible: nothing stands in the way, or what did was answered before."""
    reasons = finding_answers.reasons_for(file, findings, facts)
    permits.make_eligible(file, actor, at, destination, reasons)


def waiting(file: CaseFile) -> list[Destination]:
    """Return the destinations about which an officer is asked."""
    if file.stage is not Stage.APPROVED:
        return []
    rows = permit_rows(file).items()
    return sorted(d for d, permit in rows if permit.stage is None and permit.pending_act is None)


def asked(file: CaseFile) -> list[tuple[str, Destination]]:
    """Return the tasks that ask an officer about a destination."""
    return [(PermitTask.PERMIT_ELIGIBILITY, destination) for destination in waiting(file)]
