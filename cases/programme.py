"""What the core knows of a programme: its declaration, found by the code that each of its cases carries.

A room under `programmes/` fills it in, the edge hands all of them in (`Context.programmes`), and the core calls what
stands here without a word of any of them.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from cases import undeclared
from cases.case.corrected import with_fields
from cases.case.file import CaseFile
from cases.case.in_force import InForce, approval_in_force
from cases.case.moves import At, Moves, Track
from cases.case.parties import DeclaredPart
from cases.case.row import OneCase
from cases.case.shows import Views
from cases.case.views import CaseForStaff, CheckView
from cases.shared.context import Context
from cases.shared.inboxes import Desk, Inbox
from cases.shared.self_checks import SelfCheck
from domain.actors import Actor, Role
from domain.answers import OutsideAnswer
from domain.case_types import CaseType
from domain.changes import BESIDE
from domain.data_map import DataRow
from domain.decisions import GivenReason, TaskAnswerRequest
from domain.documents import Document
from domain.errors import FieldError, Refused
from domain.evidence import EvidenceGiven
from domain.forms import Form
from domain.languages import Language
from domain.outward import CallKind, Known, Message
from domain.parties import Party
from domain.roster import Column
from domain.routes import Operation, OwnRoute, Route
from domain.words import CORE_WORDS, Words
from domain.working_days import Deadline
from policy.facts import Facts
from policy.limits import NO_LIMITS, OwnLimits
from policy.pack import Pack, PackShelf
from policy.packs import PackSource
from policy.rerun import Rules
from store.case_tables import CaseTable
from store.rows.authority import CallRow
from store.rows.base import TableRow
from store.rows.evidence import EvidenceRow
from store.rows.register import CaseRow
from store.rows.work import DeadlineRow, TaskRow
from texts.notices import NoticeFacts

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
# The facts that the rules look at; the last arguments say whether the case is in force, and as of which day they are:
# that of acceptance, or of a change of what was approved.
Gather = Callable[[CaseFile, AsyncConnection, Form, datetime, bool | None, date], Awaitable[Facts]]
_Said = TypeVar("_Said", bound=OutsideAnswer)
# What is given with a command as it is asked.
Given = BaseModel | Body
# What is checked of a command before it is tried and stored, and nowhere else.
Before = Callable[[CaseFile, AsyncConnection, Actor, datetime, Given], Awaitable[None]]
# What is asked, with what is looked up for it where the caller does not see: of other cases of the same person.
Completes = Callable[[Context, Actor, str, Any], Awaitable[Body]]
# What its caller is told in the place of the refusal of a try, whose transaction is over.
Told = Callable[[Context, Actor, Given, Refused], Awaitable[Refused]]
# What a signed request says of the row that it leaves in the ledger, by its body.
Said = Callable[[Mapping[str, Any]], "Tells"]
# Refuses what a case, or a track of it, takes from nobody now, whatever is given with it.
Refuses = Callable[[CaseFile, Actor, At | None, datetime], None]
# Refuses what a case would not take, looking at it alone.
Look = Callable[[CaseFile, Actor, datetime, Any], object]


# Answers that a question was asked for; None where nothing stands in the place of the call.
ReadKnown = Callable[[Context, Mapping[str, Any]], Awaitable[Known | None]]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked before a call is made, and how the answer is read.

    Attributes:
        message: the question; where it is not offered outside, the call is made as ever.
        refused_as: what stands before the reason where the question is refused as malformed.
        read: returns what stands in the place of the call.

            Raises:
                Unavailable: the answer cannot be read, and is asked for again.
    """

    message: Message
    refused_as: str
    read: ReadKnown


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(CallKind):
    """A kind of outward call, declared once. All but what follows is pure: it looks at the case and changes nothing.

    Where the other side answers that a call was taken, or that it is malformed, what follows is written together with
    the mark on the call. In any other case the same call is made again.

    Attributes:
        sends: what is sent of a case, for its call as it is kept.
        asks: what is asked first, if anything.
        taken: what follows once it was taken, or what it tells is known there already.
        refused: what follows once it was refused, with the reason as a code.
        late: what follows where it was taken although the case did not want it any more.
    """

    sends: Callable[[CaseFile, CallRow, datetime], Message]
    asks: Callable[[CaseFile, CallRow], Question | None] | None = None
    taken: Callable[[CaseFile, AsyncConnection, Actor, datetime, CallRow, Known | None], Awaitable[None]]
    refused: Callable[[CaseFile, AsyncConnection, Actor, datetime, CallRow, str, Known | None], Awaitable[None]]
    late: Callable[[CaseFile, Actor, datetime, CallRow], None]


