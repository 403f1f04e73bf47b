"""Answers of the exit-entry administration about a permit, as it sends them (states.md, section 3)."""

from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field, field_validator, model_validator

from domain.bodies import Body
from domain.fields import Day, Label, Moment, Note, refusal
from domain.references import find_reference
from programmes.talent_permit.permit_stages import Destination
from programmes.talent_permit.references import PREFIX


class Outcome(StrEnum):
    """What the authority says."""

    ACCEPTED = "accepted"
    ISSUED = "issued"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    KEPT = "kept"
    REPLACED = "replaced"
    CANCELLED = "cancelled"
    REVOKED = "revoked"


_DATED: Final = (Outcome.ISSUED, Outcome.REPLACED)


class AuthorityAnswer(Body):
    """One answer; number, dates, stay and entries are recorded as given, never computed."""

    outcome_id: Label
    case: Label
    outcome: Outcome
    authority_number: Label | None = None
    occurred_at: Moment
    valid_from: Day | None = None
    valid_until: Day | None = None
    stay_days: Annotated[int, Field(ge=1, le=3650, strict=True)] | None = None
    entries: Label | None = None
    reason_code: Label | None = None
    reason_text: Note | None = None

    @field_validator("case")
    @classmethod
    def _names_a_permit(cls, case: str) -> str:
        reference, _, destination = case.rpartition("/")
        if find_reference(reference, {PREFIX}) is None or destination not in set(Destination):
            raise refusal("unknown_value", "Name the case as {reference}/HK or {reference}/MO.")
        return case

    @model_validator(mode="after")
    def _issued_with_number_and_dates(self) -> Self:
        if self.outcome in _DATED and None in (self.authority_number, self.valid_from, self.valid_until):
            raise refusal("required", "An issued or replaced permit has a number and both dates.")
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            raise refusal("date_order", "The permit ends before it begins.")
        return self

    @property
    def reference(self) -> str:
        """The reference of the case."""
        return self.case.rpartition("/")[0]

    @property
    def destination(self) -> Destination:
        """The destination of the permit."""
        return Destination(self.case.rpartition("/")[2])


def read_answer(plain: bytes) -> AuthorityAnswer:
    """Return an answer as it was kept.

    Raises:
        pydantic.ValidationError: what was kept was altered.
    """
    return AuthorityAnswer.model_validate_json(plain)
