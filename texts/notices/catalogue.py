"""The templates: one YAML file a kind with the three languages side by side, read and compiled once at import.

A programme says what is told of its cases in its room (`texts/notices`): its own kinds, and those of the core that it
says in its own way, whole. Of a kind that it does not say, the core's text stands, with the words of the room's
`shared.yaml`: what a case is called, what is proposed of it, what becomes of personal information, and passages.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from jinja2 import Environment, StrictUndefined, Template, pass_context
from jinja2.runtime import Context
from pydantic import BaseModel, ConfigDict, Field

from domain.errors import Defect
from domain.languages import Language
from domain.notices import Recipient
from texts.catalogue import CORE, read_yaml, take_in
from texts.notices import wording

FOLDER: Final = Path(__file__).parent / "templates"
_SHARED: Final = "shared.yaml"
EVERYONE: Final = "everyone"
_LANGUAGES: Final = frozenset(language.value for language in Language)


class Listing(BaseModel):
    """A list: fixed items, or one item for each element of a fact."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    each: Literal["reasons", "points", "handed"] | None = None
    items: tuple[str, ...] = Field(min_length=1)


class Mark(BaseModel):
    """A sentence that must be seen: an unconfirmed text says so here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mark: str


class Use(BaseModel):
    """A passage that several notices share, from the room's file `shared.yaml` or else from the core's.

    Of what concerns all cases of an employer each programme says its own, and what is alike is said once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    use: str
    of_each: bool = False


Passage = Annotated[str | Listing | Mark | Use, Field(union_mode="left_to_right")]
Passages = Mapping[Language, tuple[Passage, ...]]
Wordings = Mapping[str, Mapping[Language, str]]


class Entry(BaseModel):
    """The texts of one kind; a body under `everyone` serves each recipient without a body of its own.

    An SMS says no more than that there is news; the one kind that has a text of its own there is of no use without it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: Mapping[Language, str]
    heading: Mapping[Language, str]
    inbox: Mapping[Language, str] = {}
    sms: Mapping[Language, str] = {}
    bodies: Mapping[str, Passages] = {}

    def body(self, recipient: Recipient, language: Language) -> tuple[Passage, ...]:
        """Return the passages written for the recipient."""
        passages = self.bodies.get(recipient.value) or self.bodies[EVERYONE]
        return passages[language]


class Own(BaseModel):
    """What a room says in the notices of its cases, where the core has no better word.

    Attributes:
        words: what a case and an application are called, by the names that the core gives them.
        acts: what a proposal is to do that waits for another signature.
        decisions: what a decision is called that can be objected to.
        personal: what becomes of personal information: for what, which, who receives it, how long it is kept, and
            what of it is not confirmed.
        passages: what several notices share.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: Wordings = {}
    acts: Wordings = {}
    decisions: Wordings = {}
    personal: Wordings = {}
    passages: Mapping[str, Passages] = {}


class Shared(Own):
    """What all notices have in common."""

    sms: Mapping[Language, str]
    sender: Mapping[Language, str]
    footer: Mapping[Language, str]
    open_link: Mapping[Language, str]
    mark_label: Mapping[Language, str]
    digest_subject: Mapping[Language, str]
    digest_heading: Mapping[Language, str]
    together_heading: Mapping[Language, str]


def _present(value: Any) -> Any:
    """Return what a template prints, refusing a fact that is missing."""
    if value is None:
        raise Defect("notice_fact_missing")
    return value


def _filter(wording_of: Callable[[Any, Language], str], language: Language) -> Callable[[Any], str]:
    """Return a Jinja filter that writes a value in the language and refuses one that is missing."""
    return lambda value: wording_of(_present(value), language)


@pass_context
def _act(context: Context, value: Any) -> str:
    """Return what a proposal is to do, in the words of the room."""
    acts: Mapping[str, str] = context["acts"]
    return acts[_present(value)]


@pass_context
def _decided(context: Context, value: Any) -> str:
    """Return what a decision is called, in the words of the room."""
    decisions: Mapping[str, str] = context["decisions"]
    return decisions[_present(value)]


def _of_room(wording_of: Callable[[Any, Language, str], str], language: Language) -> Callable[[Context, Any], str]:
    """Return a Jinja filter that writes a code in the language as the room names it."""

    @pass_context
    def write(context: Context, value: Any) -> str:
        return wording_of(_present(value), language, context["room"])

    return write


def _capital(value: str) -> str:
    """Return words as they begin a sentence."""
    return value[:1].upper() + value[1:]


