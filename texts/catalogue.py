"""Catalogues of sentences: one YAML file each, the three languages side by side, read once at import."""

from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from domain.languages import Language


class Sentence(BaseModel):
    """A sentence in all three languages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zh_hans: str = Field(alias="zh-Hans", min_length=1)
    zh_hant: str = Field(alias="zh-Hant", min_length=1)
    en: str = Field(min_length=1)

    def in_language(self, language: Language) -> str:
        """Return the sentence in a language."""
        return {Language.ZH_HANS: self.zh_hans, Language.ZH_HANT: self.zh_hant, Language.EN: self.en}[language]


def read_sentences(name: str) -> Mapping[str, Sentence]:
    """Return the sentences of a catalogue by code."""
    return TypeAdapter(dict[str, Sentence]).validate_python(read_catalogue(name))


def read_groups(name: str) -> Mapping[str, Mapping[str, Sentence]]:
    """Return the sentences of a catalogue by code and, under it, by part or outcome."""
    return TypeAdapter(dict[str, dict[str, Sentence]]).validate_python(read_catalogue(name))


def read_catalogue(name: str) -> Any:
    """Return what a catalogue holds, as it stands there: what the core says, and what the rooms of programmes say.

    Raises:
        ValueError: a room says again what is said already.
    """
    found: dict[str, Any] = {}
    for folder in (files("texts") / "catalogues", *rooms()):
        if (file := folder / f"{name}.yaml").is_file():
            _add(found, _read(file))
    return found


def rooms() -> list[Path]:
    """Return the folders with texts of the programmes' rooms, which stand above this package and are not imported."""
    spec = find_spec("programmes")
    places = (spec.submodule_search_locations or ()) if spec else ()
    return sorted(folder for place in places for folder in Path(place).glob("*/texts"))


def _read(file: Traversable) -> Any:
    # Several times as fast as the safe loader in Python, and as safe; every process reads all of them at its start.
    return yaml.load(file.read_text("utf-8"), yaml.CSafeLoader)


def _add(found: dict[str, Any], more: Mapping[str, Any], depth: int = 2) -> None:
    """Add entries, and those of a group to a group that is there."""
    for name, said in more.items():
        if name not in found:
            found[name] = said
        elif depth > 1 and isinstance(said, dict):
            _add(found[name], said, depth - 1)
        else:
            raise ValueError(f"{name} is said twice")
