"""What a look at an installation says: a line each, how it stands, and what to do."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

_LATE: Final = timedelta(seconds=2)
# From which on fresh tokens are refused.
_WRONG: Final = timedelta(seconds=30)


class Health(StrEnum):
    """How a line stands: well, to be looked at, or in the way of the work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what was looked at, how it stands, what was seen, and what to do where it is not well.

    Neither a secret nor anything of a person stands in it.
    """

    name: str
    health: Health
    says: str
    to_do: str = ""


def ok(name: str, says: str) -> Line:
    """Return the line of what is well."""
    return Line(name, Health.OK, says)


def warn(name: str, says: str, to_do: str) -> Line:
    """Return the line of what somebody should look at."""
    return Line(name, Health.WARN, says, to_do)


def fail(name: str, says: str, to_do: str) -> Line:
    """Return the line of what keeps the service from its work."""
    return Line(name, Health.FAIL, says, to_do)


def clock_line(name: str, ahead: timedelta) -> Line:
    """Return how far a clock is from the host's: seconds ahead of it, or behind it where negative."""
    seconds = ahead.total_seconds()
    says = f"{abs(seconds):.1f} s {'ahead of' if seconds > 0 else 'behind'} this host"
    if abs(ahead) > _WRONG:
        return fail(name, says, "mend the time service: beyond 30 s fresh tokens are refused")
    if abs(ahead) > _LATE:
        return warn(name, says, "look at the time service of both hosts")
    return ok(name, says)
