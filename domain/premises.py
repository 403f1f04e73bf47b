"""Where a place of work stands towards the dated register of premises in the Park."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from domain.employers import PremisesEntry


class SiteStanding(StrEnum):
    """What the register says of a place of work on a day."""

    IN_FORCE = "in_force"
    NOT_IN_FORCE = "not_in_force"
    NO_SINGLE_MATCH = "no_single_match"


@dataclass(frozen=True, slots=True)
class Site:
    """A place of work as the register knows it; the code is None where no single premises match."""

    standing: SiteStanding
    code: str | None = None


def locate(work_site: str, premises: Iterable[PremisesEntry], on: date, fold: Callable[[str], str]) -> Site:
    """Return where a place of work stands on a day.

    A code is tested against the register and found in force or not; an address is in force where it equals, once
    folded, the address of exactly one premises in force.
    """
    entries = tuple(premises)
    given = work_site.strip()
    by_code = [entry for entry in entries if entry.code.casefold() == given.casefold()]
    if by_code:
        in_force = any(entry.is_in_force(on) for entry in by_code)
        return Site(SiteStanding.IN_FORCE if in_force else SiteStanding.NOT_IN_FORCE, by_code[0].code)
    address = fold(given)
    matches = {entry.code for entry in entries if entry.is_in_force(on) and fold(entry.address) == address}
    if len(matches) == 1 and address:
        return Site(SiteStanding.IN_FORCE, matches.pop())
    return Site(SiteStanding.NO_SINGLE_MATCH)
