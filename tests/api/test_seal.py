"""The seal over HTTP: what an auditor and a witness are told, and what a wrong question gets."""

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from proof.checkpoints import VerifierKey, cosign, open_checkpoint, parse_note, parse_verifier_key, verifier_key
from proof.files import verify, verify_together
from proof.merkle import verifies_consistency
from proof.verdicts import KnownKeys, read_keys
from record.seal.sealer import seal
from store.key_file import generate, make_key_file
from store.keyring import Keyring
from store.tables import ledger
from tests.api.callers import TestIssuer
from tests.api.conftest import Stage, quiet, set_stage
from tests.api.walk import Walk
from tests.cases.contexts import WITNESS, WITNESS_KEY
from tests.cases.driver import Park
from tests.record.seal.sealed import seal_all


async def _sealed(stage: Stage) -> dict[str, Any]:
    await seal_all(stage.context)
    found: dict[str, Any] = (await stage.nobody.get("/v1/audit/checkpoint")).json()
    return found


async def test_a_checkpoint_comes_as_json_and_as_a_note_that_the_published_keys_verify(stage: Stage) -> None:
    empty = await stage.nobody.get("/v1/audit/checkpoint")
    assert (empty.status_code, empty.json()["code"]) == (404, "not_found")
    found = await _sealed(stage)
    note = (await stage.nobody.get("/v1/audit/checkpoint", headers={"Accept": "text/plain"})).text
    assert note == found["note"]
    keys = (await stage.nobody.get("/v1/audit/keys")).json()
    log_keys = [parse_verifier_key(key) for key in keys["log_keys"]]
    opened = open_checkpoint(parse_note(note), keys["origin"], log_keys)
    assert (opened.checkpoint.size, opened.checkpoint.root.hex()) == (found["size"], found["root"])
    older = await stage.nobody.get("/v1/audit/checkpoint", size=found["size"])
    assert older.json() == found


async def test_a_known_witness_co_signs_once_and_others_are_refused(stage: Stage) -> None:
    found = await _sealed(stage)
    text = parse_note(found["note"]).text
    path = "/v1/audit/checkpoint/cosignatures"

    async def post(line: object, size: int = found["size"]) -> Any:
        return await stage.nobody.send("POST", path, json={"size": size, "cosignature": str(line)})

    good = cosign(text, WITNESS_KEY.name, WITNESS, stage.clock())
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"x")
    for line in (
        cosign(text, WITNESS_KEY.name, stranger, stage.clock()),
        cosign(text.replace(str(found["size"]), "1"), WITNESS_KEY.name, WITNESS, stage.clock()),
        "no signature",
    ):
        answer = await post(line)
        assert (answer.status_code, answer.json()["code"]) == (401, "signature_invalid")
    past = await post(good, found["size"] + 1)
    assert [error["field"] for error in past.json()["errors"]] == ["size"]
    for _ in range(2):
        answer = await post(good)
        assert answer.status_code == 200
        assert [each["witness"] for each in answer.json()["cosignatures"]] == [WITNESS_KEY.name]
    opened = open_checkpoint(
        parse_note(answer.json()["note"]), stage.context.log_origin, [_log_key(stage)], [WITNESS_KEY]
    )
    assert [each.name for each in opened.cosigned] == [WITNESS_KEY.name]
    async with stage.context.database.begin() as connection:
        acts = (await connection.execute(ledger.select().where(ledger.c.act == "checkpoint_cosigned"))).all()
    assert [act.detail["size"] for act in acts] == [found["size"]]
    # A cosignature alone asks for no new checkpoint: the two would go on for ever.
    assert await seal(stage.context) == 0


