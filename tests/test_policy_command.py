"""`hetao policy try`: for whom it says a draft was tried."""

import os
import pwd
from pathlib import Path

from typer.testing import CliRunner

import cli_policy
from tests.cases.drafts import STRICTER


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
