"""What can be done with a case, and whose turn it is, in words of three languages."""

from collections.abc import Sequence
from typing import Final

from domain.languages import Language
from texts.catalogue import CORE, read_groups
from texts.problems import listed
from texts.story import WORDS as SHOWN

WORDS: Final = read_groups("acts")


def _said(group: str, code: str, language: Language, room: str) -> str | None:
    found = WORDS.find(group, str(code), room)
    return None if found is None else found.in_language(language)


def act_label(kind: str, language: Language, room: str = CORE) -> str:
    """Return what a command is called, as on a button; its code where it has no words."""
    return _said("commands", kind, language, room) or str(kind)


def stage_word(stage: str, language: Language, room: str = CORE) -> str:
    """Return what a stage of a case is called."""
    found = SHOWN.find("stages", str(stage), room)
    return str(stage) if found is None else found.in_language(language)


def track_stage_word(track: str, stage: str, language: Language, room: str = CORE) -> str:
    """Return what a stage of a track is called."""
    found = SHOWN.find(f"{track}_stages", str(stage), room)
    return str(stage) if found is None else found.in_language(language)


def turn_sentence(holder: str, language: Language, room: str = CORE) -> str | None:
    """Return who has to act, in a sentence."""
    return _said("turns", holder, language, room)


def if_nobody(due_kind: str, language: Language, room: str = CORE) -> str | None:
    """Return what follows if nobody acts until a date of this kind."""
    return _said("if_nobody", due_kind, language, room)


def going(what: str, language: Language, **named: str) -> str:
    """Return a sentence about what an act sets going."""
    return WORDS["going"][what].in_language(language).format(**named)


def recipients_word(recipients: Sequence[str], language: Language) -> str:
    """Return who is told, one after the other."""
    return listed([SHOWN["recipients"][str(each)].in_language(language) for each in recipients], language)
