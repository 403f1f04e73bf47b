"""Times in answers: all with China's offset, on every route."""

import re
from collections import defaultdict

import httpx

from tests.api.conftest import Stage
from tests.api.every_route import walk_all

TIME = re.compile(r'"([a-z_]+)":\s*"(\d{4}-\d\d-\d\dT\d\d:\d\d[^"]*)"')


async def test_every_time_in_an_answer_has_chinas_offset(stage: Stage) -> None:
    other: dict[str, set[str]] = defaultdict(set)
    met = 0

    async def look(answer: httpx.Response) -> None:
        nonlocal met
        await answer.aread()
        if "json" in answer.headers.get("content-type", "") and answer.request.url.path != "/openapi.json":
            for name, time in TIME.findall(answer.text):
                met += 1
                if not time.endswith("+08:00"):
                    other[f"{answer.request.method} {answer.request.url.path}"].add(f"{name} {time}")

    stage.client.event_hooks = {"response": [look]}
    await walk_all(stage)

    assert met > 300
    assert other == {}
