"""Employers and premises as dated data: the bodies that change them and the file that loads them."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from domain.bodies import Body, example
from domain.decisions import Reasons
from domain.fields import Code, Day, Email, Flag, Line, Name, Note, Phone, Uscc, refusal
from domain.languages import Language
from domain.stages import Standing


class EmployerKind(StrEnum):
    """Kinds of employer named by the measure [S8]; its "and the like" leaves `other` to an officer."""

    RESEARCH_INSTITUTION = "research_institution"
    TECH_ENTERPRISE = "tech_enterprise"
    OTHER = "other"


def _in_order(end: date | None, info: ValidationInfo) -> date | None:
    start = info.data.get("valid_from")
    if end is not None and start is not None and end < start:
        raise refusal("date_order", "The last day is before the first.")
    return end


def _codes_once(codes: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(codes)) != len(codes):
        raise refusal("unknown_value", "Name each of the premises once.")
    return codes


class EmployerContact(Body):
    """Where an employer's notices go."""

    email: Email
    phone: Phone | None = None
    language: Language
    digest: Annotated[
        Flag | None,
        Field(description="Whether what can wait comes as one mail a day; left out, as before or by default."),
    ] = None


class EmployerRequest(Body):
    """An employer as it stands from a day on; an earlier version stays for the days before."""

    model_config = example(
        {
            "uscc": "91440300MA5H0WEY05",
            "name_zh": "深圳示例科技有限公司",
            "name_en": "Shenzhen Sample Technology Co., Ltd.",
            "kind": "tech_enterprise",
            "premises": ["SZP-001"],
            "contact": {"email": "hr@example.com", "phone": "+8675582730001", "language": "zh-Hans"},
            "valid_from": "2026-01-01",
        }
    )

    uscc: Uscc
    name_zh: Name
    name_en: Name | None = None
    kind: EmployerKind
    premises: Annotated[
        tuple[Code, ...], Field(max_length=50, json_schema_extra={"uniqueItems": True}), AfterValidator(_codes_once)
    ]
    contact: EmployerContact
    valid_from: Day
    valid_to: Day | None = None

    _order = field_validator("valid_to")(_in_order)


class StandingRequest(Body):
    """A standing from a day on, with codes of use H; `left_park` takes effect with a second signature.

    `reasons[].note` is written for the employer, `note` for staff and auditors.
    """

    model_config = example(
        {"standing": "suspended", "valid_from": "2026-12-01", "reasons": [{"code": "other_authority_asked"}]}
    )

    standing: Standing
    valid_from: Day
    reasons: Reasons = ()
    note: Note | None = None


class PremisesEntry(Body):
    """Premises in the Park: a code, the address and the days on which it holds, both included."""

    code: Code
    address: Line
    valid_from: Day
    valid_to: Day | None = None

    _order = field_validator("valid_to")(_in_order)

    def is_in_force(self, on: date) -> bool:
        """Whether the premises hold on a day."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)


class PremisesRequest(Body):
    """Premises to add, or to give another address or other days from `valid_from` on."""

    model_config = example(
        {"premises": [{"code": "SZP-001", "address": "深圳市福田区桂花路示例1号楼", "valid_from": "2026-01-01"}]}
    )

    premises: Annotated[tuple[PremisesEntry, ...], Field(min_length=1, max_length=500)]


class RegisterEmployer(EmployerRequest):
    """An employer in the file that `hetao register load` reads."""

    employer_id: Code
    standing: Standing = Standing.GOOD


class RegisterFile(Body):
    """The file that `hetao register load` reads: premises first, then the employers that use them."""

    premises: tuple[PremisesEntry, ...]
    employers: tuple[RegisterEmployer, ...]

    @model_validator(mode="after")
    def _premises_are_known(self) -> Self:
        known = {entry.code for entry in self.premises}
        if any(code not in known for employer in self.employers for code in employer.premises):
            raise refusal("unknown_value", "An employer names premises that the file does not have.")
        return self