def _environment(language: Language) -> Environment:
    """Return a Jinja environment that writes dates and names in the language and refuses what is missing."""
    # Plain text: the layout of the mail escapes what is printed here.
    environment = Environment(undefined=StrictUndefined, finalize=_present, autoescape=False)  # noqa: S701
    for name in ("day", "place", "places", "role", "why"):
        environment.filters[name] = _filter(getattr(wording, name), language)
    environment.filters |= {"due": _of_room(wording.due, language), "field": _of_room(wording.field, language)}
    environment.filters |= {"act": _act, "decided": _decided, "capital": _capital}
    return environment


def _sources(node: object, language: Language | None = None) -> Iterator[tuple[Language, str]]:
    """Yield every template source of an entry with its language, so that all are compiled before the first notice."""
    if isinstance(node, str) and language is not None:
        yield language, node
    elif isinstance(node, Mapping):
        for key, value in node.items():
            yield from _sources(value, Language(key) if key in _LANGUAGES else language)
    elif isinstance(node, list):
        for value in node:
            yield from _sources(value, language)


SHARED: Final = Shared.model_validate(read_yaml(FOLDER / _SHARED))
# A compiled template for each source in its language.
COMPILED: Final[dict[tuple[Language, str], Template]] = {}
_ENVIRONMENTS: Final = {language: _environment(language) for language in Language}
# Bodies are printed as plain text once and escaped here, so text and HTML always say the same.
LAYOUT: Final[Template] = Environment(
    undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True
).from_string((FOLDER / "layout.html").read_text(encoding="utf-8"))


@dataclass(slots=True)
class Room:
    """What is said of the cases of one programme: what its room says, and what the core says beside it."""

    package: str
    own: Own
    entries: dict[str, Entry] = field(default_factory=dict)
    # By language, what templates find beside the facts.
    words: Mapping[Language, Mapping[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        told: Mapping[str, tuple[Wordings, Wordings]] = {
            "own": (SHARED.words, self.own.words),
            "acts": (SHARED.acts, self.own.acts),
            "decisions": (SHARED.decisions, self.own.decisions),
            "personal": (SHARED.personal, self.own.personal),
        }
        self.words = {language: self._words(told, language) for language in Language}

    def _words(self, told: Mapping[str, tuple[Wordings, Wordings]], language: Language) -> Mapping[str, Any]:
        found = {
            name: {code: said[language] for each in both for code, said in each.items()} for name, both in told.items()
        }
        return {**found, "applications": found["own"]["application"], "room": self.package}

    def entry(self, kind: str) -> Entry:
        """Return the texts of a kind.

        Raises:
            KeyError: where neither the room nor the core says it.
        """
        return self.entries.get(kind) or ROOMS[CORE].entries[kind]

    def find(self, kind: str) -> Entry | None:
        """Return the texts of a kind; None where neither the room nor the core says it."""
        return self.entries.get(kind) or ROOMS[CORE].entries.get(kind)

    def passages(self, name: str, language: Language) -> tuple[Passage, ...]:
        """Return a passage that several notices share."""
        found = self.own.passages.get(name) or SHARED.passages[name]
        return found[language]


# By package: the core's, and those of each room as it is handed over.
ROOMS: Final[dict[str, Room]] = {}


def kinds() -> frozenset[str]:
    """Return every kind that anybody says."""
    return frozenset(kind for room in ROOMS.values() for kind in room.entries)


def _compile(part: BaseModel) -> None:
    for language, source in _sources(part.model_dump(mode="json")):
        if (language, source) not in COMPILED:
            COMPILED[language, source] = _ENVIRONMENTS[language].from_string(source)


def take_notices(package: str, folder: Traversable) -> None:
    """Take in what a package says in its folder: the texts of each kind that it has a file for, and what they share."""
    found = {file.name.removesuffix(".yaml"): file for file in _files(folder)}
    shared = found.pop("shared", None)
    own = Own() if package == CORE or shared is None else Own.model_validate(read_yaml(shared))
    _compile(own)
    ROOMS[package] = Room(package, own)
    for kind, file in found.items():
        entry = ROOMS[package].entries[kind] = Entry.model_validate(read_yaml(file))
        _compile(entry)


def _files(folder: Traversable) -> Iterable[Traversable]:
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted((file for file in found if file.name.endswith(".yaml")), key=lambda each: each.name)


_compile(SHARED)
take_notices(CORE, FOLDER)
take_in(lambda package, room: take_notices(package, room / "notices"))
