"""Answers of the authority on cases that the register does not have, as staff asks for them and sees them."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field, field_validator

from domain.bodies import Body
from domain.decisions import ConfirmationAction
from domain.fields import Label, refusal
from domain.lost_answers import LostAnswerState
from domain.pages import PageQuery
from domain.references import find_reference
from domain.views import Told, View
from programmes.talent_permit.authority.answers import Outcome
from programmes.talent_permit.references import PREFIX


class LostAnswerQuery(PageQuery):
    """Which answers."""

    state: LostAnswerState | None = Field(default=None, description="What became of them.")


class LostAnswerView(View):
    """An answer of the authority about a case, or a permit, that the register did not have when it came."""

    id: str
    case: str = Field(description="The case as the authority named it.")
    outcome: Outcome
    outcome_id: str
    message_id: str | None = Field(description="Id of the message that brought it; null from the poll.")
    source: str = Field(description="`callback` or `poll`.")
    authority_number: str | None = Field(description="Null once a case has the answer.")
    valid_from: date | None
    valid_until: date | None
    occurred_at: Told
    received_at: Told
    state: LostAnswerState
    attached_to: str | None = Field(description="The case to which it was proposed, or belongs.")
    proposed_by: str | None
    proposed_at: Told | None
    decided_by: str | None
    decided_at: Told | None


class LostAnswerPage(BaseModel):
    """A page of answers."""

    items: list[LostAnswerView]
    next_cursor: str | None


class AttachmentRequest(Body):
    """The case to which an answer belongs: most often the same person's, submitted anew after a restore."""

    reference: Annotated[Label, Field(examples=["HT-7K2M-9QXA-3"])]

    @field_validator("reference")
    @classmethod
    def _is_reference(cls, reference: str) -> str:
        found = find_reference(reference, {PREFIX})
        if found is None:
            raise refusal("unknown_value", "Give the reference of a case, as HT-XXXX-XXXX-C.")
        return found


class AttachmentConfirmation(Body):
    """The second signature on where an answer belongs, or its rejection."""

    action: ConfirmationAction
