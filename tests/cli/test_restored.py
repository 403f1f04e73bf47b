"""A witness at a log that was restored: it refuses by itself, and goes on once a person has agreed."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli import app, audit
from proof import merkle
from proof.checkpoints import Checkpoint, Note, sign
from proof.declarations import checkpoint_view, declare, origin_of_epoch
from proof.witnessing import WitnessRefusal
from tests.cli.test_audit import KEY, ORIGIN, Log, Witness, run
from tests.installation import tell_settings

NOW = origin_of_epoch(ORIGIN, 17)


class Restored(Log):
    """A log that goes on under the name of another epoch."""

    @property
    def note(self) -> Note:
        return sign(Checkpoint(NOW, len(self.leaves), merkle.grow(0, (), self.leaves).root), self.key)


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(tmp_path)


def _declaration(folder: Path, restored: Log, known: Log | None, changed: dict[str, Any] | None = None) -> Path:
    def view(log: Log) -> dict[str, Any]:
        note = Log.note.fget(log)  # type: ignore[attr-defined]  # as the log was called before
        root = merkle.grow(0, (), log.leaves).root
        return checkpoint_view(Checkpoint(ORIGIN, len(log.leaves), root), str(note))

    content = {
        "epoch": 17,
        "at": "2026-03-02T12:00:00+08:00",
        "origin": NOW,
        "former_origin": ORIGIN,
        "restored": view(restored),
        "known": view(known) if known else None,
        **(changed or {}),
    }
    path = folder / "restored.json"
    path.write_text(json.dumps(declare(content, KEY)))
    return path


def _agree(witness: Witness, declaration: Path, *more: str, said: str | None = "y\n") -> Any:
    given = ["restored", str(declaration), "--state", str(witness.state), *more]
    return run.invoke(audit.witness_app, given, input=said)


def test_a_witness_goes_on_with_a_declared_restore_after_a_person_agreed(witness: Witness, tmp_path: Path) -> None:
    log, restored = Log(), Restored()
    log.witnesses = restored.witnesses = [witness.public]
    log.grow(b"a", b"b", b"c", b"d")
    witness.look(log)
    before = witness.state.read_text()
    restored.grow(b"a", b"b")
    declaration = _declaration(tmp_path, restored, log)
    restored.grow(b"restored")
    with pytest.raises(WitnessRefusal, match="hetao witness restored"):
        witness.look(restored)
    assert _agree(witness, declaration, said="n\n").exit_code == 1
    assert witness.state.read_text() == before
    done = _agree(witness, declaration)
    assert done.exit_code == 0, done.output
    assert (tmp_path / "state.json.before-17").read_text() == before
    assert json.loads(witness.state.read_text())["size"] == 2
    assert witness.look(restored) == "3 leaves: co-signed"
    # From then on it is as strict as ever, and takes nothing of the log of before.
    other = Restored()
    other.grow(b"a", b"X", b"restored", b"e")
    for bad in (other, log):
        with pytest.raises(WitnessRefusal):
            witness.look(bad)


def test_a_witness_that_saw_no_more_than_was_restored_holds_the_log_to_what_it_saw(
    witness: Witness, tmp_path: Path
) -> None:
    log, restored = Log(), Restored()
    restored.witnesses = log.witnesses = [witness.public]
    log.grow(b"a", b"b")
    witness.look(log)
    restored.grow(b"X", b"b", b"c")
    assert _agree(witness, _declaration(tmp_path, restored, None), "--yes", said=None).exit_code == 0
    with pytest.raises(WitnessRefusal, match="a fork"):
        witness.look(restored)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"former_origin": "other.test/ledger"}, "signed as the log of before|is signed by the key"),
        ({"origin": ORIGIN}, "lost nothing"),
        ({"known": None}, "does not name the tree of 4 leaves"),
        ({"restored": {"size": 4, "root": "00" * 32, "checkpoint": ""}}, "does not hold"),
    ],
)
def test_a_declaration_that_is_not_what_it_should_be_is_refused(
    witness: Witness, tmp_path: Path, changed: dict[str, Any], why: str
) -> None:
    log, restored = Log(), Log()
    log.witnesses = [witness.public]
    log.grow(b"a", b"b", b"c", b"d")
    witness.look(log)
    before = witness.state.read_text()
    restored.grow(b"a", b"b")
    refused = _agree(witness, _declaration(tmp_path, restored, log, changed), "--yes", said=None)
    assert refused.exit_code == 1
    assert any(each in refused.output for each in why.split("|")), refused.output
    assert witness.state.read_text() == before


def test_a_fork_in_a_declaration_is_refused_and_a_tree_that_it_does_not_name_taken_only_on_request(
    witness: Witness, tmp_path: Path
) -> None:
    log, restored, forked = Log(), Log(), Log()
    log.witnesses = [witness.public]
    log.grow(b"a", b"b", b"c", b"d")
    witness.look(log)
    restored.grow(b"a", b"b")
    forked.grow(b"a", b"b", b"c", b"X")
    refused = _agree(witness, _declaration(tmp_path, restored, forked), "--yes", "--although-unnamed", said=None)
    assert (refused.exit_code, "a fork" in refused.output) == (1, True)
    taken = _agree(witness, _declaration(tmp_path, restored, None), "--yes", "--although-unnamed", said=None)
    assert taken.exit_code == 0, taken.output


def test_the_command_declares_once_writes_the_declaration_and_says_what_to_do(
    clean_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell_settings(monkeypatch, clean_database, tmp_path / "keys.json")
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:9")
    written = tmp_path / "restored.json"
    first = run.invoke(app, ["restored", "--declaration", str(written), "--json"])
    assert first.exit_code == 0, first.output
    found = json.loads(first.stdout)
    assert (found["declared_now"], found["lost_cases"], found["lost_leaves"]) == (True, None, None)
    assert "Temporal is away" in first.stderr
    assert json.loads(written.read_text()) == found["declaration"]
    again = run.invoke(app, ["restored", "--without-temporal"])
    assert f"declared before: epoch {found['epoch']}" in again.stdout
    assert "hetao erasures replay" in again.stdout
    bad = tmp_path / "seen.note"
    bad.write_text("no checkpoint")
    refused = run.invoke(app, ["restored", "--again", "--last-checkpoint", str(bad)])
    assert (refused.exit_code, "nothing was changed" in refused.stderr) == (2, True)
    said = run.invoke(app, ["restored", "--nothing-lost"])
    assert said.exit_code == 0, said.output
