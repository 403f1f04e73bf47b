"""`hetao audit show` before an API that answers in another form."""

from typing import Any

import pytest
import typer

from cli import story


def test_a_story_of_another_form_is_named_by_its_place_and_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    told: dict[str, Any] = {
        "reference": "HT-1",
        "as_of": None,
        "state": None,
        "waits": [],
        "runs": [],
        "complete": True,
    }
    assert story._read({**told, "items": [], "more": 1}).items == []
    with pytest.raises(typer.Exit) as ended:
        story._read({**told, "items": [{"at": "2026-03-01T08:00:00+08:00"}]})
    assert ended.value.exit_code == 1
    assert "items.0.source" in capsys.readouterr().err
