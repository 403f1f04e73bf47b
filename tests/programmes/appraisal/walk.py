"""A walk through what is asked of appraisals alone: `tests/api/every_route.py`."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from domain.clock import day_of
from programmes import PROGRAMMES
from tests.api.any_case import Cases
from tests.api.callers import Caller
from tests.api.code_walk import walk_check_codes
from tests.api.walk import Walk

# From a recognition until it can be appraised again, some days before its last.
_LATER: Final = timedelta(days=3 * 365 - 60)


async def walk_appraisals(walk: Walk) -> None:
    """Let employers answer about employments, and let recognitions be suspended, withdrawn and appraised again."""
    cases = Cases(walk, PROGRAMMES["appraisal"])
    await _employments(cases)
    await _suspended_and_withdrawn(cases)
    await _appraised_again(cases)


def applicant(walk: Walk, form: Mapping[str, Any]) -> Caller:
    """Return the person of a form, with a token of now."""
    claims = {f"document_{name}": value for name, value in form["person"]["document"].items()}
    return walk.person(**claims)


async def _employments(cases: Cases) -> None:
    """List and read what an employer is asked, let one deny, and let somebody leave who is confirmed."""
    denied, left = await cases.open(), await cases.ready()
    asked = await cases.walk.call("employer-a", "GET", f"{cases.path}/employment")
    assert {denied, left} <= {each["reference"] for each in asked["items"]}
    await cases.read("employer-a", denied, "/employment")
    await cases.act("employer-a", denied, "employment/denied", {})
    last = day_of(cases.walk.stage.clock()) + timedelta(days=9)
    await cases.act("employer-a", left, "employment/left", {"last_day": last.isoformat()})


async def _suspended_and_withdrawn(cases: Cases) -> None:
    """Suspend a recognition and restore it; propose to withdraw it, and sign that."""
    reference = await cases.ready()
    await cases.approve(reference)
    await cases.walk.pass_time(reference, timedelta(minutes=11))
    await walk_check_codes(cases.walk, cases.programme.path, reference, cases.owners[reference])
    await cases.act("officer-1", reference, "suspension", {"reasons": [{"code": "false_statement_suspected"}]})
    await cases.act("officer-1", reference, "restoration", {})
    await cases.act("officer-1", reference, "revocation", {"reasons": [{"code": "false_statement"}]})
    await cases.sign(reference, "supervisor")
    ended = await cases.read("auditor", reference)
    assert ended["end_reason"] == "appraisal_revoked", ended


async def _appraised_again(cases: Cases) -> None:
    """Three years later: ask to be appraised again, withdraw, be sent back, and be granted it, taken back, granted."""
    walk, (form, owner) = cases.walk, cases.form()
    reference = await cases.ready(form, owner)
    await cases.approve(reference)
    await walk.pass_time(reference, timedelta(minutes=11))
    now = walk.stage.clock.at
    try:
        await walk.pass_time(reference, _LATER)
        officer = walk.stage.as_("officer-1", role="officer")
        owner = cases.owners[reference] = applicant(walk, form)

        async def ask(by: Caller | str, verb: str, body: Any) -> Any:
            at = {"reference": reference}
            return await walk.call(by, "POST", f"{cases.path}/{{reference}}/{verb}", body, places=at)

        for reader in (owner, officer):
            ahead = await walk.call(
                reader, "GET", f"{cases.path}/{{reference}}/renewal", places={"reference": reference}
            )
            assert ahead["can_be_asked"], ahead
        await ask(owner, "renewal", {})
        await ask(owner, "renewal-withdrawal", {})
        await ask(owner, "renewal", {})
        back = {"action": "return", "renewal": 2, "reasons": [{"code": "document_unreadable"}]}
        await ask(officer, "renewal-decision", back)
        await ask(owner, "renewal-correction", {})
        grant = {"action": "grant", "renewal": 2, "reasons": [{"code": "document_seen"}]}
        await ask(officer, "renewal-decision", grant)
        await ask(officer, "renewal-recall", {"reason": "Granted by mistake."})
        await ask(officer, "renewal-decision", grant)
    finally:
        walk.stage.clock.at = now
