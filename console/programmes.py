"""Programmes as pages name them: what they are called, and the words of their forms, in the reader's language."""

from fastapi import Request
from starlette.exceptions import HTTPException

from cases.programme import Programme
from programmes import find_programme
from texts.form_words import FormWords


def programme_of(reference: str) -> Programme:
    """Return the programme of a case by its reference.

    Raises:
        HTTPException: 404, no programme has such references.
    """
    found = find_programme(reference)
    if found is None:
        raise HTTPException(404)
    return found


def words_of(request: Request, programme: Programme) -> FormWords:
    """Return what the fields of a programme's forms are called."""
    return FormWords(programme.texts, request.state.language)


def name_of(request: Request, programme: Programme) -> str:
    """Return what a programme is called."""
    return words_of(request, programme).label("programme") or programme.code
