"""A walk through what is asked of work permits alone, on a case that was approved: `tests/api/every_route.py`."""

from datetime import timedelta
from typing import Any

from domain.clock import day_of
from programmes import PROGRAMMES
from tests.api.any_case import REVIEW, Cases
from tests.api.walk import Walk
from tests.programmes.appraisal.walk import applicant
from tests.programmes.work_permit.forms import PAPER


async def walk_work_permits(walk: Walk) -> None:
    """Enter what the authority answered, sign it, report entry and application, and enter the other answer."""
    reference = walk.ids["approved work_permit"]
    here, at = "/v1/work-permits/{reference}", {"reference": reference}
    today = day_of(walk.stage.clock()).isoformat()

    async def ask(persona: str, behind: str, body: Any) -> Any:
        answer = await walk.call(persona, "POST", f"{here}/{behind}", body, places=at)
        await walk.pass_time(reference, timedelta(0))
        return answer

    entered = await ask("officer-1", "outcome", dict(PAPER))
    await ask("officer-2", "confirmation", {"action": "confirm", "round": entered["round"]})
    await ask("employer-a", "entry", {"entered_on": today})
    await ask("employer-a", "residence-application", {"applied_on": today})
    await ask("officer-1", "residence-outcome", {"outcome": "issued", "decided_on": today, "valid_until": "2027-12-31"})
    await _take_over(walk)


async def _take_over(walk: Walk) -> None:
    """Release a degree that an appraisal proved into the case of an employer, take that back, and let it be taken."""
    appraisals, permits = (Cases(walk, PROGRAMMES[code]) for code in ("appraisal", "work_permit"))
    given, owner = appraisals.form()
    appraised = await appraisals.ready(given, owner)
    pieces = (await appraisals.read("officer-1", appraised, "/evidence", headers=REVIEW))["items"]
    (degree,) = [each for each in pieces if each["item"] == "education"]
    seen = {"result": "proved", "value": degree["value"], "seen_in": "The original.", "round": 1}
    await appraisals.act(
        "supervisor-2", appraised, "evidence/{evidence_id}/seen", seen, evidence_id=degree["evidence_id"]
    )
    form, employer = permits.form()
    form["person"]["document"] = given["person"]["document"]
    reference = await permits.open(form, employer)
    me, of_case = applicant(walk, given), {"reference": reference}
    for _ in range(2):
        (offer,) = (await walk.call(me, "GET", "/v1/me/offers", params=of_case))["items"]
        asked = {**of_case, "offer": offer["offer"]}
        release = await walk.call(me, "POST", "/v1/me/releases", asked)
        if "POST /v1/me/releases/{release_id}/withdrawal" not in walk.seen:
            back = {"release_id": release["id"]}
            await walk.call(me, "POST", "/v1/me/releases/{release_id}/withdrawal", {}, places=back)
            walk.ids["release_id"] = release["id"]
    (offer,) = (await permits.read(employer, reference, "/offers"))["items"]
    assert offer["source_reference"] is None, "an employer does not learn of a case elsewhere"
    await permits.act(employer, reference, "take-over", {"offer": offer["offer"]})
    (taken, _) = (await walk.call(me, "GET", "/v1/me/releases"))["items"]
    assert {taken["state"], _["state"]} == {"taken", "withdrawn"}
