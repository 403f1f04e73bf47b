"""What the programmes publish of their cases, taken from their declarations: of several, one of them in each answer."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from cases.case.shows import Published
from programmes import PROGRAMMES


def _any_of(what: Callable[[Published], object]) -> Any:
    """Return what is published as any programme publishes it."""
    return Union[tuple(what(each.views.published) for each in PROGRAMMES.values())]  # noqa: UP007  # not known here


def _given_with(command: str) -> Any:
    """Return what is given with a command, as any programme takes it."""
    return Union[tuple(each.commands[command].body for each in PROGRAMMES.values())]  # noqa: UP007  # not known here


if TYPE_CHECKING:
    CaseView: TypeAlias = Any
    ObstacleView: TypeAlias = Any
    OwnCaseView: TypeAlias = Any
    OwnDataCaseView: TypeAlias = Any
    PersonView: TypeAlias = Any
    FactField: TypeAlias = str
    RegistrationRequest: TypeAlias = Any
    CorrectionRequest: TypeAlias = Any
    ChangeRequest: TypeAlias = Any
    DepartureRequest: TypeAlias = Any
    FactRequest: TypeAlias = Any
    RecordedFactView: TypeAlias = Any
else:
    CaseView = _any_of(lambda each: each.case)
    ObstacleView = _any_of(lambda each: each.obstacle)
    FactField = _any_of(lambda each: each.fact_field)
    RecordedFactView = _any_of(lambda each: each.fact)
    RegistrationRequest = Union[tuple(each.form for each in PROGRAMMES.values())]  # noqa: UP007  # not known here
    CorrectionRequest = _given_with("correct")
    ChangeRequest = _given_with("change")
    DepartureRequest = _given_with("depart")
    FactRequest = _given_with("record_fact")
    OwnCaseView = _any_of(lambda each: each.own_case)
    OwnDataCaseView = _any_of(lambda each: each.own_data)
    PersonView = _any_of(lambda each: each.person)
