"""What staff is shown of joinings of persons: references and codes, and in words what proves it."""

from pydantic import Field

from domain.joinings import JoiningKind, JoiningReason, JoiningState, PartingReason
from domain.views import Told, View


class JoiningView(View):
    """A joining of two persons or its undoing: proposed, done, rejected, withdrawn, undone or lapsed."""

    id: str
    kind: JoiningKind
    undoes: str | None = Field(description="Of a parting the id of the joining that it undoes.")
    kept: str | None = Field(description="A case of the person who is kept; null where there was none.")
    joined: str | None = Field(description="A case of the person who is joined; null where there was none.")
    reason: JoiningReason | PartingReason
    proof: str | None = Field(description="What proves it; null after an erasure.")
    state: JoiningState
    proposed_by: str
    proposed_at: Told
    decided_by: str | None = Field(description="Who signed, rejected or withdrew it.")
    decided_at: Told | None
