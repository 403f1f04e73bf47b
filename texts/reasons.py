"""What a reason code says, in three languages, and the published list of reasons."""

from collections.abc import Mapping
from typing import Final

from domain.languages import Language
from domain.words import Words
from texts.catalogue import Sentence, read_sentences
from texts.person import plain

SENTENCES: Final[Mapping[str, Sentence]] = read_sentences("reasons")


def reason_sentence(code: str, language: Language) -> str:
    """Return the sentence of a published reason in a language.

    Raises:
        KeyError: for a code that no programme publishes.
    """
    return SENTENCES[code].in_language(language)


def reason_or_word(code: str | None, language: Language) -> str | None:
    """Return the sentence of a reason, or of what is no published reason the word that says so."""
    if code is not None and code in SENTENCES:
        return reason_sentence(code, language)
    return plain("unnamed", code, language)


def published_reasons(words: Words, use: str | None = None) -> list[dict[str, object]]:
    """Return every reason, or those of a use, with uses, source, standing by use, and a sentence in each language."""
    return [
        {
            "code": str(reason.code),
            "uses": sorted(reason.uses),
            "source": reason.source,
            "standing": {each: reason.standings[each].value for each in sorted(reason.uses)},
            "sentences": {language.value: reason_sentence(reason.code, language) for language in Language},
        }
        for reason in words.reasons.values()
        if use is None or use in reason.uses
    ]
