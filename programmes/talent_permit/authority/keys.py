"""The keys of calls to the exit-entry administration, which knows them too."""

from collections.abc import Callable

from domain.outward import CallOf
from domain.spellings import LIST_ENTRY_KEY, REPORT_KEY, TERM_KEY


def list_entry_key(of: CallOf) -> str:
    """Return the key of a list entry; one that is sent again after it was mended has its number.

    That of a later term names the term, so that no attempt is taken for one.
    """
    part = f"/{of.part}" if of.part else ""
    return f"{LIST_ENTRY_KEY}/{of.place}{part}{of.since}" + (f"/{of.attempt}" if of.attempt > 1 else "")


def term_part(number: int) -> str:
    """Return which part of a permit a term is, in the key of its list entry; nothing for the first."""
    return f"{TERM_KEY}/{number}" if number > 1 else ""


def entry_change_key(of: CallOf) -> str:
    """Return the key of a change of an entry: that of the version of the facts by which it changed."""
    again = f"/{of.attempt}" if of.attempt > 1 else ""
    return f"{REPORT_KEY}/{of.place}/entry_changed{of.since}/{of.on}{again}"


def report_key(what: str, *, is_dated: bool = False) -> Callable[[CallOf], str]:
    """Return how the key of a report is made; one that is dated can be told again of another day.

    What is told anew, as a second revocation is after the first was set aside, has the number of its attempt.
    """

    def key(of: CallOf) -> str:
        again = f"/{of.attempt}" if of.attempt > 1 else ""
        return f"{REPORT_KEY}/{of.place}/{what}{of.since}" + (f"/{of.on}" if is_dated else "") + again

    return key
