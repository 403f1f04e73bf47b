"""Parts of addresses and queries that several routes share."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import Header, Path
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from domain.errors import Refused
from domain.purposes import Purpose
from domain.references import find_reference
from domain.stages import Destination

LARGEST_PAGE: Final = 200


def _reference(text: str) -> str:
    reference = find_reference(text)
    if reference is None:
        raise Refused("case_unknown", "There is no case of this reference.")
    return reference


def _destination(text: object) -> Destination:
    if text not in set(Destination):
        raise Refused("not_found", "The destination is HK or MO.")
    return Destination(str(text))


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
DestinationPath = Annotated[
    Destination,
    Path(description="Destination of the permit."),
    BeforeValidator(_destination),
]
IdPath = Annotated[
    UUID,
    Path(description="Id."),
    BeforeValidator(_uuid),
    WithJsonSchema({"type": "string", "format": "uuid"}),
]
CodePath = Annotated[str, Path(description="Code.", examples=["emp-a"]), AfterValidator(_code)]
PurposeHeader = Annotated[Purpose | None, Header(alias="Purpose", description="Why; it is written down.")]


class PageQuery(BaseModel):
    """Which page of a list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: int = Field(default=50, ge=1, le=LARGEST_PAGE, description="Most items in the page.")
    cursor: str | None = Field(default=None, max_length=1000, description="`next_cursor` of the page before.")

    def asked(self) -> dict[str, object]:
        """Return what the list is asked for, without the page."""
        return self.model_dump(mode="json", exclude={"limit", "cursor"}, exclude_none=True)
