"""Talent appraisal, declared: a person owns the case, an employer confirms its part, staff sees and decides."""

from collections.abc import Mapping, Sequence
from typing import Final

from cases.case.evidence import EVIDENCE
from cases.case.renewals import RENEWALS
from cases.decisions import renewals, setting_aside
from cases.programme import Evidence, Programme
from domain import spellings
from domain.actors import Role
from domain.case_types import CaseType
from domain.forms import Form, need_form
from domain.parties import Party
from programmes.appraisal import (
    changes,
    commands,
    facts,
    parts,
    reappraising,
    recognising,
    revoking,
    routes,
    sharing,
    stages,
    tables,
    views,
)
from programmes.appraisal.bodies import BODIES
from programmes.appraisal.in_force import in_force
from programmes.appraisal.notice_facts import AppraisalNoticeFacts
from programmes.appraisal.requests import AppraisalEvidence, AppraisalRequest
from programmes.appraisal.rules.points import PACKS
from programmes.appraisal.self_check import SELF_CHECK, SELF_CHECK_BODIES
from programmes.appraisal.words import WORDS
from store.rows.base import TableRow
from store.rows.register import CaseRow


def _own_rows(form: Form, case: CaseRow) -> Mapping[str, Sequence[TableRow]]:
    route = need_form(form, AppraisalRequest).route.value
    row = tables.AppraisalRow(reference=case.reference, employer_id=case.employer_id, route=route)
    return {tables.APPRAISALS.name: [row]}


APPRAISAL: Final = Programme(
    code=spellings.APPRAISAL,
    path=routes.PATH,
    prefix="AP",
    named="OfAppraisal",
    workflow=CaseType(spellings.APPRAISAL_WORKFLOW, spellings.APPRAISAL_ID, "appraisal and recognition"),
    party=Party.PERSON,
    parts=(parts.OWNER, parts.SUBJECT, parts.CONFIRMER),
    form=AppraisalRequest,
    by=frozenset({Role.PERSON}),
    bodies=(*BODIES, *SELF_CHECK_BODIES),
    tables=(tables.APPRAISALS, tables.EMPLOYMENTS, tables.RECOGNITIONS, EVIDENCE, RENEWALS),
    own_rows=_own_rows,
    views=views.VIEWS,
    submit=routes.SUBMIT,
    packs=(PACKS,),
    rules=facts.RULES,
    gather=facts.gather,
    evidence=Evidence(of=AppraisalEvidence, apart=True, falls=recognising.evidence_fell),
    vouches=sharing.VOUCHES,
    takes=sharing.TAKES,
    renewal=reappraising.RENEWAL,
    texts="programmes.appraisal",
    words=WORDS,
    moves=stages.MOVES,
    tracks=stages.TRACKS,
    commands=commands.COMMANDS,
    answers=commands.ANSWERS,
    timers=commands.TIMERS,
    contestable={**setting_aside.CONTESTABLE, **renewals.CONTESTABLE, **revoking.CONTESTABLE},
    signatures={**setting_aside.SIGNATURES, **renewals.SIGNATURES, **revoking.SIGNATURES},
    cooling=revoking.COOLING,
    changing=changes.CHANGING,
    takes_effect=recognising.recognise,
    in_force=in_force,
    self_check=SELF_CHECK,
    notice_facts=AppraisalNoticeFacts,
)
