"""What is given again under review, over HTTP: what each caller sees, and what a refusal says."""

from typing import Any, Final

import pytest

from programmes import PROGRAMMES
from programmes.talent_permit.programme import TALENT_PERMIT
from tests.api.conftest import Stage
from tests.api.walk import Walk

ELSEWHERE: Final[dict[str, Any]] = {"employment": {"work_site": "别处"}}


async def test_staff_sees_what_changed_and_the_employer_its_next_round(stage: Stage) -> None:
    walk = Walk(stage)
    reference = await walk.register()
    here = f"/v1/registrations/{reference}"
    await walk.act("employer-a", reference, "correction", {**ELSEWHERE, "round": 1})
    own = (await stage.as_("employer-a").get(here)).json()
    assert (own["stage"], own["round"], "differences" in own) == ("under_review", 2, False)
    for reader in ("officer-1", "auditor"):
        (seen,) = (await stage.as_(reader).get(here)).json()["differences"]
        assert (seen["round"], seen["fields"]) == (2, ["employment.work_site"])
    opened = await stage.as_("officer-1").get(f"{here}/differences", headers={"Purpose": "case_review"})
    (item,) = opened.json()["items"]
    assert item["fields"] == [{"field": "employment.work_site", "before": "SZP-001", "after": "别处"}]
    assert (await stage.as_("officer-1").get(f"{here}/differences")).json()["code"] == "purpose_missing"
    assert (await stage.as_("employer-a").get(f"{here}/differences")).status_code == 403


@pytest.mark.parametrize(
    ("language", "says"), [("en", "`differences`"), ("zh-Hans", "变更之处"), ("zh-Hant", "變更之處")]
)
async def test_a_decision_on_the_round_of_before_says_what_happened(stage: Stage, language: str, says: str) -> None:
    walk = Walk(stage)
    reference = await walk.register()
    await walk.act("employer-a", reference, "correction", {**ELSEWHERE, "round": 1})
    decision = {"action": "approve", "round": 1}
    headers = {"Accept-Language": language}
    path = f"/v1/registrations/{reference}/decision"
    refused = await stage.as_("officer-1").post(path, decision, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "stale_round")
    assert says in refused.json()["detail"]


async def test_an_employer_is_told_why_nothing_is_taken(stage: Stage) -> None:
    walk = Walk(stage)
    reference = await walk.register()
    path = f"/v1/registrations/{reference}/correction"
    without = await stage.as_("employer-a").post(path, ELSEWHERE)
    assert (without.status_code, without.json()["errors"][0]["field"]) == (422, "round")
    nothing = await stage.as_("employer-a").post(path, {"round": 1})
    assert (nothing.status_code, nothing.json()["errors"][0]["code"]) == (422, "required")
    await walk.decide(reference, "refuse", "not_employed_there")
    deciding = await stage.as_("employer-a").post(path, {**ELSEWHERE, "round": 1})
    assert (deciding.status_code, deciding.json()["code"]) == (409, "wrong_stage")
    assert deciding.json()["detail"].startswith("The Park is deciding on this round")


async def test_load_is_for_supervisors_and_says_what_it_counts(stage: Stage) -> None:
    await Walk(stage).register()
    for caller in ("officer-1", "employer-a", "auditor", "operator"):
        assert (await stage.as_(caller).get("/v1/load")).status_code == 403
    answer = await stage.as_("supervisor").get("/v1/load", bucket="week")
    load = answer.json()
    assert answer.status_code == 200, load
    assert load.keys() == {"as_of", "from", "to", "bucket", "programmes"}
    of = {each["programme"]: {one["code"]: one for one in each["series"]} for each in load["programmes"]}
    assert of.keys() == PROGRAMMES.keys()
    series = of.pop(TALENT_PERMIT.code)
    assert {code: each["waiting"]["points"] for code, each in of.items()} == {code: [] for code in of}
    assert series["waiting"]["points"] == [{"on": None, "key": "under_review", "label": "under review", "value": 1.0}]
    assert (series["promises"]["standing"], series["waiting"]["standing"]) == ("unconfirmed", None)
    alone = await stage.as_("supervisor").get("/v1/load", bucket="week", programme=TALENT_PERMIT.code)
    assert [each["programme"] for each in alone.json()["programmes"]] == [TALENT_PERMIT.code]
    turned = await stage.as_("supervisor").get("/v1/load", **{"from": "2026-03-02", "to": "2026-03-01"})
    assert (turned.status_code, turned.json()["errors"][0]["field"]) == (422, "from")
    unknown = await stage.as_("supervisor").get("/v1/load", employer_id="emp-z")
    assert unknown.status_code == 404
