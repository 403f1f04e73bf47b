"""Taking on a registration: one transaction for the application, its person, the ledger row and the start command."""

import os
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.case.view import case_view, finding_views
from cases.case.views import CheckView
from cases.deadlines import park_clock
from cases.incidents.not_loaded import UnknownEmployer, refuse_unknown
from cases.moves.front_half import Event
from cases.moves.moving import begin
from cases.programme import Accepted
from cases.shared.calendar import current_calendar
from cases.shared.context import Context
from cases.shared.idempotency import Idempotency, Progress, Reply, asked_before, key_row, read_known
from cases.shared.lost_cases import given_before
from cases.shared.pack_shelf import pack_for
from cases.shared.persons import KnownPerson, meet
from domain import spellings
from domain.actors import Actor
from domain.acts import Act
from domain.clock import day_of
from domain.commands import CommandKind, CommandState
from domain.deadlines import DeadlineKind
from domain.errors import Refused
from domain.findings import Audience, outcome_of, seen_by
from domain.languages import Language
from domain.references import REFERENCE_BYTES, reference_from
from domain.spellings import TALENT_PERMIT
from domain.stages import Holder, Stage
from programmes.talent_permit.facts import gather_facts
from programmes.talent_permit.live_registrations import (
    hold_limit,
    own_live,
    person_within_limit,
    refuse_second,
    second_refused,
)
from programmes.talent_permit.references import PREFIX
from programmes.talent_permit.requests import RegistrationRequest
from programmes.talent_permit.rules import assess
from programmes.talent_permit.tables import TALENT_PERMITS, TalentPermitRow
from store.case_rows import LoadedEmployer, Row, load_employer
from store.database import constraint_of
from store.rows.register import CaseRow

# What references of its cases begin with.
_TRIES = 3
_LIVE_PERSON = "uq_cases_live_person"
# A random reference that is taken is drawn again; a person whom another request adds at the same time is found then.
_DRAWN_AGAIN = frozenset({"pk_cases", "uq_persons_identity_hash", "uq_person_documents_lookup_hash"})


class _GivenBeforeError(Exception):
    """The reference that was drawn is of a case that a restore took away: whoever holds it means another one."""


async def accept(
    context: Context,
    actor: Actor,
    request: RegistrationRequest,
    idempotency: Idempotency,
    language: Language = Language.ZH_HANS,
) -> Accepted:
    """Take on a registration and answer with its case; the workflow is started by the caller afterwards.

    Raises:
        Refused: `live_registration_exists`, `client_reference_taken`, `employer_not_in_good_standing`, those of a
            repeated key; `too_many_requests` for everybody once the conflicts of the day are used up.
    """
    for attempt in range(1, _TRIES + 1):
        try:
            # A change of standing locks the employer: it either sees the case that is taken on here, or is seen here.
            async with context.database.begin(actor.tenant, employer=actor.employer_id) as connection:
                accepted = await _accept(context, connection, actor, request, idempotency, language)
        except UnknownEmployer:
            raise await refuse_unknown(context) from None
        except _GivenBeforeError:
            if attempt == _TRIES:
                raise
            continue
        except IntegrityError as error:
            constraint = constraint_of(error)
            if constraint == _LIVE_PERSON:
                raise await refuse_second(context, actor, request.person.identity_number) from None
            if constraint == "uq_cases_live_client_reference":
                raise Refused(
                    "client_reference_taken", "A live registration of yours has this client_reference."
                ) from None
            if attempt == _TRIES or constraint not in _DRAWN_AGAIN:
                raise
            continue
        if isinstance(accepted, Refused):
            raise accepted
        return accepted
    raise AssertionError("unreachable")


async def check(
    context: Context, actor: Actor, request: RegistrationRequest, language: Language = Language.ZH_HANS
) -> CheckView:
    """Say what the rules would find today; nothing is stored, and only the caller's own cases are looked at.

    Whoever the person is, the same is asked of the database and no key is opened, so that the time tells nothing.
    """
    at, employer_id = context.clock(), actor.employer_id or ""
    try:
        async with context.database.begin(actor.tenant) as connection:
            beside = own_live(context, employer_id, request.person.identity_number)
            employer = _known(await load_employer(connection, employer_id, beside=beside))
            live, on = bool(employer.beside["own_live"]), day_of(at)
            facts = await gather_facts(context, connection, request, employer, on=on, today=on, other_live=live)
            pack = await pack_for(context, connection, spellings.TALENT_PERMIT, at)
    except UnknownEmployer:
        raise await refuse_unknown(context) from None
    findings = assess(facts, pack, on)
    return CheckView(
        outcome=outcome_of(findings), findings=finding_views(seen_by(findings, Audience.EMPLOYER), language)
    )


