"""What is given to open a badge, and what the employer says of it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import Field

from domain.bodies import Body, Corrections, Parts
from domain.evidence import EvidenceAgain, EvidenceGiven, WithEvidence
from domain.fields import Code, IdentityNumberField, Line, Name
from domain.forms import Form
from domain.languages import Language


class Holder(Body):
    """Who applies, for themself."""

    name_zh: Name
    name_en: Name | None = None
    identity_number: IdentityNumberField
    email: str | None = None
    phone: str | None = None
    language: Language = Language.ZH_HANS


class Employment(Body):
    """Where they work, and as what."""

    employer: Code
    position: Line


class EmploymentChange(Parts):
    """What of it may be given again."""

    position: Line | None = None


class HolderChange(Parts):
    """How the person is named."""

    name_zh: Name | None = None
    identity_number: IdentityNumberField | None = None


class BadgeItem(StrEnum):
    """What is proved of who is to wear it."""

    AGE = "badge_age"
    TOY = "badge_toy"


class BadgePaper(StrEnum):
    """What proves it."""

    RECORD = "badge_record"


class BadgeProof(EvidenceGiven):
    """A paper that proves an age in whole years, or that a toy is being made for them."""

    values: ClassVar[Mapping[str, Any]] = {BadgeItem.AGE: Annotated[int, Field(ge=5, le=120, strict=True)]}
    item: BadgeItem
    kind: BadgePaper


class BadgeCorrection(EvidenceAgain[BadgeProof]):
    """The parts that may be given again."""

    person: HolderChange | None = None
    employment: EmploymentChange | None = None


class BadgeField(StrEnum):
    """What may be recorded as seen."""

    POSITION = "employment.position"


class BadgeRequest(WithEvidence[BadgeProof], Form):
    """A badge for oneself."""

    corrections: ClassVar[type[Corrections]] = BadgeCorrection
    fact_fields: ClassVar[type[StrEnum]] = BadgeField
    person: Holder
    employment: Employment


class EmploymentAnswer(Body):
    """That the employment is as it was said, or is not; nothing else is asked."""
