"""What is given to open an appraisal, and what is asked of it later."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import Field, model_validator

from domain.bodies import Body, Corrections, Parts, example
from domain.changes import ChangeAsked
from domain.decisions import GivenReason
from domain.document_fields import PersonDocument
from domain.documents import DocumentKind
from domain.errors import FieldError, Refused
from domain.evidence import EvidenceAgain, EvidenceGiven, WithEvidence
from domain.field_errors import FieldCode
from domain.fields import Code, Day, Email, Line, Name, Note, Phone
from domain.forms import Form
from domain.issuing_places import MAINLAND
from domain.languages import Language
from programmes.appraisal.rules.claims import VALUES, AppraisalItem, OpenRoute


class Applicant(Body):
    """Who applies, for themself: from Hong Kong, Macao, Taiwan or abroad; nobody from the mainland."""

    name_zh: Name
    name_en: Name | None = None
    document: PersonDocument
    birth_date: Day
    email: Email | None = None
    phone: Phone | None = None
    language: Language = Language.ZH_HANT

    @model_validator(mode="after")
    def _not_of_the_mainland(self) -> Self:
        """Tell somebody from the mainland which way to go, before anything is taken on."""
        kind, place = self.document.kind, self.document.place
        if kind is DocumentKind.RESIDENT_IDENTITY_CARD or (kind is DocumentKind.PASSPORT and place == MAINLAND):
            wrong = FieldError("person.document", FieldCode.UNKNOWN_VALUE, _MAINLAND, words=_WAY)
            raise Refused("wrong_programme", errors=[wrong], words=_WAY)
        return self


_WAY: Final = "appraisal_mainland"
_MAINLAND: Final = (
    "Appraisal is for people from Hong Kong, Macao, Taiwan and abroad. A mainland resident is registered by the "
    "employer: ask it to apply under /v1/registrations."
)


class AppraisalPaper(StrEnum):
    """What proves an item."""

    DIPLOMA = "diploma"
    CERTIFICATE = "certificate"
    LETTER = "letter"
    PUBLICATION = "publication"
    PATENT = "patent"
    TAX_RECORD = "tax_record"
    EMPLOYER_RECORD = "employer_record"
    OTHER = "other"


class AppraisalEvidence(EvidenceGiven):
    """A paper that proves one item of the lists or of the points, with what it is to prove."""

    values: ClassVar[Mapping[str, Any]] = VALUES
    item: AppraisalItem
    kind: AppraisalPaper

    def days_told(self) -> Mapping[str, Day]:
        """Return the day of the paper, and that on which what was achieved was given."""
        told = self.value.get("given_on") if isinstance(self.value, dict) else None
        return {**super().days_told(), **({"value": date.fromisoformat(told)} if isinstance(told, str) else {})}


class AppraisedEmployment(Body):
    """Where the person works in the Park, as what, and since when."""

    employer: Code
    position: Line
    work_start: Day


class AppraisedEmploymentParts(Parts):
    """What of it may be given again; another employer is a change, once the case is decided."""

    position: Line | None = None
    work_start: Day | None = None


class ApplicantParts(Parts):
    """What of the person may be given again."""

    name_zh: Name | None = None
    name_en: Name | None = None
    document: PersonDocument | None = None
    birth_date: Day | None = None
    email: Email | None = None
    phone: Phone | None = None
    language: Language | None = None


class AppraisalCorrection(EvidenceAgain[AppraisalEvidence]):
    """The parts of an appraisal that may be given again."""

    person: ApplicantParts | None = None
    employment: AppraisedEmploymentParts | None = None


class AppraisalField(StrEnum):
    """What an officer may record as seen."""

    BIRTH_DATE = "person.birth_date"
    POSITION = "employment.position"
    WORK_START = "employment.work_start"


class AppraisalRequest(WithEvidence[AppraisalEvidence], Form):
    """A person asks to be recognised as talent."""

    model_config = example(
        {
            "person": {
                "name_zh": "陳嘉欣",
                "name_en": "CHAN Ka Yan",
                "document": {"kind": "hk_identity_card", "number": "A123456(3)"},
                "birth_date": "1990-05-14",
                "email": "kayan@example.com",
            },
            "route": "points",
            "employment": {"employer": "emp-a", "position": "研究員", "work_start": "2026-01-05"},
            "evidence": [
                {
                    "item": "education",
                    "kind": "diploma",
                    "issuer": "The University of Hong Kong",
                    "date": "2018-07-01",
                    "value": "doctor",
                }
            ],
        }
    )

    corrections: ClassVar[type[Corrections]] = AppraisalCorrection
    fact_fields: ClassVar[type[StrEnum]] = AppraisalField
    past: ClassVar[tuple[str, ...]] = ("person.birth_date",)
    person: Applicant
    route: OpenRoute
    employment: AppraisedEmployment


class EmploymentAnswer(Body):
    """That the employment is as it was said, or is not; nothing else is asked."""


class EmploymentLeft(Body):
    """The last day of work, past or to come."""

    last_day: Day


class SuspensionRequest(Body):
    """Why a recognition is suspended: codes of use AS."""

    reasons: Annotated[tuple[GivenReason, ...], Field(min_length=1, max_length=20)]


class RestoringRequest(Body):
    """That what a recognition was suspended for is over; nothing else is asked."""


class RecognitionRevocation(Body):
    """Why a recognition is to be withdrawn from the person: codes of use AR."""

    reasons: Annotated[tuple[GivenReason, ...], Field(min_length=1, max_length=20)]
    note: Note | None = None


class AppraisalChange(ChangeAsked):
    """What may change later: the address at once, the employment through an officer, who has the new one asked."""

    email: Email | None = None
    phone: Phone | None = None
    language: Language | None = None
    employer: Code | None = None
    position: Line | None = None


class ReappraisalRequest(Body):
    """That the person asks to be appraised again before the recognition ends; changes are asked as changes."""
