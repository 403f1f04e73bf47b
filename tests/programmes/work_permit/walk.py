"""A walk through what is asked of work permits alone, on a case that was approved: `tests/api/every_route.py`."""

from datetime import timedelta
from typing import Any

from domain.clock import day_of
from tests.api.walk import Walk
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