class Reading(Protocol):
    """The way to those outside who are asked for what they answered."""

    async def read(self, path: str, params: Mapping[str, str]) -> Mapping[str, Any]:
        """Return what is answered there.

        Raises:
            Unavailable: it cannot be had now.
        """
        ...


class Polling(Reading, Protocol):
    """What a poll works with: those outside whom it reads, the engine that it tells, and a sign that it goes on."""

    @property
    def context(self) -> Context:
        """The collaborators of all verbs."""
        ...

    async def nudge(self, reference: str, command_id: str) -> None:
        """Let the workflow of a case hear of a stored command."""
        ...

    def beat(self, done: int) -> None:
        """Say that so many were taken in, and that the poll goes on."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LeavingReport:
    """What is told once, for all cases of an employer, when the employer leaves the Park.

    Attributes:
        what: the kind of the call.
        begins: what its key begins with.
        names: the names, known outside, of what ends with the employer's leaving.
        sends: the message about these names, for the day from which it holds.
    """

    what: str
    begins: str
    names: Callable[[AsyncConnection, str], Awaitable[Sequence[str]]]
    sends: Callable[[date, Sequence[str]], Message]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers(Generic[_Said]):
    """What those outside answer about cases, which the core keeps, counts and holds against the ledger.

    Attributes:
        read: an answer as it was kept in clear.

            Raises:
                pydantic.ValidationError: what was kept was altered.
        hashes: the hashes that may stand beside one.
    """

    read: Callable[[bytes], _Said]
    hashes: Callable[[Context, _Said], frozenset[bytes]]

    def read_hashed(self, context: Context, plain: bytes) -> tuple[OutsideAnswer, frozenset[bytes]]:
        """Return a kept answer with the hashes that may stand beside it."""
        said = self.read(plain)
        return said, self.hashes(context, said)


# Says what the rules would find of a form today, and stores nothing.
Check = Callable[[Context, Actor, Any, Language], Awaitable[CheckView]]


class Reasoned(NamedTuple):
    """What the reasons are for that are given with a command, and whether at least one is needed."""

    use: str
    is_needed: bool = True


NOBODY: Final = frozenset[Role]()
EVERYBODY: Final = frozenset(Role)


@dataclass(frozen=True, slots=True)
class Effect:
    """The acts that a command may leave in the ledger: one of its own, or each where `each`; and what may follow."""

    own: frozenset[str]
    further: frozenset[str] = frozenset()
    each: bool = False

    @property
    def acts(self) -> frozenset[str]:
        """All of them."""
        return self.own | self.further


def effect(*own: str, further: Sequence[str] = (), each: bool = False) -> Effect:
    """Return the effect with these acts."""
    return Effect(frozenset(own), frozenset(further), each)


@dataclass(frozen=True, slots=True)
class Tells:
    """What the row of a signed request must tell; None for what the request leaves to the step that applied it.

    Attributes:
        destination: the key of the track whose row it is, where the request does not name it.
    """

    acts: frozenset[str]
    outcome: str | None = None
    reasons: frozenset[str] | None = None
    destination: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command, declared once: what is given with it, who waits for it, what it does and may leave in the ledger.

    Attributes:
        does: the verb.
        acts: its acts in the ledger, by which the statement of who asked is held against the rows.
        events: the rows of the table of moves that it may be; none where only the engine asks it.
        track: the track whose rows they are, where they are not the case's own.
        refuses: what refuses it now before its rows do, whatever is given with it.
        body: the model of what is given; None where nothing is.
        named: what of it the route names in its path, kept in the body beside what is given.
        reasons: what the reasons are for that are given with it, by the row that it then is.
        comes_to: which of the rows that it may be now it would be, where what is given does not say it alone.
        waits: the roles whose caller waits for the outcome; any other is answered 202 once the command is stored.
        writes_by_itself: whether it changes rows at once and not with the file, so that a try of it has to be undone
            in the database.
        completes: what is asked, with what is looked up for it in other cases before it is tried and stored.
        before: what is checked of it before it is tried and stored.
        look: what refuses it by a look at the case alone, for whoever checks many before any is asked.
        refused: what its caller is told where the try is refused, if something else than that.
        said: what a signed one says of its own row, by which reconciliation holds that row.
        proposes: whether nothing is set before another signature, so that whoever waited is told "stored" and no more.
        is_confided: whether what a person says with it is for the park, and for the address that said it.
        route: how it is asked over HTTP; None for what only the engine asks, or a person of a case of their own.
        own: how a person asks it.
    """

    does: Verb
    acts: Effect
    events: tuple[str, ...] = ()
    track: str | None = None
    refuses: Refuses | None = None
    body: type[BaseModel] | None = None
    named: tuple[str, ...] = ()
    reasons: Mapping[str, Reasoned] = field(default_factory=dict)
    comes_to: Callable[[CaseFile, Sequence[str]], Sequence[str]] | None = None
    waits: frozenset[Role] = NOBODY
    writes_by_itself: bool = False
    completes: Completes | None = None
    before: Before | None = None
    look: Look | None = None
    refused: Told | None = None
    said: Said | None = None
    proposes: bool = False
    is_confided: bool = False
    route: Route | None = None
    own: OwnRoute | None = None

    @property
    def by(self) -> frozenset[Role]:
        """The roles that may ask it; none where only the engine does."""
        asked = NOBODY if self.route is None else self.route.by
        return asked if self.own is None else asked | {Role.PERSON}

    @property
    def is_outside(self) -> bool:
        """Whether employer or person asks it, so that the person's copy of the data has it with its words."""
        return not self.by.isdisjoint({Role.EMPLOYER, Role.PERSON})

    def is_awaited(self, role: Role) -> bool:
        """Whether a caller of a role waits for the outcome."""
        return role in self.waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What the programme lets propose of a case that was decided, to take effect with a second signature.

    Attributes:
        proposed: the act that tells of the proposal.
        rejected: the event that its rejection is, a row of the table.
        given: what the second signature does, where it does not cool off.
        withheld: what its rejection brings with it.
        holds_calls: whether those outward calls that can be held wait as long as it does.
        signer: refuses who may not sign it, given or withheld, beside those who have signed it.
        takes: what the second signature does, where it needs the database; in the place of `given`.
    """

    proposed: str
    rejected: str
    given: Signing | None = None
    withheld: Signing | None = None
    holds_calls: bool = False
    signer: OnMove | None = None
    takes: OnMove | None = None


# What a room does, beside the task that is opened, once evidence fell on which a decision was made: a track is held or
# ended, its setting aside proposed.
Falls = Callable[[CaseFile, AsyncConnection, Actor, datetime, EvidenceRow], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What proves what a form says, piece by piece; the form has `WithEvidence`, the tables `EVIDENCE`.

    Attributes:
        of: the class of its pieces, whose `item` and `kind` are words of the programme, with the values of the items.
        apart: whether who said of a piece what it proves neither decides the case nor signs anything of it.
        falls: what follows, beside the task, where a piece falls on which a decision was made.
    """

    of: type[EvidenceGiven]
    apart: bool = False
    falls: Falls | None = None


