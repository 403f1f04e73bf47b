"""The toy, declared: a workflow type, an id and a call of its own, and nothing stored but what every case has."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.case.moves import Moves
from cases.case.own_views import OwnCase
from cases.case.reading import CaseReading
from cases.case.shows import Showing
from cases.case.views import CaseForStaff, CaseView
from cases.commands.timers import TIMERS
from cases.commands.verbs import ANSWERS, COMMANDS
from cases.moves.front_half import FRONT_HALF
from cases.programme import Programme
from cases.shared.context import Context
from domain.actors import Actor, Role
from domain.answers import AuthorityAnswer
from domain.case_types import CaseType
from domain.findings import Finding
from domain.forms import Form
from domain.languages import Language
from domain.parties import Party
from domain.routes import Operation
from domain.stages import Destination
from domain.words import CORE_WORDS
from domain.working_days import Deadline
from policy.facts import Facts
from policy.limits import OwnLimits
from policy.pack import Pack
from policy.rerun import Rules
from programmes.talent_permit.programme import TALENT_PERMIT
from store.rows.work import DeadlineRow
from tests.programmes.toy.calls import CALLS, GREETING
from tests.programmes.toy.intake import CODE, PREFIX, accept
from tests.programmes.toy.requests import ToyRequest


async def _greets(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime) -> None:
    file.call(GREETING, at, destination=None)


async def _gather(
    file: CaseFile, connection: AsyncConnection, form: Form, at: datetime, in_force: bool | None
) -> Facts:
    return Facts()


def _finds_nothing(facts: Facts, pack: Pack, on: date) -> tuple[Finding, ...]:
    return ()


def _finds_nothing_of(facts: Facts, destination: Destination, pack: Pack, on: date) -> tuple[Finding, ...]:
    return ()


async def _weigh_again(file: CaseFile, connection: AsyncConnection, at: datetime) -> None:
    """Nothing runs again."""


async def _outlook(
    file: CaseFile, connection: AsyncConnection, at: datetime, language: Language, seen: CaseForStaff, two: bool | None
) -> CaseForStaff:
    return seen


def _known_anew(file: CaseFile, at: datetime) -> None:
    """Nothing is kept beside what every case has."""


def _recounted(file: CaseFile, at: datetime, row: DeadlineRow, deadline: Deadline) -> None:
    """Nothing follows."""


def _hashes(context: Context, answer: AuthorityAnswer) -> frozenset[bytes]:
    return frozenset()


async def _forget(connection: AsyncConnection, before: datetime, most: int) -> None:
    """Nothing is kept beside cases."""


def _shown(showing: Showing, seen: CaseView) -> CaseView:
    return seen


def _own(case: CaseReading, seen: CaseView, own: OwnCase, language: Language) -> OwnCase:
    return own


def _remedies(case: CaseReading) -> Sequence[str]:
    return ()


def _cells(seen: CaseView, given: Mapping[str, Any]) -> Mapping[str, object]:
    return {}


TOY: Final = Programme(
    code=CODE,
    path="toys",
    party=Party.EMPLOYER,
    parts=(),
    prefix=PREFIX,
    named="Toy",
    workflow=CaseType("Toy", "toy/", "a toy"),
    form=ToyRequest,
    tables=(),
    views=replace(
        TALENT_PERMIT.views,
        case=_shown,
        own=_own,
        remedies=_remedies,
        columns=("reference",),
        cells=_cells,
        told=replace(
            TALENT_PERMIT.views.told, facts={}, from_field={}, decisions={}, proposals=frozenset(), passed_on={}
        ),
    ),
    by=frozenset({Role.EMPLOYER}),
    submit=Operation(name="submit_toy", summary="Ask for a toy", says="Takes on a toy."),
    accept=accept,
    taken_again_at=lambda at: at,
    packs=TALENT_PERMIT.packs,
    limits=OwnLimits(read=lambda pack: ()),
    rosters={},
    moves=Moves(*FRONT_HALF),
    tracks={},
    words=CORE_WORDS,
    commands=COMMANDS,
    answers=ANSWERS,
    timers=TIMERS,
    rules=Rules(facts=Facts, assess=_finds_nothing, of_destination=_finds_nothing_of, looked_at={}),
    gather=_gather,
    signatures={},
    takes_effect=_greets,
    asked=lambda file: (),
    told=lambda file: {"destinations": ()},
    known_anew=_known_anew,
    weigh_again=_weigh_again,
    has_died=lambda file: False,
    outlook=_outlook,
    recounted=_recounted,
    calls=CALLS,
    poll=None,
    leaving=None,
    answer_hashes=_hashes,
    forget=_forget,
)
