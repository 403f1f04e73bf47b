"""The auditor's pages: the record searched, a case told by day and compared, and nobody else let in."""

import pytest

from domain.languages import Language
from tests.api.conftest import Stage
from tests.api.walk import Walk
from tests.console.conftest import Door


@pytest.mark.parametrize("language", Language)
async def test_a_case_is_told_by_day_and_its_records_are_compared(stage: Stage, door: Door, language: Language) -> None:
    reference = await Walk(stage).approve()
    auditor = door.as_("auditor")
    page = await auditor.get(f"/cases/{reference}/story?lang={language}")
    assert (page.status, page.language) == (200, language)
    assert reference in page.text("h1")
    assert page.tree.css("ol.ht-story > li")
    people = await auditor.get(f"/cases/{reference}/story?show=people")
    assert 0 < len(people.tree.css("ol.ht-story > li")) < len(page.tree.css("ol.ht-story > li"))
    compared = await auditor.get(f"/cases/{reference}/story?compare=true")
    assert compared.tree.css("[role=status] b")


async def test_the_record_is_searched_and_what_is_found_leads_to_its_story(stage: Stage, door: Door) -> None:
    reference = await Walk(stage).register()
    auditor = door.as_("auditor")
    empty = await auditor.get("/audit")
    assert (empty.status, empty.tree.css("table")) == (200, [])
    found = await auditor.get(f"/audit?case={reference}")
    assert {each.attributes["href"] for each in found.tree.css("table a")} == {f"/cases/{reference}/story"}
    none = await auditor.get(f"/audit?case={reference}&actor=nobody")
    assert none.tree.css("table") == []
    wrong = await auditor.get("/audit?case=HT-0000-0000-0&from=yesterday")
    assert (wrong.status, wrong.title.startswith("Error")) == (422, True)
    assert "yesterday" in wrong.one("#f-from").attributes["value"]  # type: ignore[operator]


async def test_the_story_is_the_auditors_alone(stage: Stage, door: Door) -> None:
    reference = await Walk(stage).register()
    for persona in ("employer-a", "employer-b", "officer-1", "supervisor", "operator"):
        assert (await door.as_(persona).get(f"/cases/{reference}/story")).status == 403
        assert (await door.as_(persona).get("/audit")).status == 403
    assert (await door.as_("auditor").get("/cases/HT-0000-0000-0/story")).status == 404
