"""The talent permit, declared: registrations of employers' people, and the permits that follow from them."""

from typing import Final

from cases.case.parties import READS_CASE, TRIES_COMMANDS, DeclaredPart
from cases.case.renewals import RENEWALS
from cases.case.shows import Views
from cases.decisions import renewals
from cases.decisions.setting_aside import SIGNATURES
from cases.programme import Answers, Cooling, Programme, RunsOn, Signature, Transferring
from domain import spellings
from domain.actors import Role
from domain.case_types import CaseType
from domain.commands import CommandKind
from domain.parties import Part, Party
from policy.limits import OwnLimits
from policy.rerun import Rules
from programmes.talent_permit import (
    changes,
    departures,
    eligibility,
    employment,
    ending,
    facts,
    given,
    limits,
    own_views,
    permit_acts,
    permits,
    registration,
    renewing,
    routes,
    rules,
    running_on,
    views,
)
from programmes.talent_permit.authority import inbox, lost, polling
from programmes.talent_permit.authority.answers import read_answer
from programmes.talent_permit.authority.calls import CALLS
from programmes.talent_permit.authority.incoming import AUTHORITY, LOST_ANSWERS
from programmes.talent_permit.authority.leaving import LEAVING
from programmes.talent_permit.bodies import BODIES
from programmes.talent_permit.findings import ABOUT_ANSWERS, FindingCode
from programmes.talent_permit.in_force import in_force
from programmes.talent_permit.known import LOOKED_AT, PermitFacts
from programmes.talent_permit.notice_facts import PermitNoticeFacts
from programmes.talent_permit.published import PUBLISHED
from programmes.talent_permit.references import NUMBER_PREFIX, PREFIX
from programmes.talent_permit.requests import RegistrationRequest
from programmes.talent_permit.rosters import ROSTERS
from programmes.talent_permit.self_check import SELF_CHECK, SELF_CHECK_BODIES
from programmes.talent_permit.setting_aside import CONTESTABLE
from programmes.talent_permit.stages import MOVES, TRACKS, LifeEvent, PermitEvent
from programmes.talent_permit.tables import PERMIT_TERMS, PERMITS, TALENT_PERMITS
from programmes.talent_permit.timers import TIMERS, recounted
from programmes.talent_permit.told import TOLD
from programmes.talent_permit.verbs import ANSWERS, COMMANDS
from programmes.talent_permit.words import WORDS, PermitAct, PermitCommand, PermitDeadline, PermitProposal

TALENT_PERMIT: Final = Programme(
    code=spellings.TALENT_PERMIT,
    path=routes.PATH,
    party=Party.EMPLOYER,
    parts=(
        DeclaredPart(
            part=Part.SUBJECT,
            kind=Party.PERSON,
            sees=READS_CASE | TRIES_COMMANDS | {"permit_terms", "permits", "renewals", "talent_permits"},
            asks=(
                PermitCommand.CARD_LOST,
                CommandKind.CHANGE,
                CommandKind.CONTEST_FACT,
                PermitCommand.DISPUTE,
                CommandKind.OBJECT,
                CommandKind.WITHDRAW_OBJECTION,
            ),
        ),
    ),
    prefix=PREFIX,
    number_prefix=NUMBER_PREFIX,
    workflow=CaseType(spellings.REGISTRATION_WORKFLOW, spellings.REGISTRATION_ID, "registration and permits"),
    form=RegistrationRequest,
    tables=(TALENT_PERMITS, PERMITS, PERMIT_TERMS, RENEWALS),
    views=Views(
        case=views.case,
        last="permits",
        own=own_views.own,
        remedies=own_views.remedies,
        columns=views.COLUMNS,
        cells=views.cells,
        told=TOLD,
        published=PUBLISHED,
    ),
    by=frozenset({Role.EMPLOYER}),
    submit=routes.SUBMIT,
    bodies=(*BODIES, *SELF_CHECK_BODIES),
    check=(routes.CHECK, registration.check),
    inboxes=(AUTHORITY,),
    desks=(LOST_ANSWERS,),
    own_rows=registration.own_rows,
    opened=registration.opened,
    rosters=ROSTERS,
    moves=MOVES,
    tracks=TRACKS,
    words=WORDS,
    texts="programmes.talent_permit",
    commands=COMMANDS,
    answers=ANSWERS,
    timers=TIMERS,
    packs=(limits.RULES,),
    limits=OwnLimits(limits.read),
    rules=Rules(
        facts=PermitFacts,
        assess=rules.assess,
        of_track=rules.eligibility,
        looked_at=LOOKED_AT,
        codes=frozenset(FindingCode),
        about_answers=ABOUT_ANSWERS,
        of_renewal=renewing.of_renewal,
    ),
    gather=facts.gather,
    contestable=CONTESTABLE,
    changing=changes.CHANGING,
    renewal=renewing.RENEWAL,
    signatures={
        **SIGNATURES,
        **renewals.SIGNATURES,
        PermitProposal.REVOKE: Signature(
            proposed=PermitAct.REVOCATION_PROPOSED,
            rejected=LifeEvent.REJECT_REVOCATION,
            withheld=employment.after_rejected_revocation,
            holds_calls=True,
        ),
        PermitProposal.DEPARTURE: Signature(
            proposed=PermitAct.DEPARTURE_PROPOSED, rejected=LifeEvent.REJECT_DEPARTURE, given=departures.confirm
        ),
    },
    cooling={
        PermitProposal.REVOKE: Cooling(
            act=PermitAct.REVOKED,
            signed=LifeEvent.CONFIRM_REVOCATION,
            recalled=LifeEvent.RECALL_REVOCATION,
            effect=ending.revoke,
            follows=employment.after_revocation,
            taken_back=employment.after_rejected_revocation,
        ),
        PermitProposal.WITHHOLD: Cooling(
            act=PermitAct.PERMIT_WITHHELD,
            signed=PermitEvent.WITHHOLD,
            recalled=PermitEvent.RECALL_WITHHOLD,
            effect=permit_acts.withhold,
            follows=permit_acts.after_withholding,
        ),
    },
    transfer=Transferring(
        leaves=employment.leave_by_transfer,
        left=employment.left_by_transfer,
        goes_on=permits.follow_up,
        runs_on=RunsOn(over=PermitDeadline.EMPLOYMENT_OVER, gap=running_on.gap, rests=running_on.rest),
    ),
    takes_effect=eligibility.begin,
    asked=eligibility.asked,
    notice_facts=PermitNoticeFacts,
    told=given.told,
    known_anew=employment.known_anew,
    weigh_again=eligibility.weigh_again,
    has_died=departures.has_died,
    outlook=eligibility.outlook,
    recounted=recounted,
    calls=CALLS,
    poll=polling.poll,
    leaving=LEAVING,
    hears=Answers(read=read_answer, hashes=inbox.accepted_hashes),
    forget=lost.forget_before,
    in_force=in_force,
    self_check=SELF_CHECK,
)
