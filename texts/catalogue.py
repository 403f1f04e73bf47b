"""Catalogues of sentences: one YAML file each, the three languages side by side, read once.

What the core says stands here. What a programme says stands in its own room, in the folder `texts` beside its
declaration, which names the package (`Programme.texts`): catalogues of the same names add entries and groups, or say
an entry of a group otherwise for the cases of that programme alone, and
`notices` has one template for each kind of notice, for those of the core too where the room says them in its own way
(`texts.notices.catalogue`). `programmes/__init__.py` hands the rooms of the registry over, once and at its import; a
declaration that is in no registry, as those of tests, is handed over in the same manner by whoever declares it:
`hand_over("tests.programmes.toy")`.
"""

from collections.abc import Callable, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from domain.languages import Language

# Takes in the folder of a package.
Take = Callable[[str, Traversable], None]

CORE: Final = ""  # no room's package
_CORE: Final = files("texts") / "catalogues"
# What was handed over, by package, and what takes each in.
_rooms: dict[str, Traversable] = {}
_readers: list[Take] = []


class Sentence(BaseModel):
    """A sentence in all three languages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zh_hans: str = Field(alias="zh-Hans", min_length=1)
    zh_hant: str = Field(alias="zh-Hant", min_length=1)
    en: str = Field(min_length=1)

    def in_language(self, language: Language) -> str:
        """Return the sentence in a language."""
        return {Language.ZH_HANS: self.zh_hans, Language.ZH_HANT: self.zh_hant, Language.EN: self.en}[language]


def hand_over(*packages: str) -> None:
    """Take in what the rooms of these packages say, each once.

    Raises:
        ValueError: a room says again what is said already.
    """
    for package in packages:
        if package not in _rooms:
            folder = files(package) / "texts"
            for take in _readers:
                take(package, folder)
            _rooms[package] = folder


def take_in(take: Take) -> None:
    """Let a catalogue take in each room: those that were handed over, and those that will be."""
    for package, folder in _rooms.items():
        take(package, folder)
    _readers.append(take)


def read_sentences(name: str) -> Mapping[str, Sentence]:
    """Return the sentences of a catalogue by code: what the core says, and what each room adds as it is handed over."""
    found: dict[str, Sentence] = {}
    content = TypeAdapter(dict[str, Sentence])

    def take(package: str, folder: Traversable) -> None:
        if (file := folder / f"{name}.yaml").is_file():
            more = content.validate_python(read_yaml(file))
            if twice := found.keys() & more.keys():
                raise ValueError(f"{', '.join(sorted(twice))} is said twice")
            found.update(more)

    take(CORE, _CORE)
    take_in(take)
    return found


class Groups(dict[str, dict[str, Sentence]]):
    """The sentences of a catalogue by group and code, and what a room says of its own cases otherwise than others."""

    def __init__(self) -> None:
        super().__init__()
        # By package, group and code.
        self.otherwise: dict[str, dict[str, dict[str, Sentence]]] = {}

    def find(self, group: str, code: str, room: str = CORE) -> Sentence | None:
        """Return what a code of a group says of the cases of a room; None where nobody says it."""
        own = self.otherwise.get(room, {}).get(group, {}).get(code)
        return own or self.get(group, {}).get(code)

    def take(self, package: str, content: Mapping[str, Mapping[str, Sentence]]) -> None:
        """Take in what a package says."""
        for group, codes in content.items():
            known = self.setdefault(group, {})
            for code, said in codes.items():
                if known.setdefault(code, said) is not said:
                    self.otherwise.setdefault(package, {}).setdefault(group, {})[code] = said


def read_groups(name: str) -> Groups:
    """Return the sentences of a catalogue by code and, under it, by part or outcome."""
    found, content = Groups(), TypeAdapter(dict[str, dict[str, Sentence]])

    def take(package: str, folder: Traversable) -> None:
        if (file := folder / f"{name}.yaml").is_file():
            found.take(package, content.validate_python(read_yaml(file)))

    take(CORE, _CORE)
    take_in(take)
    return found


def read_catalogue(name: str) -> Any:
    """Return what a catalogue of the core holds, as it stands there."""
    return read_yaml(_CORE / f"{name}.yaml")


def read_yaml(file: Traversable) -> Any:
    """Return what a file holds."""
    # Several times as fast as the safe loader in Python, and as safe; every process reads all of them at its start.
    return yaml.load(file.read_text("utf-8"), yaml.CSafeLoader)
