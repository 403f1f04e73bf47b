"""Publishing rule packs: what a supervisor proposes and a second one signs."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from domain.bodies import Body
from domain.decisions import ConfirmationAction
from domain.fields import Label

MOST_CHARACTERS: Final = 200_000
ContentHash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 in hexadecimal.")]


class PackState(StrEnum):
    """How far a pack got."""

    PROPOSED = "proposed"
    PUBLISHED = "published"
    REJECTED = "rejected"


class PackProposal(Body):
    """A pack to publish, with the report of its trial on past cases."""

    content: Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS)] = Field(
        description="The pack in YAML; it names its version and the day from which it holds."
    )
    report_hash: ContentHash = Field(description="Hash of the report of a trial of this very content.")


class PackConfirmation(Body):
    """The second signature on a pack, or its rejection with codes of use C."""

    action: ConfirmationAction
    reasons: Annotated[tuple[Label, ...], Field(max_length=20)] = ()
