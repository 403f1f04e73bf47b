"""Tracks of a case stand in several tables, each moved in its own."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar, Final

import pytest_asyncio
from sqlalchemy import Column, MetaData, Table, Text

from cases.case.file import read_case
from cases.case.moves import At, Move, Moves, Track, Who
from cases.moves.moving import move, stage_of
from domain.actors import Role, system
from programmes.talent_permit.programme import TALENT_PERMIT
from store.case_tables import TrackTable
from store.rows.tracks import TrackRow
from tests.cases.driver import Park, china, open_park


class _Stage(StrEnum):
    BEGUN = "begun"


class _Key(StrEnum):
    FIRST = "first"


@dataclass(slots=True, kw_only=True)
class _Visit(TrackRow):
    TABLE: ClassVar[Table] = Table("toy_visits", MetaData(), Column("reference", Text), Column("visit", Text))
    visit: str


_VISITS: Final = TrackTable(row=_Visit, key="visit", hashed=("stage", "visit"), final=frozenset(), ended_on="NULL")
_BEGINS: Final = Move("1", frozenset({None}), "begin", Who("the system", frozenset(Role)), _Stage.BEGUN)
_PROGRAMME: Final = replace(
    TALENT_PERMIT,
    tables=(*TALENT_PERMIT.tables, _VISITS),
    tracks={
        **TALENT_PERMIT.tracks,
        "visit": Track(table=_VISITS, stages=_Stage, keyed_by=_Key, moves=Moves(_BEGINS), keys=lambda file: ("first",)),
    },
)


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


async def test_a_track_moves_in_its_own_table(park: Park) -> None:
    case = await park.approved()
    file = await read_case(park.context, case.reference)
    permits = {key: row.stage for key, row in file.tracks.items()}
    file.context = replace(park.context, programmes={_PROGRAMME.code: _PROGRAMME})
    file.own_rows[_VISITS.name] = []
    first = At("visit", "first")
    assert stage_of(file, first) is None
    move(file, "begin", system("advance"), park.clock(), track=first)
    (visit,) = file.rows_of(_Visit)
    assert (visit.visit, stage_of(file, first)) == ("first", _Stage.BEGUN)
    assert {key: row.stage for key, row in file.tracks.items()} == {**permits, "first": _Stage.BEGUN}
