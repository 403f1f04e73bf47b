"""What the core knows of a programme: its declaration, found by the code that each of its cases carries.

A room under `programmes/` fills it in, the edge hands all of them in (`Context.programmes`), and the core calls what
stands here without a word of any of them.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.case.moves import Moves, Track
from cases.case.parties import DeclaredPart
from cases.case.shows import Views
from cases.case.views import CaseForStaff
from cases.shared.context import Context
from cases.shared.idempotency import Idempotency, Reply
from domain.actors import Actor, Role
from domain.acts import Act
from domain.answers import AuthorityAnswer
from domain.case_types import CaseType
from domain.decisions import TaskAnswerRequest
from domain.errors import Refused
from domain.forms import Form
from domain.languages import Language
from domain.parties import Party
from domain.roster import RosterAct
from domain.stages import Destination, PendingAct
from domain.words import Words
from domain.working_days import Deadline
from policy.facts import Facts
from policy.rerun import Rules
from store.case_tables import CaseTable
from store.rows.work import DeadlineRow, TaskRow

Body = dict[str, Any]
# What a command does to its case at the time at which it was stored, with its body as it was stored.
Verb = Callable[[CaseFile, AsyncConnection, Actor, datetime, Body], Awaitable[None]]
# What an officer's answer to a task does.
Answer = Callable[[CaseFile, AsyncConnection, Actor, datetime, TaskAnswerRequest, TaskRow], Awaitable[None]]
# What is due at a deadline of the case.
Timer = Callable[[CaseFile, Actor, datetime, DeadlineRow], None]
# What follows from a deadline, as it was and as it is counted now, that a loaded calendar moved.
Recounted = Callable[[CaseFile, datetime, DeadlineRow, Deadline], None]
# What a move of the case brings with it.
OnMove = Callable[[CaseFile, AsyncConnection, Actor, datetime], Awaitable[None]]
# What a second signature does, given or withheld.
Signing = Callable[[CaseFile, Actor, datetime], None]
# What the answer to a decision shows; whether it takes two people to approve, where that is said.
Outlook = Callable[[CaseFile, AsyncConnection, datetime, Language, CaseForStaff, bool | None], Awaitable[CaseForStaff]]
# The facts that the rules look at, as of the day of acceptance; the last argument says whether the case is in force.
Gather = Callable[[CaseFile, AsyncConnection, Form, datetime, bool | None], Awaitable[Facts]]
# What is given with a command as it is asked.
Given = BaseModel | Body
# What is checked of a command before it is tried and stored, and nowhere else.
Before = Callable[[CaseFile, AsyncConnection, Actor, datetime, Given], Awaitable[None]]
# What its caller is told in the place of the refusal of a try, whose transaction is over.
Told = Callable[[Context, Actor, Given, Refused], Awaitable[Refused]]
# What a signed request says of the row that it leaves in the ledger, by its body.
Said = Callable[[Mapping[str, Any]], "Tells"]
# Refuses what a case would not take, looking at it alone.
Look = Callable[[CaseFile, Actor, datetime, Any], object]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A case that was taken on, now or when its key came first, and what its caller is answered."""

    reference: str
    reply: Reply


# Takes on a case as its form says, once for each key.
Accept = Callable[[Context, Actor, Any, Idempotency], Awaitable[Accepted]]

NOBODY: Final = frozenset[Role]()
EVERYBODY: Final = frozenset(Role)


@dataclass(frozen=True, slots=True)
class Effect:
    """The acts that a command may leave in the ledger: one of its own, or each where `each`; and what may follow."""

    own: frozenset[Act]
    further: frozenset[Act] = frozenset()
    each: bool = False

    @property
    def acts(self) -> frozenset[Act]:
        """All of them."""
        return self.own | self.further


def effect(*own: Act, further: Sequence[Act] = (), each: bool = False) -> Effect:
    """Return the effect with these acts."""
    return Effect(frozenset(own), frozenset(further), each)


