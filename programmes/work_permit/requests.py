"""What an employer gives to ask for a work permit, and what is said of the case later."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import (
    AfterValidator,
    ConfigDict,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from domain.bodies import Body, Parts, example
from domain.document_fields import PersonDocument
from domain.documents import Document, DocumentKind
from domain.evidence import EvidenceAgain, EvidenceGiven, WithEvidence
from domain.fields import Day, Email, Flag, Label, Line, Name, Phone, refusal
from domain.figures import Money
from domain.forms import Form
from domain.issuing_places import PASSPORT_ISSUERS
from domain.languages import Language
from programmes.work_permit.routed_away import turn_away
from programmes.work_permit.rules.claims import (
    VALUES,
    Bonus,
    Claims,
    Months,
    Place,
    WorkPermitCategory,
    WorkPermitChinese,
    WorkPermitEducation,
    Years,
)


def _country(code: str) -> str:
    code = code.strip().upper()
    if code not in PASSPORT_ISSUERS:
        raise refusal("unknown_value", "Give the nationality as two letters of ISO 3166-1, as in the passport.")
    return code


def _passport(document: PersonDocument) -> PersonDocument:
    if document.kind is not DocumentKind.PASSPORT:
        raise refusal("unknown_value", "A foreigner is known here by the passport: give its kind, place and number.")
    return document


Nationality = Annotated[
    str,
    StringConstraints(max_length=10),
    AfterValidator(_country),
    WithJsonSchema({"type": "string", "pattern": "^[A-Z]{2}$", "examples": ["GB"]}),
]
Passport = Annotated[PersonDocument, AfterValidator(_passport)]


def _chinese_name_may_be_left_out(schema: dict[str, Any]) -> None:
    schema["required"].remove("name_zh")


class WorkPermitPerson(Body):
    """The foreigner whom an employer wants to employ."""

    model_config = ConfigDict(json_schema_extra=_chinese_name_may_be_left_out)

    name_en: Name
    name_zh: Name
    document: Passport
    nationality: Nationality
    birth_date: Day
    new_passport: Passport | None = None
    email: Email | None = None
    phone: Phone | None = None
    language: Language

    @model_validator(mode="before")
    @classmethod
    def _named_as_in_the_passport(cls, given: Any) -> Any:
        """Take the name in the passport where there is no Chinese one."""
        if isinstance(given, Mapping) and given.get("name_zh") is None and given.get("name_en") is not None:
            return {**given, "name_zh": given["name_en"]}
        return given


class WorkPermitJob(Body):
    """The job; the local wages are the employer's word, and count once an officer recorded them."""

    position: Line
    work_site: Line
    location: Place
    salary_year: Money
    contract_start: Day
    contract_end: Day
    local_average_wage_year: Money | None = None
    local_minimum_wage_month: Money | None = None

    @field_validator("contract_end")
    @classmethod
    def _ends_after_start(cls, end: date, info: ValidationInfo) -> date:
        start = info.data.get("contract_start")
        if start is not None and end < start:
            raise refusal("date_order", "The contract ends before it starts.")
        return end


class WorkPermitDeclared(Body):
    """What is declared for points and routes, beside the job; what is left out counts nothing."""

    education: WorkPermitEducation | None = None
    experience_years: Years | None = None
    months_in_china_a_year: Months | None = None
    chinese: WorkPermitChinese | None = None
    listed_school_firm_ip_or_five_years: Flag | None = None
    provincial_bonus: Bonus | None = None
    talent_programme: Flag | None = None
    achievement: Flag | None = None
    market_post: Flag | None = None
    entrepreneur: Flag | None = None
    outstanding_young: Flag | None = None
    vocational_certificate: Flag | None = None
    language_teacher: Flag | None = None
    income_tax_year: Money | None = None
    other_deductions: Money | None = None


class WorkPermitPersonParts(Parts):
    """The fields of the person that change; null removes an optional one."""

    name_en: Name | None = None
    name_zh: Name | None = None
    document: Passport | None = None
    nationality: Nationality | None = None
    birth_date: Day | None = None
    email: Email | None = None
    phone: Phone | None = None
    language: Language | None = None


