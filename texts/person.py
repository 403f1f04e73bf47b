"""What a person reads of their own cases and data, in plain words of three languages."""

from collections.abc import Mapping
from typing import Final

from domain.languages import Language
from texts.catalogue import Sentence, read_groups

GROUPS: Final[Mapping[str, Mapping[str, Sentence]]] = read_groups("person")


def plain(group: str, code: str | None, language: Language) -> str | None:
    """Return what a code of a group says; the code itself where it has no words, and None for none."""
    if code is None:
        return None
    sentence = GROUPS[group].get(code)
    return code if sentence is None else sentence.in_language(language)
