"""How far a value is to be trusted: confirmed by a published rule, without confirmation, or a sample of ours."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final


class ParameterStatus(StrEnum):
    """Whether a published rule, or the park, confirms a value; the other kinds are never printed as law.

    A sample stands where a rule has a value that no source says, so that what follows can be tried.
    """

    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"
    SAMPLE = "sample"


_FROM_BEST: Final = tuple(ParameterStatus)


def least(statuses: Iterable[ParameterStatus]) -> ParameterStatus:
    """Return the standing of what rests on values of these standings: that of the least of them."""
    return max(statuses, key=_FROM_BEST.index, default=ParameterStatus.CONFIRMED)