@dataclass(frozen=True, slots=True)
class Tells:
    """What the row of a signed request must tell; None for what the request leaves to the step that applied it."""

    acts: frozenset[str]
    outcome: str | None = None
    reasons: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command, declared once: what is given with it, who waits for it, what it does and may leave in the ledger.

    Attributes:
        does: the verb.
        acts: its acts in the ledger, by which the statement of who asked is held against the rows.
        body: the model of what is given; None where nothing is.
        named: what of it the route names in its path, kept in the body beside what is given.
        waits: the roles whose caller waits for the outcome; any other is answered 202 once the command is stored.
        writes_by_itself: whether it changes rows at once and not with the file, so that a try of it has to be undone
            in the database.
        before: what is checked of it before it is tried and stored.
        look: what refuses it by a look at the case alone, for whoever checks many before any is asked.
        refused: what its caller is told where the try is refused, if something else than that.
        said: what a signed one says of its own row, by which reconciliation holds that row.
        proposes: whether nothing is set before another signature, so that whoever waited is told "stored" and no more.
        is_outside: whether employer or person asks it, so that the person's copy of the data has it with its words.
        is_confided: whether what a person says with it is for the park, and for the address that said it.
    """

    does: Verb
    acts: Effect
    body: type[BaseModel] | None = None
    named: tuple[str, ...] = ()
    waits: frozenset[Role] = NOBODY
    writes_by_itself: bool = False
    before: Before | None = None
    look: Look | None = None
    refused: Told | None = None
    said: Said | None = None
    proposes: bool = False
    is_outside: bool = False
    is_confided: bool = False

    def is_awaited(self, role: Role) -> bool:
        """Whether a caller of a role waits for the outcome."""
        return role in self.waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What the programme lets propose of a case that was decided, to take effect with a second signature.

    Attributes:
        proposed: the act that tells of the proposal.
        rejected: the event that its rejection is, a row of the table.
        given: what the second signature does.
        withheld: what its rejection brings with it.
    """

    proposed: Act
    rejected: str
    given: Signing
    withheld: Signing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """A programme as it is declared by its room.

    Attributes:
        code: stored with each case; it never changes.
        party: who owns its cases.
        parts: the parts that others have in them, or a person who owns one; a migration stores what they see and ask.
        prefix: the two letters that references of its cases begin with.
        workflow: how the workflows of its cases are called.
        form: what is given to open a case.
        tables: what it keeps of a case beside what every case has; read, written and hashed with the case.
        views: what is shown of a case.
        accept: takes on a case.
        taken_again_at: when cases are taken on again after the limit of a day was used up.
        rosters: the rosters whose rows are of this programme, each with the command that a row asks of its case; None
            where each row is a case of its own.
        moves: the table of its moves, the front half's among them; its columns act.
        tracks: its tracks by name, each with its moves.
        words: the kinds of its deadlines and so on, with those of any case.
        commands: all that can be asked of its cases, those of the core among them.
        answers: what answers to tasks do, by the kind of task; of a kind not named here they close the task.
        timers: what is due at each kind of deadline, those of the core among them.
        rules: what an assessment runs.
        gather: the facts that they look at, from what was given or is known, and from the park's registers.
        signatures: what can be proposed of a case that was decided, beside the decisions of any case.
        signers: how many people sign a proposal of a kind, its proposer among them, where it is not two.
        takes_effect: what begins once an approval can no longer be recalled.
        asked: what officers are asked of a case that was decided, each a kind of task and its destination: a fact that
            is recorded may answer it.
        told: what notices say of its cases beside what they say of any.
        known_anew: what the case keeps of what is known of it, taken over after a fact came or went.
        weigh_again: what runs again of that after a fact came or went.
        has_died: whether the person of the case is known to have died, who is told nothing any more.
        outlook: the case as the answer to a decision shows it, with what would still stand in the way of what follows
            an approval.
        ended_elsewhere: what of an employer's cases ends elsewhere once it has left the park, by its names there.
        recounted: what follows from each deadline that a loaded calendar moved.
        answer_hashes: the hashes that may stand beside a kept answer of the authority.
        forget: deletes a batch of what the programme keeps beside cases, older than a time.
    """

    code: str
    party: Party
    parts: tuple[DeclaredPart, ...]
    prefix: str
    workflow: CaseType
    form: type[Form]
    tables: tuple[CaseTable, ...]
    views: Views
    accept: Accept
    taken_again_at: Callable[[datetime], datetime]
    rosters: Mapping[RosterAct, str | None]
    moves: Moves
    tracks: Mapping[str, Track]
    words: Words
    commands: Mapping[str, Command]
    answers: Mapping[str, Answer]
    timers: Mapping[str, Timer]
    rules: Rules
    gather: Gather
    signatures: Mapping[PendingAct, Signature]
    takes_effect: OnMove
    asked: Callable[[CaseFile], Sequence[tuple[str, Destination]]]
    told: Callable[[CaseFile], Mapping[str, object]]
    known_anew: Callable[[CaseFile, datetime], None]
    weigh_again: Callable[[CaseFile, AsyncConnection, datetime], Awaitable[None]]
    has_died: Callable[[CaseFile], bool]
    outlook: Outlook
    ended_elsewhere: Callable[[AsyncConnection, str], Awaitable[Sequence[str]]]
    recounted: Recounted
    answer_hashes: Callable[[Context, AuthorityAnswer], frozenset[bytes]]
    forget: Callable[[AsyncConnection, datetime, int], Awaitable[None]]
    signers: Mapping[PendingAct, int] = field(default_factory=dict)

    def asked_by(self, roster: RosterAct) -> str:
        """Return the command that each row of a roster asks of its case."""
        command = self.rosters[roster]
        assert command is not None, f"rows of {roster} are cases of their own"
        return command


def programme(context: Context, code: str) -> Programme:
    """Return the programme of a code.

    Raises:
        KeyError: for a case of a programme that this process was not handed.
        TypeError: where something else was handed in under the code.
    """
    found = context.programmes[code]
    if not isinstance(found, Programme):
        raise TypeError(type(found).__name__)
    return found


def programmes_of(context: Context) -> list[Programme]:
    """Return all programmes that this process was handed."""
    return [programme(context, code) for code in context.programmes]


def programme_of(file: CaseFile) -> Programme:
    """Return the programme of a case."""
    return programme(file.context, file.row.programme)
