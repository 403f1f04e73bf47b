"""Every stage by every event by every role, of every programme: a row allows it, or it is refused as documented."""

from itertools import product
from typing import Final, NamedTuple

import pytest

from cases.case.moves import ALL, NO_STAGE, Closes, Move, Moves
from cases.moves.front_half import EMPLOYER, PERSON, front_half
from cases.programme import Programme
from domain.actors import Role
from domain.errors import Refused
from domain.stages import CLOSED, Stage
from programmes import PROGRAMMES


class Table(NamedTuple):
    """A table of moves, the stages that it is about, and the programme that declares it."""

    moves: Moves
    stages: tuple[str | None, ...]
    programme: Programme
    is_track: bool = False


_TABLES: Final = {
    **{code: Table(each.moves, (None, *Stage), each) for code, each in PROGRAMMES.items()},
    **{
        f"{code}/{name}": Table(track.moves, (None, *track.stages), each, is_track=True)
        for code, each in PROGRAMMES.items()
        for name, track in each.tracks.items()
    },
}
EVERY_PROGRAMME: Final = pytest.mark.parametrize("code", PROGRAMMES)
_EVERY: Final = pytest.mark.parametrize("table", _TABLES.values(), ids=_TABLES)


@_EVERY
def test_what_the_table_does_not_allow_is_refused(table: Table) -> None:
    for stage, event, role in product(table.stages, table.moves.events, Role):
        row = next((row for row in table.moves if row.event == event and stage in row.sources), None)
        if row is not None and role in row.who.roles:
            assert table.moves.need(stage, event, role) is row
            continue
        with pytest.raises(Refused) as refused:
            table.moves.need(stage, event, role)
        expected = "role_not_allowed" if row else "wrong_stage"
        if row is None and table.moves.called == "case" and stage in CLOSED:
            expected = "case_closed"
        assert refused.value.code == expected, (stage, event, role)


@_EVERY
def test_rows_go_between_stages_of_theirs_and_name_what_there_is(table: Table) -> None:
    assert NO_STAGE not in table.stages
    for row in table.moves:
        assert row.sources <= set(table.stages)
        # A track begins anew where a row says so, and none of its stages is called that; a case never does.
        assert row.to is None or row.to in ((*table.stages, NO_STAGE) if table.is_track else table.stages)
        assert row.who.roles, f"nobody brings {row.event} about"
        closed = {each.kind if isinstance(each, Closes) else each for each in row.closes}
        assert closed - {ALL} <= set(table.programme.words.tasks)
        assert {each.kind for each in row.opens} <= set(table.programme.words.tasks)
        kinds = [notice.kind for notice in row.notices]
        assert set(kinds) <= set(table.programme.words.notices)
        assert len(kinds) == len(set(kinds)), f"{row.event} tells the same twice"


@_EVERY
def test_each_task_that_a_table_opens_it_closes_too(table: Table) -> None:
    opened = {each.kind for row in table.moves for each in row.opens}
    closed = {each.kind if isinstance(each, Closes) else each for row in table.moves for each in row.closes}
    assert opened <= closed | _closed_by_answer(table.programme)


def _closed_by_answer(programme: Programme) -> set[str]:
    """Return the tasks that no row can close: they outlive their case, and just close with their answer."""
    kinds = programme.words.tasks.items()
    return {kind for kind, each in kinds if each.outlives and each.answers and kind not in programme.answers}


def test_two_rows_for_one_stage_and_event_are_no_table() -> None:
    one = Move("T1", frozenset({"a"}), "go", EMPLOYER, "b")
    with pytest.raises(ValueError, match="two rows"):
        Moves(one, Move("T2", frozenset({"a", "b"}), "go", EMPLOYER))


def test_the_front_half_is_its_owner_s() -> None:
    of_persons = {row.event for row in front_half(PERSON) if row.who is PERSON}
    assert of_persons == {"submitted", "correct", "contest", "withdraw", "contest_fact"}
