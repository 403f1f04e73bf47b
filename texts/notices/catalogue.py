"""The templates: one YAML file a kind with the three languages side by side, read and compiled once at import."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from jinja2 import Environment, StrictUndefined, Template
from pydantic import BaseModel, ConfigDict, Field

from domain.errors import Defect
from domain.languages import Language
from domain.notices import NoticeKind, Recipient
from texts.catalogue import rooms
from texts.notices import wording

FOLDER: Final = Path(__file__).parent / "templates"
FOLDERS: Final = (FOLDER, *(room / "notices" for room in rooms()))
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


def _read(name: str) -> Any:
    """Return a template file as plain data, the one here or that of a programme's room."""
    (file,) = [each for folder in FOLDERS if (each := folder / f"{name}.yaml").is_file()]
    return yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader)


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


ENTRIES: Final[Mapping[NoticeKind, Entry]] = {kind: Entry.model_validate(_read(kind)) for kind in NoticeKind}
SHARED: Final = Shared.model_validate(_read("shared"))
# Bodies are printed as plain text once and escaped here, so text and HTML always say the same.
LAYOUT: Final[Template] = Environment(
    undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True
).from_string((FOLDER / "layout.html").read_text(encoding="utf-8"))


def _compile() -> Mapping[tuple[Language, str], Template]:
    """Return a compiled template for each source of the catalogue in its language."""
    parts = [SHARED.model_dump(mode="json"), *(entry.model_dump(mode="json") for entry in ENTRIES.values())]
    environments = {language: _environment(language) for language in Language}
    sources = {pair for part in parts for pair in _sources(part)}
    return {(language, source): environments[language].from_string(source) for language, source in sources}


COMPILED: Final = _compile()
