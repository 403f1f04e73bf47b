"""Taking on a case of any programme: one transaction for form, person, ledger row and the command that starts it."""

import os
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case import evidence, parties
from cases.case.file import CaseFile
from cases.case.view import case_view
from cases.commands.one_live import (
    CONFLICTS_TODAY,
    agreed_transfer,
    hold_limit,
    person_within_limit,
    refuse_second,
    second_refused,
)
from cases.deadlines import park_clock
from cases.decisions.reported_days import need_days_past
from cases.incidents.not_loaded import UnknownEmployer, refuse_unknown
from cases.moves.front_half import Event
from cases.moves.moving import begin
from cases.programme import Programme
from cases.shared import transfers
from cases.shared.calendar import current_calendar
from cases.shared.context import Context
from cases.shared.idempotency import KEPT_KEY, Idempotency, Progress, Reply, asked_before, key_row, read_known
from cases.shared.lost_cases import GIVEN_BEFORE, given_before
from cases.shared.pack_shelf import pack_for
from cases.shared.persons import (
    KEPT_PERSON,
    KnownPerson,
    document_hash,
    find_by_own_document,
    last_four_hash,
    meet,
    not_proved,
)
from domain.actors import PARK, SESSION_ISSUER, Actor, Role
from domain.acts import Act
from domain.clock import day_of
from domain.commands import CommandKind, CommandState
from domain.deadlines import DeadlineKind
from domain.errors import Refused
from domain.forms import Form
from domain.languages import Language
from domain.parties import DOOR, Party, looked_up_within
from domain.references import REFERENCE_BYTES, reference_from
from domain.stages import Holder, Stage
from store.case_rows import LoadedEmployer, Row, load_employer, load_nobody
from store.database import constraint_of
from store.ledger import Entry, append
from store.rows.register import CaseRow

# What whoever shows less is told where a person has to be known by a document.
ASSERT_DOCUMENT: Final = (
    "Sign in with a token of the issuer that asserts your document; the session of a link only opens the cases on which"
    " its address stands, under `/v1/me`."
)
_TRIES: Final = 3
_LIVE_PERSON: Final = "uq_cases_live_person"
# Nor is there a second one beside one that follows another by a transfer.
_LIVE: Final = frozenset({_LIVE_PERSON, "uq_cases_following_person"})
# A random reference that is taken is drawn again; a person whom another request adds at the same time is found then.
_DRAWN_AGAIN: Final = frozenset({"pk_cases", "uq_persons_identity_hash", "uq_person_documents_lookup_hash"})


class _GivenBeforeError(Exception):
    """The reference that was drawn is of a case that a restore took away: whoever holds it means another one."""


class _TransferOverError(Exception):
    """The agreement, or the case that was to end by it, is over since it was looked for."""


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
    *,
    proved: bytes | None = None,
) -> Accepted:
    """Take on a case and answer with it; its workflow is started by the caller afterwards.

    Of a programme whose cases persons own the person who asks is the one whom the case is about, and becomes known here
    where nobody has their document yet.

    Args:
        context: the collaborators.
        programme: whose case it is.
        actor: who asks.
        form: what is given.
        idempotency: by which the request is known again.
        language: the reader's.
        proved: of a person the keyed hash of the document that their token asserts.

    Raises:
        Refused: `invalid` where a person asks with another document than their token's; `live_registration_exists`,
            `client_reference_taken`, `employer_not_in_good_standing`, those of a repeated key;
            `too_many_requests` for everybody once the conflicts of the day are used up.
    """
    need_days_past(form, context.clock())
    asked_by = actor
    before: transfers.Side | None = None
    for attempt in range(1, _TRIES + 1):
        if programme.party is Party.PERSON:
            actor = await _owner(context, asked_by, form, proved)
            await _need_named(context, programme, form)
        try:
            # A change of standing locks the employer: it either sees the case that is taken on here, or is seen here.
            # What follows a case of another employer is taken on by the park, which may ask that one for a last day.
            tenant = actor.tenant if before is None else PARK
            async with context.database.begin(tenant, employer=actor.employer_id, planned_once=True) as connection:
                accepted = await _accept(context, connection, programme, actor, form, idempotency, language, before)
        except UnknownEmployer:
            raise await refuse_unknown(context) from None
        except _GivenBeforeError:
            if attempt == _TRIES:
                raise
            continue
        except _TransferOverError:
            before = None
            continue
        except IntegrityError as error:
            constraint = constraint_of(error)
            if constraint in _LIVE:
                before = await _find_before(context, programme, actor, form, before)
            elif constraint == "uq_cases_live_client_reference":
                raise Refused("client_reference_taken", "A live case of yours has this client_reference.") from None
            elif attempt == _TRIES or constraint not in _DRAWN_AGAIN:
                raise
            continue
        if isinstance(accepted, Refused):
            # Counted where it was met, since nobody looks for an agreement while others wait for the count.
            before = await _find_before(context, programme, actor, form, before, accepted)
            continue
        return accepted
    raise await refuse_second(context, programme, actor, form.subject.document)


