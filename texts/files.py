"""Why a file or a cell of it is not taken, in three languages."""

from collections.abc import Mapping
from typing import Final

from domain.errors import FieldError
from domain.languages import Language
from texts.catalogue import Sentence, read_sentences

SENTENCES: Final[Mapping[str, Sentence]] = read_sentences("files")


def file_sentence(error: FieldError, language: Language) -> str:
    """Return the sentence that an error names, with what it is about."""
    return SENTENCES[error.words].in_language(language).replace("{about}", error.about)
