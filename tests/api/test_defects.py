"""A defect met on a call's content: 500 with the incident that an operator sees, and 503 only for what is away."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import select, text

from domain.errors import Defect, Unavailable
from store.tables import cases
from tests.api.conftest import Stage
from tests.cases.contexts import registration_body

SECRET = "44030419900307123X"
CASES = "/v1/registrations"


async def incidents_of(stage: Stage) -> list[dict[str, Any]]:
    """Return what an operator sees."""
    return list((await stage.as_("operator").get("/v1/incidents")).json()["items"])


async def test_an_error_of_ours_is_500_with_an_incident_and_says_nothing_of_the_content(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError(SECRET)

    stage.expects_defects = True
    reference = (await stage.as_("employer-a").post(CASES, registration_body())).json()["reference"]
    monkeypatch.setattr("cases.case.reads.get_case", broken)
    headers = {"Accept-Language": "zh-Hant", "X-Correlation-ID": "job-2026-11-07"}
    answers = [await stage.as_("employer-a").get(f"{CASES}/{reference}", headers=headers) for _ in range(3)]

    problem = answers[0].json()
    assert [answer.status_code for answer in answers] == [500] * 3
    assert (problem["code"], problem["title"]) == ("defect", "系統出錯")
    assert "retry-after" not in answers[0].headers
    assert SECRET not in answers[0].text
    (incident,) = await incidents_of(stage)
    assert {answer.json()["incident"] for answer in answers} == {incident["id"]}
    assert (incident["kind"], incident["step"]) == ("defect", "GET /v1/registrations/{reference}")
    assert (incident["reason"], incident["reference"], incident["times"]) == ("ZeroDivisionError", reference, 3)
    assert incident["place"].startswith("tests/api/test_defects.py:")
    assert incident["correlation_id"].startswith("job-2026-11-07.")
    assert SECRET not in str(incident)


async def test_another_case_or_another_place_is_another_incident_and_a_closed_one_is_opened_anew(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken_by(error: Exception) -> Callable[..., Any]:
        async def broken(*_: object, **__: object) -> None:
            raise error

        return broken

    stage.expects_defects = True
    reference = (await stage.as_("employer-a").post(CASES, registration_body())).json()["reference"]
    monkeypatch.setattr("cases.case.reads.get_case", broken_by(Defect("facts_malformed")))
    first = (await stage.as_("employer-a").get(f"{CASES}/{reference}")).json()["incident"]
    other = (await stage.as_("employer-a").get(f"{CASES}/HT-0000-0000-E")).json()["incident"]
    monkeypatch.setattr("cases.case.reads.get_case", broken_by(ValueError()))
    elsewhere = (await stage.as_("employer-a").get(f"{CASES}/{reference}")).json()["incident"]
    found = {each["id"]: each for each in await incidents_of(stage)}
    closed = await stage.as_("operator").post(f"/v1/incidents/{first}/resume")
    monkeypatch.setattr("cases.case.reads.get_case", broken_by(Defect("facts_malformed")))
    again = (await stage.as_("employer-a").get(f"{CASES}/{reference}")).json()["incident"]

    assert len({first, other, elsewhere, again}) == 4
    assert (found[first]["reason"], found[first]["reference"]) == ("facts_malformed", reference)
    assert (found[other]["reason"], found[other]["reference"]) == ("facts_malformed", None)
    assert found[elsewhere]["reason"] == "ValueError"
    assert closed.status_code == 200


async def test_a_defect_met_while_the_database_is_away_is_503(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError(SECRET)

    def away(*_: object, **__: object) -> None:
        raise Unavailable("database", retry_after=2)

    stage.as_("employer-a")
    await stage.as_("employer-a").get(CASES)
    monkeypatch.setattr("cases.case.reads.list_cases", broken)
    monkeypatch.setattr("cases.incidents.defects.note", away)
    answer = await stage.as_("employer-a").get(CASES)

    assert (answer.status_code, answer.json()["code"]) == (503, "engine_unavailable")
    assert answer.headers["retry-after"] == "2"


async def test_what_fails_after_the_answer_is_an_incident_too(stage: Stage) -> None:
    async def broken() -> None:
        raise KeyError(SECRET)

    stage.expects_defects = True
    stage.app.state.wiring.in_background(broken())
    await stage.settle()

    (incident,) = await incidents_of(stage)
    assert (incident["kind"], incident["reason"]) == ("defect", "KeyError")
    assert incident["step"].endswith("broken")


CONTENT = [
    ("a number out of range", select(cases.c.reference).where(cases.c.round == 2**40)),
    ("a character that cannot be stored", select(cases.c.reference).where(cases.c.stage == "a\x00b")),
    ("half of a surrogate pair", select(cases.c.reference).where(cases.c.stage == "\ud800")),
    ("a date of another kind", text("SELECT CAST(:given AS date)").bindparams(given="yesterday")),
    ("a text that is no number", text("SELECT CAST(:given AS text)::int").bindparams(given="x")),
    ("a time before all times", text("SELECT CAST(:given AS timestamptz) - interval '9999 years' * 1000")
     .bindparams(given=datetime(1, 1, 1))),
    ("a row that is refused", text("INSERT INTO quotas (employer_id, what, day, count) VALUES ('a', 'b', :d, NULL)")
     .bindparams(d=date(2026, 1, 1))),
]  # fmt: skip


@pytest.mark.parametrize("statement", [each[1] for each in CONTENT], ids=[each[0] for each in CONTENT])
async def test_what_the_database_says_of_content_is_no_absence_of_the_database(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, statement: Any
) -> None:
    async def broken(context: Any, *_: object, **__: object) -> None:
        async with context.database.begin() as connection:
            await connection.execute(statement)

    stage.expects_defects = True
    monkeypatch.setattr("cases.case.reads.list_cases", broken)
    answer = await stage.as_("employer-a").get(CASES)

    assert (answer.status_code, answer.json()["code"]) == (500, "defect")
    assert [each["id"] for each in await incidents_of(stage)] == [answer.json()["incident"]]


async def test_a_test_in_which_a_defect_was_met_fails(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("cases.case.reads.list_cases", broken)
    await stage.as_("employer-a").get(CASES)

    with pytest.raises(AssertionError, match="ZeroDivisionError at tests/api/test_defects"):
        await stage.check_defects()
    stage.expects_defects = True
