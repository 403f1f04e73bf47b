"""Who needs no work permit is told so before anything else is looked at, and nothing of them is kept."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from pydantic import ValidationError
from sqlalchemy import func, select
from temporalio.client import Client

from domain.errors import Refused
from domain.field_errors import field_errors
from programmes.work_permit.requests import WorkPermitCorrection, WorkPermitRequest
from programmes.work_permit.rosters import ROSTERS, WorkPermitRoster
from store import tables
from tests.programmes.park import Park, served
from tests.programmes.work_permit.forms import FORM
from tests.programmes.work_permit.room import form, take_on
from tests.workflows.world import MONDAY, open_world

COMPATRIOTS, MAINLAND = "work_permit_not_for_compatriots", "work_permit_not_for_mainland"
HKID = {"kind": "hk_identity_card", "number": "A123456(3)"}


@pytest_asyncio.fixture
async def park(clean_database: str, temporal_client: Client) -> AsyncIterator[Park]:
    async with (
        open_world(clean_database, temporal_client, start=MONDAY) as world,
        served(world, clean_database) as park,
    ):
        yield park


@pytest.mark.parametrize(
    ("person", "field", "words"),
    [
        ({"document": HKID, "nationality": None}, "document.kind", COMPATRIOTS),
        ({"document": {"kind": "macao_identity_card"}, "nationality": None}, "document.kind", COMPATRIOTS),
        ({"document": {"kind": "mainland_travel_permit"}, "nationality": None}, "document.kind", COMPATRIOTS),
        ({"document": {"kind": "taiwan_travel_permit"}, "nationality": None}, "document.kind", COMPATRIOTS),
        ({"document": {"kind": "residence_permit", "number": "no"}}, "document.kind", COMPATRIOTS),
        ({"nationality": " hk"}, "nationality", COMPATRIOTS),
        ({"nationality": "MO"}, "nationality", COMPATRIOTS),
        ({"nationality": "TW"}, "nationality", COMPATRIOTS),
        ({"nationality": "CN", "document": HKID}, "nationality", COMPATRIOTS),
        ({"document": {"kind": "passport", "place": "hk"}, "nationality": None}, "document.place", COMPATRIOTS),
        ({"nationality": "CN"}, "nationality", MAINLAND),
        ({"document": {"kind": "resident_identity_card"}}, "document.kind", MAINLAND),
        ({"document": {"kind": "passport", "place": "CN"}, "nationality": "GB"}, "document.place", MAINLAND),
    ],
)
def test_who_needs_none_is_told_which_way_to_go(person: dict[str, Any], field: str, words: str) -> None:
    # Whatever else is wrong or missing.
    with pytest.raises(Refused) as refused:
        WorkPermitRequest.model_validate({"person": {**FORM["person"], **person}, "job": "nothing"})
    (wrong,) = refused.value.errors
    assert (refused.value.code, refused.value.status, refused.value.words) == ("wrong_programme", 422, words)
    assert wrong.field == f"person.{field}"


def test_a_foreigner_who_is_a_permanent_resident_of_hong_kong_is_a_foreigner() -> None:
    assert WorkPermitRequest.model_validate(FORM).person.nationality == "GB"
    with pytest.raises(ValidationError) as wrong:
        WorkPermitRequest.model_validate(form(person={"document": HKID}))
    assert [(each.field, "passport" in each.message) for each in field_errors(wrong.value)] == [
        ("person.document", True)
    ]


def test_a_correction_does_not_make_somebody_such_a_person() -> None:
    given = WorkPermitRequest.model_validate(FORM)
    changed = WorkPermitCorrection.model_validate({"person": {"nationality": "HK"}})
    with pytest.raises(Refused, match="wrong_programme"):
        given.corrected(changed)


def test_a_row_of_a_roster_says_so_of_its_column() -> None:
    row = {
        "name_en": "Jane Sample", "passport_number": "123456789", "nationality": "GB", "birth_date": "1990-01-31",
        "language": "en", "category": "B", "position": "Chemist", "work_site": "SZP-001", "location": "440304",
        "salary_year": "450000.00", "contract_start": "2026-01-01", "contract_end": "2027-12-31",
        "education": "master", "experience_years": "5",
    }  # fmt: skip
    read = ROSTERS[WorkPermitRoster.APPLY].read
    found = read(row)
    assert not isinstance(found, list)
    assert isinstance(found.form, WorkPermitRequest)
    assert (found.form.declared.experience_years, str(found.form.job.salary_year)) == (5, "450000.00")
    for column, cell in (
        ("nationality", "HK"),
        ("passport_number", "1234567890"),
        ("experience_years", "five"),
        ("salary_year", "450,000"),
        ("contract_end", "2025-12-31"),
    ):
        wrong = read(row | {column: cell})
        assert isinstance(wrong, list)
        assert [each.field for each in wrong] == [column]


async def test_nothing_of_them_is_kept(park: Park) -> None:
    for path in ("/v1/work-permits", "/v1/work-permits/check"):
        answer = await park.ask("employer-a", "POST", path, form(person={"nationality": "HK"}), expects=422)
        assert answer["code"] == "wrong_programme"
        assert "/v1/appraisals" in answer["detail"]
        assert answer["errors"][0]["field"] == "person.nationality"
    found = await park.ask("employer-a", "POST", "/v1/work-permits/check", FORM)
    assert {each["code"] for each in found["findings"]} >= {"work_permit_category_not_reached"}
    async with park.world.context.database.begin() as connection:
        for table in (tables.cases, tables.persons, tables.applications):
            assert (await connection.execute(select(func.count()).select_from(table))).scalar_one() == 0
    # And a case that is there is not changed into one.
    case, here = await take_on(park)
    asked = {"person": {"nationality": "HK"}, "round": 1}
    answer = await park.ask("employer-a", "POST", f"{here}/correction", asked, expects=422)
    assert answer["code"] == "wrong_programme"
    assert (await case.file()).round == 1


async def test_a_day_to_come_is_no_birth_date_and_no_day_of_a_paper(park: Park) -> None:
    later = "2026-03-03"
    papers = [FORM["evidence"][0] | {"date": later}, FORM["evidence"][1]]
    for path in ("/v1/work-permits", "/v1/work-permits/check"):
        wrong = form(person={"birth_date": later}, evidence=papers)
        answer = await park.ask("employer-a", "POST", path, wrong, expects=422)
        assert [(each["field"], each["code"]) for each in answer["errors"]] == [
            ("person.birth_date", "date_order"),
            ("evidence[0].date", "date_order"),
        ]
        assert "future" in answer["errors"][0]["message"]
    question = {"on": "2026-03-02", "birth_date": later}
    answer = await park.ask("employer-a", "POST", "/v1/work-permits/routes", question, expects=422)
    assert [(each["field"], each["code"]) for each in answer["errors"]] == [("birth_date", "date_order")]


async def test_a_second_case_is_refused_without_a_word_of_registrations(park: Park) -> None:
    case, _ = await take_on(park)
    answer = await park.ask("employer-a", "POST", "/v1/work-permits", FORM, expects=409)
    assert answer["code"] == "live_registration_exists"
    assert case.reference in answer["detail"]
    answer = await park.ask("employer-b", "POST", "/v1/work-permits", FORM, expects=409)
    assert "live case" in answer["detail"]
    assert "registration" not in f"{answer['title']} {answer['detail']}"
