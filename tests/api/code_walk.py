"""A walk through what is asked about check codes of any case in force: `tests/api/every_route.py`."""

from tests.api.callers import Caller
from tests.api.walk import Walk


async def walk_check_codes(walk: Walk, path: str, reference: str, owner: str | Caller) -> None:
    """Issue a code, look, list and withdraw it."""
    at, here = {"reference": reference}, f"/v1/{path}/{{reference}}/check-codes"
    issued = await walk.call(owner, "POST", here, {}, places=at)
    shown = await walk.stage.nobody.send("GET", f"/v1/check/{issued['code']}")
    assert (shown.status_code, shown.json()["in_force"]) == (200, True), shown.text
    walk.seen["GET /v1/check/{code}"].add(200)
    (listed,) = (await walk.call(owner, "GET", here, places=at))["items"]
    await walk.call(owner, "POST", f"{here}/{{code_id}}/withdrawal", {}, places=at | {"code_id": listed["id"]})
