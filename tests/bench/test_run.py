"""The results of a run of the bench: what was measured is kept, whatever becomes of the rest."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bench import run


async def test_a_part_that_fails_loses_no_part_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts take hours together; those that were done stand in the file, beside those of an earlier run."""

    async def measure(*_: object) -> AsyncIterator[dict[str, Any]]:
        yield {"machine": "new"}
        yield {"parts": {"costs": "new"}, "costs": 2}
        raise RuntimeError("a server did not come up")

    monkeypatch.setattr(run, "measure", measure)
    results = tmp_path / "results.json"
    earlier = {"machine": "old", "parts": {"costs": "old", "audit": "old"}, "costs": 1, "audit": 1}
    results.write_text(json.dumps(earlier))

    with pytest.raises(RuntimeError):
        await run.measure_into(results, run.SHORT, ["costs", "growth"], [])

    assert json.loads(results.read_text()) == {
        "machine": "new",
        "parts": {"costs": "new", "audit": "old"},
        "costs": 2,
        "audit": 1,
    }
