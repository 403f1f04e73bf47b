"""`hetao cases revive`: what it counts, and what it says where Temporal or PostgreSQL is away."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cases.commands.reviving import Looked, Wait
from cli import app, edge
from cli.cases import Without, _lines
from cli.policy import _TOTALS, _show_trial
from domain.clock import CHINA
from domain.messages import LastRun
from programmes import PROGRAMMES
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
        0, {"looked": 0, "started": 0, "found": {}, "dry_run": True, "after": "", "broke_off": None,
            "without_workflow": {"due": 0, "due_since": None, "asleep": 0, "next_due": None, "stuck": 0},
            "programmes": {}},
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


def test_it_says_which_have_something_due_which_only_sleep_and_which_wait_for_an_operator() -> None:
    late, soon, later = (datetime.now(UTC).replace(microsecond=0) + timedelta(hours=hours) for hours in (-1, 1, 2))
    without = Without()
    waits = [
        (late, False),
        (late + timedelta(minutes=1), False),
        (later, False),
        (soon, False),
        (None, False),
        (late, True),
    ]
    for at, is_stuck in waits:
        without.count(Looked("R", LastRun.MISSING, started=False, wait=Wait(at, is_stuck)))
    without.count(Looked("R", LastRun.RUNNING, started=False, wait=Wait(late, is_stuck=False)))
    assert without.told() == {
        "due": 2, "due_since": late.isoformat(), "asleep": 3, "next_due": soon.isoformat(), "stuck": 1,
    }  # fmt: skip
    assert [line.strip().partition(":")[0] for line in without.lines()] == [
        f"2 with something due, since {late.astimezone(CHINA):%Y-%m-%d %H}",
        f"3 that only sleep, the first until {soon.astimezone(CHINA):%Y-%m-%d %H}",
        "1 that wait for an operator",
    ]


def test_lists_of_cases_name_the_programme(capsys: pytest.CaptureFixture[str]) -> None:
    found, of = Counter({"missing": 2, "running": 1}), {"work_permit": 2, "appraisal": 1}
    lines = _lines(found, of, 0, Without(), dry_run=True)
    assert lines[1:3] == ["  of appraisal: 1", "  of work_permit: 2"]
    codes = {edge.programme_of(each.prefix + "-7K2M-9QXA-3"): each.code for each in PROGRAMMES.values()}
    assert codes == {code: code for code in PROGRAMMES}
    assert edge.programme_of("ZZ-7K2M-9QXA-3") == "unknown"
    flip = {"reference": "WP-7K2M-9QXA-3", "scope": "case", "stage": "approved", "before": "clear", "now": "failed"}
    _show_trial({"flips": [{**flip, "rules": []}], **dict.fromkeys(_TOTALS, 0)})
    assert "Cases of work_permit:" in capsys.readouterr().out
