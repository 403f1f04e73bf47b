"""What the programmes publish of their cases, taken from their declarations: of several, one of them in each answer."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias, Union

from cases.case.shows import Published
from programmes import PROGRAMMES

_SHOWN: Final = [each.views.published for each in PROGRAMMES.values()]
_ASKED: Final = [each.own for of in PROGRAMMES.values() for each in of.commands.values() if each.own]
# The names of schemas of which an answer about a case of any programme has one, or what a person asks of one.
OF_PROGRAMMES: Final = frozenset(
    kind.__name__
    for kinds in (
        *((shown.case, shown.own_case, shown.own_data, shown.fact, shown.obstacle) for shown in _SHOWN),
        *((asked.body, asked.view) for asked in _ASKED),
    )
    for kind in kinds
)


def _any_of(what: Callable[[Published], object]) -> Any:
    """Return what is published as any programme publishes it."""
    return Union[tuple(what(each.views.published) for each in PROGRAMMES.values())]  # noqa: UP007  # not known here


if TYPE_CHECKING:
    CaseView: TypeAlias = Any
    ObstacleView: TypeAlias = Any
    OwnCaseView: TypeAlias = Any
    OwnDataCaseView: TypeAlias = Any
    RecordedFactView: TypeAlias = Any
else:
    CaseView = _any_of(lambda each: each.case)
    ObstacleView = _any_of(lambda each: each.obstacle)
    RecordedFactView = _any_of(lambda each: each.fact)
    OwnCaseView = _any_of(lambda each: each.own_case)
    OwnDataCaseView = _any_of(lambda each: each.own_data)
