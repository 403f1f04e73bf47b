"""What a programme shows of its cases beside what every case shows: declared by its room, found by the case's code."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from cases.case.file import CaseFile
from cases.case.own_views import OwnCase
from cases.case.reading import CaseReading
from cases.case.views import AnyCaseView
from cases.shared.context import Context
from domain.actors import Actor
from domain.folding import NO_TRACKS, Folding
from domain.languages import Language

# A case being changed, or one that is only read.
Shown = CaseFile | CaseReading


@dataclass(frozen=True, slots=True)
class Showing:
    """A case and who is shown it: in a list of many without findings that pass, and whether a decision is hidden."""

    case: Shown
    actor: Actor
    language: Language
    short: bool
    hidden: bool


@dataclass(frozen=True, slots=True)
class FactSource:
    """Where a fact that the rules looked at comes from, and who sees it how on a receipt."""

    said: str
    outside: bool = True  # an employer, where findings on it are not for staff alone
    masked: bool = False
    inside: bool = True  # staff and auditors open the rest of the person's fields by their own call, with a purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the record says of cases of a programme beside what it says of any.

    Attributes:
        facts: what the rules look at; a fact that is not listed is not shown.
        from_field: facts that are not called as the field is that they come from, by the name of the field.
        decisions: acts that are a decision beside those of any case, each with what it decides, against which a letter
            says what can be done.
        proposals: acts that only propose what a second signature gives effect to.
        folding: how rows of the ledger tell where its tracks stood.
        passed_on: which fields of the person a call passes on, by what it is.
    """

    facts: Mapping[str, FactSource] = field(default_factory=dict)
    from_field: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    decisions: Mapping[str, str] = field(default_factory=dict)
    proposals: frozenset[str] = frozenset()
    folding: Folding = NO_TRACKS
    passed_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What answers about cases of a programme look like in the OpenAPI document, where each class is a schema.

    No two programmes have a schema of one name, nor has the core a class that is called as one of theirs: the document
    would tell both apart by their modules, and clients of the first would be broken by the second.

    Attributes:
        named: stands before the names of the schemas that the API makes of these; the first programme has none.
        description: what the programme is, in a sentence.
        case: a case to any reader, with members that only some have.
        own_case: a case to its person.
        own_data: all that is held under a case, to its person.
        fact: a fact that was recorded, without its content.
        fact_field: the fields of which a fact may be recorded.
        person: the fields of the person that a purpose opens.
        obstacle: what stands in the way of what follows an approval.
    """

    named: str = ""
    description: str
    case: type
    own_case: type
    own_data: type
    fact: type
    fact_field: type[StrEnum]
    person: type
    obstacle: type


def _as_any_case(showing: Showing, seen: AnyCaseView) -> AnyCaseView:
    return seen


def _as_any_own_case(case: CaseReading, seen: AnyCaseView, own: OwnCase, language: Language) -> OwnCase:
    return own


def _no_remedies(case: CaseReading) -> Sequence[str]:
    return ()


def _no_cells(seen: AnyCaseView, given: Mapping[str, Any]) -> Mapping[str, object]:
    return {}


# What spreadsheets of an employer's cases have of any programme, in this order.
COLUMNS: Final = (
    "reference", "client_reference", "name_zh", "name_en", "identity_number", "stage", "holder", "due_on", "due_kind",
    "accepted_on", "registration_number", "ended_on", "end_reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """What a programme shows of its cases.

    Attributes:
        case: what every case shows, with the programme's own; of staff's view, that one with its own.
        last: the last member of a case that all its readers see, behind which its links stand.
        own: a case as its person reads it, with the programme's own; the case as it is shown to them comes first.
        remedies: codes of what the person can do now, beside what they can do in any case, the first first.
        columns: of the table of cases, those that every case has among them.
        cells: the programme's own columns of a case as it is shown, with what was given, none where it is not known.
        told: what receipts, stories and logs of readers say of a case.
        published: how that is told in the OpenAPI document.
    """

    case: Callable[[Showing, AnyCaseView], AnyCaseView] = _as_any_case
    last: str = "recorded_facts"
    own: Callable[[CaseReading, AnyCaseView, OwnCase, Language], OwnCase] = _as_any_own_case
    remedies: Callable[[CaseReading], Sequence[str]] = _no_remedies
    columns: tuple[str, ...] = COLUMNS
    cells: Callable[[AnyCaseView, Mapping[str, Any]], Mapping[str, object]] = _no_cells
    told: Told = field(default_factory=Told)
    published: Published


def views_of(case: Shown) -> Views:
    """Return what the programme of a case shows."""
    return views_in(case.context, case.row.programme)


def views_in(context: Context, code: str) -> Views:
    """Return what the programme of a code shows.

    Raises:
        TypeError: where its declaration has something else.
    """
    found = context.programmes[code].views
    if not isinstance(found, Views):
        raise TypeError(type(found).__name__)
    return found
