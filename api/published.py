"""What the programmes publish of their cases, taken from their declarations: of several, one of them in each answer."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from cases.case.shows import Published
from programmes import PROGRAMMES


def _any_of(what: Callable[[Published], object]) -> Any:
    """Return what is published as any programme publishes it."""
    return Union[tuple(what(each.views.published) for each in PROGRAMMES.values())]  # noqa: UP007  # not known here


if TYPE_CHECKING:
    CaseView: TypeAlias = Any
    ObstacleView: TypeAlias = Any
    OwnCaseView: TypeAlias = Any
    OwnDataCaseView: TypeAlias = Any
    PersonView: TypeAlias = Any
    FactField: TypeAlias = str
    RecordedFactView: TypeAlias = Any
else:
    CaseView = _any_of(lambda each: each.case)
    ObstacleView = _any_of(lambda each: each.obstacle)
    FactField = _any_of(lambda each: each.fact_field)
    RecordedFactView = _any_of(lambda each: each.fact)
    OwnCaseView = _any_of(lambda each: each.own_case)
    OwnDataCaseView = _any_of(lambda each: each.own_data)
    PersonView = _any_of(lambda each: each.person)
