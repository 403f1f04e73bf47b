"""What a problem code and a field-error code say, in three languages."""

from collections import ChainMap
from collections.abc import Mapping, Sequence
from typing import Any, Final

from domain.field_errors import FieldCode
from domain.languages import Language
from texts.catalogue import Sentence, read_groups, read_sentences

PROBLEMS: Final[Mapping[str, Mapping[str, Sentence]]] = read_groups("problems")
REFUSALS: Final[Mapping[str, Mapping[str, Sentence]]] = read_groups("refusals")
# Why a file or a cell of it is not taken stands in a catalogue of its own.
FILES: Final[Mapping[str, Sentence]] = read_sentences("files")
# What rooms say is added as they are handed over.
PARTICULARS: Final[Mapping[str, Sentence]] = ChainMap(REFUSALS["particulars"], FILES)  # type: ignore[arg-type]
FIELD_ERRORS: Final[Mapping[str, Sentence]] = read_sentences("field_errors")


def problem_title(code: str, language: Language) -> str:
    """Return the title of a problem in a language."""
    return PROBLEMS[code]["title"].in_language(language)


def problem_detail(code: str, language: Language) -> str:
    """Return what happened and what to do about a problem, in a language."""
    return PROBLEMS[code]["detail"].in_language(language)


def field_message(code: str, language: Language) -> str:
    """Return the sentence of a field-error code in a language."""
    return FIELD_ERRORS[FieldCode(code)].in_language(language)


def particular_sentence(name: str, language: Language, about: str = "") -> str:
    """Return why something is refused in particular, in a language, with what it is about: a place or a header."""
    return PARTICULARS[name].in_language(language).replace("{about}", about)


def fact_sentences(facts: Mapping[str, Any], language: Language) -> list[str]:
    """Return what the facts of a refusal say, in a language: who holds the task, what is allowed, and so on."""
    told = dict(facts)
    if "use" in told:
        told |= {"use_code": told["use"], "use": REFUSALS["uses"][told["use"]].in_language(language)}
    if "allowed" in told:
        told["allowed"] = listed(told["allowed"], language)
    sentences = REFUSALS["facts"]
    return [sentences[name].in_language(language).format(**told) for name in facts if name in sentences]


def listed(values: Sequence[str], language: Language) -> str:
    """Return values one after the other, as a language separates them."""
    return (", " if language is Language.EN else "、").join(values)
