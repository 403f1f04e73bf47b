"""The self-check: anyone asks it, about nobody; it says which programmes are for them and which fact decides."""

from typing import Any

from sqlalchemy import func, select

from programmes import PROGRAMMES
from store import tables
from tests.api.conftest import Stage

PATH = "/v1/self-check"


async def _asked(stage: Stage, **body: Any) -> dict[str, Any]:
    answer = await stage.nobody.send("POST", PATH, json=body)
    assert answer.status_code == 200, answer.text
    return {each["programme"]: each for each in answer.json()["programmes"]}


async def test_it_says_which_programmes_are_for_whom(stage: Stage) -> None:
    foreign, mainland, unsaid = [
        {name: each["for_you"] for name, each in (await _asked(stage, **body)).items()}
        for body in ({"origin": "foreign"}, {"origin": "mainland"}, {})
    ]
    assert foreign == {"talent_permit": False, "work_permit": True, "appraisal": True}
    assert mainland == {"talent_permit": True, "work_permit": False, "appraisal": True}
    assert set(unsaid.values()) == {None}


async def test_it_says_which_fact_decides_and_what_is_not_confirmed(stage: Stage) -> None:
    said = {"education": "doctor", "experience_years": 6, "birth_date": "1991-05-20", "salary_year": "300000.00"}
    found = (await _asked(stage, origin="foreign", work_permit=said))["work_permit"]
    routes = {each["code"]: each for each in found["findings"]}
    assert (found["outcome"], found["unconfirmed"]) == ("met", True)
    assert (routes["b_degree"]["outcome"], routes["b_degree"]["fact"]) == ("met", "education")
    assert routes["a_salary"]["outcome"] == "not_met"
    assert (routes["a_salary"]["fact"], routes["a_salary"]["needs"]) == ("salary_year", "600000")
    english = {"employer_kind": "tech_enterprise", "employer_has_premises": False, "state_worker": False}
    talent = (await _asked(stage, talent_permit=english))["talent_permit"]
    (failed,) = [each for each in talent["findings"] if each["outcome"] == "not_met"]
    assert (talent["outcome"], failed["code"], failed["fact"]) == (
        "not_met",
        "employer_not_in_park",
        "employer_has_premises",
    )
    assert failed["message"]
    appraisal = (await _asked(stage, appraisal={"education": "bachelor", "has_achievement": False}))["appraisal"]
    assert {each["code"]: each["outcome"] for each in appraisal["findings"]} == {
        "points": "unsure",
        "achievement": "not_met",
    }


async def test_it_takes_nothing_that_names_anybody_and_keeps_nothing(stage: Stage) -> None:
    async def counted() -> list[int]:
        async with stage.context.database.begin() as connection:
            looked = (tables.ledger, tables.persons, tables.idempotency, tables.sign_ins)
            return [(await connection.execute(select(func.count()).select_from(each))).scalar_one() for each in looked]

    before = await counted()
    for part in ({"name": "曹雪"}, {"identity_number": "44030419900307123X"}, {"email": "a@example.com"}):
        for code in (None, *PROGRAMMES):
            body = part if code is None else {code: part}
            refused = await stage.nobody.send("POST", PATH, json=body)
            assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "unknown_field"), refused.text
    await _asked(stage, origin="mainland", talent_permit={"employer_kind": "other"})
    assert await counted() == before
    # No field of a question is a text that somebody could write a name into.
    for programme in PROGRAMMES.values():
        assert programme.self_check is not None
        for name, field in programme.self_check.asks.model_json_schema()["properties"].items():
            kinds = [each for each in field.get("anyOf", [field]) if each.get("type") == "string"]
            assert all("format" in each or "pattern" in each or "enum" in each for each in kinds), name


async def test_a_birth_date_that_lies_ahead_is_refused_by_its_field(stage: Stage) -> None:
    refused = await stage.nobody.send("POST", PATH, json={"work_permit": {"birth_date": "2190-01-01"}})
    assert refused.status_code == 422
    assert [each["field"] for each in refused.json()["errors"]] == ["work_permit.birth_date"]
