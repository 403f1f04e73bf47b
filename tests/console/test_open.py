"""Pages for anybody: a check code says what is in force and no more, and the self-check asks for nobody's name."""

import pytest

from cases.shared.self_checks import SelfCheckOrigin
from domain.languages import Language
from programmes import PROGRAMMES
from tests.api.conftest import Stage
from tests.api.walk import Walk
from tests.console.conftest import Door


@pytest.mark.parametrize("language", Language)
async def test_a_code_says_what_is_in_force_and_a_wrong_one_nothing(
    stage: Stage, door: Door, language: Language
) -> None:
    walk = Walk(stage)
    reference = await walk.approve()
    issued = await stage.as_("employer-a").post(f"/v1/registrations/{reference}/check-codes", {})
    code = issued.json()["code"]
    anybody = door.nobody()
    assert (await anybody.get(f"/check?lang={language}")).status == 200
    found = await anybody.get(f"/check?code={code}")
    assert found.all("[role=status] .ht-tag--ok")
    assert reference not in found.response.text
    assert (await anybody.get(f"/check/{code}")).all("[role=status] .ht-tag--ok")
    for wrong in (code[:-1], "7K2M9-QXA4B-0CDE1-FGH2J-K", reference, "%2e%2e/registrations"):
        missing = await anybody.get(f"/check?code={wrong}")
        assert missing.status in (404, 422)
        assert missing.all(".govuk-error-summary")


@pytest.mark.parametrize("origin", SelfCheckOrigin)
async def test_everybody_finds_out_which_programme_is_for_them(door: Door, origin: SelfCheckOrigin) -> None:
    anybody = door.nobody()
    page = await anybody.get(f"/self-check?origin={origin}")
    links = {str(each.attributes["href"]) for each in page.all("main section a")}
    assert links == {
        f"/self-check/{each.path}"
        for each in PROGRAMMES.values()
        if each.self_check is not None and origin in each.self_check.of
    }
    for link in links:
        form = await anybody.get(link)
        answered = await anybody.send(form)
        assert answered.all("[role=status] h2")


async def test_an_origin_that_there_is_not_is_asked_again(door: Door) -> None:
    page = await door.nobody().get("/self-check?origin=moon")
    assert (page.status, page.all("main section")) == (200, [])


@pytest.mark.parametrize("language", Language)
async def test_no_limit_of_points_stands_behind_a_salary(door: Door, language: Language) -> None:
    anybody = door.nobody()
    answered = await anybody.send(await anybody.get(f"/self-check/work-permits?lang={language}"))
    told = answered.text("[role=status]")
    assert "(85)" not in told
    assert "(60)" not in told