async def _accept(
    context: Context,
    connection: AsyncConnection,
    actor: Actor,
    request: RegistrationRequest,
    idempotency: Idempotency,
    language: Language,
) -> Accepted | Refused:
    """Return the answer, or the refusal that is counted in the same transaction."""
    at = context.clock()
    reference = reference_from(PREFIX, os.urandom(REFERENCE_BYTES))
    beside = asked_before(actor, idempotency) + person_within_limit(context, actor, request.person.identity_number, at)
    beside += given_before(reference)
    employer = _known(await load_employer(connection, actor.employer_id or "", beside=beside))
    known = read_known(context, idempotency, employer.beside["known"])
    if known is not None and known.reply is not None and known.reference is not None:
        return Accepted(known.reference, known.reply)
    if employer.beside["given_before"]:
        raise _GivenBeforeError
    is_held = await hold_limit(context, connection, actor, at, employer.beside["conflicts_today"])
    person, further = meet(context, request.person.identity_number, employer.beside["known_person"])
    file = await _new_file(context, connection, actor, request, employer, person, at, reference)
    file.check_standing(at)
    park_clock.run(file)
    file.set_working_days(DeadlineKind.DEFECTS_NAMED, day_of(at), context.limits.defects_named_days)
    body = request.model_dump_json(exclude_none=True).encode()
    file.record(Act.SUBMITTED, actor, at, destinations=list(file.destinations), content=person.key.ledger_hash(body))
    begin(file, Event.SUBMITTED, at)
    reply = Reply(Progress.STORED, case_view(file, actor, language))
    key = key_row(context, actor, idempotency, reference=file.reference, reply=reply, key=person.key)
    application = {
        "reference": file.reference,
        "version": 1,
        "employer_id": actor.employer_id,
        "body": person.key.seal("applications", "body", f"{file.reference}/1", body),
        "given_at": at,
    }
    added = {"applications": [application], "commands": [_start_command(file, actor, at)], "idempotency": [key]}
    if not is_held:
        await file.add(connection, {**further, **added})
        return Accepted(file.reference, reply)
    try:
        async with connection.begin_nested():
            await file.add(connection, {**further, **added})
    except IntegrityError as error:
        if constraint_of(error) != _LIVE_PERSON:
            raise
        return await second_refused(context, connection, actor, request.person.identity_number)
    return Accepted(file.reference, reply)


async def _new_file(
    context: Context,
    connection: AsyncConnection,
    actor: Actor,
    request: RegistrationRequest,
    employer: LoadedEmployer,
    person: KnownPerson,
    at: datetime,
    reference: str,
) -> CaseFile:
    """Return the file of a case that is not stored yet."""
    pack = await pack_for(context, connection, spellings.TALENT_PERMIT, at)
    return CaseFile(
        context=context,
        row=_register_row(context, actor, request, reference, at, person_id=person.person_id, pack=pack.version),
        own_rows={TALENT_PERMITS.name: [_own_row(actor, request, reference)]},
        employer=employer,
        calendar=await current_calendar(context, connection, employer.calendar_version),
        _key=person.key,
        _application=request,
    )


def _known(employer: LoadedEmployer | None) -> LoadedEmployer:
    if employer is None:
        raise UnknownEmployer
    return employer


def _register_row(
    context: Context,
    actor: Actor,
    request: RegistrationRequest,
    reference: str,
    at: datetime,
    *,
    person_id: UUID,
    pack: str,
) -> CaseRow:
    number = request.person.identity_number
    return CaseRow(
        reference=reference,
        employer_id=actor.employer_id or "",
        person_id=person_id,
        client_reference=request.client_reference,
        correlation_id=actor.correlation_id,
        programme=TALENT_PERMIT,
        stage=Stage.RECEIVED.value,
        name_hash=context.keyring.lookup_hash(f"name/{actor.employer_id}", request.person.name_zh),
        last_four_hash=context.keyring.lookup_hash(f"last_four/{actor.employer_id}", number[-4:].upper()),
        accepted_at=at,
        policy_version=pack,
        clock_since=day_of(at),
        clock="running",
        holder=Holder.PARK.value,
        updated_at=at,
    )


def _own_row(actor: Actor, request: RegistrationRequest, reference: str) -> TalentPermitRow:
    return TalentPermitRow(
        reference=reference,
        employer_id=actor.employer_id or "",
        destinations=[d.value for d in request.destinations],
        undertaking_version=request.undertaking_version,
        contract_end=request.employment.contract_end,
    )


def _start_command(file: CaseFile, actor: Actor, at: datetime) -> Row:
    return {
        "command_id": uuid4(),
        "reference": file.reference,
        "employer_id": file.employer_id,
        "kind": CommandKind.START.value,
        "actor": actor.model_dump(mode="json"),
        "state": CommandState.STORED.value,
        "unanswered": False,
        "at": at,
    }
