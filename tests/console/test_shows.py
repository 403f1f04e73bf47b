"""What pages show alike: words beside every shape, roles in every table, and nothing that a fact could break out of."""

from datetime import UTC, datetime
from types import SimpleNamespace as Said
from typing import Any, Final

import pytest
from fastapi import FastAPI
from selectolax.lexbor import LexborHTMLParser
from starlette.requests import Request

from console.app import create_console
from console.rendering import environment, said_to
from domain.languages import Language
from tests.api.conftest import settings_for_tests
from tests.console.visiting import KeptSessions

CONSOLE: Final = create_console(
    settings_for_tests("postgresql://unused"),
    FastAPI(),
    sessions=KeptSessions,
    clock=lambda: datetime(2026, 11, 26, tzinfo=UTC),
)


def shown(template: str, language: Language = Language.EN, **facts: Any) -> LexborHTMLParser:
    """Return what a piece of a template shows."""
    request = Request({"type": "http", "path": "/", "query_string": b"", "headers": [], "app": CONSOLE})
    request.state.language, request.state.session = language, None
    source = '{% import "parts/shows.html" as shows with context %}' + template
    return LexborHTMLParser(environment().from_string(source).render(said_to(request), **facts))


def words(tree: LexborHTMLParser) -> str:
    """Return the words of what is shown."""
    assert tree.body is not None
    return " ".join(tree.body.text().split())


@pytest.mark.parametrize(
    ("left", "said", "filled", "late"),
    [
        (3, "3 working days left", 2, 0),
        (1, "1 working day left", 4, 0),
        (0, "Due today", 5, 0),
        (-2, "2 working days late", 0, 5),
    ],
)
def test_time_is_a_meter_with_its_words(left: int, said: str, filled: int, late: int) -> None:
    tree = shown("{{ shows.time_left(left, 5) }}", left=left)

    assert words(tree) == said
    assert len(tree.css("rect")) == 5
    assert len(tree.css("rect.u, rect.d")) == filled
    assert len(tree.css("rect.o")) == late
    assert tree.css("svg[aria-hidden=true]")


def test_counted_words_follow_the_rules_of_the_language() -> None:
    assert words(shown("{{ shows.time_left(1) }}", Language.ZH_HANS)) == "剩 1 个工作日"
    assert words(shown("{{ shows.time_left(1) }}", Language.ZH_HANT)) == "餘 1 個工作日"


def test_a_finding_has_value_and_source_and_says_what_is_unconfirmed() -> None:
    used = [Said(value=60, status="sample"), Said(value="<b>", status="confirmed")]
    found = [
        Said(outcome="needs_person", message="The total must reach the mark.", source="S1", parameters=used),
        Said(outcome="pass", message="In good standing.", source="S2", parameters=[]),
        Said(outcome="fail", message="The contract ends before it starts.", source="S3", parameters=[]),
        Said(outcome="missing", message="A letter is needed.", source="S4", parameters=[]),
    ]

    tree = shown("{{ shows.findings(found) }}", found=found)

    assert [each.text().split("\n")[0] for each in tree.css(".ht-tag")] == [
        "Needs an officer",
        "Does not hold",
        "Missing",
    ]
    assert [each.text() for each in tree.css(".ht-unsure")] == ["not confirmed"]
    assert [each.text() for each in tree.css(".ht-holds li")] == ["In good standing."]
    assert not tree.css("b")


def test_steps_say_by_words_what_is_done_and_where_the_case_stands() -> None:
    steps = [
        Said(words="Sent", state="done", note=None, at="2026-11-03", is_unsure=False),
        Said(words="Review", state="now", note="by", at="2027-01-05", is_unsure=True),
        Said(words="Decision", state=None, note=None, at=None, is_unsure=False),
    ]

    tree = shown("{{ shows.steps(steps, 'Progress') }}", steps=steps)

    assert [" ".join(each.text().split()) for each in tree.css("li")] == [
        "Sent done 11-03",
        "Review by 2027-01-05 not confirmed",
        "Decision",
    ]
    assert [each.css_matches("[aria-current=step]") for each in tree.css("li")] == [False, True, False]


def test_a_table_keeps_its_roles_where_it_becomes_cards() -> None:
    tree = shown(
        "{% call shows.table('People', ['Name', ('Days', 'n')]) %}<tr role='row'>{{ shows.head('A', '/a') }}"
        "{{ shows.cell(3, 'Days', 'n') }}</tr>{% endcall %}"
    )

    roles = [each.attributes["role"] for each in tree.css("[role]")]
    assert roles == [
        "table",
        "rowgroup",
        "row",
        "columnheader",
        "columnheader",
        "rowgroup",
        "row",
        "rowheader",
        "cell",
    ]
    assert tree.css("caption")[0].text() == "People"
    assert tree.css("td[data-l=Days].n")


@pytest.mark.parametrize("language", Language)
def test_whose_turn_it_is_has_act_day_holder_and_what_if_nobody_acts(language: Language) -> None:
    tree = shown(
        "{{ shows.turn('<i>', 'The Park', by='2026-11-27', otherwise='It lapses.', href='/cases/x') }}", language
    )

    assert len(tree.css("dt")) == 3
    assert tree.css("time[datetime='2026-11-27']")
    assert "It lapses." in words(tree)
    assert tree.css("a[href='/cases/x']")[0].text() == "<i>"
