"""What a case shows is its programme's to add to: without that it shows what every case does."""

from collections.abc import AsyncIterator
from dataclasses import fields, replace
from enum import StrEnum
from typing import ClassVar

import pytest_asyncio

from cases.case.export import begin_export
from cases.case.own_views import OwnCase
from cases.case.reads import get_case
from cases.case.shows import Views, views_in
from cases.case.views import AnyCaseView, CaseForStaff
from domain.folding import Folding, fold
from programmes.talent_permit.programme import TALENT_PERMIT
from tests.cases.contexts import EMPLOYER_A, OFFICER
from tests.cases.driver import Park, china, open_park


class _Stage(StrEnum):
    MOVED = "moved"


PLAIN = Views(
    case=lambda showing, seen: seen,
    last="recorded_facts",
    own=lambda case, seen, whole, language: whole,
    remedies=lambda case: (),
    columns=("reference", "stage", "rooms"),
    cells=lambda seen, given: {"rooms": len(given)},
    told=TALENT_PERMIT.views.told,
    published=TALENT_PERMIT.views.published,
)


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


async def test_a_programme_that_adds_nothing_shows_what_every_case_does(park: Park) -> None:
    case = await park.review()
    await case.approve()
    whole = await get_case(park.context, OFFICER, case.reference)
    park.context = replace(park.context, programmes={TALENT_PERMIT.code: replace(TALENT_PERMIT, views=PLAIN)})
    for actor, shown in ((EMPLOYER_A, AnyCaseView), (OFFICER, CaseForStaff)):
        view = await get_case(park.context, actor, case.reference)
        assert type(view) is shown
        assert list(vars(view)) == [field.name for field in fields(shown)]
        assert set(vars(whole)) >= set(vars(view))
    export = await begin_export(park.context, EMPLOYER_A)
    lines = b"".join([line async for line in export.lines()]).decode("utf-8-sig").splitlines()
    assert lines == ["reference,stage,rooms", f"{case.reference},approved,4"]


def test_parts_of_views_stand_in_the_order_in_which_they_are_answered() -> None:
    for whole, part in ((CaseForStaff, AnyCaseView), (OwnCase, OwnCase)):
        names = [field.name for field in fields(whole)]
        assert names[: len(fields(part))] == [field.name for field in fields(part)]
    shown = [field.name for field in fields(TALENT_PERMIT.views.published.case)]
    assert shown.index("destinations") == shown.index("round") + 1
    assert shown[shown.index(TALENT_PERMIT.views.last) + 1] == "links"


def test_what_the_declaration_shows_is_found_by_the_code(park: Park) -> None:
    assert views_in(park.context, TALENT_PERMIT.code) is TALENT_PERMIT.views


def test_rows_tell_of_tracks_what_the_programme_says_they_do() -> None:
    class Row:
        act, outcome, destination, reason_codes = "started", None, "flat", None
        detail: ClassVar = {"stage": "approved", "round": 1}

    moved = Folding(
        stage_after=lambda row: _Stage.MOVED,
        proposed={"started": "hand_over"},
        settled=frozenset(),
        waits_for={},
        case_proposed={},
        case_settled=frozenset(),
    )
    stood = fold([Row()], moved)
    assert (stood.tracks, stood.tracks_pending) == ({"flat": _Stage.MOVED}, {"flat": "hand_over"})
