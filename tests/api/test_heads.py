"""HEAD where there is GET: the same head, no body, the same permissions; and dates where a date is meant."""

import re

import httpx
import pytest

from tests.api.conftest import Stage, quiet
from tests.api.routes import published
from tests.api.walk import Walk

# These differ from answer to answer, and a problem says the id of its call.
_ITS_OWN = {"x-correlation-id", "content-length"}


@pytest.mark.parametrize("path", sorted(path for path, methods in published()["paths"].items() if "get" in methods))
async def test_head_is_answered_as_get_without_a_body(stage: Stage, path: str) -> None:
    places = dict.fromkeys(re.findall(r"{(\w+)}", path), "x")
    address = path.format(**places)
    for caller in (stage.as_("officer-1"), stage.as_("employer-a"), stage.nobody):
        got, head = await caller.send("GET", address), await caller.send("HEAD", address)
        assert (head.status_code, head.content) == (got.status_code, b"")
        said = [
            {name: answer.headers[name] for name in answer.headers if name not in _ITS_OWN} for answer in (got, head)
        ]
        assert said[0] == said[1]


def _said(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in _ITS_OWN}


async def test_head_of_a_list_has_its_length_and_a_route_without_get_has_no_head(stage: Stage) -> None:
    await Walk(stage).register()
    officer = stage.as_("officer-1")
    got, head = await officer.send("GET", "/v1/tasks"), await officer.send("HEAD", "/v1/tasks")
    assert head.headers["content-length"] == got.headers["content-length"] != "0"
    assert (await officer.send("HEAD", "/v1/decisions")).status_code == 405


async def test_a_day_stands_for_its_times(stage: Stage) -> None:
    await Walk(stage).register()
    auditor, day = stage.as_("auditor"), f"{stage.clock():%Y-%m-%d}"
    await auditor.get("/v1/reasons")  # its sign-in is a row as well
    await stage.settle()
    await quiet(stage)
    by_day = await auditor.send("GET", "/v1/audit/counts", params={"by": "act", "from": day, "to": day})
    times = {"from": f"{day}T00:00:00+08:00", "to": f"{day}T23:59:59.999999+08:00"}
    by_time = await auditor.send("GET", "/v1/audit/counts", params={"by": "act", **times})
    assert by_day.status_code == 200, by_day.text
    assert by_day.json()["total"] == by_time.json()["total"] > 0
    earlier = await auditor.send(
        "GET", "/v1/audit/counts", params={"by": "act", "from": "2026-01-01", "to": "2026-01-02"}
    )
    assert earlier.json()["total"] == 0
    wrong = await auditor.send("GET", "/v1/audit/counts", params={"by": "act", "from": "2026-02-30", "to": day})
    assert [error["code"] for error in wrong.json()["errors"]] == ["impossible_date"]
