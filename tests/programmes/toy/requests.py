"""What is given to open a toy, and what is asked of it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from domain.bodies import Body, Corrections, Parts
from domain.changes import ChangeAsked
from domain.evidence import EvidenceAgain, EvidenceGiven, WithEvidence
from domain.fields import IdentityNumberField, Line, Name
from domain.forms import Form
from domain.languages import Language


class ToyPerson(Body):
    """Whom it is for."""

    name_zh: Name
    name_en: Name | None = None
    identity_number: IdentityNumberField
    email: str | None = None
    phone: str | None = None
    language: Language = Language.ZH_HANS


class Workshop(StrEnum):
    """Where toys are made."""

    WOOD = "wood"
    CLOTH = "cloth"


class Wish(Body):
    """What is wished for."""

    toy: Line
    workshop: Workshop = Workshop.WOOD


class WishChange(Parts):
    """What of the wish may be given again."""

    toy: Line | None = None
    workshop: Workshop | None = None


class ToyPersonChange(Parts):
    """Who it is for after all."""

    identity_number: IdentityNumberField | None = None


class ToyItem(StrEnum):
    """What is proved about whoever is to have it."""

    AGE = "age"
    CAREFUL = "careful"


class ToyPaper(StrEnum):
    """What proves it."""

    BIRTH = "birth_certificate"
    WORD = "word_of_parents"


class ToyProof(EvidenceGiven):
    """A paper that proves something of them: an age in whole years, or that they are careful."""

    values: ClassVar[Mapping[str, object]] = {ToyItem.AGE: Annotated[int, Field(ge=0, le=120, strict=True)]}
    item: ToyItem
    kind: ToyPaper


class ToyCorrection(EvidenceAgain[ToyProof]):
    """The parts that may be given again; a recorded fact is read through them too, one field at a time."""

    person: ToyPersonChange | None = None
    wish: WishChange | None = None


class ToyField(StrEnum):
    """What may be recorded as seen."""

    TOY = "wish.toy"


class ToyRequest(WithEvidence[ToyProof], Form):
    """A toy for a person."""

    corrections: ClassVar[type[Corrections]] = ToyCorrection
    fact_fields: ClassVar[type[StrEnum]] = ToyField
    person: ToyPerson
    wish: Wish


class ToyChange(ChangeAsked):
    """What of a toy may change later: the address at once, the workshop and the toy through an officer."""

    email: str | None = None
    phone: str | None = None
    toy: Line | None = None
    workshop: Workshop | None = None


class FinishRequest(Body):
    """That a toy is made; nothing else is asked."""
