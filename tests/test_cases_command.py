"""`hetao cases revive`: what it counts, and what it says where Temporal or PostgreSQL is away."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app
from tests.installation import tell_settings


@pytest.fixture
def installation(clean_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The settings of an installation with an empty register."""
    tell_settings(monkeypatch, clean_database, tmp_path / "keys.json")
    return monkeypatch


def test_it_says_how_many_run_and_what_is_away(
    installation: pytest.MonkeyPatch, temporal_address: str, temporal_namespace: str
) -> None:
    installation.setenv("TEMPORAL_ADDRESS", temporal_address)
    installation.setenv("TEMPORAL_NAMESPACE", temporal_namespace)
    done = CliRunner().invoke(app, ["cases", "revive", "--dry-run", "--json"])
    assert (done.exit_code, json.loads(done.stdout)) == (
        0, {"looked": 0, "started": 0, "found": {}, "dry_run": True, "after": "", "broke_off": None},
    )  # fmt: skip
    installation.setenv("HETAO_DATABASE_URL", "postgresql://hetao_app@127.0.0.1:9/none")
    done = CliRunner().invoke(app, ["cases", "revive"])
    assert (done.exit_code, done.stderr.strip()) == (
        2, "hetao: PostgreSQL does not answer at HETAO_DATABASE_URL: bring it back first",
    )  # fmt: skip
    installation.setenv("TEMPORAL_ADDRESS", "127.0.0.1:9")
    done = CliRunner().invoke(app, ["cases", "revive", "--dry-run"])
    assert done.exit_code == 2
    assert "Temporal does not answer at TEMPORAL_ADDRESS" in done.stderr
