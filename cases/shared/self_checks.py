"""What anyone may ask of a programme before there is an account or a case: whether it is for them, and would do."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel

from domain.data_map import NOBODY, DataRow, Retention, rows
from domain.findings import ParameterUsed
from domain.languages import Language
from policy.pack import PackShelf


class SelfCheckOrigin(StrEnum):
    """Where somebody is from, as the programmes tell people apart: by their papers."""

    MAINLAND = "mainland"
    HONG_KONG_MACAO = "hong_kong_macao"
    TAIWAN = "taiwan"
    FOREIGN = "foreign"


class SelfCheckOutcome(StrEnum):
    """What a self-check comes to; `unsure` where a fact is not said, or an officer has to look at it."""

    MET = "met"
    NOT_MET = "not_met"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfCheckFound:
    """One thing that was looked at.

    Attributes:
        code: what it is.
        outcome: what became of it.
        fact: the field of the question that decides it, if one does.
        needs: what that field would have to be, where a value says so.
        message: the same in the words of a language, if there are any.
        parameters: the values of the rules that it rests on, each with its standing.
    """

    code: str
    outcome: SelfCheckOutcome
    fact: str | None = None
    needs: str | None = None
    message: str | None = None
    parameters: Sequence[ParameterUsed] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfCheckAnswer:
    """What the rules of a day would find by what was said, and the version of them."""

    outcome: SelfCheckOutcome
    found: Sequence[SelfCheckFound]
    rule_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfCheck:
    """What a programme answers to anyone.

    Attributes:
        asks: the model of what can be said, all of which may be left out, none of it a text.
        of: whom the programme is for.
        answers: what the rules of a day find by it.

            Raises:
                Refused: what is asked has no answer, with the field.
    """

    asks: type[BaseModel]
    of: frozenset[SelfCheckOrigin]
    answers: Callable[[Any, PackShelf, date, Language], SelfCheckAnswer]


_BEST_FIRST: Final = (SelfCheckOutcome.MET, SelfCheckOutcome.UNSURE, SelfCheckOutcome.NOT_MET)


def best_of(outcomes: Iterable[SelfCheckOutcome]) -> SelfCheckOutcome:
    """Return what several come to where one that is met is enough.

    Raises:
        StopIteration: there are none.
    """
    known = set(outcomes)
    return next(each for each in _BEST_FIRST if each in known)


def body_rows(asks: type[BaseModel]) -> tuple[DataRow, ...]:
    """Return what the data map says of what is asked; it is answered and not kept."""
    why = "answering how the rules stand to somebody whose name is not asked"
    return tuple(rows(asks.__name__, " ".join(asks.model_fields), why, NOBODY, until=Retention.MOMENT))


def summed_up(found: Sequence[SelfCheckFound]) -> SelfCheckOutcome:
    """Return what several come to where all have to be met."""
    outcomes = {each.outcome for each in found}
    for each in (SelfCheckOutcome.NOT_MET, SelfCheckOutcome.UNSURE):
        if each in outcomes:
            return each
    return SelfCheckOutcome.MET
