"""Assessment: the facts of a case under the rule version of its acceptance (R2 to R4)."""

from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case import facts as case_facts
from cases.case.file import CaseFile
from cases.decisions import correction
from cases.moves.front_half import Event
from cases.moves.moving import move
from cases.programme import programme_of
from cases.shared.pack_shelf import pack_for
from domain.actors import Actor
from domain.acts import Act
from domain.clock import day_of
from domain.findings import STANDING_IN_THE_WAY, Finding, outcome_of
from domain.stages import AssessmentOutcome, Stage
from policy.facts import Facts
from policy.pack import Pack
from policy.rerun import REGISTRATION_SCOPE, run_again
from store.rows.register import AssessmentRow


def start(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Take the case up (R2); a second start changes nothing."""
    if file.stage is Stage.RECEIVED:
        move(file, Event.STARTED, actor, at)
        file.row.started_at = at
        file.record(Act.STARTED, actor, at)


class By(NamedTuple):
    """The rules that an assessment goes by, and the day for which it looks at the facts."""

    pack: Pack
    on: date


def of_acceptance(file: CaseFile) -> By:
    """Return the rules that the case keeps, and its day of acceptance, by which all goes that led to its decision."""
    return By(file.pack, file.accepted_on)


async def of_day(file: CaseFile, connection: AsyncConnection, at: datetime) -> By:
    """Return the rules of a day, by which goes what is new in a case that was decided before."""
    return By(await pack_for(file.context, connection, file.row.programme, at), day_of(at))


class Known(NamedTuple):
    """The facts of a case: as they are known, and as they were given where officers recorded others, with which."""

    facts: Facts
    given: Facts | None = None
    numbers: tuple[int, ...] = ()


async def assess_case(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime) -> None:
    """Evaluate the rules and send the case to review, or back to the employer with one list of all defects."""
    if file.stage is not Stage.ASSESSING:
        return
    findings = await _assess(file, connection, at)
    outcome = outcome_of(findings)
    if outcome is AssessmentOutcome.INCOMPLETE and correction.may_return(file):
        correction.request_after_assessment(file, actor, at, findings)
        return
    move(file, Event.ASSESSED_COMPLETE, actor, at)
    file.record(Act.ASSESSED, actor, at, outcome=outcome.value)


async def assess_again(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    *,
    reasons: tuple[str, ...] = (),
    by: By | None = None,
) -> None:
    """Evaluate the rules of a case that was assessed before; it stays where it is."""
    findings = await _assess(file, connection, at, by)
    file.record(Act.ASSESSED, actor, at, outcome=outcome_of(findings).value, reasons=reasons)


async def _assess(
    file: CaseFile, connection: AsyncConnection, at: datetime, by: By | None = None
) -> tuple[Finding, ...]:
    by = by or of_acceptance(file)
    known = await known_facts(file, connection, at, on=by.on)
    findings = programme_of(file).rules.assess(known.facts, by.pack, by.on)
    keep_assessment(file, REGISTRATION_SCOPE, findings, known, at, by)
    file.row.assessment = outcome_of(findings).value
    return findings


def keep_assessment(
    file: CaseFile, scope: str, findings: tuple[Finding, ...], known: Known, at: datetime, by: By | None = None
) -> None:
    """Keep findings, rule version, day and the facts they rest on, so that an auditor can run them again."""
    by = by or of_acceptance(file)
    pack = by.pack
    earlier = file.assessment(scope)
    seq = earlier.seq + 1 if earlier else 1
    facts = known.facts.model_dump(mode="json")
    file.assess(
        AssessmentRow(
            reference=file.reference,
            scope=scope,
            seq=seq,
            employer_id=file.employer_id,
            round=file.round,
            policy_version=pack.version,
            policy_hash=pack.content_hash,
            findings=[finding.model_dump(mode="json") for finding in findings],
            facts=file.seal("assessments", "facts", f"{file.reference}/{scope}/{seq}", facts),
            on_facts=_on_facts(file, scope, findings, known, by),
            evaluated_on=None if by.on == file.accepted_on else by.on,
            at=at,
        )
    )


def _on_facts(file: CaseFile, scope: str, findings: tuple[Finding, ...], known: Known, by: By) -> dict[str, Any] | None:
    """Return which recorded facts an assessment rests on, and the findings that fail without them and not with them."""
    if known.given is None:
        return None
    without = run_again(programme_of(file).rules, scope, known.given, by.pack, by.on)
    failed = {finding.code for finding in without if finding.outcome in STANDING_IN_THE_WAY}
    still = {finding.code for finding in findings if finding.outcome in STANDING_IN_THE_WAY}
    return {"facts": list(known.numbers), "turned": sorted(failed - still)}


def is_in_force(file: CaseFile, at: datetime) -> bool:
    """Whether a case is in force on the day of a time: approved, and not ended by then."""
    ended_on = file.row.ended_on
    return file.stage is Stage.APPROVED and (ended_on is None or day_of(at) <= ended_on)


async def known_facts(
    file: CaseFile, connection: AsyncConnection, at: datetime, *, in_force: bool | None = None, on: date | None = None
) -> Known:
    """Return the facts of a case as they are known now, and as they were given where that is something else.

    They are those of the day of acceptance, unless another is told.
    """

    gather = programme_of(file).gather
    on = on or file.accepted_on
    recorded = case_facts.in_force(file)
    if not recorded:
        return Known(await gather(file, connection, file.application, at, in_force, on))
    numbers = tuple(fact.number for fact in recorded)
    facts = await gather(file, connection, case_facts.known(file), at, in_force, on)
    return Known(facts, await gather(file, connection, file.application, at, in_force, on), numbers)
