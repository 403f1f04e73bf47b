"""The templates: one YAML file a kind with the three languages side by side, read and compiled once at import."""

from collections.abc import Callable, Iterator, Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from jinja2 import Environment, StrictUndefined, Template
from pydantic import BaseModel, ConfigDict, Field

from domain.errors import Defect
from domain.languages import Language
from domain.notices import Recipient
from texts.catalogue import read_yaml, take_in
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
    """A passage that several notices share, taken from the file `shared.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    use: str


Passage = Annotated[str | Listing | Mark | Use, Field(union_mode="left_to_right")]
Passages = Mapping[Language, tuple[Passage, ...]]


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


class Shared(BaseModel):
    """What all notices have in common."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sms: Mapping[Language, str]
    sender: Mapping[Language, str]
    footer: Mapping[Language, str]
    open_link: Mapping[Language, str]
    mark_label: Mapping[Language, str]
    digest_subject: Mapping[Language, str]
    digest_heading: Mapping[Language, str]
    together_heading: Mapping[Language, str]
    passages: Mapping[str, Passages]


def _present(value: Any) -> Any:
    """Return what a template prints, refusing a fact that is missing."""
    if value is None:
        raise Defect("notice_fact_missing")
    return value


def _filter(wording_of: Callable[[Any, Language], str], language: Language) -> Callable[[Any], str]:
    """Return a Jinja filter that writes a value in the language and refuses one that is missing."""
    return lambda value: wording_of(_present(value), language)


def _environment(language: Language) -> Environment:
    """Return a Jinja environment that writes dates and names in the language and refuses what is missing."""
    # Plain text: the layout of the mail escapes what is printed here.
    environment = Environment(undefined=StrictUndefined, finalize=_present, autoescape=False)  # noqa: S701
    for name in ("day", "place", "places", "role", "act", "why", "due", "field"):
        environment.filters[name] = _filter(getattr(wording, name), language)
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
# By kind: the core's, and those of each room as it is handed over.
ENTRIES: Final[dict[str, Entry]] = {}
# A compiled template for each source in its language.
COMPILED: Final[dict[tuple[Language, str], Template]] = {}
_ENVIRONMENTS: Final = {language: _environment(language) for language in Language}
# Bodies are printed as plain text once and escaped here, so text and HTML always say the same.
LAYOUT: Final[Template] = Environment(
    undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True
).from_string((FOLDER / "layout.html").read_text(encoding="utf-8"))


def _compile(part: BaseModel) -> None:
    for language, source in _sources(part.model_dump(mode="json")):
        if (language, source) not in COMPILED:
            COMPILED[language, source] = _ENVIRONMENTS[language].from_string(source)


def take_notices(folder: Traversable) -> None:
    """Take in the texts of each kind that a folder has a file for."""
    for file in sorted(folder.iterdir(), key=lambda each: each.name) if folder.is_dir() else ():
        if not file.name.endswith(".yaml") or file.name == _SHARED:
            continue
        kind = file.name.removesuffix(".yaml")
        if kind in ENTRIES:
            raise ValueError(f"{kind} is said twice")
        ENTRIES[kind] = Entry.model_validate(read_yaml(file))
        _compile(ENTRIES[kind])


_compile(SHARED)
take_notices(FOLDER)
take_in(lambda room: take_notices(room / "notices"))