class VouchedFact(NamedTuple):
    """What a case vouches for, as its programme says it: by whom, of which paper and day, and since when."""

    issuer: str
    on: date
    at: datetime
    number: str | None = None
    value: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """What cases of the programme vouch for beside their evidence, for cases of others: a recognition in force, say.

    Attributes:
        holds: whether the case vouches for it now, by its rows alone; once it does not, whatever stands on it falls.
        fact: what it says then.
    """

    holds: Callable[[CaseFile], bool]
    fact: Callable[[CaseFile], VouchedFact]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What may be taken over as proof of an item.

    Attributes:
        programme: the code of the programme whose cases vouch for it.
        item: the item of their evidence, or the word under which they vouch (`Programme.vouches`).
        kind: which kind of evidence it is here.
        value: the value of the item here for what was proved there; what it has none for is not offered.
    """

    programme: str
    item: str
    kind: str
    value: Callable[[Any], Any] = undeclared.as_it_was_proved


@dataclass(frozen=True, slots=True, kw_only=True)
class Calculator(Operation):
    """What is asked of no case: a body is answered by the rules, and nothing of either is kept or written down.

    Attributes:
        path: where it stands below the programme's path; no reference looks like it.
        body: the model of what is asked, with an example.
        view: the model of the answer.
        answers: the answer to what is asked, by the versions of the programme's rules, in the words of a language.

            Raises:
                Refused: what is asked has no answer, with the field, and what to do.
        by: the roles that may ask.
        a_minute: how often a caller may ask in a minute, beside what limits all their calls.
    """

    path: str
    body: type[BaseModel]
    view: type[BaseModel]
    answers: Callable[[Any, PackShelf, Language], BaseModel]
    by: frozenset[Role] = EVERYBODY - {Role.AUTHORITY, Role.SYSTEM}
    a_minute: int = 60


# Lets the case, or the track of a key, go on from where it stood before a decision, and tells why.
Undoes = Callable[[CaseFile, AsyncConnection, Actor, datetime, str | None, Sequence[GivenReason]], Awaitable[None]]
# What follows once a decision is set aside.
GoesOn = Callable[[CaseFile, AsyncConnection, Actor, datetime, str | None], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestable:
    """A decision that can be objected to, and set aside by two people who did not decide before.

    Attributes:
        act: the act of the ledger that the decision is.
        outcome: what came of it, where the act may have another outcome too.
        letter: the kind of notice by which it is told; the term of an objection begins with its delivery.
        stands: whether a case, or the track of a key, stands where this decision put it.
        track: the track that it is about, where it is not the case.
        event: the row of the case's table that its setting aside is.
        undo: what its setting aside does: one move of the case, told to those concerned.
        follows: what follows of that, each with an act of its own.
    """

    act: str
    outcome: str | None = None
    letter: str
    stands: Callable[[OneCase, str | None], bool]
    track: str | None = None
    event: str
    undo: Undoes
    follows: GoesOn | None = None


class Decided(NamedTuple):
    """A decision that takes effect: who gave it its last signature, when, why, and the key of its track, if any."""

    by: Actor
    at: datetime
    reasons: tuple[GivenReason, ...]
    key: str | None


# What a decision does once it takes effect, and what the ledger says of that beside.
TakesEffect = Callable[[CaseFile, Actor, datetime, Decided], Mapping[str, Any]]
# What follows it, for the case or for its track of a key.
Follows = Callable[[CaseFile, Actor, datetime, str | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cooling:
    """A decision that cools off between its last signature and its effect, declared by what was proposed.

    Attributes:
        act: the act that tells of the decision.
        outcome: the outcome in its row, where it has one.
        signed: the event that the last signature is, a row of the table; where the case, or its track, stands stays.
        recalled: the event that taking it back is, a row of the table.
        effect: what it does once it takes effect; it moves the case or its track, and tells.
        follows: what follows from that.
        taken_back: what goes on after it was taken back.
    """

    act: str
    outcome: str | None = None
    signed: str
    recalled: str
    effect: TakesEffect
    follows: Follows = undeclared.follow_nothing
    taken_back: Signing = undeclared.go_on_as_before


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """How cases of the programme are renewed, which the core asks, decides and keeps.

    What the rules of the day find of one says `Rules.of_renewal`.

    Attributes:
        asks: the model of what is given, all of which may be left out.
        wanted: takes over what changes at once, and returns what else is otherwise than known, as `changed` knows it:
            what is given now in the place of what was wanted before, where a renewal is corrected that was sent back.
        changed: a form with what is wanted.

            Raises:
                Refused: the whole does not hold together.
        ends: the last day of each track that runs out or has run out and that nothing follows, by its key.
        opens_days_before: how many calendar days before that day it can be asked of a case, whose rules may say it.
        begins: what follows of a granted renewal that has settled: what is wanted is taken over, and the tracks go on.
        shows: the paths of what is confirmed, as the owner reads them.
        taken_on: what is taken on with one unless something else is said, by the name of its field.
    """

    asks: type[BaseModel]
    wanted: Callable[[CaseFile, AsyncConnection, Actor, datetime, Any, Mapping[str, Any]], Awaitable[dict[str, Any]]]
    changed: Callable[[Form, Mapping[str, Any]], Form]
    ends: Callable[[CaseFile], Mapping[str, date]]
    opens_days_before: Callable[[CaseFile], int]
    begins: Callable[[CaseFile, AsyncConnection, Actor, datetime, Sequence[str], dict[str, Any]], Awaitable[None]]
    shows: tuple[str, ...]
    taken_on: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsOn:
    """What of a case that ends may run on under the one that follows it, where the days of the two touch.

    Attributes:
        over: the deadline at which a case ends by a departure.
        gap: the days between the last day of the one case and the first of the other; 0 where they touch.
        rests: lets what still waits of a case that has ended come to its end there, as it does where nothing follows.
    """

    over: str
    gap: Callable[[CaseFile, CaseFile], int]
    rests: Callable[[CaseFile, Actor, datetime], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeTaken:
    """A change of an approved case that was taken and has to be followed.

    Attributes:
        fields: what it changes, by the names of the fields within the parts of the form.
        before: what had been given until then.
        is_ruled: whether a rule looks at one of them.
        pack: the rules of the day.
        on: that day.
    """

    fields: frozenset[str]
    before: Form
    is_ruled: bool
    pack: Pack
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Changing:
    """How what was given is changed of cases of the programme, which the core asks, decides and keeps.

    Fields go by their names within the parts of the form.

    Attributes:
        asks: the model of what is given: fields, all of which may be left out, and beside them `proof` and
            `happened_on`, where it has these (`domain.changes`).
        own: the model of what of it the person may ask of a case that an employer owns; None where nothing is.
        at_once: what changes without an officer. All else waits for one, and so does an address while an earlier
            change of it waits.
        ruled: what a rule looks at: it is assessed anew once it changes.
        noted: what an officer takes or declines on which nothing rests that was decided: it may be declined without a
            reason, and the person is told of it only where they asked.
        looks: refuses what cannot be, by a look at what is asked alone.
        wrong: what is wrong with fields that an officer would look at, by what is known.
        asks_again: those of the fields that ask for something though they are to be as they are.
        merged: a form with other values of some fields.

            Raises:
                Refused: the whole does not hold together.
        keeps: lets the programme's own rows be as the new whole says.
        taken: what follows of a change that was taken wherever the case stands.
        scopes: the tracks whose rules look at what is given, with what would be given.
        follows: what follows of one that was taken once the approval has settled: for the tracks, and outside.
        report_days: within how many working days after it happened a change of a case is reported; a later one is taken
            all the same, and shown to be late. None where no rule says so.
    """

    asks: type[BaseModel]
    own: type[BaseModel] | None = None
    at_once: frozenset[str] = frozenset()
    ruled: frozenset[str] = frozenset()
    noted: frozenset[str] = frozenset()
    looks: Callable[[CaseFile, datetime, Any], None] = undeclared.look_at_nothing
    wrong: Callable[[CaseFile, Mapping[str, Any]], Sequence[FieldError]] = undeclared.find_nothing_wrong
    asks_again: Callable[[CaseFile, Mapping[str, Any]], frozenset[str]] = undeclared.ask_for_nothing_again
    merged: Callable[[Form, Mapping[str, Any]], Form] = with_fields
    keeps: Callable[[CaseFile, Form], None] = undeclared.keep_no_more
    taken: Callable[[CaseFile, Actor, datetime, frozenset[str]], None] = undeclared.leave_it_at_that
    scopes: Callable[[CaseFile, Form], Sequence[str]] = undeclared.no_tracks
    follows: Callable[[CaseFile, AsyncConnection, Actor, datetime, ChangeTaken], Awaitable[None]] = (
        undeclared.follow_no_change
    )
    report_days: Callable[[CaseFile], int] | None = None

    @property
    def weighed(self) -> frozenset[str]:
        """What an officer takes or declines on which a decision may rest."""
        return frozenset(self.asks.model_fields) - self.at_once - self.noted - BESIDE

    def asked_at_once(self, asked: BaseModel) -> dict[str, Any]:
        """Return what of a change needs no officer."""
        return asked.model_dump(mode="json", include=set(self.at_once), exclude_unset=True)

    def asked_of_officer(self, asked: BaseModel) -> dict[str, Any]:
        """Return what of a change an officer takes or declines."""
        return asked.model_dump(mode="json", exclude={*self.at_once, *BESIDE}, exclude_unset=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transferring:
    """How a case of an employer ends so that one of another employer follows it (`cases.decisions.transferring`).

    Attributes:
        leaves: what the employer's answer does that names the last day of work.
        left: what an officer's answer to the task does that does not end the transfer.
        goes_on: sets who acts next on a case whose employer owes no answer any more.
        runs_on: what of a case may run on under the one that follows; None where nothing does.
    """

    leaves: Callable[[CaseFile, Actor, datetime, date], None]
    left: Callable[[CaseFile, Actor, datetime, TaskAnswerRequest], None]
    goes_on: Callable[[CaseFile], None] = undeclared.nobody_acts_next
    runs_on: RunsOn | None = None


class RosterRow(NamedTuple):
    """A row of a roster as it was read: whom it means, and the form of a new case or what is asked of theirs."""

    client_reference: str | None
    document: Document | None
    form: Form | None = None
    asked: BaseModel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """A roster, declared once: what its sheet holds, and what each row is or asks.

    The words of its columns are texts of the programme, in `texts/roster.yaml` beside the core's (`texts.roster`).

    Attributes:
        columns: its columns, in the order of the template.
        read: how a row of codes is read, or what is wrong with it, column by column.
        person: the column whose document says whom a row means.
        asks: the command that a row asks of a case; None where each row is a case of its own.
        stages: where such a case may stand; anywhere without.
        elsewhere: what is said of a case that stands elsewhere.
    """

    columns: tuple[Column, ...]
    read: Callable[[Mapping[str, str]], RosterRow | list[FieldError]]
    person: str
    asks: str | None = None
    stages: frozenset[str] = frozenset()
    elsewhere: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """A programme as it is declared by its room.

    Attributes:
        code: stored with each case; it never changes.
        party: who owns its cases.
        parts: the parts that others have in them, or a person who owns one; a migration stores what they see and ask.
        path: the first part of the addresses of its cases, behind the version.
        prefix: the two letters that the references of its cases begin with; they never change.
        number_prefix: the two letters that the numbers of its approvals begin with, where they are others.
        named: what is put behind the names of those calls that are common to all programmes, so that each has one of
            its own.
        workflow: how the workflows of its cases are called.
        form: what is given to open a case.
        tables: what it keeps of a case beside what every case has; read, written and hashed with the case.
        views: what is shown of a case.
        submit: what taking on a case is called.
        bodies: what the data map says of the bodies that are sent about its cases alone.
        check: what a try of the form is called, and what makes it; None where there is none.
        by: the roles that may hand in a form.
        questions: what can be asked of its rules and is of no case.
        self_check: what anyone may ask of them, about nobody; None where nothing may.
        inboxes: what it hears from machines outside.
        desks: what its staff works on beside cases.
        own_rows: what it keeps of a new case, by table, of the form and of the case as it is taken on.
        opened: what the ledger says of a new case beside what it says of any.
        rosters: the rosters whose rows are of this programme, by what a caller says with one; the names are stored, and
            no two programmes have one.
        moves: the table of its moves, the front half's among them; its columns act.
        tracks: its tracks by name, each with its moves.
        words: the kinds of its deadlines and so on, with those of any case.
        texts: its package, in whose folder `texts` its words are said in each language, and those notices of the core
            that it says in its own way; whoever declares it hands them over (`texts.catalogue`).
        commands: all that can be asked of its cases, those of the core among them.
        answers: what answers to tasks do, by the kind of task; of a kind not named here they close the task.
        timers: what is due at each kind of deadline, those of the core among them.
        packs: its rule packs; a case keeps its version of the first.
        limits: the time limits that it has for itself.
        rules: what an assessment runs.
        gather: the facts that they look at, from what was given or is known, and from the park's registers.
        changing: how what was given is changed; None where it is not.
        renewal: how its cases are renewed; None where they are not.
        evidence: what proves what its forms say; None where nothing is proved by pieces of evidence.
        vouches: what its cases vouch for beside their evidence, by the word under which others take it over.
        takes: what may be taken over as proof, by item of its own evidence.
        signatures: what can be proposed of a case that was decided, beside the decisions of any case.
        contestable: which of its decisions can be objected to, by the word that says so.
        transfer: how a case of an employer is followed by one of another; None where that is not provided for.
        signers: how many people sign a proposal of a kind, its proposer among them, where it is not two.
        cooling: what of a case, or of a track of it, cools off once it is signed, by what was proposed; a refusal does
            in every programme.
        takes_effect: what begins once an approval can no longer be recalled.
        asked: what officers are asked of a case that was decided, each a kind of task and its destination: a fact that
            is recorded may answer it.
        notice_facts: what its notices may say of a case.
        told: what of that is the case's own, or that of one of its tracks.
        known_anew: what the case keeps of what is known of it, taken over after a fact came or went.
        weigh_again: what runs again of that after a fact came or went.
        has_died: whether the person of the case is known to have died, who is told nothing any more.
        outlook: the case as the answer to a decision shows it, with what would still stand in the way of what follows
            an approval.
        recounted: what follows from each deadline that a loaded calendar moved.
        calls: its outward calls, by what is told with them.
        poll: takes in what was answered outside since the last look, and returns how much; None where nothing is.
        leaving: what is told once when an employer leaves the Park, if anything.
        hears: what is answered from outside about its cases, if anything.
        forget: deletes a batch of what the programme keeps beside cases, older than a time.
        in_force: whether a case is in force on a day, and which of its parts are, for anyone who was given a code.
    """

    code: str
    path: str
    party: Party = Party.EMPLOYER
    parts: tuple[DeclaredPart, ...] = ()
    prefix: str
    number_prefix: str = ""
    named: str = ""
    workflow: CaseType
    form: type[Form]
    tables: tuple[CaseTable, ...] = ()
    views: Views
    by: frozenset[Role] = frozenset({Role.EMPLOYER})
    submit: Operation
    bodies: tuple[DataRow, ...] = ()
    check: tuple[Operation, Check] | None = None
    questions: tuple[Calculator, ...] = ()
    self_check: SelfCheck | None = None
    inboxes: tuple[Inbox, ...] = ()
    desks: tuple[Desk, ...] = ()
    own_rows: Callable[[Form, CaseRow], Mapping[str, Sequence[TableRow]]] = undeclared.keep_nothing
    opened: Callable[[CaseFile], Mapping[str, Any]] = undeclared.tell_nothing
    rosters: Mapping[str, Roster] = field(default_factory=dict)
    moves: Moves
    tracks: Mapping[str, Track] = field(default_factory=dict)
    words: Words = CORE_WORDS
    texts: str
    commands: Mapping[str, Command]
    answers: Mapping[str, Answer]
    timers: Mapping[str, Timer]
    packs: tuple[PackSource, ...]
    limits: OwnLimits = NO_LIMITS
    rules: Rules = undeclared.NO_RULES
    gather: Gather = undeclared.gather_nothing
    changing: Changing | None = None
    renewal: Renewal | None = None
    evidence: Evidence | None = None
    vouches: Mapping[str, Vouched] = field(default_factory=dict)
    takes: Mapping[str, tuple[Taken, ...]] = field(default_factory=dict)
    signatures: Mapping[str, Signature] = field(default_factory=dict)
    contestable: Mapping[str, Contestable] = field(default_factory=dict)
    transfer: Transferring | None = None
    signers: Mapping[str, int] = field(default_factory=dict)
    cooling: Mapping[str, Cooling] = field(default_factory=dict)
    takes_effect: OnMove = undeclared.begin_nothing
    asked: Callable[[CaseFile], Sequence[tuple[str, str]]] = undeclared.ask_nothing
    notice_facts: type[NoticeFacts] = NoticeFacts
    told: Callable[[CaseFile, str | None], Mapping[str, object]] = undeclared.say_no_more
    known_anew: Callable[[CaseFile, datetime], None] = undeclared.keep_nothing_known
    weigh_again: Callable[[CaseFile, AsyncConnection, datetime], Awaitable[None]] = undeclared.weigh_nothing_again
    has_died: Callable[[CaseFile], bool] = undeclared.not_known_to_have_died
    outlook: Outlook = undeclared.look_no_further
    recounted: Recounted = undeclared.recount_no_further
    calls: Mapping[str, Call] = field(default_factory=dict)
    poll: Callable[[Polling], Awaitable[int]] | None = None
    leaving: LeavingReport | None = None
    hears: Answers[Any] | None = None
    forget: Callable[[AsyncConnection, datetime, int], Awaitable[None]] = undeclared.forget_nothing
    in_force: Callable[[OneCase, date], InForce] = approval_in_force

    @property
    def numbers_begin(self) -> str:
        """What the numbers of its approvals begin with."""
        return self.number_prefix or self.prefix

    @property
    def holding(self) -> frozenset[str]:
        """What, while it waits for its second signature, lets those calls wait that can be held."""
        return frozenset(act for act, each in self.signatures.items() if each.holds_calls)

    def asked_by(self, roster: str) -> str:
        """Return the command that each row of a roster asks of its case."""
        command = self.rosters[roster].asks
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


def programme_at(context: Context, reference: str) -> Programme:
    """Return the programme whose references begin as this one does.

    Raises:
        KeyError: for one of no programme that this process was handed.
    """
    for each in programmes_of(context):
        if reference.startswith(f"{each.prefix}-"):
            return each
    raise KeyError(reference)


def programmes_of(context: Context) -> list[Programme]:
    """Return all programmes that this process was handed."""
    return [programme(context, code) for code in context.programmes]


def programme_of(file: CaseFile) -> Programme:
    """Return the programme of a case."""
    return programme(file.context, file.row.programme)
