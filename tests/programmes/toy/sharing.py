"""What a toy takes over from other cases of the same person, and what it vouches for."""

from collections.abc import Mapping
from typing import Final

from cases.case.file import CaseFile
from cases.programme import Taken, Vouched, VouchedFact
from domain.clock import day_of
from tests.programmes.toy.requests import ToyItem, ToyPaper
from tests.programmes.toy.tables import makings
from tests.programmes.toy.words import MakingStage

BEING_MADE: Final = "toy_being_made"


def _is_being_made(file: CaseFile) -> bool:
    return any(each.stage == MakingStage.MAKING for each in makings(file).values())


def _said(file: CaseFile) -> VouchedFact:
    since = file.row.approved_at or file.row.accepted_at
    return VouchedFact("the Park", day_of(since), since, number=file.row.registration_number)


VOUCHES: Final[Mapping[str, Vouched]] = {BEING_MADE: Vouched(holds=_is_being_made, fact=_said)}
TAKES: Final[Mapping[str, tuple[Taken, ...]]] = {
    ToyItem.AGE: (
        Taken(programme="toy", item=ToyItem.AGE, kind=ToyPaper.BIRTH),
        Taken(programme="badge", item="badge_age", kind=ToyPaper.BIRTH),
    ),
}
