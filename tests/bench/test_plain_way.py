"""The plain way that the engine is compared with stays what it is."""

from pathlib import Path

import pytest

from bench.compare.driver import run_cases
from bench.compare.plain_counts import check, count
from bench.compare.sides.plain import PlainSide
from bench.people import numbers


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_plain_way_takes_an_activity_a_step_and_a_workflow_a_notice(tmp_path: Path) -> None:
    async with PlainSide().open(tmp_path / "plain") as running:
        assert running.servers is not None
        await run_cases(running, numbers(), cases=2, in_flight=2)
        check(await count(running.servers.stack.temporal_address, cases=2))
