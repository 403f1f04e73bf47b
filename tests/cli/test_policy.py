"""`hetao policy try`: for whom it says a draft was tried."""

import os
import pwd
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import policy as cli_policy
from tests.register.drafts import STRICTER


def test_a_trial_names_the_account_that_runs_it_and_whom_it_is_told() -> None:
    account = pwd.getpwuid(os.getuid()).pw_name
    assert cli_policy._tried_by(None) == {"account": account}
    assert cli_policy._tried_by("supervisor-7") == {"account": account, "stated_by": "supervisor-7"}


def test_a_trial_takes_no_name_into_the_ledger(tmp_path: Path) -> None:
    pack = tmp_path / "draft.yaml"
    pack.write_text(STRICTER, encoding="utf-8")
    given = ["try", str(pack), "--since", "2026-01-01", "--by", "Feng Wen", "--data-dir", str(tmp_path)]
    refused = CliRunner().invoke(cli_policy.app, given)
    assert refused.exit_code == 1
    assert "--by takes the subject" in str(refused.output)


def test_a_draft_of_another_name_is_refused_before_anything_is_opened(tmp_path: Path) -> None:
    pack = tmp_path / "draft.yaml"
    pack.write_text(STRICTER.replace("name: talent_permit", "name: other"), encoding="utf-8")
    refused = CliRunner().invoke(
        cli_policy.app, ["try", str(pack), "--since", "2026-01-01", "--data-dir", str(tmp_path)]
    )
    assert refused.exit_code == 1
    assert "named other" in str(refused.output)


@pytest.mark.parametrize("width", ["40", "80", "200"])
def test_a_reference_is_never_cut(
    width: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    rules = [{"code": "registration_live_elsewhere", "before": "pass", "now": "fail"}] * 3
    flips = [
        {"reference": reference, "scope": "registration", "stage": "awaiting_confirmation", "before": "clear",
         "now": "needs_officer", "rules": rules}
        for reference in ("HT-7K2M-9QXA-3", "HT-JA5Q-9GED-P")
    ]  # fmt: skip
    cli_policy._show_trial({"flips": flips} | dict.fromkeys(cli_policy._TOTALS, 0))
    shown = capsys.readouterr().out
    assert "HT-7K2M-9QXA-3" in shown
    assert "HT-JA5Q-9GED-P" in shown
    assert "…" not in shown
