import json
import os
import subprocess
from pathlib import Path

import pytest

from bench.embedded import COMMAND
from sandbox.demo.plan import fate_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_the_demo_prints_one_summary_that_adds_up_and_leaves_nothing_behind(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    kept = tmp_path_factory.mktemp("kept") / "record" / "export.ndjson"
    done = subprocess.run(
        [*COMMAND, "demo", "--json", "--part", "rosters", "--export", str(kept)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr + done.stdout
    summary = json.loads(done.stdout)
    assert summary["agree"]
    assert summary["differences"] == []
    assert summary["people"] == sum(summary["stages"].values()) == 50
    assert summary["stages"] == {"approved": 46, "ended": 1, "refused": 2, "withdrawn": 1}
    assert summary["permits"] == {
        "ended": {"HK": 1},
        "issued": {"HK": 28, "MO": 27},
        "refused": {"HK": 2, "MO": 2},
        "revoked": {"HK": 1},
    }
    assert summary["defects"] == {"in_rosters": 4, "duplicates": 1, "by_rules_or_officers": 12}
    assert set(summary["notices"]) == {"delivered", "failed"}
    # Every second signature, return, hold and the rest of the plan happened.
    assert {
        "approve",
        "confirm",
        "contest",
        "correct",
        "depart",
        "hold",
        "refuse",
        "reject",
        "release",
        "return",
    } <= set(summary["acts"])
    assert summary["person"]["officer"] == (
        "Park management (officer): Opened your personal data. To answer a request of yours."
    )
    guests = summary["guests"]
    assert guests["cases"] == {"appraisal": 3, "work_permit": 3}
    assert guests["work_permits"] == {"issued": 2, "none": 1}
    assert guests["recognitions"] == {"suspended": 1, "valid": 2}
    assert (guests["sent_away"], set(guests["notices"])) == (2, {"delivered"})
    assert summary["proof"]["receipts"] >= 50
    assert summary["proof"]["altered_files_refused"] == 2
    assert list(tmp_path.iterdir()) == []
    # What it keeps is checked by itself, with the keys beside it; with a row left out it is refused.
    lines = kept.read_bytes().splitlines(keepends=True)
    verdicts = []
    for content in (lines, [*lines[:5], *lines[6:]]):
        kept.write_bytes(b"".join(content))
        told = subprocess.run([*COMMAND, "audit", "verify", str(kept), "--json"], capture_output=True, check=False)
        verdicts.append((told.returncode, json.loads(told.stdout)["failed"]))
    assert verdicts == [(0, None), (1, "lines")]


def test_three_years_of_one_person_are_told_with_their_dates_and_checked(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "demo", "--json", "--part", "years"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr + done.stdout
    summary = json.loads(done.stdout)
    years = summary["years"]
    assert summary["agree"]
    assert years["differences"] == []
    days = [line["on"] for line in years["story"]]
    assert days == sorted(days)
    assert days[0] == "2026-03-02"
    told = [
        line["what"].partition("told: ")[2].partition(" (")[0] for line in years["story"] if "told: " in line["what"]
    ]
    assert set(told) == {
        "registration received",
        "second signature requested",
        "registration refused",
        "objection received",
        "decision set aside",
        "correction received",
        "registration approved",
        "permit submitted",
        "permit accepted",
        "permit issued",
        "change taken",
        "renewal received",
        "renewal granted",
        "transfer agreed",
        "departure asked",
        "departure recorded",
        "registration ended",
        "permit expiring",
        "permit moved",
    }
    # Once: the renewal is asked for before the second reminder, and the next term begins when the first one ends.
    assert [line["on"] for line in years["story"] if "told: permit expiring" in line["what"]] == ["2028-12-10"]
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_has_a_stack_of_its_own_takes_no_other(tmp_path: Path) -> None:
    told = subprocess.run(
        [*COMMAND, "demo", "--part", "years", "--data-dir", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert told.returncode == 2
    assert "The part is rosters or years" in told.stderr


@pytest.mark.parametrize("row", ["HTRI-020", "HWX-011", "HWX-013"])
def test_whoever_signs_second_is_somebody_else(row: str) -> None:
    fate = fate_of(row)
    seconds = {decision.second for decision in fate.decisions.values() if decision.second}
    officer = "officer-1" if row.startswith("HTRI") else "officer-2"
    assert seconds
    assert officer not in seconds
