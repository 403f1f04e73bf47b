"""Tests of the documents: what they link to exists, and what exists is named."""

import re
from pathlib import Path

import pytest

from settings import Settings

ROOT = Path(__file__).parent.parent
PAGES = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")})
DECISIONS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
SECTIONS = ["Context", "Decision", "Consequences", "Alternatives", "References"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_within_the_project_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert "://" in target or (page.parent / target).exists(), target


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.name)
def test_a_decision_has_all_sections_and_is_listed(page: Path) -> None:
    index = (page.parent / "README.md").read_text(encoding="utf-8")

    assert re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE) == SECTIONS
    assert f"({page.name})" in index


@pytest.mark.parametrize(("name", "field"), sorted(Settings.model_fields.items()), ids=sorted(Settings.model_fields))
def test_a_setting_is_described_in_the_operations_page(name: str, field: object) -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

    assert f"| `HETAO_{name.upper()}` |" in page
    assert str(getattr(field, "description", None)) in page
