"""What the fields of a request are called in each language."""

from typing import Final

from domain.languages import Language
from texts.person import GROUPS

_NAMES: Final = GROUPS["fields"]


def field_name(path: str, language: Language) -> str | None:
    """Return what a field is called, from its path or its last part; a part of a letter is called as the letter."""
    for part in reversed(path.split(".")):
        if part in _NAMES:
            return _NAMES[part].in_language(language)
    return None


def field_names(paths: tuple[str, ...], language: Language) -> str | None:
    """Return several fields as one phrase, each once, or None where none has a name."""
    names = dict.fromkeys(name for path in paths if (name := field_name(path, language)))
    return (", " if language is Language.EN else "、").join(names) or None