async def test_checkpoints_and_receipts_of_before_and_after_a_rotation_verify_by_the_published_keys(
    clean_database: str, issuer_of_tests: TestIssuer, tmp_path: Path
) -> None:
    file, document = tmp_path / "keys.json", generate()
    old = await _told(clean_database, issuer_of_tests, _kept(file, document), "44030419900307123X")
    fresh = generate()["seal"]["keys"]["l1"]
    document["seal"] = {"current": "l2", "keys": {**document["seal"]["keys"], "l2": fresh}}
    new = await _told(clean_database, issuer_of_tests, _kept(file, document), "33010619860128072X")

    # The key that writes is shown first, and the old one stays.
    assert new.keys["log_keys"] == [new.keys["log_keys"][0], *old.keys["log_keys"]]
    assert new.keys["log_keys"][0] not in old.keys["log_keys"]
    by_both, by_old = read_keys(json.dumps(new.keys)), read_keys(json.dumps(old.keys))
    for told, key in ((old, old.keys["log_keys"][0]), (new, new.keys["log_keys"][0])):
        signers = open_checkpoint(parse_note(told.note), by_both.origin, by_both.log_keys).signers
        assert [str(each) for each in signers] == [key]
        assert verify(told.note.encode(), by_both).holds
        assert verify(told.receipts, by_both).holds
    # Who was not told of the new key trusts nothing that it signed, and the old one all the same.
    assert [verify(each, by_old).holds for each in (old.receipts, new.receipts)] == [True, False]
    # The tree goes on under the new key: what was signed before is a beginning of it.
    sizes, roots, proof = new.consistency
    assert verifies_consistency(sizes[0], roots[0], sizes[1], roots[1], proof)
    assert old.size == sizes[0] < sizes[1]


@dataclass(frozen=True)
class Told:
    """What the service told of one decision under one key file: keys, checkpoint, receipts, how the tree grew."""

    keys: dict[str, Any]
    note: str
    size: int
    receipts: bytes
    consistency: tuple[tuple[int, int], tuple[bytes, bytes], list[bytes]]


async def _told(database: str, issuer: TestIssuer, keyring: Keyring, identity_number: str) -> Told:
    async with set_stage(database, issuer, keyring=keyring) as stage:
        older = (await stage.nobody.get("/v1/audit/checkpoint")).json()
        case = await Park(stage.context, stage.clock).review(identity_number=identity_number)
        await case.refuse()
        newest = await _sealed(stage)
        note = (await stage.nobody.get("/v1/audit/checkpoint", headers={"Accept": "text/plain"})).text
        receipts = await stage.as_("auditor").get(f"/v1/registrations/{case.reference}/receipts")
        assert receipts.json()["items"], receipts.text
        sizes = (older.get("size", 0), newest["size"])
        grew = (await stage.nobody.get("/v1/audit/consistency", **{"from": sizes[0], "to": sizes[1]})).json()
        roots = (bytes.fromhex(grew["from_root"]), bytes.fromhex(grew["to_root"]))
        keys = (await stage.nobody.get("/v1/audit/keys")).json()
        consistency = (sizes, roots, [bytes.fromhex(each) for each in grew["proof"]])
        return Told(keys, note, newest["size"], receipts.content, consistency)


def _kept(file: Path, document: dict[str, Any]) -> Keyring:
    file.unlink(missing_ok=True)
    make_key_file(file, document)
    return Keyring.load(file)


QUESTIONS: list[tuple[dict[str, Any], int, str]] = [
    ({"index": 10**6}, 422, "index"),
    ({"index": 0, "size": 10**6}, 422, "size"),
    ({"index": -1}, 422, "index"),
    ({"chain": "x"}, 422, "seq"),
    ({}, 422, "chain"),
    ({"chain": "x", "seq": 1, "index": 0}, 422, "index"),
    ({"from": 2, "to": 1}, 422, "from"),
    ({"from": 1, "to": 10**6}, 422, "to"),
    ({"to": 1}, 422, "from"),
    ({"chain": "nowhere", "seq": 1}, 409, "not_sealed_yet"),
]


async def test_a_wrong_question_is_told_what_is_wrong(stage: Stage) -> None:
    await _sealed(stage)
    for query, status, named in QUESTIONS:
        answer = await stage.as_("auditor").get("/v1/audit/proofs", **query)
        assert answer.status_code == status, (query, answer.text)
        problem = answer.json()
        assert named in ([error["field"] for error in problem["errors"]] or [problem["code"]]), query
        assert status != 409 or answer.headers["retry-after"] == "5"


