"""Problem documents (RFC 9457): one shape for every refusal, in the caller's language, never quoting what was sent."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

import orjson
from pydantic import BaseModel, Field
from starlette.responses import Response

from api.published_words import Use
from domain.accept_language import DEFAULT
from domain.errors import PROBLEM_STATUS, FieldError, Refused
from domain.languages import Language
from texts.problems import (
    FIELD_ERRORS,
    fact_sentences,
    field_message,
    particular_sentence,
    problem_detail,
    problem_title,
)

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 5

# HTTP statuses that the framework itself answers with, and the published code of each.
CODE_OF_STATUS: Final[dict[int, str]] = {
    400: "malformed",
    401: "token_invalid",
    403: "role_not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    408: "body_late",
    413: "body_too_large",
    415: "media_type_unknown",
    422: "invalid",
    429: "too_many_requests",
}


class FieldProblem(BaseModel):
    """What is wrong with one field of the request."""

    field: str = Field(description="Path in the body.", examples=["person.identity_number"])
    code: str = Field(description="Published code.", examples=["check_digit"])
    message: str = Field(description="A sentence in the caller's language; it never quotes the value.")
    allowed: list[str] | None = Field(default=None, description="What may stand there, where that is a short list.")


class Problem(BaseModel):
    """A refusal: what happened, why, and what to do."""

    type: str = Field(description="Where the code is explained.", examples=["/docs/problems#invalid"])
    title: str = Field(description="The code in words.")
    status: int = Field(description="HTTP status.", ge=400, le=599)
    detail: str = Field(description="What happened and what to do.")
    code: str = Field(description="Published code.", json_schema_extra={"enum": list[Any](sorted(PROBLEM_STATUS))})
    errors: list[FieldProblem] = Field(description="What is wrong, field by field; empty where no field is to blame.")
    incident: str | None = Field(default=None, description="With `defect`: the line that an operator sees of it.")
    holder: str | None = Field(default=None, description="Who holds the task (`task_held`); to staff only.")
    use: Use | None = Field(default=None, description="What the reason is to be used for (`reason_*`).")
    allowed: list[str] | None = Field(default=None, description="The codes that would be taken (`reason_*`).")
    reason: str | None = Field(default=None, description="What is still wrong with the case (`still_broken`).")
    place: str | None = Field(default=None, description="Where in the code it was met (`still_broken`).")
    objection: str | None = Field(default=None, description="The objection that was made before (`objection_exists`).")
    until: str | None = Field(default=None, description="The last day of a term (`objection_term_over`).")
    amendments_allowed: int | None = Field(
        default=None, description="How often a case may be given again under review (`amendment_not_allowed`)."
    )
    opens_on: date | None = Field(
        default=None, description="The first day on which it can be asked (`renewal_too_early`)."
    )
    limit_days: int | None = Field(default=None, description="The limit that was passed, in working days.")


def problem_response(
    code: str,
    *,
    explained_at: str,
    language: Language = DEFAULT,
    detail: str = "",
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
    facts: Mapping[str, Any] | None = None,
    words: str = "",
) -> Response:
    """Return the problem document of a code."""
    status = PROBLEM_STATUS[code]
    refused = Refused(code, detail, facts=facts, words=words)
    document: dict[str, Any] = {
        "type": f"{explained_at}#{code}",
        "title": problem_title(code, language),
        "status": status,
        "detail": sentence_of(refused, language),
        "code": code,
        "errors": [_error(error, language) for error in errors],
        **refused.facts,
    }
    sent = {"Cache-Control": "no-store", "Content-Language": language.value, **(headers or {})}
    if status == 401:
        scheme = "Signature" if code == "signature_invalid" else "Bearer"
        sent.setdefault("WWW-Authenticate", f'{scheme} realm="hetao-permits"')
    if status == 408:
        sent.setdefault("Connection", "close")
    if status in (429, 503):
        sent.setdefault("Retry-After", str(RETRY_AFTER_S))
    return Response(orjson.dumps(document), status, sent, MEDIA_TYPE)


def sentence_of(refused: Refused, language: Language) -> str:
    """Return what happened and what to do, in a language: the particular sentence or the code's, and what facts say.

    The sentence that came with a refusal is English; the catalogue speaks the other languages.
    """
    if refused.words:
        said = particular_sentence(refused.words, language)
    elif refused.detail and language is Language.EN:
        said = refused.detail
    else:
        said = problem_detail(refused.code, language)
    between = " " if language is Language.EN else ""
    return between.join([said, *fact_sentences(refused.facts, language)])


def outcome_of(refused: Refused, language: Language) -> dict[str, Any]:
    """Return a refusal as one outcome of a call that asks for several: what a problem document says of it."""
    errors = [_error(error, language) for error in refused.errors]
    told = {"status": refused.status, "code": refused.code, "detail": sentence_of(refused, language), **refused.facts}
    return told | ({"errors": errors} if errors else {})


def _error(error: FieldError, language: Language) -> dict[str, Any]:
    """Return what is wrong with a field in a language, with what may stand there."""
    said = error.message
    if error.words:
        said = particular_sentence(error.words, language, error.about)
    elif language is not Language.EN and error.code in FIELD_ERRORS:
        said = field_message(error.code, language)
    shown: dict[str, Any] = {"field": error.field, "code": error.code, "message": said}
    if error.allowed:
        between = " " if language is Language.EN else ""
        shown["message"] = between.join([said, *fact_sentences({"allowed": error.allowed}, language)])
        shown["allowed"] = list(error.allowed)
    return shown


class Answered(Exception):  # noqa: N818 - carries a finished refusal out of the framework
    """A refusal with headers of its own."""

    def __init__(self, refused: Refused, headers: Mapping[str, str]) -> None:
        super().__init__(refused.code)
        self.refused = refused
        self.headers = dict(headers)
