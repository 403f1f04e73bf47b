"""What the story of a case says, in three languages, and what a difference between the records is called."""

from collections.abc import Mapping
from typing import Final

from domain.languages import Language
from domain.reasons import ReasonCode
from texts.catalogue import Sentence, read_groups
from texts.reasons import reason_sentence

GROUPS: Final[Mapping[str, Mapping[str, Sentence]]] = read_groups("story")


def act_sentence(act: str, outcome: str | None, language: Language) -> str:
    """Return what an act of the ledger says, by its outcome where that has a sentence of its own."""
    acts = GROUPS["acts"]
    sentence = acts.get(f"{act}.{outcome}") or acts.get(act)
    return act if sentence is None else sentence.in_language(language)


def event_sentence(kind: str, language: Language) -> str:
    """Return what an event of a history says."""
    return GROUPS["events"][kind].in_language(language)


def wait_sentence(holder: str, language: Language) -> str:
    """Return for whom was waited."""
    return GROUPS["waits"][holder].in_language(language)


def notice_sentence(language: Language) -> str:
    """Return what a notice says in the story."""
    return GROUPS["others"]["notice"].in_language(language)


def difference_sentence(code: str, language: Language) -> str:
    """Return what a difference between the records says."""
    return GROUPS["differences"][code].in_language(language)


def why_sentence(code: str, language: Language) -> str | None:
    """Return the sentence of a reason, or None for a code that is no published reason."""
    return reason_sentence(code, language) if code in set(ReasonCode) else None
