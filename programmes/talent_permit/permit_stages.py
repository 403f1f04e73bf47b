"""Where the following of a talent permit stands, and the places that one is for."""

from enum import StrEnum
from typing import Final


class PermitStage(StrEnum):
    """Where the following of a talent permit stands; the authority decides it, the engine records it."""

    ELIGIBLE = "eligible"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    ISSUED = "issued"
    REFUSED = "refused"
    EXPIRED = "expired"
    REVOKED = "revoked"
    ENDED = "ended"


class Destination(StrEnum):
    """A place a talent permit is for."""

    HK = "HK"
    MO = "MO"


PERMIT_FINAL: Final = frozenset({PermitStage.REFUSED, PermitStage.EXPIRED, PermitStage.REVOKED, PermitStage.ENDED})
PERMIT_WITH_AUTHORITY: Final = frozenset({PermitStage.SUBMITTED, PermitStage.ACCEPTED})
