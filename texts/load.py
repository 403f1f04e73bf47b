"""What the series of load are called, in three languages, and the keys that they are counted by."""

from typing import Final

from domain.languages import Language
from texts.catalogue import CORE, read_groups

_GROUPS: Final = read_groups("load")
_SHOWN: Final = read_groups("show")
# What is called by the words around a story as well, by what a series is counted by.
_SHOWN_AS: Final = {"stage": ("stages", "permit_stages")}


def title_of(code: str, language: Language) -> str:
    """Return what a series is called."""
    return _GROUPS["titles"][code].in_language(language)


def key_label(by: str, key: str, language: Language, room: str = CORE) -> str:
    """Return what a key is called; an id, a subject and a code that nobody named are called as they are."""
    said = _GROUPS.find(by, key, room)
    for group in _SHOWN_AS.get(by, ()):
        said = said or _SHOWN.find(group, key, room)
    return key if said is None else said.in_language(language)
