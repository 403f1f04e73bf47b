"""An answer of the exit-entry administration as it sends one: it names the permit that it is about."""

from pydantic import field_validator

from domain import answers
from domain.fields import refusal
from domain.references import find_reference
from programmes.talent_permit.permit_stages import Destination
from programmes.talent_permit.references import PREFIX


class AuthorityAnswer(answers.AuthorityAnswer):
    """One answer; number, dates, stay and entries are recorded as given, never computed."""

    @field_validator("case")
    @classmethod
    def _names_a_permit(cls, case: str) -> str:
        reference, _, destination = case.rpartition("/")
        if find_reference(reference, {PREFIX}) is None or destination not in set(Destination):
            raise refusal("unknown_value", "Name the case as {reference}/HK or {reference}/MO.")
        return case

    @property
    def destination(self) -> Destination:
        """The destination of the permit."""
        return Destination(super().destination)
