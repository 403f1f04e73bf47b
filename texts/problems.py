"""What a problem code and a field-error code say, in three languages."""

from collections.abc import Mapping
from typing import Final

from domain.field_errors import FieldCode
from domain.languages import Language
from texts.catalogue import Sentence, read_groups, read_sentences

PROBLEMS: Final[Mapping[str, Mapping[str, Sentence]]] = read_groups("problems")
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
