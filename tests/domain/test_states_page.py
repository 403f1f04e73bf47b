"""The page of stages and moves is the generated one."""

from pathlib import Path

from domain.moves import MOVES, PERMIT_MOVES
from domain.states_page import as_page

PAGE = Path(__file__).parents[2] / "docs" / "states.md"


def test_the_page_is_the_generated_one() -> None:
    assert PAGE.read_text(encoding="utf-8") == as_page()


def test_the_page_has_a_line_for_each_move() -> None:
    lines = [line for line in as_page().splitlines() if line.startswith(("| R", "| P"))]
    assert len(lines) == len(MOVES) + len(PERMIT_MOVES)
