"""The data map of what is sent about appraisals alone: one row for each field of each request body."""

# ruff: noqa: E501 - a table is read a row a line
from typing import Final

from domain.data_map import ALL, OUT, SIDES, STAFF, DataClass, Kept, Retention, rows
from domain.evidence import rows_of_evidence

_PERSONAL: Final = DataClass.PERSONAL
_SENSITIVE: Final = DataClass.SENSITIVE
_SEALED: Final = Kept.SEALED
_PART: Final = Kept.IN_BODY
_CASE: Final = Retention.CASE

BODIES: Final = (
    *rows("AppraisalRequest", "client_reference", "the person's own name for the case", SIDES, until=_CASE),
    *rows("AppraisalRequest", "person employment route", "who asks to be recognised, how, and where they work", ALL, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows_of_evidence("AppraisalRequest", "AppraisalCorrection", "AppraisalEvidence"),
    *rows("Applicant", "name_zh name_en", "naming the person", OUT, of=_PERSONAL, kept=_PART, until=_CASE),
    *rows("Applicant", "document birth_date", "that it is who the token says, and of which age", OUT, of=_SENSITIVE, kept=_PART, until=_CASE),
    *rows("Applicant", "email phone language", "telling the person", ALL, of=_PERSONAL, kept=_PART, until=_CASE),
    *rows("ApplicantParts", "name_zh name_en email phone language", "mending what was given", OUT, of=_PERSONAL, kept=_PART, until=_CASE),
    *rows("ApplicantParts", "document birth_date", "mending what was given", OUT, of=_SENSITIVE, kept=_PART, until=_CASE),
    *rows("AppraisedEmployment", "employer position work_start", "what the employer confirms", ALL, of=_PERSONAL, kept=_PART, until=_CASE),
    *rows("AppraisedEmploymentParts", "position work_start", "mending what was given", ALL, of=_PERSONAL, kept=_PART, until=_CASE),
    *rows("AppraisalCorrection", "round", "which round is given again under review", ALL),
    *rows("AppraisalCorrection", "person employment", "parts that are mended", ALL, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("AppraisalChange", "email phone language employer position", "keeping what was given true", ALL, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("AppraisalChange", "proof", "what proves a change", ALL, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("AppraisalChange", "happened_on", "since when it is so", ALL, until=_CASE),
    *rows("EmploymentLeft", "last_day", "the end of an employment", OUT, of=_PERSONAL, until=_CASE),
    *rows("SuspensionRequest", "reasons", "coded grounds of a suspension", ALL),
    *rows("RecognitionRevocation", "reasons", "coded grounds of a revocation", ALL),
    *rows("RecognitionRevocation", "note", "a note for staff and auditors", STAFF, of=_PERSONAL, kept=_SEALED, until=_CASE),
)  # fmt: skip