async def test_an_export_is_proved_row_by_row_and_no_changed_byte_passes(stage: Stage) -> None:
    auditor = stage.as_("auditor")
    await auditor.get("/v1/audit/proofs", index=0)  # signs in, which is an act too
    await _sealed(stage)
    answer = await auditor.get("/v1/audit/export", headers={"Purpose": "audit"})
    keys = read_keys((await stage.nobody.get("/v1/audit/keys")).text)
    whole = verify(answer.content, keys)
    assert whole.holds, whole.failed
    said = {step.code: step.says for step in whole.steps}
    # The act of exporting is not in its own export, and everything before it was sealed.
    assert "not_sealed" not in said
    draw = random.Random(10)
    for _ in range(60):
        place, bit = draw.randrange(len(answer.content)), draw.randrange(8)
        altered = bytearray(answer.content)
        altered[place] ^= 1 << bit
        assert not verify(bytes(altered), keys).holds, (place, bit)
    lines = answer.content.splitlines(keepends=True)
    for cut in (lines[:-1], lines[1:], [lines[0], *lines[2:]], [lines[0], lines[2], lines[1], *lines[3:]]):
        assert not verify(b"".join(cut), keys).holds


async def _broken_export(stage: Stage) -> tuple[dict[str, bytes], KnownKeys]:
    """Return three parts of one export, two of which broke off after their second place to resume from."""
    walk = Walk(stage)
    for _ in range(2):
        await walk.decide(await walk.register(), "approve")
    await stage.as_("auditor").get("/v1/audit/proofs", index=0)  # signs in, which is an act too
    await _sealed(stage)
    await quiet(stage)
    auditor, purpose = stage.as_("auditor"), {"headers": {"Purpose": "audit"}}
    parts: dict[str, bytes] = {}
    after: dict[str, str] = {}
    for name in ("one", "two", "three"):
        lines = (await auditor.get("/v1/audit/export", **after, **purpose)).content.splitlines(keepends=True)
        if name == "three":
            parts[name] = b"".join(lines)
            break
        place = [n for n, line in enumerate(lines) if b'"type":"resume"' in line][1]
        after = {"after": json.loads(lines[place])["after"]}
        parts[name] = b"".join(lines[: place + 2]) + lines[place + 2][:40]
    return parts, read_keys((await stage.nobody.get("/v1/audit/keys")).text)


async def test_the_parts_of_a_broken_export_are_proved_to_be_one_whole(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("record.export._AT_ONCE", 2)
    parts, keys = await _broken_export(stage)

    alone = verify(parts["one"], keys)
    assert [step.code for step in alone.steps if step.holds is False] == ["cut_off"]
    assert {step.code for step in alone.steps if step.holds is None} >= {"cosignature", "stamp"}
    assert {step.code for step in alone.steps if step.holds} >= {"checkpoint", "rows", "inclusion"}
    assert "broke off after 5 rows" in str(alone.failed)
    tail = verify(parts["three"], keys)
    (begins,) = [step.says for step in tail.steps if (step.code, step.holds) == ("continuation", None)]
    chains = {name: json.loads(part.split(b"\n")[0])["chain"] for name, part in parts.items()}
    assert tail.holds
    assert f"it goes on from {chains['two']} after 4 rows" in begins

    whole = verify_together(parts, keys)
    assert all(verdict.holds for verdict in whole.values()), whole
    assert next((step.code, step.holds) for step in whole["three"].steps) == ("continuation", True)
    joined = [step.says for step in whole["one"].steps if step.code == "joined"]
    assert joined == [f"{chains['two']} goes on after row 4 of this one, with nothing between the two."]


async def test_a_gap_or_a_change_between_parts_of_an_export_is_refused(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("record.export._AT_ONCE", 2)
    parts, keys = await _broken_export(stage)

    def failed(**changed: bytes) -> dict[str, str]:
        found = verify_together({**parts, **changed}, keys)
        return {name: verdict.failed.code for name, verdict in found.items() if verdict.failed}

    lines = parts["one"].splitlines(keepends=True)
    assert failed(one=b"".join(lines[:4])) == {"one": "gap"}
    assert failed(one=b"".join([*lines[:2], *lines[3:]])) == {"one": "gap"}
    assert failed(one=b"".join([lines[0], lines[2], lines[1], *lines[3:]])) == {"one": "lines"}
    stranger = lines[0].replace(b'"subject":"auditor"', b'"subject":"another"')
    assert failed(one=b"".join([stranger, *lines[1:]])) == {"one": "lines"}
    without = verify_together({name: parts[name] for name in ("one", "three")}, keys)
    assert [verdict.holds for verdict in without.values()] == [False, True]


def _log_key(stage: Stage) -> VerifierKey:
    return verifier_key(stage.context.log_origin, stage.context.keyring.sealing_key())
