"""What every verb works with: the database, the keys, the rules, the calendar, the clock and a few addresses."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol, TypeVar

from cases.files.apart import Apart
from domain.case_types import CaseTypes, Typed
from domain.employers import PremisesEntry
from domain.forms import Form
from domain.notices import Channel
from domain.outward import CallKind
from domain.words import Words, joined
from domain.working_days import WorkingCalendar
from policy.limits import Limits, OwnLimits
from policy.pack import PackShelf, PackShelves
from policy.packs import PackSource
from proof.checkpoints import VerifierKey
from store.case_tables import CaseTable, OwnTables
from store.database import Database
from store.erasure_list import ErasureList
from store.keyring import Keyring

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Context:
    """The collaborators of all verbs; built once at the edge."""

    database: Database
    keyring: Keyring
    packs: PackShelves
    limits: Limits
    clock: Callable[[], datetime]
    # By code; `cases.programme` says what is in them, which this module stands below.
    programmes: Mapping[str, "Declared"] = field(kw_only=True)
    # By code, those that a programme has for itself; what is in them it says (`own_limits`).
    own_limits: Mapping[str, object] = field(default_factory=dict)
    public_url: str = ""
    sign_in_url: str = ""
    staff_mailbox: str | None = None
    webhook_allowed: frozenset[str] = frozenset()
    log_origin: str = "hetao-permits/ledger"
    witness_keys: tuple[VerifierKey, ...] = ()
    erasure_list: ErasureList | None = None
    # The register as the sealer, where this process seals.
    sealer_database: Database | None = None
    seal_overdue: timedelta = timedelta(minutes=5)
    poisoned: Path | None = None
    calendars: "CalendarShelf" = field(default_factory=lambda: CalendarShelf())
    premises: "PremisesShelf" = field(default_factory=lambda: PremisesShelf())
    apart: Apart = field(default_factory=Apart)
    bells: "DeliveryBells" = field(default_factory=lambda: DeliveryBells())
    # Of all programmes, made once of `programmes`: steps, lists and deliveries ask for them each time.
    case_types: CaseTypes = field(init=False)
    words: Words = field(init=False)
    # Each with the code of its own.
    own_tables: OwnTables = field(init=False)

    def __post_init__(self) -> None:
        declared = self.programmes.values()
        object.__setattr__(self, "case_types", CaseTypes(self.programmes))
        object.__setattr__(self, "words", joined(each.words for each in declared))
        own = tuple((code, table) for code, each in self.programmes.items() for table in each.tables)
        object.__setattr__(self, "own_tables", own)

    def path_of(self, reference: str) -> str:
        """Return the address of a case among those of the API, after the version; it need not be there.

        Raises:
            KeyError: for a reference of no programme that this process was handed.
        """
        for each in self.programmes.values():
            if reference.startswith(f"{each.prefix}-"):
                return f"{each.path}/{reference}"
        raise KeyError(reference)


class Declared(Typed, Protocol):
    """A programme, as far as it is known down here: its code, and what its cases are made of and called."""

    @property
    def code(self) -> str:
        """The code that its cases carry."""
        ...

    @property
    def tables(self) -> Sequence[CaseTable]:
        """The tables that it keeps beside those of any case."""
        ...

    @property
    def words(self) -> Words:
        """Its words, with those of any case."""
        ...

    @property
    def path(self) -> str:
        """The first part of the addresses of its cases."""
        ...

    @property
    def prefix(self) -> str:
        """The two letters that the references of its cases begin with."""
        ...

    @property
    def form(self) -> type[Form]:
        """What is given to open a case."""
        ...

    @property
    def calls(self) -> Mapping[str, CallKind]:
        """Its outward calls, by what is told with them."""
        ...

    @property
    def holding(self) -> frozenset[str]:
        """What, while it waits for its second signature, lets those calls wait that can be held."""
        ...

    @property
    def views(self) -> object:
        """What is shown of a case; `cases.case.shows` says what is in it."""
        ...

    @property
    def packs(self) -> tuple[PackSource, ...]:
        """Its rule packs; a case keeps its version of the first."""
        ...

    @property
    def texts(self) -> str:
        """The package whose folder `texts` says its words."""
        ...

    @property
    def limits(self) -> OwnLimits:
        """The limits that it has for itself."""
        ...


def own_limits(context: Context, code: str, kind: type[_T]) -> _T:
    """Return the limits that a programme has for itself.

    Raises:
        KeyError: where this process was not handed the programme.
        TypeError: where they are of another kind.
    """
    found = context.own_limits[code]
    if not isinstance(found, kind):
        raise TypeError(type(found).__name__)
    return found


def shelf_of(context: Context, code: str) -> PackShelf:
    """Return the shelf of the pack whose version cases of a programme keep."""
    return context.packs.of(context.programmes[code].packs[0].name)


def code_of_pack(context: Context, name: str) -> str | None:
    """Return the code of the programme whose cases keep a version of a pack; None where none does."""
    return next((code for code, each in context.programmes.items() if each.packs[0].name == name), None)


def pack_names(context: Context) -> list[str]:
    """Return the names of the rule packs of all programmes."""
    return [source.name for each in context.programmes.values() for source in each.packs]


def forms_of(context: Context) -> tuple[type[Form], ...]:
    """Return the forms of all programmes, for what is of no case."""
    return tuple(context.programmes[code].form for code in context.programmes)


@dataclass(slots=True)
class CalendarShelf:
    """The working calendar as last read from its table; read again when its version there has changed."""

    version: str = ""
    calendar: WorkingCalendar | None = None


@dataclass(slots=True)
class PremisesShelf:
    """The premises of the Park as last read from their table, under code and folded address, with their version."""

    version: str = ""
    entries: dict[str, list[PremisesEntry]] = field(default_factory=dict)


@dataclass(slots=True)
class DeliveryBells:
    """Tells a channel that delivers in this process of messages as soon as they are committed.

    Other processes find them when they next look, so that nothing depends on a bell that was not heard.
    """

    listeners: dict[Channel, set[Callable[[], None]]] = field(default_factory=dict)

    @contextmanager
    def answering(self, channel: Channel, listener: Callable[[], None]) -> Iterator[None]:
        """Call a listener whenever there are new messages of a channel, while the body lasts."""
        listeners = self.listeners.setdefault(channel, set())
        listeners.add(listener)
        try:
            yield
        finally:
            listeners.discard(listener)

    def ring(self, channels: Iterable[Channel]) -> None:
        """Say that there are new messages of channels."""
        for channel in set(channels):
            for listener in tuple(self.listeners.get(channel, ())):
                listener()
