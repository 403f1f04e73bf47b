"""What an employer gives to register a person, and what it says of the case later."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from domain.bodies import Body, Corrections, Parts, example
from domain.case_facts import FactAsked
from domain.fields import (
    CardNumber,
    Day,
    Email,
    Flag,
    IdentityNumberField,
    Label,
    Line,
    Name,
    Phone,
    refusal,
)
from domain.forms import Form
from domain.languages import Language
from programmes.talent_permit.permit_stages import Destination

UNDERTAKING_VERSION: Final = "2026-01"  # the undertaking of truth as now shown to employers


class EmploymentKind(StrEnum):
    """How the person works for the employer."""

    CONTRACT = "contract"
    SECONDMENT = "secondment"
    DUAL_POST = "dual_post"


def _each_once(destinations: tuple[Destination, ...]) -> tuple[Destination, ...]:
    if len(set(destinations)) != len(destinations):
        raise refusal("unknown_value", "Name each destination once.")
    return tuple(sorted(destinations))


Destinations = Annotated[
    tuple[Destination, ...],
    Field(min_length=1, max_length=len(Destination), json_schema_extra={"uniqueItems": True}, examples=[["HK", "MO"]]),
    AfterValidator(_each_once),
]


class Person(Body):
    """The person to be registered."""

    name_zh: Name
    name_en: Name | None = None
    identity_number: IdentityNumberField
    permit_card_number: CardNumber | None = None
    permit_card_valid_until: Day | None = None
    email: Email | None = None
    phone: Phone | None = None
    language: Language


class ConsentLetter(Body):
    """The letter by which the unit of a state worker or serviceman agrees [S15]."""

    issuer: Line
    number: Label
    date: Day


class Employment(Body):
    """The work in the Park."""

    position: Line
    work_site: Line
    employment_kind: EmploymentKind
    contract_start: Day
    contract_end: Day | None = None
    state_worker: Flag
    consent_letter: ConsentLetter | None = None

    @field_validator("contract_end")
    @classmethod
    def _ends_after_start(cls, end: date | None, info: ValidationInfo) -> date | None:
        start = info.data.get("contract_start")
        if end is not None and start is not None and end < start:
            raise refusal("date_order", "The contract ends before it starts.")
        return end


class PersonParts(Parts):
    """The fields of the person that change; null removes an optional one."""

    name_zh: Name | None = None
    name_en: Name | None = None
    identity_number: IdentityNumberField | None = None
    permit_card_number: CardNumber | None = None
    permit_card_valid_until: Day | None = None
    email: Email | None = None
    phone: Phone | None = None
    language: Language | None = None


class EmploymentParts(Parts):
    """The fields of the employment that change; null removes an optional one."""

    position: Line | None = None
    work_site: Line | None = None
    employment_kind: EmploymentKind | None = None
    contract_start: Day | None = None
    contract_end: Day | None = None
    state_worker: Flag | None = None
    consent_letter: ConsentLetter | None = None


class CorrectionRequest(Corrections):
    """The parts of a registration that change."""

    model_config = example(
        {"employment": {"consent_letter": {"issuer": "示例局", "number": "示字1号", "date": "2025-10-20"}}}
    )

    client_reference: Label | None = None
    person: PersonParts | None = None
    employment: EmploymentParts | None = None
    destinations: Destinations | None = None
    undertaking_version: Label | None = None


class FactField(StrEnum):
    """A field of which a fact can be recorded: never who the person is, nor how they and their employer are reached."""

    PERMIT_CARD_NUMBER = "person.permit_card_number"
    PERMIT_CARD_VALID_UNTIL = "person.permit_card_valid_until"
    POSITION = "employment.position"
    WORK_SITE = "employment.work_site"
    EMPLOYMENT_KIND = "employment.employment_kind"
    CONTRACT_START = "employment.contract_start"
    CONTRACT_END = "employment.contract_end"
    STATE_WORKER = "employment.state_worker"
    CONSENT_LETTER = "employment.consent_letter"


class RegistrationRequest(Form):
    """A person whom an employer asks the park to register."""

    model_config = example(
        {
            "client_reference": "HTRI-2026-017",
            "person": {
                "name_zh": "李示例",
                "name_en": "Li Shili",
                "identity_number": "44030419900307123X",
                "permit_card_number": "C12345678",
                "permit_card_valid_until": "2036-05-31",
                "email": "li@example.com",
                "phone": "+8613812345678",
                "language": "zh-Hans",
            },
            "employment": {
                "position": "助理研究员",
                "work_site": "SZP-001",
                "employment_kind": "contract",
                "contract_start": "2025-07-01",
                "contract_end": "2030-06-30",
                "state_worker": False,
            },
            "destinations": ["HK", "MO"],
        }
    )

    corrections = CorrectionRequest
    fact_fields = FactField

    person: Person
    employment: Employment
    destinations: Destinations
    undertaking_version: Label = UNDERTAKING_VERSION


class FactRequest(FactAsked):
    """A fact that an officer saw: the field, its value, and where it was seen; null says that there is none."""

    model_config = example(
        {
            "field": "person.permit_card_valid_until",
            "value": "2036-05-31",
            "seen_in": "The card itself, shown at the counter.",
            "round": 1,
        }
    )

    form = RegistrationRequest

    field: FactField


class DepartureRequest(Body):
    """The last day of an employment and why it ended, a reason code of use E."""

    model_config = example({"last_day": "2027-03-31", "reason": "resigned"})

    last_day: Day
    reason: Label


class ProofKind(StrEnum):
    """What proves a change."""

    PERMIT_CARD = "permit_card"
    IDENTITY_DOCUMENT = "identity_document"
    CONTRACT = "contract"
    EMPLOYER_LETTER = "employer_letter"
    OTHER = "other"


class Proof(Body):
    """What proves a change: what it is, who issued it and when, and its number where it has one."""

    kind: ProofKind
    issuer: Line
    number: Label | None = None
    date: Day


def _given_up(destinations: tuple[Destination, ...]) -> tuple[Destination, ...]:
    if not destinations:
        raise refusal(
            "required",
            "A registration has a destination. To give up the last one, withdraw the registration before it is "
            "decided, or report the departure afterwards.",
        )
    return _each_once(destinations)


# All that are to be held from then on; one that is left out is given up.
DestinationsHeld = Annotated[
    tuple[Destination, ...],
    Field(max_length=len(Destination), json_schema_extra={"uniqueItems": True, "minItems": 1}, examples=[["HK", "MO"]]),
    AfterValidator(_given_up),
]
# What changes without an officer.
AT_ONCE: Final = ("email", "phone", "language")


class OwnChanges(Parts):
    """What a person may state of themselves: contact, language, their names and their card."""

    email: Email | None = None
    phone: Phone | None = None
    language: Language | None = None
    name_zh: Name | None = None
    name_en: Name | None = None
    permit_card_number: CardNumber | None = None
    permit_card_valid_until: Day | None = None
    proof: Proof | None = Field(default=None, description="What proves what an officer takes or declines.")

    @field_validator("language", "name_zh", "permit_card_number", "permit_card_valid_until")
    @classmethod
    def _not_removed(cls, given: object) -> object:
        if given is None:
            raise refusal("required", "The field can be changed, not removed.")
        return given

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.model_fields_set <= {"proof", "reference"}:
            raise refusal("required", "Give at least one field that changes.")
        return self


class ChangeRequest(OwnChanges):
    """Contact and language, which change at once, and all else, which an officer takes or declines.

    `destinations` names all that are to be held from then on: one that is new is followed, one that is left out is
    given up.
    """

    model_config = example(
        {
            "permit_card_number": "C87654321",
            "permit_card_valid_until": "2037-01-31",
            "proof": {
                "kind": "permit_card",
                "issuer": "公安部出入境管理局",
                "number": "C87654321",
                "date": "2027-02-01",
            },
        }
    )

    contract_end: Day | None = None
    position: Line | None = None
    work_site: Line | None = None
    contract_start: Day | None = None
    destinations: DestinationsHeld | None = None

    @field_validator("contract_end", "position", "work_site", "contract_start", "destinations")
    @classmethod
    def _not_taken_away(cls, given: object) -> object:
        if given is None:
            raise refusal("required", "The field can be changed, not removed.")
        return given
