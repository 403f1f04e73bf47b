"""The data map of what is sent about badges."""

# ruff: noqa: E501 - a table is read a row a line
from typing import Final

from domain.data_map import ALL, OUT, SIDES, DataClass, Kept, Retention, rows
from domain.evidence import rows_of_evidence

_PERSONAL: Final = DataClass.PERSONAL
_PART: Final = Kept.IN_BODY
_CASE: Final = Retention.CASE

BODIES: Final = (
    *rows("BadgeRequest", "client_reference", "the person's own name for the case", SIDES, until=_CASE),
    *rows("BadgeRequest", "person employment", "who works where", ALL, of=_PERSONAL, kept=Kept.SEALED, until=_CASE),
    *rows("Holder", "name_zh name_en", "naming the person", OUT, of=_PERSONAL, kept=_PART, until=_CASE),
    *rows("Holder", "identity_number", "that it is who the token says", OUT, of=DataClass.SENSITIVE, kept=_PART, until=_CASE),
    *rows("Holder", "email phone language", "telling the person", ALL, of=_PERSONAL, kept=_PART, until=_CASE),
    *rows("Employment", "employer position", "what the employer confirms", ALL, of=_PERSONAL, kept=_PART, until=_CASE),
    *rows("EmploymentChange", "position", "what is mended", OUT, of=_PERSONAL, kept=_PART, until=_CASE),
    *rows("HolderChange", "name_zh", "what is mended", OUT, of=_PERSONAL, kept=_PART, until=_CASE),
    *rows("HolderChange", "identity_number", "what is mended", OUT, of=DataClass.SENSITIVE, kept=_PART, until=_CASE),
    *rows("BadgeCorrection", "round", "which round is given again under review", ALL),
    *rows("BadgeCorrection", "person employment", "what is mended", ALL, of=_PERSONAL, kept=Kept.SEALED, until=_CASE),
    *rows_of_evidence("BadgeRequest", "BadgeCorrection", "BadgeProof"),
)  # fmt: skip
