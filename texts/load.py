"""What the series of load are called, in three languages, and the keys that they are counted by."""

from typing import Final

from domain.languages import Language
from texts.catalogue import CORE, read_groups

_GROUPS: Final = read_groups("load")
_SHOWN: Final = read_groups("show")


def title_of(code: str, language: Language) -> str:
    """Return what a series is called."""
    return _GROUPS["titles"][code].in_language(language)


def key_label(by: str, key: str, language: Language, room: str = CORE, track: str | None = None) -> str:
    """Return what a key is called; an id, a subject and a code that nobody named are called as they are.

    A stage, of a case or of the track that is named, is called by the words around a story as well.
    """
    said = _GROUPS.find(by, key, room)
    if said is None and by == "stage":
        said = _SHOWN.find("stages" if track is None else f"{track}_stages", key, room)
    return key if said is None else said.in_language(language)
