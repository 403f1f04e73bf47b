"""What would give more: the next points of each item, and what alone or together would reach the mark."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations
from typing import Final

from policy.pack import Pack
from programmes.appraisal.rules.claims import AppraisalClaims, AppraisalItem
from programmes.appraisal.rules.points import DIMENSIONS, AppraisalDimension, AppraisalPoints, most_of, score, weighted

_CENT: Final = Decimal("0.01")


@dataclass(frozen=True, kw_only=True)
class AppraisalStep:
    """An item that would be of another value: the points more of the item, and the total that it would lift to."""

    code: AppraisalItem
    value: str
    more: Decimal
    lifts_to: Decimal


@dataclass(frozen=True, kw_only=True)
class AppraisalNext:
    """What would give more than what is said, or proved.

    Attributes:
        short: points of the total that lack for the mark; zero where it is reached.
        next: the next points of each item that can give more, the one that lifts the total most first.
        alone: each item that alone reaches the mark, with the least that it would have to be.
        together: where none does alone, the fewest items that do so together; empty where not even all do.
    """

    short: Decimal
    next: tuple[AppraisalStep, ...]
    alone: tuple[AppraisalStep, ...]
    together: tuple[AppraisalStep, ...]


_Points = Mapping[AppraisalItem, Decimal]


def reaching(claims: AppraisalClaims, pack: Pack) -> AppraisalNext:
    """Return what would give more points, and what would reach the mark, by a version of the pack."""
    scored = score(claims, pack)
    now = {each.code: each.points for each in scored.items}
    nexts = [each for item in DIMENSIONS if (each := _least(item, now, pack)) is not None]
    nexts.sort(key=lambda each: each.lifts_to, reverse=True)
    short = max(scored.mark - scored.total, Decimal(0))
    alone = () if scored.reached else _alone(now, scored, pack)
    together = () if scored.reached or alone else _together(now, scored, pack)
    return AppraisalNext(short=short, next=tuple(nexts), alone=alone, together=together)


def _alone(now: _Points, scored: AppraisalPoints, pack: Pack) -> tuple[AppraisalStep, ...]:
    found = (_least(item, now, pack, scored.mark) for item in DIMENSIONS)
    return tuple(each for each in found if each is not None)


def _together(now: _Points, scored: AppraisalPoints, pack: Pack) -> tuple[AppraisalStep, ...]:
    """Return the fewest items that reach the mark; of several such sets the one that then has least beyond it."""
    open_items = [item for item in DIMENSIONS if most_of(item, pack) > now[item]]
    for size in range(2, len(open_items) + 1):
        sets = [
            (total, items)
            for items in combinations(open_items, size)
            if (total := _total({**now, **{item: most_of(item, pack) for item in items}}, pack)) >= scored.mark
        ]
        if sets:
            return _trimmed(min(sets, key=lambda each: each[0])[1], now, scored, pack)
    return ()


def _trimmed(
    items: Iterable[AppraisalItem], now: _Points, scored: AppraisalPoints, pack: Pack
) -> tuple[AppraisalStep, ...]:
    """Return each of the items with no more than is needed where those after it give all that they can."""
    chosen = tuple(items)
    then, steps = {**now, **{item: most_of(item, pack) for item in chosen}}, []
    for item in chosen:
        step = _least(item, {**then, item: now[item]}, pack, scored.mark)
        if step is not None:
            then[item] = now[item] + step.more
            steps.append(step)
    total = _total(then, pack)
    return tuple(replace(step, lifts_to=total) for step in steps)


def _least(item: AppraisalItem, now: _Points, pack: Pack, wanted: Decimal | None = None) -> AppraisalStep | None:
    """Return the least more of an item that lifts the total to what is wanted, or at all; None where none does."""
    for value, points in _more_of(item, now, pack, wanted):
        total = _total({**now, item: points}, pack)
        if wanted is None or total >= wanted:
            return AppraisalStep(code=item, value=value, more=points - now[item], lifts_to=total)
    return None


def _more_of(item: AppraisalItem, now: _Points, pack: Pack, wanted: Decimal | None) -> Iterable[tuple[str, Decimal]]:
    """Return values of an item that give more than now, the least first.

    A mark rises by one, or to the first hundredth that is enough.
    """
    if item is not AppraisalItem.ASSESSMENT:
        rows = [row for row in pack.table(item.value).rows if row.decimal > now[item]]
        return [(str(row.least or row.of), row.decimal) for row in sorted(rows, key=lambda row: row.decimal)]
    most = most_of(item, pack)
    mark = min(now[item] + 1, most)
    if wanted is not None:
        cents = range(int((most - now[item]) / _CENT) + 1)
        found = bisect_left(cents, wanted, key=lambda each: _total({**now, item: now[item] + each * _CENT}, pack))
        mark = min(now[item] + found * _CENT, most)
    return [(str(mark), mark)] if mark > now[item] else []


def _total(points: _Points, pack: Pack) -> Decimal:
    marks = dict.fromkeys(AppraisalDimension, Decimal(0))
    for item, dimension in DIMENSIONS.items():
        marks[dimension] += points[item]
    return weighted(marks, pack)
