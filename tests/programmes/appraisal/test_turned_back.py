"""What is wrong in an application is refused before anything is kept, with the field, and with what may stand there."""

from typing import Any

import pytest

from domain.errors import Refused
from programmes.appraisal.requests import AppraisalRequest
from tests.programmes.appraisal.people import POINTS, answered, applied, form, me, piece, recognised
from tests.programmes.park import Park

WORK = form()["employment"]
BORN = form()["person"]


@pytest.mark.parametrize(
    ("wrong", "field", "code", "said"),
    [
        ({"evidence": [piece("education", "phd")]}, "evidence[0].value", "unknown_value", "bachelor"),
        ({"evidence": [POINTS[1], POINTS[0] | {"date": "2026-03-03"}]}, "evidence[1].date", "date_order", "future"),
        (
            {"evidence": [piece("award", {"name": "Sample", "given_on": "2026-03-03"})]},
            "evidence[0].value",
            "date_order",
            "future",
        ),
        ({"person": BORN | {"birth_date": "2026-03-03"}}, "person.birth_date", "date_order", "future"),
        ({"employment": WORK | {"employer": "emp-unknown"}}, "employment.employer", "unknown_value", "no employer"),
        ({"route": "panel"}, "route", "unknown_value", "achievement"),
        ({"route": "recommendation"}, "route", "unknown_value", "not open yet"),
    ],
)
async def test_what_is_wrong_is_named(park: Park, wrong: dict[str, Any], field: str, code: str, said: str) -> None:
    refused = await park.ask(me(park), "POST", "/v1/appraisals", form() | wrong, expects=422)
    (error,) = refused["errors"]
    assert (refused["code"], error["field"], error["code"]) == ("invalid", field, code)
    assert said in error["message"]
    allowed = {"route": ["achievement", "points"], "evidence[0].value": ["doctor", "master", "bachelor", "none"]}
    assert error.get("allowed") == (allowed.get(field) if code == "unknown_value" else None)
    assert (await park.ask(me(park), "GET", "/v1/appraisals"))["items"] == []


async def test_what_is_given_again_is_held_against_the_same_days_and_employers(park: Park) -> None:
    case = await applied(park)
    here = f"/v1/appraisals/{case.reference}"
    for again, field in (
        ({"person": {"birth_date": "2026-03-03"}}, "person.birth_date"),
        ({"evidence": [*POINTS, piece("award") | {"date": "2026-03-03"}]}, f"evidence[{len(POINTS)}].date"),
    ):
        refused = await park.ask(me(park), "POST", f"{here}/correction", again | {"round": 1}, expects=422)
        assert [(each["field"], each["code"]) for each in refused["errors"]] == [(field, "date_order")]
    seen = {"field": "person.birth_date", "value": "2026-03-03", "seen_in": "the passport", "round": 1}
    refused = await park.ask("officer-1", "POST", f"{here}/facts", seen, expects=422)
    assert [(each["field"], each["code"]) for each in refused["errors"]] == [("value", "date_order")]
    shown = {"result": "proved", "seen_in": "the original", "round": 1, "value": "phd"}
    refused = await park.ask("officer-2", "POST", f"{here}/evidence/1/seen", shown, expects=422)
    assert "doctor" in refused["errors"][0]["allowed"]
    assert (await case.file()).row.facts_version == 1
    # Whoever has a case is told of no registration.
    refused = await park.ask(me(park), "POST", "/v1/appraisals", form(), expects=409)
    assert refused["code"] == "live_registration_exists"
    assert "registration" not in f"{refused['title']} {refused['detail']}"
    await answered(park, case, "denied")
    (mine,) = (await park.ask(me(park), "GET", "/v1/me/registrations"))["items"]
    assert "withdraw this application" in mine["employment_text"]
    assert "ask for a change" not in mine["employment_text"]


async def test_once_recognised_another_employer_of_the_park_comes_by_a_change(park: Park) -> None:
    case = await recognised(park)
    change = {"employer": "emp-unknown"}
    refused = await park.ask(me(park), "POST", f"/v1/appraisals/{case.reference}/change", change, expects=422)
    assert [(each["field"], each["code"]) for each in refused["errors"]] == [("employer", "unknown_value")]
    assert (await case.file()).tasks == [] or "change" not in {task.kind for task in (await case.file()).tasks}
    await answered(park, case, "left", body={"last_day": "2026-03-01"})
    (mine,) = (await park.ask(me(park), "GET", "/v1/me/registrations"))["items"]
    assert "ask for a change" in mine["employment_text"]


@pytest.mark.parametrize(
    ("document", "is_for"),
    [
        ({"kind": "resident_identity_card", "number": "44030419900307123X"}, False),
        ({"kind": "passport", "place": "CN", "number": "E12345678"}, False),
        ({"kind": "passport", "place": "GB", "number": "123456789"}, True),
        ({"kind": "passport", "place": "HK", "number": "H12345678"}, True),
        ({"kind": "mainland_travel_permit", "number": "H0123456702"}, True),
        ({"kind": "residence_permit", "number": "810000199408230021"}, True),
    ],
)
def test_an_appraisal_is_for_nobody_of_the_mainland_by_whatever_document(
    document: dict[str, str], is_for: bool
) -> None:
    given = form()
    given["person"] |= {"document": document}
    if is_for:
        assert AppraisalRequest.model_validate(given).subject.document.kind == document["kind"]
        return
    with pytest.raises(Refused) as refused:
        AppraisalRequest.model_validate(given)
    assert (refused.value.code, [each.field for each in refused.value.errors]) == (
        "wrong_programme", ["person.document"],
    )  # fmt: skip
