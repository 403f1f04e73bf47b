"""`hetao erasures replay`: what it prints, and when it ends with something else than 0."""

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from cli import app
from domain.erasure import ErasureEntry, ErasureReason
from store.erasure_list import ErasureList
from store.keyring import Keyring
from tests.installation import tell_settings


@pytest.fixture
def erasures(clean_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings of an installation with an empty register, and where its list is."""
    tell_settings(monkeypatch, clean_database, tmp_path / "keys.json")
    return tmp_path / "erasures.jsonl"


def test_the_list_is_followed_looked_at_and_refused_where_it_was_altered(erasures: Path) -> None:
    done = CliRunner().invoke(app, ["erasures", "replay"])
    assert (done.exit_code, json.loads(done.stdout)["listed"]) == (0, 0)
    keyring = Keyring.load(erasures.with_name("keys.json"))
    entry = ErasureEntry(
        erasure_id=uuid4(), person_id=uuid4(), keys=(uuid4(),), references=("HT-0000-0000-E",),
        reason=ErasureReason.PERSON_ASKED, at=datetime.now(UTC),
    )  # fmt: skip
    ErasureList(erasures, keyring)._append(entry)
    done = CliRunner().invoke(app, ["erasures", "replay", "--only-look"])
    assert (done.exit_code, json.loads(done.stdout)) == (
        0, {"listed": 1, "erased_again": 0, "held": [], "live": [], "unlisted": 0},
    )  # fmt: skip
    erasures.write_bytes(erasures.read_bytes().replace(b"person_asked", b"court_ordered"))
    done = CliRunner().invoke(app, ["erasures", "replay"])
    assert done.exit_code == 1
    assert "erasure_list_altered: nothing was erased" in done.output
