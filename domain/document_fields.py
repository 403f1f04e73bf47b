"""A person's document as a form gives it: which kind, of which place, and the number in its compared form."""

from typing import Annotated

from pydantic import Field, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from domain.bodies import Body
from domain.documents import LONGEST, DocumentError, DocumentKind, parse_document, place_of


class PersonDocument(Body):
    """The document of a form's person (`domain.forms.Form.document_of`).

    The count of issues that older travel permits print stays behind the number, which is read again as it is kept.
    """

    kind: DocumentKind
    place: Annotated[
        str | None,
        Field(
            default=None,
            validate_default=True,
            description="Who issued it, as two letters of ISO 3166-1; for passports only.",
        ),
    ]
    number: Annotated[str, StringConstraints(max_length=LONGEST), Field(examples=["A123456(3)"])]

    @field_validator("place")
    @classmethod
    def _known_place(cls, place: str | None, info: ValidationInfo) -> str | None:
        kind = info.data.get("kind")
        if kind is None:
            return place  # the kind is what is wrong
        try:
            return place_of(kind, place)
        except DocumentError as error:
            raise _refusal(error) from None

    @field_validator("number")
    @classmethod
    def _checked(cls, number: str, info: ValidationInfo) -> str:
        kind, place = info.data.get("kind"), info.data.get("place")
        if kind is None or place is None:
            return number  # what says how it is read is wrong
        try:
            read = parse_document(kind.value, number, place)
        except DocumentError as error:
            raise _refusal(error) from None
        return f"{read.number}{read.issue or ''}"


def _refusal(error: DocumentError) -> PydanticCustomError:
    """Return the error of the field; its message never holds the value."""
    found = error.field_error
    return PydanticCustomError(found.code, "{said}", {"said": found.message})
