"""What is asked of a case about a change of what was given, for programmes whose cases take changes."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.commands import verbs
from cases.decisions import changing
from cases.moves.changing import ChangeEvent
from cases.programme import Answer, Body, Command, effect
from domain.actors import Actor, Role
from domain.acts import Act
from domain.commands import CommandKind
from domain.decisions import ChangeAnswerRequest, TaskAnswerRequest
from domain.routes import OwnRoute, Route
from domain.tasks import TaskKind
from store.rows.work import TaskRow

CHANGE: Final = Route(
    verb="change",
    by=frozenset({Role.EMPLOYER}),
    name="changeCase",
    summary="Change data",
    says="Change what was given: what needs no officer at once, and the rest once an officer has taken it.",
    problems=frozenset({"already_decided"}),
)


async def _answer(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, asked: TaskAnswerRequest, task: TaskRow
) -> None:
    if not isinstance(asked, ChangeAnswerRequest):
        raise TypeError(type(asked).__name__)
    await changing.answer(file, connection, actor, at, asked)


# What an answer to the task may be, and leaves in the ledger.
CHANGE_EVENTS: Final = (
    ChangeEvent.TAKE_CHANGE,
    ChangeEvent.DECLINE_CHANGE,
    ChangeEvent.TAKE_PART,
    ChangeEvent.DECLINE_PART,
)
CHANGES_ANSWERED: Final = (Act.CHANGED, Act.CHANGE_DECLINED)
CHANGE_ANSWERS: Final[Mapping[str, Answer]] = {TaskKind.CHANGE: _answer}
_ANSWER_TASK: Final = verbs.COMMANDS[CommandKind.ANSWER_TASK]


def change_command(asks: type[BaseModel], route: Route = CHANGE, own: OwnRoute | None = None) -> Command:
    """Return the command that asks for a change.

    Args:
        asks: what is given with it (`Changing.asks`).
        route: how the owner asks it.
        own: how the person asks it of a case that an employer owns.
    """

    async def does(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
        await changing.change(file, connection, actor, at, asks.model_validate(body))

    return Command(
        does=does,
        route=route,
        own=own,
        events=(ChangeEvent.CHANGE, ChangeEvent.ASK_CHANGE),
        acts=effect(Act.CHANGED, Act.CHANGE_ASKED, each=True),
        body=asks,
    )


def change_commands(asks: type[BaseModel]) -> dict[str, Command]:
    """Return what a programme whose tasks are answered as those of any adds to its commands.

    Args:
        asks: what is given to change a case.
    """
    return {
        CommandKind.CHANGE: change_command(asks),
        CommandKind.ANSWER_TASK: replace(
            _ANSWER_TASK,
            body=ChangeAnswerRequest,
            acts=effect(*_ANSWER_TASK.acts.own, *CHANGES_ANSWERED),
            events=(*_ANSWER_TASK.events, *CHANGE_EVENTS),
        ),
    }