class WorkPermitJobParts(Parts):
    """The fields of the job that change; null removes an optional one."""

    position: Line | None = None
    work_site: Line | None = None
    location: Place | None = None
    salary_year: Money | None = None
    contract_start: Day | None = None
    contract_end: Day | None = None
    local_average_wage_year: Money | None = None
    local_minimum_wage_month: Money | None = None


class WorkPermitDeclaredParts(WorkPermitDeclared, Parts):
    """What is declared otherwise; null takes back what was."""


class WorkPermitItem(StrEnum):
    """What evidence proves: a claim, by its own name, or a condition that an officer alone can see to."""

    SALARY_YEAR = "salary_year"
    EDUCATION = "education"
    EXPERIENCE_YEARS = "experience_years"
    MONTHS = "months_in_china_a_year"
    CHINESE = "chinese"
    LOCATION = "location"
    BIRTH_DATE = "birth_date"
    LISTED = "listed_school_firm_ip_or_five_years"
    BONUS = "provincial_bonus"
    TALENT_PROGRAMME = "talent_programme"
    ACHIEVEMENT = "achievement"
    MARKET_POST = "market_post"
    ENTREPRENEUR = "entrepreneur"
    OUTSTANDING_YOUNG = "outstanding_young"
    VOCATIONAL_CERTIFICATE = "vocational_certificate"
    LANGUAGE_TEACHER = "language_teacher"
    INCOME_TAX_YEAR = "income_tax_year"
    OTHER_DEDUCTIONS = "other_deductions"
    POST_IS_SPECIAL = "post_is_special"
    IS_HEALTHY = "is_healthy"
    HAS_NO_RECORD = "has_no_record"
    HAS_SKILLS = "has_skills"


class WorkPermitPaper(StrEnum):
    """What proves it."""

    PASSPORT = "passport"
    CONTRACT = "contract"
    DIPLOMA = "diploma"
    CERTIFICATE = "certificate"
    EMPLOYER_LETTER = "employer_letter"
    GOVERNMENT_LETTER = "government_letter"
    TAX_RECORD = "tax_record"
    ENTRY_RECORD = "entry_record"
    MEDICAL_REPORT = "medical_report"
    POLICE_CERTIFICATE = "police_certificate"
    OTHER = "other"


class WorkPermitEvidence(EvidenceGiven):
    """A paper that proves a claim or a condition."""

    values: ClassVar[Mapping[str, object]] = VALUES
    item: WorkPermitItem
    kind: WorkPermitPaper


class WorkPermitCorrection(EvidenceAgain[WorkPermitEvidence]):
    """The parts of an application that change."""

    model_config = example({"declared": {"chinese": "hsk5"}})

    client_reference: Label | None = None
    person: WorkPermitPersonParts | None = None
    job: WorkPermitJobParts | None = None
    declared: WorkPermitDeclaredParts | None = None
    category: WorkPermitCategory | None = None


class WorkPermitField(StrEnum):
    """A field of which a fact can be recorded; what evidence proves is none of them."""

    CONTRACT_START = "job.contract_start"
    CONTRACT_END = "job.contract_end"
    LOCAL_AVERAGE_WAGE = "job.local_average_wage_year"
    LOCAL_MINIMUM_WAGE = "job.local_minimum_wage_month"


LOCAL_WAGES: Final = (WorkPermitField.LOCAL_AVERAGE_WAGE, WorkPermitField.LOCAL_MINIMUM_WAGE)


