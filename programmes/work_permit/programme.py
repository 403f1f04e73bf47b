"""The work permit, declared: foreigners whom an employer wants to employ, and the permits that follow."""

from typing import Final

from cases.case.evidence import EVIDENCE
from cases.case.parties import READS_CASE, TRIES_COMMANDS, DeclaredPart
from cases.case.renewals import RENEWALS
from cases.commands import objecting
from cases.commands.changing import CHANGE_ANSWERS
from cases.commands.verbs import ANSWERS
from cases.decisions import renewals, setting_aside
from cases.programme import Evidence, Programme
from domain import spellings
from domain.actors import Role
from domain.case_types import CaseType
from domain.commands import CommandKind
from domain.parties import Part, Party
from programmes.work_permit import (
    commands,
    facts,
    fallen,
    notice_facts,
    permit,
    questions,
    rosters,
    routes,
    sharing,
    stages,
    tables,
    views,
)
from programmes.work_permit.bodies import BODIES
from programmes.work_permit.changed import CHANGING
from programmes.work_permit.extending import RENEWAL
from programmes.work_permit.in_force import in_force
from programmes.work_permit.requests import WorkPermitEvidence, WorkPermitRequest
from programmes.work_permit.rules.points import PACKS
from programmes.work_permit.self_check import SELF_CHECK, SELF_CHECK_BODIES
from programmes.work_permit.words import WORDS, WorkPermitCommand

WORK_PERMIT: Final = Programme(
    code=spellings.WORK_PERMIT,
    path=routes.PATH,
    prefix="WP",
    named="OfWorkPermit",
    workflow=CaseType(spellings.WORK_PERMIT_WORKFLOW, spellings.WORK_PERMIT_ID, "work permit"),
    party=Party.EMPLOYER,
    parts=(
        DeclaredPart(
            part=Part.SUBJECT,
            kind=Party.PERSON,
            sees=READS_CASE | TRIES_COMMANDS | {"evidence", "renewals", "work_permit_residences", "work_permits"},
            asks=(*objecting.BY_PERSON, CommandKind.CONTEST_FACT, WorkPermitCommand.CANCEL),
        ),
    ),
    form=WorkPermitRequest,
    bodies=(*BODIES, *SELF_CHECK_BODIES, *questions.BODIES),
    tables=(tables.WORK_PERMITS, tables.RESIDENCES, EVIDENCE, RENEWALS),
    views=views.VIEWS,
    by=frozenset({Role.EMPLOYER}),
    submit=routes.SUBMIT,
    check=(routes.CHECK, facts.check),
    questions=questions.QUESTIONS,
    packs=(PACKS,),
    rules=facts.RULES,
    gather=facts.gather,
    texts="programmes.work_permit",
    words=WORDS,
    moves=stages.MOVES,
    in_force=in_force,
    self_check=SELF_CHECK,
    tracks=stages.TRACKS,
    commands=commands.COMMANDS,
    evidence=Evidence(of=WorkPermitEvidence, apart=True, falls=fallen.evidence_fell),
    takes=sharing.TAKES,
    contestable={**setting_aside.CONTESTABLE, **renewals.CONTESTABLE},
    signatures=commands.SIGNATURES,
    answers={**ANSWERS, **CHANGE_ANSWERS},
    changing=CHANGING,
    renewal=RENEWAL,
    timers=commands.TIMERS,
    takes_effect=permit.begin,
    notice_facts=notice_facts.WorkPermitNoticeFacts,
    told=notice_facts.told,
    rosters=rosters.ROSTERS,
)
