"""An employer applies and an officer decides, by pages alone; the foreign tenant, the double click, the stale form."""

import pytest

from domain.languages import Language
from tests.api.conftest import Stage
from tests.api.walk import Walk
from tests.console.conftest import Door


@pytest.mark.parametrize("language", Language)
async def test_an_officer_decides_from_the_inbox_in_one_page(stage: Stage, door: Door, language: Language) -> None:
    reference = await Walk(stage).register()
    officer = door.as_("officer-1")
    inbox = await officer.get(f"/inbox?lang={language}")
    assert [each.text() for each in inbox.all("tbody th a")] == [reference]
    case = await officer.send(inbox, form="main form[action='/inbox/next']")
    assert reference in case.text("h1")
    page = await officer.get(f"/cases/{reference}/decide")
    typed = {"action": "return", "reason.return": "document_unreadable", "note.return": "请上传清晰的一页。"}
    looked = await officer.send(page, {**typed, "look": "yes"})
    assert "请上传清晰的一页。" in looked.text(".ht-letter")
    assert await _stage_of(stage, reference) == "under_review"
    done = await officer.send(looked)  # as it stands: choice, reason and words were kept
    assert done.all("[role=status]")
    assert (await stage.as_("officer-1").get(f"/v1/registrations/{reference}")).json()[
        "stage"
    ] == "correction_requested"


async def _stage_of(stage: Stage, reference: str) -> str:
    found = await stage.as_("officer-1").get(f"/v1/registrations/{reference}")
    return str(found.json()["stage"])


async def test_a_decision_without_its_reason_is_refused_and_keeps_what_was_chosen(stage: Stage, door: Door) -> None:
    reference = await Walk(stage).register()
    officer = door.as_("officer-1")
    page = await officer.get(f"/cases/{reference}/decide")
    refused = await officer.send(page, {"action": "refuse", "note.refuse": "Not here."})
    assert refused.status == 422
    assert refused.all(".govuk-error-summary")
    assert refused.one("#n-refuse").text() == "Not here."
    assert "checked" in refused.one("#a-refuse").attributes


async def test_a_form_that_was_sent_twice_decides_once(stage: Stage, door: Door) -> None:
    reference = await Walk(stage).register()
    officer = door.as_("officer-1")
    page = await officer.get(f"/cases/{reference}/decide")
    for _ in range(2):
        assert (await officer.send(page, {"action": "approve"})).status == 200
    stale = await officer.get(f"/cases/{reference}/decide")
    assert stale.status == 409


async def test_an_employer_tries_a_form_sends_it_and_finds_the_case_at_home(stage: Stage, door: Door) -> None:
    employer = door.as_("employer-a")
    assert (await employer.get("/home")).status == 200
    page = await employer.get("/register/registrations")
    refused = await employer.send(page)
    assert refused.status == 422
    assert refused.all(".govuk-error-summary a")
    await Walk(stage).register()
    home = await employer.get("/home?of=registrations")
    [link] = home.all("tbody th a")
    case = await employer.get(str(link.attributes["href"]))
    assert case.status == 200
    withdrawn = await employer.send(
        await employer.get(f"{link.attributes['href']}/acts/withdraw"), {"reason": "Twice."}
    )
    assert withdrawn.all("[role=status]")


async def test_nobody_else_meets_the_case(stage: Stage, door: Door) -> None:
    reference = await Walk(stage).register()
    for path in (f"/cases/{reference}", f"/cases/{reference}/acts/withdraw"):
        assert (await door.as_("employer-b").get(path)).status == 404
        assert (await door.as_("operator").get(path)).status == 403
    assert (await door.as_("employer-a").get(f"/cases/{reference}/decide")).status == 403
    assert (await door.as_("officer-1").get("/home")).status == 403
    assert (await door.as_("employer-a").get("/inbox")).status == 403
    assert (await door.as_("officer-1").get("/cases/XX-0000-0000-0")).status == 404


@pytest.mark.parametrize("path", ["work-permits", "registrations"])
async def test_each_programme_of_employers_has_its_form(door: Door, path: str) -> None:
    employer = door.as_("employer-a")
    assert (await employer.get("/register")).all(f"a[href='/register/{path}']")
    assert (await employer.get(f"/register/{path}")).all("main form fieldset")
    assert (await employer.get(f"/home?of={path}")).status == 200
