"""What a toy shows beside what every case shows: where its making stands."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from pydantic import BaseModel

from cases.case.evidence_views import EvidenceShown, evidence_views
from cases.case.own_views import OwnCase
from cases.case.reading import CaseReading
from cases.case.shows import FactSource, Showing, Shown, Told, Views
from cases.case.views import AnyCaseView, CaseForStaff, view
from domain.folding import ActRow, Folding
from domain.languages import Language
from privacy.published import publish
from tests.programmes.toy.requests import ToyRequest
from tests.programmes.toy.tables import makings
from tests.programmes.toy.words import MakingStage, ToyAct
from texts.person import plain


@view
class MakingView:
    """The making of a toy."""

    workshop: str
    stage: str | None
    made_on: date | None


@view
class ToyView(EvidenceShown, AnyCaseView):
    """A toy as its reader may see it."""

    makings: tuple[MakingView, ...]


@view
class ToyForStaff(CaseForStaff, ToyView):
    """A toy as staff and auditors see it."""


@view
class OwnToy(OwnCase):
    """A toy as its person reads it."""

    making_texts: tuple[str | None, ...]


class OwnToyMembers(BaseModel):
    """What the API answers the person of a toy with beside."""

    making_texts: list[str]


def _makings(case: Shown) -> tuple[MakingView, ...]:
    return tuple(
        MakingView(workshop=each.workshop, stage=each.stage, made_on=each.made_on) for each in makings(case).values()
    )


def _case(showing: Showing, seen: AnyCaseView) -> AnyCaseView:
    shown = ToyForStaff if isinstance(seen, CaseForStaff) else ToyView
    return shown(**vars(seen), makings=_makings(showing.case), evidence=evidence_views(showing.case))


def _own(case: CaseReading, seen: AnyCaseView, whole: OwnCase, language: Language) -> OwnToy:
    stages = (each.stage for each in makings(case).values())
    return OwnToy(**vars(whole), making_texts=tuple(plain("making_stages", stage, language) for stage in stages))


_STAGE_AFTER: Final[Mapping[str, MakingStage]] = {
    ToyAct.BEGUN: MakingStage.MAKING,
    ToyAct.MADE: MakingStage.MADE,
    ToyAct.STOPPED: MakingStage.STOPPED,
    ToyAct.LEFT: MakingStage.LEFT,
}


def _stage_after(row: ActRow) -> MakingStage | None:
    return _STAGE_AFTER.get(row.act)


VIEWS: Final = Views(
    case=_case,
    last="makings",
    own=_own,
    told=Told(facts={"toy": FactSource("application")}, folding=Folding(stage_after=_stage_after)),
    published=publish("Toy", ToyRequest, "Toys, of the tests alone.", case=ToyView, own=OwnToyMembers),
)
