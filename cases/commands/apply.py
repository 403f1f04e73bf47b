"""Applying commands: each kind by the verb that the programme of the case declares, in the order of their storing."""

import json

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.case.signers import need_no_conflict
from cases.programme import Body, programme_of
from domain.actors import Actor
from store.rows.work import CommandRow


async def apply(file: CaseFile, connection: AsyncConnection, command: CommandRow) -> None:
    """Apply one command to the file in memory; a declared conflict of interest binds every one of them.

    Raises:
        Refused: the register stands where this cannot be done, or its actor may not act on the case; the caller then
            drops the file.
    """
    body: Body = {}
    if command.body is not None:
        plain = file.person_key.open("commands", "body", str(command.command_id), command.body)
        body = json.loads(plain)
    actor = Actor.model_validate(command.actor)
    need_no_conflict(file, actor)
    declared, file.applying = programme_of(file).commands[command.kind], command.command_id
    await declared.does(file, connection, actor, command.at, body)
