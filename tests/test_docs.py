"""Tests of the documents: what they link to exists, and what exists is named."""

import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import cli
from settings import Settings
from tests.api.test_openapi import DOCUMENT

ROOT = Path(__file__).parent.parent
PAGES = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")})
DECISIONS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
SECTIONS = ["Context", "Decision", "Consequences", "Alternatives", "References"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_within_the_project_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert "://" in target or (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_call_that_a_page_names_can_be_made(page: Path) -> None:
    known = {(way.upper(), _shape(path)) for path, ways in DOCUMENT["paths"].items() for way in ways}
    for way, path in re.findall(
        r"\b(GET|POST|PUT|DELETE) (/(?:v1|health)[^\s`?)\"|,]*)", page.read_text(encoding="utf-8")
    ):
        assert (way, _shape(path.rstrip(".,;"))) in known, f"{way} {path}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_command_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)", text)) <= targets
    for line in re.findall(r"(?:`|bin/|^)hetao ([a-z][a-z ]*)", text, re.MULTILINE):
        command: Any = get_command(cli.app)
        for word in line.split():
            if not hasattr(command, "commands"):
                break  # what follows are its arguments
            assert word in command.commands, line
            command = command.commands[word]


def _shape(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


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
