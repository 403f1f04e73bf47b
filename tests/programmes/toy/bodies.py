"""The data map of what is sent about toys: one row for each field of each request body."""

# ruff: noqa: E501 - a table is read a row a line
from typing import Final

from domain.data_map import ALL, NOBODY, OUT, SIDES, DataClass, Kept, Retention, rows
from domain.evidence import rows_of_evidence

_PERSONAL: Final = DataClass.PERSONAL
_PART: Final = Kept.IN_BODY
_CASE: Final = Retention.CASE

BODIES: Final = (
    *rows("ToyRequest", "client_reference", "the employer's own name for the case", SIDES, until=_CASE),
    *rows("ToyRequest", "person wish", "who is to have which toy", ALL, of=_PERSONAL, kept=Kept.SEALED, until=_CASE),
    *rows("ToyPerson", "name_zh name_en", "naming the person", OUT, of=_PERSONAL, kept=_PART, until=_CASE),
    *rows("ToyPerson", "identity_number", "one live case a person", OUT, of=DataClass.SENSITIVE, kept=_PART, until=_CASE),
    *rows("ToyPerson", "email phone language", "telling the person", ALL, of=_PERSONAL, kept=_PART, until=_CASE),
    *rows("Wish", "toy workshop", "what is wished for, and where it is made", OUT, of=_PERSONAL, kept=_PART, until=_CASE),
    *rows("WishChange", "toy workshop", "what is mended", OUT, of=_PERSONAL, kept=_PART, until=_CASE),
    *rows("ToyCorrection", "round", "which round is given again under review", ALL),
    *rows("ToyPersonChange", "identity_number", "what is mended", OUT, of=DataClass.SENSITIVE, kept=_PART, until=_CASE),
    *rows("ToyCorrection", "person wish", "what is mended", ALL, of=_PERSONAL, kept=Kept.SEALED, until=_CASE),
    *rows_of_evidence("ToyRequest", "ToyCorrection", "ToyProof"),
    *rows("ToyChange", "email phone toy workshop", "keeping what was given true", ALL, of=_PERSONAL, kept=Kept.SEALED, until=_CASE),
    *rows("ToyChange", "proof", "what proves a change", ALL, of=_PERSONAL, kept=Kept.SEALED, until=_CASE),
    *rows("ToyChange", "happened_on", "since when it is so", ALL, until=_CASE),
    *rows("ToyDaysQuestion", "on toys", "how long toys would take", NOBODY, until=Retention.MOMENT),
)  # fmt: skip
