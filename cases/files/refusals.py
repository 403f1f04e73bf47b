"""Refusals of files, by the name of a sentence that a catalogue has in three languages."""

from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode


def file_refused(code: FieldCode, words: str, about: str = "") -> Refused:
    """Return the refusal of a file: the sentence that says why, and what it names."""
    return Refused("invalid", "The file cannot be read.", [FieldError("file", code, "", words, about=about)])
