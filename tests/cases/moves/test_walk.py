"""Every stage by every event by every role, of every programme: a row allows it, or it is refused as documented."""

from itertools import product
from typing import Final

import pytest

from cases.case.moves import ALL, Closes, Move, Moves
from cases.moves.front_half import EMPLOYER, PERSON, front_half
from domain.actors import Role
from domain.errors import Refused
from domain.notices import NoticeKind
from domain.stages import CLOSED, Stage
from domain.tasks import TaskKind
from programmes import PROGRAMMES

_TABLES: Final = {
    **{code: (each.moves, (None, *Stage)) for code, each in PROGRAMMES.items()},
    **{
        f"{code}/{name}": (track.moves, (None, *track.stages))
        for code, each in PROGRAMMES.items()
        for name, track in each.tracks.items()
    },
}
_EVERY: Final = pytest.mark.parametrize(("moves", "stages"), _TABLES.values(), ids=_TABLES)


@_EVERY
def test_what_the_table_does_not_allow_is_refused(moves: Moves, stages: tuple[str | None, ...]) -> None:
    for stage, event, role in product(stages, moves.events, Role):
        row = next((row for row in moves if row.event == event and stage in row.sources), None)
        if row is not None and role in row.who.roles:
            assert moves.need(stage, event, role) is row
            continue
        with pytest.raises(Refused) as refused:
            moves.need(stage, event, role)
        expected = "role_not_allowed" if row else "wrong_stage"
        if row is None and moves.called == "case" and stage in CLOSED:
            expected = "case_closed"
        assert refused.value.code == expected, (stage, event, role)


@_EVERY
def test_rows_go_between_stages_of_theirs_and_name_what_there_is(moves: Moves, stages: tuple[str | None, ...]) -> None:
    for row in moves:
        assert row.sources <= set(stages)
        assert row.to is None or row.to in stages
        assert row.who.roles, f"nobody brings {row.event} about"
        closed = {each.kind if isinstance(each, Closes) else each for each in row.closes}
        assert closed - {ALL} <= set(TaskKind)
        assert {each.kind for each in row.opens} <= set(TaskKind)
        kinds = [notice.kind for notice in row.notices]
        assert set(kinds) <= set(NoticeKind)
        assert len(kinds) == len(set(kinds)), f"{row.event} tells the same twice"


@_EVERY
def test_each_task_that_a_table_opens_it_closes_too(moves: Moves, stages: tuple[str | None, ...]) -> None:
    opened = {each.kind for row in moves for each in row.opens}
    closed = {each.kind if isinstance(each, Closes) else each for row in moves for each in row.closes}
    assert opened <= closed


def test_two_rows_for_one_stage_and_event_are_no_table() -> None:
    one = Move("T1", frozenset({"a"}), "go", EMPLOYER, "b")
    with pytest.raises(ValueError, match="two rows"):
        Moves(one, Move("T2", frozenset({"a", "b"}), "go", EMPLOYER))


def test_the_front_half_is_its_owner_s() -> None:
    of_persons = {row.event for row in front_half(PERSON) if row.who is PERSON}
    assert of_persons == {"submitted", "correct", "contest", "withdraw"}
