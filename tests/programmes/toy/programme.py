"""The toy, declared: a workflow type, an id and a call of its own, and nothing stored but what every case has."""

from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.case.moves import Moves
from cases.case.shows import Views
from cases.commands.timers import TIMERS
from cases.commands.verbs import ANSWERS, COMMANDS
from cases.moves.front_half import FRONT_HALF
from cases.programme import Programme
from domain.actors import Actor
from domain.case_types import CaseType
from domain.routes import Operation
from privacy.published import publish
from programmes.talent_permit.programme import TALENT_PERMIT
from tests.programmes.toy.calls import CALLS, GREETING
from tests.programmes.toy.requests import ToyRequest
from texts.catalogue import hand_over


async def _greets(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime) -> None:
    file.call(GREETING, at, destination=None)


TOY: Final = Programme(
    code="toy",
    path="toys",
    prefix="TY",
    named="OfToy",
    workflow=CaseType("Toy", "toy/", "a toy"),
    form=ToyRequest,
    views=Views(published=publish("Toy", ToyRequest, "Toys, of the tests alone.")),
    submit=Operation(name="askForToy", summary="Ask for a toy", says="Take on a toy."),
    packs=TALENT_PERMIT.packs,
    texts="tests.programmes.toy",
    moves=Moves(*FRONT_HALF),
    commands=COMMANDS,
    answers=ANSWERS,
    timers=TIMERS,
    takes_effect=_greets,
    calls=CALLS,
)
hand_over(TOY.texts)
