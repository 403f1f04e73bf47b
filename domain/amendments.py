"""What a case keeps of each time that something was given again while it was under review: codes, and no values."""

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict


class FindingDifference(TypedDict):
    """A finding that came, went or came out otherwise; None where there was none."""

    code: str
    before: str | None
    after: str | None


class Amendment(TypedDict):
    """What changed by what was given again under review.

    Attributes:
        round: the round that it began.
        at: when it was asked, as RFC 3339.
        before: the version of what was given that it came after.
        version: the version that it brought.
        fields: the paths of the fields that say something else.
        findings: the findings that came, went or came out otherwise.
    """

    round: int
    at: str
    before: int
    version: int
    fields: list[str]
    findings: list[FindingDifference]


def differing(before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]) -> list[FindingDifference]:
    """Return where two assessments differ, by code, those of the newer one first and in its order."""
    then, now = ({each["code"]: str(each["outcome"]) for each in found} for found in (before, after))
    return [
        FindingDifference(code=code, before=then.get(code), after=now.get(code))
        for code in (*now, *(each for each in then if each not in now))
        if then.get(code) != now.get(code)
    ]
