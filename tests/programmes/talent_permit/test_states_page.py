"""The page of stages, moves, notices, reasons and limits is the generated one, and nothing is missing on it."""

from pathlib import Path

from cli.docs import generated_pages
from policy.packs import load_limits
from programmes.talent_permit.reasons import REASONS, USES
from programmes.talent_permit.stages import MOVES, PERMIT, TRACKS

PAGE = Path(__file__).parents[3] / "docs" / "states.md"
TEXT = PAGE.read_text(encoding="utf-8")
_LINES = TEXT.splitlines()


def test_the_page_is_the_generated_one() -> None:
    assert generated_pages()["states.md"] == TEXT


def test_the_page_has_a_line_for_each_move() -> None:
    lines = [line for line in _LINES if line.startswith(("| R", "| P"))]
    assert len(lines) == len(MOVES.rows) + len(TRACKS[PERMIT].moves.rows)


def test_the_page_has_each_reason_with_uses_sentence_source_and_what_of_it_is_confirmed() -> None:
    said = "The place of work is outside the Shenzhen Park."
    assert f"| `work_site_outside_park` | F V | {said} | S8; area: S1 | - |" in _LINES
    for reason in REASONS.values():
        (line,) = [line for line in _LINES if line.startswith(f"| `{reason.code}` | {_uses(reason.uses)} | ")]
        assert f" | {reason.source} | " in line


def test_the_page_has_each_limit_with_value_unit_source_and_standing() -> None:
    for name, parameter in load_limits().parameters.items():
        (line,) = [line for line in _LINES if line.startswith(f"| `{name}` | ")]
        assert f" | {parameter.unit} | {parameter.reference} | {parameter.status} | " in line
    assert any(line.startswith("| `settling_minutes` | 10 | minutes | ") and line.endswith(" | 0 |") for line in _LINES)


def _uses(uses: frozenset[str]) -> str:
    return " ".join(use for use in USES if use in uses)
