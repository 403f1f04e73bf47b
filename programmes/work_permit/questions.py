"""What can be asked of the rules of work permits and is of no case: points, and the routes that are open."""

from typing import Final

from cases.programme import Calculator
from domain.data_map import NOBODY, DataRow, Retention, rows
from domain.languages import Language
from policy.pack import PackShelf
from programmes.work_permit.rules import calculator
from programmes.work_permit.rules.calculator import (
    WorkPermitPointsQuestion,
    WorkPermitRoutes,
    WorkPermitRoutesQuestion,
)
from programmes.work_permit.rules.points import WorkPermitPoints

# What the data map says of what is asked; it is answered and not kept.
BODIES: Final[tuple[DataRow, ...]] = tuple(
    row
    for question in (WorkPermitPointsQuestion, WorkPermitRoutesQuestion)
    for row in rows(
        question.__name__,
        " ".join(question.model_fields),
        "answering how the rules stand to somebody whose name is not asked",
        NOBODY,
        until=Retention.MOMENT,
    )
)


def _points(asked: WorkPermitPointsQuestion, shelf: PackShelf, language: Language) -> WorkPermitPoints:
    return calculator.points(asked, shelf)


def _routes(asked: WorkPermitRoutesQuestion, shelf: PackShelf, language: Language) -> WorkPermitRoutes:
    return calculator.open_routes(asked, shelf)


QUESTIONS: Final = (
    Calculator(
        name="askWorkPermitPoints",
        summary="Points for a work permit",
        says=(
            "Say what points somebody would have by the table of a day, which class they reach, and which item alone"
            " would reach the next; nothing is stored. A standing of `unconfirmed` or `sample` is no law."
        ),
        path="points",
        body=WorkPermitPointsQuestion,
        view=WorkPermitPoints,
        answers=_points,
    ),
    Calculator(
        name="askWorkPermitRoutes",
        summary="Routes into A, B and C",
        says=(
            "Say of every route at once whether it is open by what is known so far, and which fact decides it; what is"
            " left out is not known, and nothing is stored."
        ),
        path="routes",
        body=WorkPermitRoutesQuestion,
        view=WorkPermitRoutes,
        answers=_routes,
    ),
)
