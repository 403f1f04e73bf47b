"""The commands of those who check: a witness at an honest and at a lying log, and `hetao audit verify` on a file."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner, Result

from cli import audit
from proof import merkle, receipts
from proof.checkpoints import (
    Checkpoint,
    Note,
    open_checkpoint,
    parse_note,
    parse_signatures,
    parse_verifier_key,
    sign,
    verifier_key,
    verify_note,
)
from proof.ledger_rows import HASHED, hash_of
from proof.witnessing import WitnessRefusal

ORIGIN = "permits.test/ledger"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"l")
run = CliRunner()


class Log:
    """A log in memory that answers as the API does, and lies where a test has it lie."""

    def __init__(self, key: Ed25519PrivateKey = KEY) -> None:
        self.key = key
        self.leaves: list[bytes] = []
        self.signatures: list[str] = []
        self.witnesses: list[str] = []

    def grow(self, *leaves: bytes) -> None:
        self.leaves += leaves
        self.signatures = []

    def client(self) -> httpx.Client:
        return httpx.Client(base_url="https://log.test", transport=httpx.MockTransport(self._answer))

    @property
    def note(self) -> Note:
        root = merkle.grow(0, (), self.leaves).root
        return sign(Checkpoint(ORIGIN, len(self.leaves), root), self.key)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/v1/audit/")
        if path == "checkpoint":
            return httpx.Response(200, text=str(self.note) + "".join(self.signatures))
        if path == "keys":
            return httpx.Response(200, json={"origin": ORIGIN, "log_keys": [str(verifier_key(ORIGIN, self.key))]})
        if path == "consistency":
            nodes = {(n.level, n.index): n.hash for n in merkle.grow(0, (), self.leaves).nodes}
            old, new = (int(request.url.params[name]) for name in ("from", "to"))
            if not old <= new <= len(self.leaves):
                return httpx.Response(422, json={"code": "invalid"})
            proof = merkle.consistency_proof(old, new, lambda level, index: nodes[level, index])
            return httpx.Response(200, json={"proof": [each.hex() for each in proof]})
        line = json.loads(request.content)["cosignature"]
        verified = verify_note(
            Note(self.note.text, parse_signatures([line])), [parse_verifier_key(each) for each in self.witnesses]
        )
        if not verified:
            return httpx.Response(401)
        self.signatures.append(line)
        return httpx.Response(200, json={})


class Witness:
    """A witness with files of its own."""

    def __init__(self, folder: Path) -> None:
        self.key, self.state = folder / "witness.json", folder / "state.json"
        made = run.invoke(audit.witness_app, ["keygen", "witness.test/w1", "--key", str(self.key)])
        assert made.exit_code == 0, made.output
        self.public = made.stdout.strip()

    def look(self, log: Log, *log_keys: str) -> str:
        name, private = audit._read_key(self.key)
        with log.client() as client:
            return audit._look(client, self.state, list(log_keys), name, private)

    def run(self, log: Log, monkeypatch: pytest.MonkeyPatch) -> Result:
        """Look once as the command does."""
        client = log.client()
        with monkeypatch.context() as patched:
            patched.setattr(httpx, "Client", lambda **_: client)
            files = ["--key", str(self.key), "--state", str(self.state)]
            return run.invoke(audit.witness_app, ["--log", "https://log.test", *files, "--once"])


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(tmp_path)


def test_a_witness_co_signs_a_log_that_only_grows_once_each_time(witness: Witness) -> None:
    log = Log()
    log.witnesses = [witness.public]
    log.grow(b"a", b"b", b"c")
    assert witness.look(log) == "3 leaves: co-signed"
    assert witness.look(log) == "3 leaves: co-signed before"
    log.grow(b"d", b"e")
    assert witness.look(log) == "5 leaves: co-signed"
    assert json.loads(witness.state.read_text())["size"] == 5
    assert witness.key.stat().st_mode & 0o777 == 0o600
    again = run.invoke(audit.witness_app, ["keygen", "witness.test/w1", "--key", str(witness.key)])
    assert again.exit_code == 2


def test_a_witness_refuses_a_fork_a_shrunk_tree_and_an_unknown_key(witness: Witness) -> None:
    log = Log()
    log.witnesses = [witness.public]
    log.grow(b"a", b"b", b"c")
    witness.look(log)
    kept = witness.state.read_text()
    for leaves, why in (
        ((b"a", b"X", b"c", b"d"), "a fork"),
        ((b"a", b"b", b"X"), "a fork"),
        ((b"a", b"b"), "the tree shrank"),
    ):
        other = Log()
        other.grow(*leaves)
        with pytest.raises(WitnessRefusal, match=why):
            witness.look(other)
    rotated = Log(Ed25519PrivateKey.from_private_bytes(bytes(31) + b"n"))
    rotated.witnesses = log.witnesses
    rotated.grow(b"a", b"b", b"c", b"d")
    with pytest.raises(WitnessRefusal, match="no known key of the log signed"):
        witness.look(rotated)
    assert witness.state.read_text() == kept
    # The new key came another way.
    assert witness.look(rotated, str(verifier_key(ORIGIN, rotated.key))) == "4 leaves: co-signed"


def test_what_shows_a_conflict_is_kept_for_others_to_check_and_never_written_over(
    witness: Witness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log()
    log.witnesses = [witness.public]
    log.grow(b"a", b"b", b"c")
    witness.look(log)
    seen = json.loads(witness.state.read_text())["note"]
    keys = tmp_path / "told.json"
    keys.write_text(json.dumps({"origin": ORIGIN, "log_keys": [str(verifier_key(ORIGIN, KEY))]}))
    for number, leaves in enumerate(((b"a", b"X", b"c", b"d"), (b"a", b"X", b"c"), (b"X", b"b")), start=1):
        other = Log()
        other.grow(*leaves)
        folder = tmp_path / f"state.json.conflict-{number}"
        for _ in range(2):
            done = witness.run(other, monkeypatch)
            assert (done.exit_code, f"kept in {folder}" in done.output) == (1, True), done.output
        assert (folder / "seen.note").read_text() == seen
        assert (folder / "refused.note").read_text() == str(other.note)
        _assert_a_third_party_sees_a_fork(folder, keys)
    assert sorted(each.name for each in tmp_path.glob("*conflict*")) == [f"state.json.conflict-{n}" for n in (1, 2, 3)]


def _assert_a_third_party_sees_a_fork(folder: Path, keys: Path) -> None:
    """Check with the public key alone that one log signed both trees, and that its answer joins them not."""
    notes = [str(folder / "seen.note"), str(folder / "refused.note")]
    done = run.invoke(audit.audit_app, ["verify", *notes, "--keys", str(keys)])
    assert done.exit_code == 0, done.output
    assert run.invoke(audit.audit_app, ["verify", *notes]).exit_code == 0
    known = [parse_verifier_key(key) for key in json.loads(keys.read_text())["log_keys"]]
    opened = [open_checkpoint(parse_note(Path(note).read_text()), ORIGIN, known).checkpoint for note in notes]
    old, new = sorted(opened, key=lambda each: each.size)
    answered = json.loads((folder / "consistency.json").read_text())
    assert "proof" in answered or answered["code"] == "invalid"
    answer = [bytes.fromhex(each) for each in answered.get("proof", [])]
    assert not merkle.verifies_consistency(old.size, old.root, new.size, new.root, answer)


def test_a_witness_that_the_log_does_not_know_or_with_a_broken_state_says_so(witness: Witness) -> None:
    log = Log()
    log.grow(b"a")
    with pytest.raises(ValueError, match="does not know the witness"):
        witness.look(log)
    witness.state.write_text("{")
    with pytest.raises(WitnessRefusal, match="restore it"):
        witness.look(log)


def test_verify_says_what_was_proved_or_what_does_not_hold(tmp_path: Path) -> None:
    file, keys = tmp_path / "receipt.json", tmp_path / "keys.json"
    content = receipts.canonical(_receipt())
    keys.write_text(json.dumps({"origin": ORIGIN, "log_keys": [str(verifier_key(ORIGIN, KEY))]}))

    def check(data: bytes, *more: str) -> Any:
        file.write_bytes(data)
        return run.invoke(audit.audit_app, ["verify", str(file), "--keys", str(keys), *more])

    good = check(content)
    assert (good.exit_code, "The row is the leaf 2 of that tree." in good.stdout) == (0, True), good.output
    told = json.loads(check(content, "--json").stdout)
    assert (told["holds"], told["failed"]) == (True, None)
    (whole,) = told["files"]
    assert {(step["code"], step["holds"]) for step in whole["steps"]} == {
        ("signature", True), ("row", True), ("checkpoint", True), ("inclusion", True),
        ("cosignature", None), ("stamp", None),
    }  # fmt: skip
    assert [line.split()[0] for line in good.stdout.splitlines()[1:-1]].count("open") == 2
    assert not [line for line in good.stdout.splitlines() if line.startswith("  holds  No ")]
    assert good.stdout.endswith("2 of the lines above say what was not checked (open).\n")
    bad = check(content.replace(b"approve", b"approvE"))
    assert (bad.exit_code, "FAILS  The signature does not hold" in bad.stdout) == (1, True)
    assert json.loads(check(content + b" ", "--json").stdout)["failed"] == "form"
    assert json.loads(check(content, "--json", "--witnesses", "1").stdout)["failed"] == "cosignature"
    keys.write_text("{}")
    assert check(content).exit_code == 2


def _receipt() -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(HASHED) | {"chain": "HT-TEST", "seq": 3, "act": "decided", "reason_codes": []}
    row |= {"at": datetime(2026, 3, 2, tzinfo=UTC).isoformat(), "actor_role": "officer"}
    leaves = [b"0", b"1", hash_of(row), b"3"]
    grown = merkle.grow(0, (), leaves)
    nodes = {(node.level, node.index): node.hash for node in grown.nodes}
    proof = merkle.inclusion_proof(2, 4, lambda level, index: nodes[level, index])
    decision = {name: row[name] for name in ("act", "at", "destination", "reason_codes", "rule_version", "rule_hash")}
    content = {
        "case": {"reference": "HT-TEST"},
        "decision": decision | {"outcome": "approve", "role": "officer"},
        "ledger": {"chain": "HT-TEST", "seq": 3, "hash": leaves[2].hex(), "content": row},
        "seal": {
            "index": 2,
            "proof": [each.hex() for each in proof],
            "checkpoint": str(sign(Checkpoint(ORIGIN, 4, grown.root), KEY)),
        },
    }
    return receipts.sign(content, ORIGIN, KEY)
