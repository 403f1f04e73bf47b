"""What staff and the person ask of a talent permit: what is revoked, sent, withheld, entered, lost or disputed."""

from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from domain import decisions
from domain.bodies import Body, example
from domain.decisions import GivenReason
from domain.fields import Day, Label, Moment, Note
from domain.references import reference_from
from programmes.talent_permit.authority.answers import AuthorityAnswer, Outcome
from programmes.talent_permit.permit_stages import Destination
from programmes.talent_permit.references import PREFIX
from programmes.talent_permit.requests import ChangeRequest, OwnChanges

_SAMPLE: Final = reference_from(PREFIX, bytes(5))  # only to test that a paper holds together


class RevocationRequest(Body):
    """Why a registration is to be revoked: codes of use V."""

    reasons: Annotated[tuple[GivenReason, ...], Field(min_length=1, max_length=20)]
    note: Note | None = None


class EligibilityAction(StrEnum):
    """What an officer makes of an eligibility that is not clear."""

    SEND = "send"
    WITHHOLD = "withhold"


class EligibilityRequest(Body):
    """Sending with an override reason (O), or withholding with a reason (W)."""

    action: EligibilityAction
    reasons: Annotated[tuple[GivenReason, ...], Field(min_length=1, max_length=20)]
    note: Note | None = None


class CardLostRequest(Body):
    """The day on which the card was lost."""

    lost_on: Day


class OutcomeRequest(Body):
    """What an officer enters from a numbered paper, or only the `outcome_id` of the held answer to apply."""

    outcome_id: Label
    outcome: Outcome | None = None
    authority_number: Label | None = None
    occurred_at: Moment | None = None
    valid_from: Day | None = None
    valid_until: Day | None = None
    stay_days: Annotated[int, Field(ge=1, le=3650, strict=True)] | None = None
    entries: Label | None = None
    reason_code: Label | None = None
    reason_text: Note | None = None

    @model_validator(mode="after")
    def _holds_as_an_answer(self) -> Self:
        if self.outcome is not None:
            self.paper(_SAMPLE, Destination.HK)
        return self

    def paper(self, reference: str, destination: Destination) -> AuthorityAnswer | None:
        """Return the paper as an answer about a permit, or None where only a held answer is named."""
        if self.outcome is None:
            return None
        given = self.model_dump(exclude_none=True)
        return AuthorityAnswer.model_validate({**given, "case": f"{reference}/{destination.value}"})


class TaskAnswerRequest(decisions.ChangeAnswerRequest):
    """The answer to a task that is neither `review` nor `confirm`, with what an officer learned of the employment."""

    contract_end: Day | None = None
    last_day: Day | None = None
    reason: Label | None = None


class RenewalRequest(Body):
    """What is confirmed anew: all that is known of a registration, but for what changes."""

    model_config = example({"changes": {"contract_end": "2033-06-30"}})

    changes: ChangeRequest | None = None
    undertaking_version: Label | None = None


class DisputeRequest(Body):
    """A dispute of the departure that was reported, with what speaks against it."""

    model_config = example({"reference": "HT-7K2M-9QXA-3", "text": "I still work there; my contract was renewed."})

    reference: Label
    text: Note


class OwnChangeRequest(OwnChanges):
    """What a person asks to have changed in a registration of their own; contact and language change at once."""

    model_config = example(
        {
            "reference": "HT-7K2M-9QXA-3",
            "permit_card_number": "C87654321",
            "permit_card_valid_until": "2037-01-31",
            "proof": {
                "kind": "permit_card",
                "issuer": "公安部出入境管理局",
                "number": "C87654321",
                "date": "2027-02-01",
            },
        }
    )

    reference: Label


class OwnCardLostRequest(Body):
    """The card of a permit of one's own was lost: whose case, for which destination, on which day."""

    model_config = example({"reference": "HT-7K2M-9QXA-3", "destination": "HK", "lost_on": "2026-03-01"})

    reference: Label
    destination: Destination
    lost_on: Day
