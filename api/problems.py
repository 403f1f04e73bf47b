"""Problem documents (RFC 9457): one shape for every refusal, in the caller's language, never quoting what was sent."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from pydantic import BaseModel, Field
from starlette.responses import Response

from api.languages import DEFAULT
from domain.errors import PROBLEM_STATUS, FieldError, Refused
from domain.languages import Language
from texts.files import file_sentence
from texts.problems import FIELD_ERRORS, field_message, problem_detail, problem_title

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 5

# HTTP statuses that the framework itself answers with, and the published code of each.
CODE_OF_STATUS: Final[dict[int, str]] = {
    400: "malformed",
    401: "token_invalid",
    403: "role_not_allowed",
    404: "not_found",
    405: "method_not_allowed",
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


class Problem(BaseModel):
    """A refusal: what happened, why, and what to do."""

    type: str = Field(description="Where the code is explained.", examples=["/docs/problems#invalid"])
    title: str = Field(description="The code in words.")
    status: int = Field(description="HTTP status.", ge=400, le=599)
    detail: str = Field(description="What happened and what to do.")
    code: str = Field(description="Published code.", json_schema_extra={"enum": list[Any](sorted(PROBLEM_STATUS))})
    errors: list[FieldProblem] = Field(description="What is wrong, field by field; empty where no field is to blame.")


def problem_response(
    code: str,
    *,
    explained_at: str,
    language: Language = DEFAULT,
    detail: str = "",
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the problem document of a code."""
    status = PROBLEM_STATUS[code]
    document: dict[str, Any] = {
        "type": f"{explained_at}#{code}",
        "title": problem_title(code, language),
        "status": status,
        "detail": _detail(code, detail, language),
        "code": code,
        "errors": [
            {"field": error.field, "code": error.code, "message": _message(error, language)} for error in errors
        ],
    }
    sent = {"Cache-Control": "no-store", "Content-Language": language.value, **(headers or {})}
    if status == 401:
        scheme = "Signature" if code == "signature_invalid" else "Bearer"
        sent.setdefault("WWW-Authenticate", f'{scheme} realm="hetao-permits"')
    if status in (429, 503):
        sent.setdefault("Retry-After", str(RETRY_AFTER_S))
    return Response(orjson.dumps(document), status, sent, MEDIA_TYPE)


def _detail(code: str, given: str, language: Language) -> str:
    """Return what happened: the sentence given, which is English, or the catalogue's in another language."""
    return given if given and language is Language.EN else problem_detail(code, language)


def _message(error: FieldError, language: Language) -> str:
    if error.words:
        return file_sentence(error, language)
    if language is Language.EN or error.code not in FIELD_ERRORS:
        return error.message
    return field_message(error.code, language)


class Answered(Exception):  # noqa: N818 - carries a finished refusal out of the framework
    """A refusal with headers of its own."""

    def __init__(self, refused: Refused, headers: Mapping[str, str]) -> None:
        super().__init__(refused.code)
        self.refused = refused
        self.headers = dict(headers)
