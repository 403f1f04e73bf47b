"""Taking on a toy."""

import os
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from cases.case.file import CaseFile
from cases.deadlines import park_clock
from cases.moves.front_half import Event
from cases.moves.moving import begin
from cases.programme import Accepted
from cases.shared.calendar import current_calendar
from cases.shared.context import Context
from cases.shared.idempotency import Idempotency, Progress, Reply
from cases.shared.pack_shelf import pack_for
from cases.shared.persons import get_or_add_person
from domain.actors import Actor
from domain.acts import Act
from domain.clock import day_of
from domain.commands import CommandKind, CommandState
from domain.deadlines import DeadlineKind
from domain.languages import Language
from domain.references import REFERENCE_BYTES, reference_from
from domain.stages import Holder, Stage
from store.case_rows import load_employer
from store.rows.register import CaseRow
from tests.programmes.toy.requests import ToyRequest

CODE: Final = "toy"
PREFIX: Final = "TY"


async def accept(
    context: Context, actor: Actor, request: Any, idempotency: Idempotency, language: Language = Language.EN
) -> Accepted:
    """Take it on, with its person, its application and the command that starts it."""
    at, employer_id = context.clock(), actor.employer_id or ""
    reference = reference_from(PREFIX, os.urandom(REFERENCE_BYTES))
    async with context.database.begin(actor.tenant, employer=employer_id) as connection:
        employer = await load_employer(connection, employer_id)
        assert employer is not None
        person = await get_or_add_person(context, connection, request.subject.identity_number)
        pack = await pack_for(context, connection, CODE, at)
        file = CaseFile(
            context=context,
            row=_row(context, actor, reference, request, at, person_id=person.person_id, pack=pack.version),
            own_rows={},
            employer=employer,
            calendar=await current_calendar(context, connection, employer.calendar_version),
            _key=person.key,
            _application=request,
        )
        park_clock.run(file)
        file.set_working_days(DeadlineKind.DEFECTS_NAMED, day_of(at), context.limits.defects_named_days)
        file.record(Act.SUBMITTED, actor, at)
        begin(file, Event.SUBMITTED, at)
        body = request.model_dump_json(exclude_none=True).encode()
        application = {
            "reference": reference,
            "version": 1,
            "employer_id": employer_id,
            "body": person.key.seal("applications", "body", f"{reference}/1", body),
            "given_at": at,
        }
        start = {
            "command_id": uuid4(),
            "reference": reference,
            "employer_id": employer_id,
            "kind": CommandKind.START.value,
            "actor": actor.model_dump(mode="json"),
            "state": CommandState.STORED.value,
            "unanswered": False,
            "at": at,
        }
        await file.add(connection, {"applications": [application], "commands": [start]})
    return Accepted(reference, Reply(Progress.STORED, {"reference": reference}))


def _row(
    context: Context,
    actor: Actor,
    reference: str,
    request: ToyRequest,
    at: datetime,
    *,
    person_id: UUID,
    pack: str,
) -> CaseRow:
    number, employer_id = request.subject.identity_number, actor.employer_id or ""
    return CaseRow(
        reference=reference,
        employer_id=employer_id,
        person_id=person_id,
        correlation_id=actor.correlation_id,
        policy_version=pack,
        programme=CODE,
        stage=Stage.RECEIVED.value,
        name_hash=context.keyring.lookup_hash(f"name/{employer_id}", request.subject.name_zh),
        last_four_hash=context.keyring.lookup_hash(f"last_four/{employer_id}", number[-4:].upper()),
        accepted_at=at,
        clock_since=day_of(at),
        clock="running",
        holder=Holder.PARK.value,
        updated_at=at,
    )
