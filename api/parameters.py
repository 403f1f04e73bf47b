"""Parts of addresses and queries that several routes share."""

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Path
from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from domain.errors import Refused
from domain.purposes import Purpose
from domain.references import find_reference
from domain.routes import TrackPath


def unknown_case() -> Refused:
    """Return the refusal of a reference that is of no case."""
    return Refused("case_unknown", "There is no case of this reference.")


def _reference(text: str) -> str:
    reference = find_reference(text)
    if reference is None:
        raise unknown_case()
    return reference


def _uuid(text: object) -> UUID:
    try:
        return UUID(str(text))
    except ValueError:
        raise Refused("not_found", "There is nothing of this id.") from None


def _code(text: str) -> str:
    if len(text) > 64 or not text.isascii() or not text.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise Refused("not_found", "There is nothing of this code.")
    return text


CasePath = Annotated[
    str,
    Path(description="Reference of the case.", examples=["HT-7K2M-9QXA-J"]),
    AfterValidator(_reference),
]
FactPath = Annotated[int, Path(ge=1, le=10_000, description="Number of the fact in its case.", examples=[1])]
EvidencePath = Annotated[
    int, Path(ge=1, le=10_000, description="Number of the piece of evidence in its case.", examples=[1])
]
IdPath = Annotated[
    UUID,
    Path(description="Id."),
    BeforeValidator(_uuid),
    WithJsonSchema({"type": "string", "format": "uuid"}),
]
CodePath = Annotated[str, Path(description="Code.", examples=["emp-a"]), AfterValidator(_code)]
PurposeHeader = Annotated[Purpose | None, Header(alias="Purpose", description="Why; it is written down.")]


def track_path(tracks: TrackPath) -> Any:
    """Return the type of the key of a track in an address."""

    def read(text: object) -> StrEnum:
        if text not in set(tracks.keyed_by):
            raise Refused("not_found", tracks.refused)
        return tracks.keyed_by(str(text))

    return Annotated[tracks.keyed_by, Path(description=tracks.says), BeforeValidator(read)]
