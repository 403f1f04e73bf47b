"""Catalogues of sentences: one YAML file each, the three languages side by side, read once.

What the core says stands here. What a programme says stands in its own room, in the folder `texts` beside its
declaration, which names the package (`Programme.texts`): catalogues of the same names add entries and groups, and
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
    """Return the sentences of a catalogue by code."""
    return _growing(name, TypeAdapter(dict[str, Sentence]))


def read_groups(name: str) -> Mapping[str, Mapping[str, Sentence]]:
    """Return the sentences of a catalogue by code and, under it, by part or outcome."""
    return _growing(name, TypeAdapter(dict[str, dict[str, Sentence]]))


def read_catalogue(name: str) -> Any:
    """Return what a catalogue of the core holds, as it stands there."""
    return read_yaml(_CORE / f"{name}.yaml")


def read_yaml(file: Traversable) -> Any:
    """Return what a file holds."""
    # Several times as fast as the safe loader in Python, and as safe; every process reads all of them at its start.
    return yaml.load(file.read_text("utf-8"), yaml.CSafeLoader)


def _growing(name: str, content: TypeAdapter[dict[str, Any]]) -> Mapping[str, Any]:
    """Return what a catalogue holds: what the core says, and what each room adds as it is handed over."""
    found: dict[str, Any] = {}

    def take(package: str, folder: Traversable) -> None:
        if (file := folder / f"{name}.yaml").is_file():
            _add(found, content.validate_python(read_yaml(file)))

    take(CORE, _CORE)
    take_in(take)
    return found


def _add(found: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Add entries, and those of a group to a group that is there."""
    for name, said in more.items():
        if name not in found:
            found[name] = said
        elif isinstance(said, dict):
            _add(found[name], said)
        else:
            raise ValueError(f"{name} is said twice")
