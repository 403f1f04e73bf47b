"""A decision that another system signals: a proved person's, stored as a command before it is applied (R33)."""

from datetime import datetime
from uuid import UUID, uuid4, uuid5

from sqlalchemy import insert, select

from cases import commands
from cases.case_file import open_case
from cases.context import Context
from domain.actors import STAFF, Actor, Role
from domain.acts import Act
from domain.commands import CommandKind
from domain.errors import Refused
from domain.messages import DecisionSignal
from proof.statements import verify
from store.tables import commands as commands_table
from store.tables import incidents

_NAMESPACE = UUID("8b1f0f56-14a8-5d0b-9a52-4a4b8f9c2c11")


async def take_signalled(context: Context, reference: str, decision: DecisionSignal, at: datetime) -> None:
    """Store a signalled decision under its message's id; an invalid one leaves a ledger row and an operator's line."""
    command_id = uuid5(_NAMESPACE, f"{reference}/{decision.message_id}")
    async with open_case(context, reference) as (file, connection):
        known = select(commands_table.c.command_id).where(commands_table.c.command_id == command_id)
        if (await connection.execute(known)).first() is not None:
            return
        try:
            said = verify(decision.statement, context.keyring.statement_keys())
            if said.reference != reference or said.kind != CommandKind.DECIDE or said.role not in STAFF:
                raise Refused("signature_invalid", "The actor statement is about something else.")
        except Refused as refused:
            nobody = Actor(issuer="signal", subject="unproved", role=Role.SYSTEM)
            file.record(Act.REQUEST_REFUSED, nobody, at, code=refused.code, kind="decision_signal")
            await connection.execute(
                insert(incidents).values(
                    incident_id=uuid4(),
                    reference=reference,
                    employer_id=file.employer_id,
                    kind="decision_signal",
                    step="take_signalled",
                    reason=refused.code,
                    state="open",
                    at=at,
                )  # fmt: skip
            )
            return
        actor = Actor(issuer=said.issuer, subject=said.subject, role=said.role)
        body = {
            "action": decision.action,
            "round": decision.round,
            "reasons": [{"code": code} for code in decision.reasons],
        }
        await commands.store(file, connection, actor, CommandKind.DECIDE, body, at, command_id=command_id)
