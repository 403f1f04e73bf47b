"""Taking on a case of any programme: one transaction for form, person, ledger row and the command that starts it."""

import os
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import uuid4

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.case.view import case_view
from cases.commands.one_live import CONFLICTS_TODAY, hold_limit, person_within_limit, refuse_second, second_refused
from cases.deadlines import park_clock
from cases.incidents.not_loaded import UnknownEmployer, refuse_unknown
from cases.moves.front_half import Event
from cases.moves.moving import begin
from cases.programme import Programme
from cases.shared.calendar import current_calendar
from cases.shared.context import Context
from cases.shared.idempotency import KEPT_KEY, Idempotency, Progress, Reply, asked_before, key_row, read_known
from cases.shared.lost_cases import GIVEN_BEFORE, given_before
from cases.shared.pack_shelf import pack_for
from cases.shared.persons import KEPT_PERSON, KnownPerson, last_four_hash, meet
from domain.actors import Actor
from domain.acts import Act
from domain.clock import day_of
from domain.commands import CommandKind, CommandState
from domain.deadlines import DeadlineKind
from domain.errors import Refused
from domain.forms import Form
from domain.languages import Language
from domain.references import REFERENCE_BYTES, reference_from
from domain.stages import Holder, Stage
from store.case_rows import LoadedEmployer, Row, load_employer
from store.database import constraint_of
from store.rows.register import CaseRow

_TRIES: Final = 3
_LIVE_PERSON: Final = "uq_cases_live_person"
# A random reference that is taken is drawn again; a person whom another request adds at the same time is found then.
_DRAWN_AGAIN: Final = frozenset({"pk_cases", "uq_persons_identity_hash", "uq_person_documents_lookup_hash"})


class _GivenBeforeError(Exception):
    """The reference that was drawn is of a case that a restore took away: whoever holds it means another one."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A case that was taken on, now or when its key came first, and what its caller is answered."""

    reference: str
    reply: Reply


async def accept(
    context: Context,
    programme: Programme,
    actor: Actor,
    form: Form,
    idempotency: Idempotency,
    language: Language = Language.ZH_HANS,
) -> Accepted:
    """Take on a case and answer with it; its workflow is started by the caller afterwards.

    Raises:
        Refused: `live_registration_exists`, `client_reference_taken`, `employer_not_in_good_standing`, those of a
            repeated key; `too_many_requests` for everybody once the conflicts of the day are used up.
    """
    for attempt in range(1, _TRIES + 1):
        try:
            # A change of standing locks the employer: it either sees the case that is taken on here, or is seen here.
            async with context.database.begin(actor.tenant, employer=actor.employer_id) as connection:
                accepted = await _accept(context, connection, programme, actor, form, idempotency, language)
        except UnknownEmployer:
            raise await refuse_unknown(context) from None
        except _GivenBeforeError:
            if attempt == _TRIES:
                raise
            continue
        except IntegrityError as error:
            constraint = constraint_of(error)
            if constraint == _LIVE_PERSON:
                raise await refuse_second(context, programme.code, actor, form.subject.document) from None
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


async def _accept(
    context: Context,
    connection: AsyncConnection,
    programme: Programme,
    actor: Actor,
    form: Form,
    idempotency: Idempotency,
    language: Language,
) -> Accepted | Refused:
    """Return the answer, or the refusal that is counted in the same transaction."""
    at, document = context.clock(), form.subject.document
    reference = reference_from(programme.prefix, os.urandom(REFERENCE_BYTES))
    beside = asked_before(actor, idempotency) + person_within_limit(context, actor, document, at)
    beside += given_before(reference)
    employer = known_employer(await load_employer(connection, actor.employer_id or "", beside=beside))
    known = read_known(context, idempotency, employer.beside.of(KEPT_KEY))
    if known is not None and known.reply is not None and known.reference is not None:
        return Accepted(known.reference, known.reply)
    if employer.beside.of(GIVEN_BEFORE):
        raise _GivenBeforeError
    is_held = await hold_limit(context, connection, actor, at, employer.beside.of(CONFLICTS_TODAY))
    person, further = meet(context, document, employer.beside.of(KEPT_PERSON))
    file = await _new_file(context, connection, programme, actor, form, employer, person, at, reference)
    file.check_standing(at)
    park_clock.run(file)
    file.set_working_days(DeadlineKind.DEFECTS_NAMED, day_of(at), context.limits.defects_named_days)
    body = form.model_dump_json(exclude_none=True).encode()
    file.record(Act.SUBMITTED, actor, at, **programme.opened(file), content=person.key.ledger_hash(body))
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
        return await second_refused(context, connection, programme.code, actor, document)
    return Accepted(file.reference, reply)


async def _new_file(
    context: Context,
    connection: AsyncConnection,
    programme: Programme,
    actor: Actor,
    form: Form,
    employer: LoadedEmployer,
    person: KnownPerson,
    at: datetime,
    reference: str,
) -> CaseFile:
    """Return the file of a case that is not stored yet."""
    pack = await pack_for(context, connection, programme.packs[0].name, at)
    row = _case_row(context, programme, actor, form, reference, at, person=person, pack=pack.version)
    return CaseFile(
        context=context,
        row=row,
        own_rows={name: list(rows) for name, rows in programme.own_rows(form, row).items()},
        employer=employer,
        calendar=await current_calendar(context, connection, employer.calendar_version),
        _key=person.key,
        _application=form,
    )


def known_employer(employer: LoadedEmployer | None) -> LoadedEmployer:
    """Return the employer whose case is to be taken on.

    Raises:
        UnknownEmployer: the register has none of this id.
    """
    if employer is None:
        raise UnknownEmployer
    return employer


def _case_row(
    context: Context,
    programme: Programme,
    actor: Actor,
    form: Form,
    reference: str,
    at: datetime,
    *,
    person: KnownPerson,
    pack: str,
) -> CaseRow:
    subject = form.subject
    return CaseRow(
        reference=reference,
        employer_id=actor.employer_id or "",
        person_id=person.person_id,
        joined_key=person.joined_key,
        client_reference=form.client_reference,
        correlation_id=actor.correlation_id,
        programme=programme.code,
        stage=Stage.RECEIVED.value,
        name_hash=context.keyring.lookup_hash(f"name/{actor.employer_id}", subject.name_zh),
        last_four_hash=last_four_hash(context, actor.employer_id or "", subject.document),
        accepted_at=at,
        policy_version=pack,
        clock_since=day_of(at),
        clock="running",
        holder=Holder.PARK.value,
        updated_at=at,
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
