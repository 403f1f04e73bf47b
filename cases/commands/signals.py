"""A decision that another system signals: a proved person's, stored as a command before it is applied (R33)."""

from datetime import datetime
from typing import Any, Final
from uuid import uuid5

import rfc8785
from pydantic import ValidationError
from sqlalchemy import select

from cases.case.file import open_case
from cases.commands import store as commands
from cases.incidents.rows import note
from cases.keys.register import wait_for_signer
from cases.shared.context import Context
from domain.actors import STAFF, Actor, Role
from domain.acts import Act
from domain.commands import CommandKind
from domain.decisions import DecisionRequest
from domain.errors import Refused
from domain.field_errors import field_errors
from domain.messages import DecisionSignal, Origin
from domain.spellings import SIGNALLED_COMMANDS
from proof.statements import ActorStatement, StatementKeyUnknown, body_hash, verify
from store.tables import commands as commands_table

# Begins the correlation id of a signalled decision, which has no caller to answer.
SIGNALLED: Final = "signal:"


async def take_signalled(
    context: Context, reference: str, decision: DecisionSignal, at: datetime, origin: Origin | None = None
) -> None:
    """Store a signalled decision under its message's id; an invalid one leaves a ledger row and an operator's line."""
    command_id = uuid5(SIGNALLED_COMMANDS, f"{reference}/{decision.message_id}")
    async with open_case(context, reference, origin=origin) as (file, connection):
        known = select(commands_table.c.command_id).where(commands_table.c.command_id == command_id)
        if (await connection.execute(known)).first() is not None:
            return
        try:
            said, asked = _proved(context, reference, decision)
        except Refused as refused:
            if isinstance(refused, StatementKeyUnknown):
                await wait_for_signer(context, connection, refused)
            nobody = Actor(issuer="signal", subject="unproved", role=Role.SYSTEM)
            file.record(
                Act.REQUEST_REFUSED, nobody, at, outcome="refused", reasons=[refused.code], kind="decision_signal"
            )
            note(file, at, kind="decision_signal", step="take_signalled", reason=refused.code)
            return
        correlation_id = f"{SIGNALLED}{decision.message_id}"
        actor = Actor(issuer=said.issuer, subject=said.subject, role=said.role, correlation_id=correlation_id)
        body = asked.model_dump(mode="json", exclude_unset=True)
        commands.store(file, actor, CommandKind.DECIDE, body, at, command_id=command_id)


def _proved(context: Context, reference: str, decision: DecisionSignal) -> tuple[ActorStatement, DecisionRequest]:
    """Return who decides and what, where the statement is about just this decision on just this case."""
    said = verify(decision.statement, context.keyring.statement_keys())
    proves = (said.reference, said.kind, said.command_id) == (reference, CommandKind.DECIDE, decision.message_id)
    if not proves or said.role not in STAFF or said.body_hash != decision_hash(decision):
        raise Refused("signature_invalid", "The actor statement is about something else.")
    reasons = [{"code": code} for code in decision.reasons]
    try:
        asked = DecisionRequest.model_validate({"action": decision.action, "round": decision.round, "reasons": reasons})
    except ValidationError as error:
        raise Refused("invalid", "The decision does not hold together.", field_errors(error)) from error
    return said, asked


def decision_hash(decision: DecisionSignal) -> str:
    """Return the hash by which a statement names a signalled decision: of its codes in canonical JSON."""
    content: Any = {"action": decision.action, "round": decision.round, "reasons": list(decision.reasons)}
    return body_hash(rfc8785.dumps(content))
