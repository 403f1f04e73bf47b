"""The lists of achievements: which entry of which list a name stands for, and whether it held on the day."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Final

from policy.pack import Pack
from policy.standing import ParameterStatus
from policy.table import Row
from programmes.appraisal.rules.claims import Achieved, AppraisalClaims, AppraisalItem

# Each list is a table of the pack of the same name.
LISTS: Final = (AppraisalItem.NATIONAL_PROGRAMME, AppraisalItem.AWARD, AppraisalItem.RECOGNISED_ACHIEVEMENT)
_NO_SIGN: Final = re.compile(r"[\W_]+")
_LONG_ENOUGH: Final = 4  # letters, for what stands within another name to say anything


class AppraisalListOutcome(StrEnum):
    """What came of a name: `similar`, `elsewhere` and `unknown` are for an officer."""

    LISTED = "listed"
    OUT_OF_DATE = "out_of_date"
    ELSEWHERE = "elsewhere"
    SIMILAR = "similar"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class AppraisalListMatch:
    """An entry that a name stands for, or is like; the list with the version of the pack, and the entry in it.

    Attributes:
        since, until: the first and the last day on which what was given counts, both in.
    """

    list: AppraisalItem
    version: str
    entry: str
    names: tuple[str, ...]
    since: date | None
    until: date | None
    reference: str
    standing: ParameterStatus


@dataclass(frozen=True, kw_only=True)
class AppraisalListFound:
    """What was found of one name: the entry where it is one, and those that an officer may compare where it is not."""

    item: AppraisalItem
    outcome: AppraisalListOutcome
    match: AppraisalListMatch | None = None
    like: tuple[AppraisalListMatch, ...] = ()


def looked_up(claims: AppraisalClaims, pack: Pack, on: date) -> tuple[AppraisalListFound, ...]:
    """Return what is found of each achievement that is said, in the order of the lists.

    An entry counts for what was given on a day on which it held, and not after `on`, the day of the acceptance.
    """
    said = ((item, getattr(claims, item.value)) for item in LISTS)
    return tuple(_found(item, given, pack, on) for item, given in said if given is not None)


def best_of(found: Iterable[AppraisalListFound]) -> AppraisalListOutcome | None:
    """Return what several names come to: one that is listed is enough, and what an officer looks at is still open."""
    outcomes = {each.outcome for each in found}
    order = (
        AppraisalListOutcome.LISTED,
        AppraisalListOutcome.ELSEWHERE,
        AppraisalListOutcome.SIMILAR,
        AppraisalListOutcome.UNKNOWN,
    )
    return next((each for each in (*order, AppraisalListOutcome.OUT_OF_DATE) if each in outcomes), None)


def plain(name: str) -> str:
    """Return a name as names are compared: without case, width, blanks and signs; no letter is changed."""
    return _NO_SIGN.sub("", unicodedata.normalize("NFKC", name).casefold())


def _found(item: AppraisalItem, given: Achieved, pack: Pack, on: date) -> AppraisalListFound:
    name = plain(given.name)
    rows = [row for row in pack.table(item.value).rows if name in _names(row)]
    if rows:
        row = next((each for each in rows if each.holds_on(given.given_on)), rows[0])
        counts = row.holds_on(given.given_on) and given.given_on <= on
        outcome = AppraisalListOutcome.LISTED if counts else AppraisalListOutcome.OUT_OF_DATE
        return AppraisalListFound(item=item, outcome=outcome, match=_match(item, row, pack))
    others = [(each, row) for each in LISTS for row in pack.table(each.value).rows]
    same = tuple(_match(each, row, pack) for each, row in others if name in _names(row))
    if same:
        return AppraisalListFound(item=item, outcome=AppraisalListOutcome.ELSEWHERE, like=same)
    least = pack.decimal("similar_from")
    like = tuple(_match(each, row, pack) for each, row in others if any(_is_like(name, n, least) for n in _names(row)))
    return AppraisalListFound(
        item=item, outcome=AppraisalListOutcome.SIMILAR if like else AppraisalListOutcome.UNKNOWN, like=like
    )


def _names(row: Row) -> tuple[str, ...]:
    return tuple(plain(name) for name in (row.of or "", *row.also))


def _is_like(name: str, other: str, least: Decimal) -> bool:
    """Whether two names share so much of their letters, in their order, or the one stands within the other."""
    if not name or not other:
        return False
    alike = SequenceMatcher(None, name, other, autojunk=False)
    share = Decimal(2 * sum(block.size for block in alike.get_matching_blocks())) / (len(name) + len(other))
    return share >= least or (min(len(name), len(other)) >= _LONG_ENOUGH and (name in other or other in name))


def _match(item: AppraisalItem, row: Row, pack: Pack) -> AppraisalListMatch:
    return AppraisalListMatch(
        list=item,
        version=f"{pack.name}/{pack.version}",
        entry=row.of or "",
        names=row.also,
        since=row.since,
        until=row.until,
        reference=row.reference,
        standing=row.status,
    )
