"""What the story of a case says, in three languages, and what a difference between the records is called."""

from typing import Final

from domain.languages import Language
from texts.catalogue import CORE, read_groups
from texts.notices.catalogue import ROOMS
from texts.notices.facts import NoticeFacts
from texts.notices.rendering import Voice
from texts.reasons import SENTENCES, reason_sentence

GROUPS: Final = read_groups("story")
WORDS: Final = read_groups("show")


def act_sentence(act: str, outcome: str | None, language: Language, room: str = CORE) -> str:
    """Return what an act of the ledger says, by its outcome where that has a sentence of its own."""
    sentence = GROUPS.find("acts", f"{act}.{outcome}", room) or GROUPS.find("acts", act, room)
    return act if sentence is None else sentence.in_language(language)


def event_sentence(kind: str, language: Language) -> str:
    """Return what an event of a history says."""
    return GROUPS["events"][kind].in_language(language)


def wait_sentence(holder: str, language: Language, room: str = CORE) -> str:
    """Return for whom was waited."""
    said = GROUPS.find("waits", holder, room)
    return holder if said is None else said.in_language(language)


def notice_sentence(language: Language) -> str:
    """Return what a notice says in the story."""
    return GROUPS["others"]["notice"].in_language(language)


def difference_sentence(code: str, language: Language) -> str:
    """Return what a difference between the records says."""
    return GROUPS["differences"][code].in_language(language)


def why_sentence(code: str, language: Language) -> str | None:
    """Return the sentence of a reason, or None for a code that is no published reason."""
    return reason_sentence(code, language) if code in SENTENCES else None


def word(group: str, code: str, language: Language, room: str = CORE) -> str:
    """Return how the printed story names a code; one that a newer service sends stays as it is."""
    known = WORDS.find(group, code, room)
    return code if known is None else known.in_language(language)


def notice_name(kind: str, destination: str | None, language: Language, room: str = CORE) -> str:
    """Return what a notice is about, by its own heading; one that depends on the occasion is named for each."""
    said = ROOMS[room].find(kind)
    if said is None:
        return kind
    facts = NoticeFacts(destination=destination or None)
    occasions = (facts, facts.model_copy(update={"days_over": 1}))
    heading = said.heading[language]
    return " / ".join(dict.fromkeys(Voice(language, dict(each), room).say(heading) for each in occasions))
