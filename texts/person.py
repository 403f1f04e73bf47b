"""What a person reads of their own cases and data, in plain words of three languages."""

from collections.abc import Mapping
from typing import Final

from domain.languages import Language
from texts.catalogue import Sentence, read_groups

GROUPS: Final[Mapping[str, Mapping[str, Sentence]]] = read_groups("person")


def plain(group: str, code: str | None, language: Language) -> str | None:
    """Return what a code of a group says, and None for none; of one without words that it has none."""
    if code is None:
        return None
    return said_of(group, code, language)


def said_of(group: str, code: str, language: Language) -> str:
    """Return what a code of a group says; of one without words that it has none."""
    return GROUPS[group].get(code, GROUPS["unnamed"]["other"]).in_language(language)
