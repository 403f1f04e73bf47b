"""What is shown of legal holds and erasures."""

from pydantic import Field

from domain.erasure import ErasureReason, ErasureState, HoldReason, ReleaseReason
from domain.views import Told, View


class LegalHoldView(View):
    """A legal hold."""

    id: str
    reference: str
    reason: HoldReason
    paper: str | None = Field(description="Number of the paper that ordered it; null after an erasure.")
    placed_by: str
    placed_at: Told
    released_by: str | None
    release_reason: ReleaseReason | None
    released_at: Told | None


class ErasureView(View):
    """An erasure: proposed, rejected or done."""

    id: str
    reference: str
    reason: ErasureReason
    state: ErasureState
    proposed_by: str
    proposed_at: Told
    decided_by: str | None
    decided_at: Told | None
