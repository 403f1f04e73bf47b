"""Catalogues of sentences: one YAML file each, the three languages side by side, read once at import."""

from collections.abc import Mapping
from importlib.resources import files
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
    """Return what a catalogue holds, as it stands there."""
    # Several times as fast as the safe loader in Python, and as safe; every process reads all of them at its start.
    return yaml.load((files("texts") / "catalogues" / f"{name}.yaml").read_text("utf-8"), yaml.CSafeLoader)
