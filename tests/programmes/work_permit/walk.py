"""A walk through what is asked of work permits alone: `tests/api/every_route.py`."""

from datetime import timedelta
from typing import Any

from domain.clock import day_of
from programmes import PROGRAMMES
from tests.api.any_case import REVIEW, Cases
from tests.api.callers import Caller
from tests.api.code_walk import walk_check_codes
from tests.api.walk import Walk
from tests.programmes.appraisal.walk import applicant
from tests.programmes.work_permit.forms import PAPER


async def walk_work_permits(walk: Walk) -> None:
    """Follow a permit and its residence permit, extend one, end and cancel two, and take a proved degree over."""
    await _given(walk)
    await _extended(walk)
    await _cancelled(walk)
    await _take_over(walk)


async def _given(walk: Walk) -> None:
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
    await walk_check_codes(walk, "work-permits", reference, "employer-a")


async def _issue(permits: Cases, **paper: str) -> tuple[str, Caller]:
    """Take a case to its permit, and return it with its person."""
    form, employer = permits.form()
    reference = await permits.ready(form, employer)
    await permits.approve(reference)
    await permits.walk.pass_time(reference, timedelta(minutes=11))
    entered = await permits.act("officer-1", reference, "outcome", {**PAPER, **paper})
    signed = {"action": "confirm", "round": entered["round"]}
    await permits.act("officer-2", reference, "confirmation", signed)
    return reference, applicant(permits.walk, form)


async def _extended(walk: Walk) -> None:
    """Ask for an extension in its window: withdrawn, sent back, granted, taken back, granted again."""
    permits = Cases(walk, PROGRAMMES["work_permit"])
    soon = day_of(walk.stage.clock()) + timedelta(days=45)
    reference, _ = await _issue(permits, valid_until=soon.isoformat())
    for persona in ("owner", "officer-1"):
        ahead = await permits.read(persona, reference, "/renewal")
        assert ahead["can_be_asked"], ahead
    await permits.act("owner", reference, "renewal", {})
    await permits.act("owner", reference, "renewal-withdrawal", {})
    await permits.act("owner", reference, "renewal", {"changes": {"contract_end": "2029-12-31"}})
    back = {"action": "return", "renewal": 2, "reasons": [{"code": "document_unreadable"}]}
    await permits.act("officer-1", reference, "renewal-decision", back)
    await permits.act("owner", reference, "renewal-correction", {"changes": {"contract_end": "2030-12-31"}})
    grant = {"action": "grant", "renewal": 2, "reasons": [{"code": "document_seen"}]}
    await permits.act("officer-1", reference, "renewal-decision", grant)
    signer = await _signed(permits, reference)
    await permits.act(signer, reference, "renewal-recall", {"reason": "Granted by mistake."})
    await permits.act("officer-1", reference, "renewal-decision", grant)
    await _signed(permits, reference)


async def _signed(permits: Cases, reference: str) -> str:
    """Sign a grant where it takes two, and return who gave it effect."""
    seen = await permits.read("officer-2", reference)
    if seen["pending_act"] is None:
        return "officer-1"
    await permits.act("officer-2", reference, "confirmation", {"action": "confirm", "round": seen["round"]})
    return "officer-2"


async def _cancelled(walk: Walk) -> None:
    """Report an end and ask for the cancellation; where the employer let its time pass, the person asks."""
    permits = Cases(walk, PROGRAMMES["work_permit"])
    today = day_of(walk.stage.clock())
    reference, _ = await _issue(permits)
    await permits.act("owner", reference, "end", {"ended_on": today.isoformat()})
    await permits.act("owner", reference, "cancellation", {})
    reference, person = await _issue(permits)
    await permits.act("owner", reference, "end", {"ended_on": (today - timedelta(days=40)).isoformat()})
    own = {"reference": reference}
    await walk.call(person, "POST", "/v1/me/work-permit-cancellations", own)


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
    (offer,) = (await permits.read("owner", reference, "/offers"))["items"]
    assert offer["source_reference"] is None, "an employer does not learn of a case elsewhere"
    await permits.act("owner", reference, "take-over", {"offer": offer["offer"]})
    releases = (await walk.call(me, "GET", "/v1/me/releases"))["items"]
    assert {each["state"] for each in releases} == {"taken", "withdrawn"}, releases
    await _take_over_back(walk)


async def _take_over_back(walk: Walk) -> None:
    """Let a person take over into an appraisal the degree that a work permit proved."""
    appraisals, permits = (Cases(walk, PROGRAMMES[code]) for code in ("appraisal", "work_permit"))
    form, employer = permits.form()
    reference = await permits.open(form, employer)
    pieces = (await permits.read("officer-1", reference, "/evidence", headers=REVIEW))["items"]
    (degree,) = [each for each in pieces if each["item"] == "education"]
    seen = {"result": "proved", "value": degree["value"], "seen_in": "The original.", "round": 1}
    await permits.act("supervisor-2", reference, "evidence/{evidence_id}/seen", seen, evidence_id=degree["evidence_id"])
    given, _ = appraisals.form()
    given["person"]["document"] = form["person"]["document"]
    appraised = await appraisals.open(given, applicant(walk, given))
    (offer,) = (await appraisals.read("owner", appraised, "/offers"))["items"]
    assert offer["source_reference"] == reference, offer
    await appraisals.act("owner", appraised, "take-over", {"offer": offer["offer"]})
