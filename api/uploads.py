"""Roster files as they come and go: the file itself as body or as the part `file` of a form, and workbooks."""

from dataclasses import replace
from typing import Any, Final, Literal

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.access import media_type
from api.published_words import PUBLISHED, RosterAct
from cases.files.csv import ENCODINGS
from cases.shared.idempotency import Idempotency
from domain.errors import Refused
from domain.field_errors import field_errors
from domain.languages import Language
from domain.roster import OnDefect
from register.rosters.file import CSV_TYPES, MOST_BYTES, XLSX_TYPES
from register.rosters.intake import RosterFile

_FORM: Final = "multipart/form-data"
_FORM_OVERHEAD: Final = 64 * 1024
ROSTER_LIMIT: Final = MOST_BYTES + _FORM_OVERHEAD
# What a roster asks that says nothing: that of the first programme.
_FIRST: Final = PUBLISHED["RosterAct"][0]
_BINARY: Final = {"type": "string", "format": "binary"}


class RosterQuery(BaseModel):
    """What a roster asks for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    act: RosterAct = Field(default=_FIRST, description="What each row asks for.")
    dry_run: bool = Field(default=False, description="Check the rows and do nothing.")
    on_defect: OnDefect = Field(default=OnDefect.STOP, description="Whether one defect stops the whole roster.")
    encoding: Literal["utf-8", "gb18030", "big5-hkscs"] | None = Field(
        default=None, description="Encoding of a CSV; without it UTF-8 and plain GB 18030 are told apart."
    )


class TemplateQuery(BaseModel):
    """Which empty roster."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    act: RosterAct = Field(default=_FIRST, description="What the rows will ask for.")
    language: Language | None = Field(default=None, description="Of headers and words; else that of the answer.")


class WorkbookResponse(Response):
    """A workbook that is kept nowhere on its way."""

    (media_type,) = XLSX_TYPES

    @classmethod
    def file(cls, content: bytes, name: str) -> "WorkbookResponse":
        """Return a workbook as a file to be saved."""
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return cls(content, headers=headers)


def roster_body() -> dict[str, Any]:
    """Return what the OpenAPI document says of the body."""
    (xlsx,) = XLSX_TYPES
    form = {
        "title": "RosterForm",
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": _BINARY,
            "act": {"enum": list(PUBLISHED["RosterAct"])},
            "dry_run": {"type": "boolean"},
            "on_defect": {"enum": [each.value for each in OnDefect]},
            "encoding": {"enum": list(ENCODINGS)},
        },
    }
    return {
        "required": True,
        "content": {"text/csv": {"schema": _BINARY}, xlsx: {"schema": _BINARY}, _FORM: {"schema": form}},
    }


async def read_roster(request: Request, query: RosterQuery, idempotency: Idempotency) -> tuple[RosterFile, Idempotency]:
    """Return the file, and what names the write by file and options, however they were sent.

    Raises:
        Refused: `media_type_unknown`, `malformed` for a form that cannot be read, `invalid` for a wrong option.
    """
    kind = media_type(request)
    if kind == _FORM:
        content, kind, filename, query = await _read_form(request, query)
    elif kind in CSV_TYPES | XLSX_TYPES:
        content, filename = await request.body(), ""
    else:
        raise Refused("media_type_unknown", "Send the roster as text/csv, as XLSX, or as the part `file` of a form.")
    if len(content) > MOST_BYTES:
        raise Refused("body_too_large", "A roster has at most 10 MiB.")
    file = RosterFile(content, kind, filename, query.act, query.dry_run, query.on_defect, query.encoding)
    named = replace(idempotency, body=f"{query.model_dump_json(exclude_none=True)}\n".encode() + content)
    return file, named


async def _read_form(request: Request, query: RosterQuery) -> tuple[bytes, str, str, RosterQuery]:
    try:
        async with request.form(max_files=1, max_fields=len(RosterQuery.model_fields)) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise Refused("malformed", "The form has no part `file`.")
            options = {name: value for name, value in form.multi_items() if name != "file"}
            content, filename = await file.read(), file.filename or ""
            kind = (file.content_type or "").partition(";")[0].strip().lower()
    except HTTPException:
        raise Refused("malformed", "The form cannot be read, or has more than one file.") from None
    try:
        chosen = RosterQuery.model_validate(query.model_dump() | options)
    except ValidationError as error:
        raise Refused("invalid", "An option of the form is not right.", field_errors(error)) from None
    return content, kind, filename, chosen
