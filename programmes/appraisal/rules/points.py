"""Points: each item by its table in the pack, the marks of the dimensions, and the total that the mark is held to."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal
from enum import StrEnum
from typing import Final

from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from policy.pack import Pack, PackError
from policy.packs import PackSource
from policy.standing import ParameterStatus, least
from policy.table import Row
from programmes.appraisal.rules.claims import AppraisalClaims, AppraisalItem

PACKS: Final = PackSource("appraisal", package="programmes.appraisal", folder="packs/appraisal")
NOT_SAID: Final = "nothing is said of it, or it is not proved"
_HUNDRED: Final = Decimal(100)
_MODES: Final = {"half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN, "down": ROUND_DOWN, "up": ROUND_UP}


class AppraisalDimension(StrEnum):
    """What the total is weighed of; each is marked from 0 to 100."""

    KNOWLEDGE = "knowledge"
    CAPABILITIES = "capabilities"
    PERFORMANCE = "performance"


# What is scored, and for which dimension; each has its table in the pack but the mark of the assessment, which is one.
DIMENSIONS: Final[Mapping[AppraisalItem, AppraisalDimension]] = {
    AppraisalItem.EDUCATION: AppraisalDimension.KNOWLEDGE,
    AppraisalItem.LISTED_SCHOOL: AppraisalDimension.KNOWLEDGE,
    AppraisalItem.PUBLICATIONS: AppraisalDimension.KNOWLEDGE,
    AppraisalItem.EXPERIENCE: AppraisalDimension.CAPABILITIES,
    AppraisalItem.PATENTS: AppraisalDimension.CAPABILITIES,
    AppraisalItem.PROJECTS_LED: AppraisalDimension.CAPABILITIES,
    AppraisalItem.INCOME: AppraisalDimension.PERFORMANCE,
    AppraisalItem.ASSESSMENT: AppraisalDimension.PERFORMANCE,
}


@dataclass(frozen=True, kw_only=True)
class AppraisalItemPoints:
    """The points of one item of the most that it gives; a standing of `unconfirmed` or `sample` is no law."""

    code: AppraisalItem
    dimension: AppraisalDimension
    points: Decimal
    most: Decimal
    reference: str
    standing: ParameterStatus


@dataclass(frozen=True, kw_only=True)
class AppraisalDimensionMark:
    """The sum of the items of a dimension, and the weight with which it counts."""

    code: AppraisalDimension
    mark: Decimal
    weight: Decimal
    reference: str
    standing: ParameterStatus


@dataclass(frozen=True, kw_only=True)
class AppraisalPoints:
    """Points by a version of the pack: items, dimensions, the total, and whether it reaches the mark.

    Attributes:
        total: weighed, and rounded once, as the pack says; what is compared is what is shown.
        standing: that of the least confirmed value that it rests on.
    """

    pack: str
    total: Decimal
    mark: Decimal
    reached: bool
    standing: ParameterStatus
    items: tuple[AppraisalItemPoints, ...]
    dimensions: tuple[AppraisalDimensionMark, ...]

    def of(self, item: AppraisalItem) -> Decimal:
        """Return the points of an item."""
        return next(each.points for each in self.items if each.code is item)


def score(claims: AppraisalClaims, pack: Pack) -> AppraisalPoints:
    """Return the points of what is declared, or of what is proved, by the tables, the weights and the mark of a pack.

    That of the acceptance decides; by any other it is what if.
    """
    items = tuple(_item(item, claims, pack) for item in DIMENSIONS)
    dimensions = tuple(_dimension(each, items, pack) for each in AppraisalDimension)
    total, mark = weighted({each.code: each.mark for each in dimensions}, pack), pack.decimal("recognition_mark")
    rests_on = (*(each.standing for each in items), *(each.standing for each in dimensions))
    return AppraisalPoints(
        pack=f"{pack.name}/{pack.version}",
        total=total,
        mark=mark,
        reached=total >= mark,
        standing=least([*rests_on, pack.parameter("recognition_mark").status]),
        items=items,
        dimensions=dimensions,
    )


def weighted(marks: Mapping[AppraisalDimension, Decimal], pack: Pack) -> Decimal:
    """Return the weighed total of the marks of all dimensions, rounded once as the pack says.

    Raises:
        Refused: a dimension has no mark, or one that is not from 0 to 100 (`invalid`, with the dimension as field).
    """
    wrong = [each for each in AppraisalDimension if each not in marks or not _is_mark(marks[each])]
    if wrong:
        says = "A mark from 0 to 100 is needed, which is the maximum; give 100 or less."
        raise Refused("invalid", errors=tuple(FieldError(each, FieldCode.UNKNOWN_VALUE, says) for each in wrong))
    return rounded(sum((marks[each] * weight_of(each, pack) for each in AppraisalDimension), Decimal(0)), pack)


def rounded(total: Decimal, pack: Pack) -> Decimal:
    """Return a total to the place and in the mode that the pack names; nothing before it is rounded."""
    mode = _MODES.get(pack.string("rounding_mode"))
    if mode is None:
        raise PackError(f"{pack.name} {pack.version}: rounding_mode is none of {', '.join(_MODES)}.")
    return total.quantize(Decimal(1).scaleb(-pack.integer("rounding_places")), rounding=mode)


def weight_of(dimension: AppraisalDimension, pack: Pack) -> Decimal:
    """Return the weight of a dimension."""
    return _weight(dimension, pack).decimal


def most_of(item: AppraisalItem, pack: Pack) -> Decimal:
    """Return the most points that an item can give."""
    if item is AppraisalItem.ASSESSMENT:
        return pack.decimal("assessment_mark_most")
    return max(row.decimal for row in pack.table(item.value).rows)


def unsaid(claims: AppraisalClaims) -> tuple[AppraisalItem, ...]:
    """Return the items of points of which nothing is said, or proved; they count nothing."""
    return tuple(item for item in DIMENSIONS if getattr(claims, item.value) is None)


def above_maximum(claims: AppraisalClaims, pack: Pack) -> tuple[FieldError, ...]:
    """Return an error for each mark that is above what a version of the pack gives at most, with that maximum."""
    mark, most = claims.assessment_mark, most_of(AppraisalItem.ASSESSMENT, pack)
    if mark is None or mark <= most:
        return ()
    message = f"The mark is above the maximum of this item, which is {most}; give {most} or less."
    return (FieldError(AppraisalItem.ASSESSMENT, FieldCode.UNKNOWN_VALUE, message),)


def _is_mark(mark: Decimal) -> bool:
    return mark.is_finite() and 0 <= mark <= _HUNDRED


def _item(item: AppraisalItem, claims: AppraisalClaims, pack: Pack) -> AppraisalItemPoints:
    points, reference, standing = _points(item, claims, pack)
    return AppraisalItemPoints(
        code=item,
        dimension=DIMENSIONS[item],
        points=points,
        most=most_of(item, pack),
        reference=reference,
        standing=standing,
    )


def _points(item: AppraisalItem, claims: AppraisalClaims, pack: Pack) -> tuple[Decimal, str, ParameterStatus]:
    """Return the points of what is said of an item; a mark above the maximum of the version counts nothing."""
    said = getattr(claims, item.value)
    if item is AppraisalItem.ASSESSMENT:
        most = pack.parameter("assessment_mark_most")
        counts = Decimal(0) if said is None or above_maximum(claims, pack) else said
        return counts, NOT_SAID if said is None else most.reference, most.status
    table = pack.table(item.value)
    if isinstance(said, bool):
        row = table.named("yes" if said else "no")
    else:
        row = table.at(Decimal(said)) if isinstance(said, int | Decimal) else table.named(str(said))
    if row is None:
        return Decimal(0), NOT_SAID, least(each.status for each in table.rows)
    return row.decimal, row.reference, row.status


def _dimension(
    dimension: AppraisalDimension, items: tuple[AppraisalItemPoints, ...], pack: Pack
) -> AppraisalDimensionMark:
    weight = _weight(dimension, pack)
    return AppraisalDimensionMark(
        code=dimension,
        mark=sum((each.points for each in items if each.dimension is dimension), Decimal(0)),
        weight=weight.decimal,
        reference=weight.reference,
        standing=weight.status,
    )


def _weight(dimension: AppraisalDimension, pack: Pack) -> Row:
    row = pack.table("weights").named(dimension)
    if row is None:
        raise PackError(f"{pack.name} {pack.version} has no weight of {dimension}.")
    return row