class WorkPermitRequest(WithEvidence[WorkPermitEvidence], Form):
    """A foreigner for whom an employer asks for a work permit."""

    model_config = example(
        {
            "client_reference": "WP-2026-004",
            "person": {
                "name_en": "Jane Sample",
                "document": {"kind": "passport", "place": "GB", "number": "123456789"},
                "nationality": "GB",
                "birth_date": "1991-05-20",
                "email": "jane@example.com",
                "phone": "+8613812345678",
                "language": "en",
            },
            "job": {
                "position": "Materials scientist",
                "work_site": "SZP-001",
                "location": "440304",
                "salary_year": "300000.00",
                "contract_start": "2026-01-01",
                "contract_end": "2028-12-31",
            },
            "declared": {
                "education": "doctor",
                "experience_years": 5,
                "months_in_china_a_year": 9,
                "chinese": "hsk4",
                "listed_school_firm_ip_or_five_years": True,
                "provincial_bonus": 0,
            },
            "category": "B",
            "evidence": [
                {
                    "item": "education",
                    "kind": "diploma",
                    "issuer": "Sample University",
                    "number": "D-1",
                    "date": "2016-07-01",
                    "value": "doctor",
                }
            ],
        }
    )

    corrections = WorkPermitCorrection
    fact_fields = WorkPermitField
    past = ("person.birth_date",)

    person: WorkPermitPerson
    job: WorkPermitJob
    declared: WorkPermitDeclared = WorkPermitDeclared()
    category: WorkPermitCategory

    @model_validator(mode="before")
    @classmethod
    def _of_a_foreigner(cls, given: Any) -> Any:
        return turn_away(given)

    @property
    def further_documents(self) -> tuple[Document, ...]:
        """The passport that is valid now, where it is another than that of the case."""
        given = self.person.new_passport
        return () if given is None else (self.document_of({"document": given.model_dump(mode="json")}),)

    @property
    def claims(self) -> Claims:
        """What is declared, of the person and of the job too."""
        told = self.declared.model_dump()
        return Claims(
            **told, salary_year=self.job.salary_year, location=self.job.location, birth_date=self.person.birth_date
        )


class WorkPermitAnswer(StrEnum):
    """What a paper of the authority says of the work permit: given or given anew, not given, cancelled."""

    ISSUED = "issued"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class WorkPermitOutcome(StrEnum):
    """What the authority answered."""

    ISSUED = "issued"
    REFUSED = "refused"


class WorkPermitOutcomeRequest(Body):
    """What a numbered paper of the authority says of the work permit; it takes effect with a second signature."""

    model_config = example(
        {
            "outcome": "issued",
            "paper": "SZ-2026-001",
            "number": "440300260001234",
            "category": "B",
            "valid_from": "2026-01-05",
            "valid_until": "2027-12-31",
        }
    )

    outcome: WorkPermitAnswer
    paper: Label
    number: Label | None = None
    category: WorkPermitCategory | None = None
    valid_from: Day | None = None
    valid_until: Day | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        given = (self.number, self.category, self.valid_from, self.valid_until)
        if self.outcome is WorkPermitAnswer.ISSUED and None in given:
            raise refusal("required", "Give number, category, valid_from and valid_until, as on the paper.")
        if self.outcome is not WorkPermitAnswer.ISSUED and any(each is not None for each in given):
            raise refusal(
                "unknown_value",
                "A permit that was refused or cancelled gets no number, category and days; leave them out.",
            )
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            raise refusal("date_order", "The permit ends before it begins.")
        return self


class WorkPermitEntryRequest(Body):
    """The day on which the person entered the mainland."""

    model_config = example({"entered_on": "2026-01-10"})

    entered_on: Day


class ResidenceApplicationRequest(Body):
    """The day on which the person applied for the residence permit."""

    model_config = example({"applied_on": "2026-01-20"})

    applied_on: Day


class ResidenceOutcomeRequest(Body):
    """What the authority answered about the residence permit, and until when one that was issued is valid."""

    model_config = example({"outcome": "issued", "decided_on": "2026-01-27", "valid_until": "2027-12-31"})

    outcome: WorkPermitOutcome
    decided_on: Day
    valid_until: Day | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.outcome is WorkPermitOutcome.ISSUED) is (self.valid_until is None):
            raise refusal("required", "Give valid_until of a permit that was issued, and of no other.")
        if self.valid_until is not None and self.valid_until < self.decided_on:
            raise refusal("date_order", "The permit ends before it was given.")
        return self
