"""Erasing a person's data, and what keeps it: requests with their reasons, legal holds, and what an erasure leaves."""

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from domain.bodies import Body
from domain.decisions import ConfirmationAction
from domain.errors import Refused
from domain.fields import Label


class ErasureReason(StrEnum):
    """Why personal data is erased (PIPL article 47)."""

    RETENTION_OVER = "retention_over"
    PERSON_ASKED = "person_asked"
    COURT_ORDERED = "court_ordered"
    COLLECTED_IN_ERROR = "collected_in_error"


class ErasureState(StrEnum):
    """Where an erasure stands."""

    PROPOSED = "proposed"
    DONE = "done"
    REJECTED = "rejected"


class HoldReason(StrEnum):
    """Why nothing of a case may be erased."""

    LITIGATION = "litigation"
    ADMINISTRATIVE_REVIEW = "administrative_review"
    INVESTIGATION = "investigation"
    AUDIT = "audit"
    COMPLAINT_OPEN = "complaint_open"


class ReleaseReason(StrEnum):
    """Why a legal hold ends."""

    MATTER_CLOSED = "matter_closed"
    ORDER_LIFTED = "order_lifted"
    PLACED_IN_ERROR = "placed_in_error"


class ErasureRequest(Body):
    """A proposal to erase the person of a case; `retention_over` is the engine's own reason."""

    reason: Annotated[ErasureReason, Field(examples=["person_asked"])]


class ErasureConfirmation(Body):
    """The second signature on an erasure, which nothing undoes, or its rejection."""

    action: ConfirmationAction


class LegalHoldRequest(Body):
    """A legal hold: its reason, and the number of the paper that orders it."""

    reason: HoldReason
    paper: Annotated[Label, Field(description="Number of the order or file.", examples=["2026-0042"])]


class LegalHoldRelease(Body):
    """The end of a legal hold."""

    reason: ReleaseReason


class ErasureEntry(BaseModel):
    """One erasure as the list outside the database keeps it: ids and codes, nothing of the person."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    erasure_id: UUID
    person_id: UUID
    keys: tuple[UUID, ...]
    references: tuple[str, ...]
    reason: ErasureReason
    at: AwareDatetime
    # Legal holds that had been released by then: one of them that a restore brings back keeps nothing.
    released_holds: tuple[UUID, ...] = ()

    def content(self) -> dict[str, Any]:
        """Return the entry as JSON."""
        return self.model_dump(mode="json")


class Kept(StrEnum):
    """What keeps a person from being erased."""

    LEGAL_HOLD = "legal_hold"
    CASE_LIVE = "case_live"
    PERMIT_RUNNING = "permit_running"
    WORK_WAITS = "work_waits"


class ErasureRefused(Refused):
    """A person who may not be erased now, and what keeps them."""

    def __init__(self, kept: Kept, detail: str) -> None:
        super().__init__("legal_hold" if kept is Kept.LEGAL_HOLD else "case_not_at_rest", detail)
        self.kept = kept