async def _find_before(
    context: Context,
    programme: Programme,
    actor: Actor,
    form: Form,
    tried: transfers.Side | None,
    counted: Refused | None = None,
) -> transfers.Side:
    """Return the case that another one may follow, since its person agreed to that.

    Raises:
        Refused: `live_registration_exists` where nobody agreed, or another case follows already.
    """
    before = None if tried is not None else await agreed_transfer(context, programme, actor, form)
    if before is None:
        raise counted or await refuse_second(context, programme, actor, form.subject.document) from None
    return before


async def _accept(
    context: Context,
    connection: AsyncConnection,
    programme: Programme,
    actor: Actor,
    form: Form,
    idempotency: Idempotency,
    language: Language,
    before: transfers.Side | None,
) -> Accepted | Refused:
    """Return the answer, or the refusal that is counted in the same transaction; `before`: the case that it follows."""
    at, document = context.clock(), form.subject.document
    reference = reference_from(programme.prefix, os.urandom(REFERENCE_BYTES))
    beside = asked_before(actor, idempotency) + person_within_limit(context, actor, document, at)
    beside += given_before(reference)
    if programme.party is Party.PERSON:
        employer = await load_nobody(connection, beside=beside)
    else:
        employer = known_employer(await load_employer(connection, actor.employer_id or "", beside=beside))
    known = read_known(context, idempotency, employer.beside.of(KEPT_KEY))
    if known is not None and known.reply is not None and known.reference is not None:
        return Accepted(known.reference, known.reply)
    if employer.beside.of(GIVEN_BEFORE):
        raise _GivenBeforeError
    is_held = await hold_limit(context, connection, actor, at, employer.beside.of(CONFLICTS_TODAY))
    own_id = UUID(actor.subject) if programme.party is Party.PERSON else None
    person, further = meet(context, document, employer.beside.of(KEPT_PERSON), person_id=own_id)
    file = await _new_file(context, connection, programme, actor, form, employer, person, at, reference)
    if before is not None:
        file.row.follows = before.transfer_id
    file.check_standing(at)
    evidence.follow(file, form, at)
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
        "employer_id": file.employer_id,
        "body": person.key.seal("applications", "body", f"{file.reference}/1", body),
        "given_at": at,
    }
    added = {"applications": [application], "commands": [_start_command(file, actor, at)], "idempotency": [key]}
    if before is not None:
        await file.add(connection, {**further, **added})
        if not await transfers.take(connection, before, file.reference, at):
            raise _TransferOverError
        begun = Entry(Act.TRANSFER_BEGUN, actor, at, reference=file.reference, employer_id=file.employer_id)
        await append(connection, f"transfer/{before.transfer_id}", [begun])
        return Accepted(file.reference, reply)
    if not is_held:
        await file.add(connection, {**further, **added})
        return Accepted(file.reference, reply)
    try:
        async with connection.begin_nested():
            await file.add(connection, {**further, **added})
    except IntegrityError as error:
        if constraint_of(error) != _LIVE_PERSON:
            raise
        return await second_refused(context, connection, programme, actor, document)
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


async def _owner(context: Context, actor: Actor, form: Form, proved: bytes | None) -> Actor:
    """Return the person who asks for a case of their own: the one who has the document, or one who is new.

    Raises:
        Refused: `role_not_allowed` for anybody else, and without a document; `invalid` for another document.
    """
    document = form.subject.document
    if actor.role is not Role.PERSON or proved is None:
        raise Refused("role_not_allowed", ASSERT_DOCUMENT)
    if document_hash(context, document) != proved:
        raise not_proved(form)
    async with context.database.begin(DOOR) as connection:
        person_id = await find_by_own_document(context, connection, document)
    known = {"issuer": SESSION_ISSUER, "subject": str(person_id or uuid4())}
    return actor.model_copy(update=known)


async def _need_named(context: Context, programme: Programme, form: Form) -> None:
    for part in programme.parts:
        if part.named is not None:
            await parties.need_known(context, form.given_of(part.named), part.named)


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
        employer_id=actor.tenant,
        person_id=person.person_id,
        joined_key=person.joined_key,
        client_reference=form.client_reference,
        correlation_id=actor.correlation_id,
        programme=programme.code,
        stage=Stage.RECEIVED.value,
        name_hash=context.keyring.lookup_hash(f"name/{looked_up_within(actor.tenant)}", subject.name_zh),
        last_four_hash=last_four_hash(context, actor.tenant, subject.document),
        accepted_at=at,
        policy_version=pack,
        clock_since=day_of(at),
        clock="running",
        holder=Holder.PARK.value,
        holder_since=at,
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
