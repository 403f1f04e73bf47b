"""Answers of the authority about cases that the register does not have, and to which case one belongs after all."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, field_validator

from domain.bodies import Body
from domain.decisions import ConfirmationAction
from domain.fields import Label, refusal
from domain.references import find_reference


class LostAnswerState(StrEnum):
    """What became of an answer: kept, on its way to a case that somebody named, attached to it, or applied by itself.

    It is applied by itself once the register has the case that it names, as after another restore.
    """

    KEPT = "kept"
    PROPOSED = "proposed"
    ATTACHED = "attached"
    APPLIED = "applied"


class AttachmentRequest(Body):
    """The case to which an answer belongs: most often the same person's, submitted anew after a restore."""

    reference: Annotated[Label, Field(examples=["HT-7K2M-9QXA-3"])]

    @field_validator("reference")
    @classmethod
    def _is_reference(cls, reference: str) -> str:
        found = find_reference(reference, {"HT"})
        if found is None:
            raise refusal("unknown_value", "Give the reference of a case, as HT-XXXX-XXXX-C.")
        return found


class AttachmentConfirmation(Body):
    """The second signature on where an answer belongs, or its rejection."""

    action: ConfirmationAction
