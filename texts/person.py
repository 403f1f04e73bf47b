"""What a person reads of their own cases and data, in plain words of three languages."""

from typing import Final

from domain.languages import Language
from texts.catalogue import CORE, read_groups

GROUPS: Final = read_groups("person")


def plain(group: str, code: str | None, language: Language, room: str = CORE) -> str | None:
    """Return what a code of a group says, and None for none; of one without words that it has none."""
    if code is None:
        return None
    return said_of(group, code, language, room)


def said_of(group: str, code: str, language: Language, room: str = CORE) -> str:
    """Return what a code of a group says of the cases of a room; of one without words that it has none."""
    said = GROUPS.find(group, code, room) or GROUPS["unnamed"]["other"]
    return said.in_language(language)
