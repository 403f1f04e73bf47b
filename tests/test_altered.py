"""Nothing signed or encrypted is accepted once a part of it was altered, cut, lengthened or moved to another place."""

import asyncio
import hashlib
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload

from api.cursors import Cursors
from api.tokens import IssuerKeys, Tokens
from domain.actors import Role
from domain.errors import Defect, KeyUnknown, Refused
from proof import checkpoints, erasures, exports, files, ledger_rows, merkle, receipts, statements, webhooks
from proof.verdicts import KnownKeys
from record.archive import Archived
from store.encryption import DataKey, WrappedKey, new_data_key, open_kept, seal_kept, unwrap
from store.key_file import generate
from store.keyring import Keyring
from temporal.codec import ENCODING, Codec
from temporal.histories import Run
from tests.api.callers import AUDIENCE, ISSUER, JWKS_URL, TestIssuer

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
KEYRING = Keyring.parse(generate())
SECRET, OTHER_SECRET = (webhooks.secret_from(bytes([n]) * 32) for n in (1, 2))
PRIVATE, PUBLIC = webhooks.key_pair_from(bytes(range(32)))
DATA_KEY = DataKey(UUID(int=7), bytes(range(32)))
BINDING = ("registrations", "emp-a", "hr", "stage=approved")
BODY = b'{"case": "HT-7K2M-9QXA-3/HK", "outcome": "issued"}'
ISSUER_OF_TESTS = TestIssuer()
ORIGIN = "log.test/permits"
WITNESS = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"w")
WITNESS_KEY = checkpoints.verifier_key("witness.test/w1", WITNESS, checkpoints.COSIGNATURE)
KNOWN = KnownKeys(ORIGIN, (checkpoints.verifier_key(ORIGIN, KEYRING.sealing_key()),))
ROW: dict[str, Any] = {
    **dict.fromkeys(ledger_rows.HASHED),
    "chain": "HT-7K2M-9QXA-3",
    "seq": 1,
    "previous": bytes(32).hex(),
    "act": "decided",
    "at": NOW.isoformat(),
    "reference": "HT-7K2M-9QXA-3",
    "actor_role": "officer",
    "outcome": "approve",
    "reason_codes": ["document_seen"],
    "detail": {},
}
ROW_HASH = ledger_rows.hash_of(ROW)
CHECKPOINT = checkpoints.Checkpoint(ORIGIN, 1, merkle.leaf_hash(ROW_HASH))
RUN = Run("case/HT-7K2M-9QXA-3", "run-1", "PermitCase", "COMPLETED", NOW - timedelta(days=1), NOW)
PLACE = f"{RUN.workflow_id}/{RUN.run_id}"
HISTORY = orjson.dumps({"events": [{"eventId": "1", "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED"}]})
_REFUSALS = (Refused, Defect, KeyUnknown, ValueError, erasures.BrokenListError)
# `make fuzz` draws others each time, and more of them; the tests draw the same ones.
FUZZED = int(os.environ.get("HETAO_FUZZ_EXAMPLES", "0"))


@dataclass(frozen=True)
class Sealed:
    """Something sealed, as bytes, and what opens it."""

    content: bytes
    open: Callable[[bytes], Any]


def _header(name: str, key: str, reader: str) -> Sealed:
    headers = webhooks.sign("msg_1", NOW, BODY.decode(), [key])

    def read(altered: bytes) -> str:
        given_headers = headers | {name: altered.decode("latin-1")}
        return webhooks.verify(given_headers, BODY, [reader], NOW)

    return Sealed(headers[name].encode(), read)


def _body(key: str, reader: str) -> Sealed:
    headers = webhooks.sign("msg_1", NOW, BODY.decode(), [key])
    return Sealed(BODY, lambda altered: webhooks.verify(headers, altered, [reader], NOW))


def _cursor() -> Sealed:
    cursors = Cursors(KEYRING.cursor.writing)
    cursor = cursors.write((NOW, "HT-7K2M-9QXA-3"), binding=BINDING)
    return Sealed(cursor.encode(), lambda altered: cursors.read(altered.decode("latin-1"), binding=BINDING))


def _statement() -> Sealed:
    key_id, key = KEYRING.signing_key()
    said = statements.ActorStatement(
        key_id=key_id,
        issuer="test",
        subject="officer-1",
        role=Role.OFFICER,
        employer_id=None,
        command_id=str(uuid4()),
        reference="HT-7K2M-9QXA-3",
        kind="decide",
        body_hash=statements.body_hash(BODY),
        at=NOW,
    )
    signed = statements.sign(said, key)
    return Sealed(
        signed.encode(), lambda altered: statements.verify(altered.decode("latin-1"), KEYRING.statement_keys())
    )


def _column() -> Sealed:
    place = ("commands", "body", "1")
    return Sealed(DATA_KEY.seal(*place, BODY), lambda altered: DATA_KEY.open(*place, altered))


def _wrapped_key() -> Sealed:
    _, kept = new_data_key(KEYRING)
    assert kept.wrapped is not None
    return Sealed(kept.wrapped, lambda altered: unwrap(KEYRING, WrappedKey(kept.key_id, kept.kek_id, altered)))


def _decode(payload: Payload) -> Payload:
    """Take a payload as a worker does."""
    return asyncio.run(Codec(KEYRING.codec).decode([payload]))[0]


def _sealed_payload() -> Payload:
    return Codec(KEYRING.codec).seal_all([Payload(metadata={"encoding": b"json/plain"}, data=BODY)])[0]


def _payload() -> Sealed:
    sealed = _sealed_payload()
    return Sealed(sealed.data, lambda altered: _decode(Payload(metadata=sealed.metadata, data=altered)))


def _payload_mark(name: str) -> Sealed:
    sealed = _sealed_payload()

    def read(altered: bytes) -> Payload:
        return _decode(Payload(metadata=dict(sealed.metadata) | {name: altered}, data=sealed.data))

    return Sealed(sealed.metadata[name], read)


def _whole_payload() -> Sealed:
    sealed = _sealed_payload().SerializeToString(deterministic=True)
    return Sealed(sealed, lambda altered: _decode(_parsed(altered)))


def _sealed_payload_of_others() -> Payload:
    return Codec(Keyring.parse(generate()).codec).seal_all([Payload(data=BODY)])[0]


def _parsed(content: bytes) -> Payload:
    try:
        return Payload.FromString(content)
    except Exception as error:  # protobuf's own, of which there are two
        raise ValueError("no payload") from error


def _erasure_line() -> Sealed:
    key_id, key = KEYRING.signing_key()
    line = erasures.sign_line({"person_id": str(UUID(int=1))}, erasures.GENESIS, key_id, key)
    after = erasures.sign_line({"person_id": str(UUID(int=2))}, erasures.line_hash(line), key_id, key)
    return Sealed(line, lambda altered: list(erasures.read_lines([altered, after], KEYRING.statement_keys())))


def _bearer(key: str) -> Sealed:
    client = httpx.AsyncClient(transport=ISSUER_OF_TESTS.transport())
    tokens = Tokens(IssuerKeys(JWKS_URL, client), issuer=ISSUER, audience=AUDIENCE, clock=lambda: NOW)
    token = ISSUER_OF_TESTS.sign(ISSUER_OF_TESTS.claims("officer-1", NOW), key)

    def read(altered: bytes) -> Any:
        return asyncio.run(tokens.identify(f"Bearer {altered.decode('latin-1')}", "c"))

    return Sealed(token.encode(), read)


def _note(*, cosigned: bool) -> Sealed:
    """A checkpoint; where it is cosigned, it counts only with the word of the witness."""
    keys = KNOWN if not cosigned else replace(KNOWN, witnesses=(WITNESS_KEY,), least_witnesses=1)
    note = _checkpoint_note(cosigned=cosigned)

    def read(altered: bytes) -> str:
        text = altered.decode()
        if not files.verify(altered, keys).holds:
            raise ValueError("does not hold")
        return checkpoints.parse_note(text).text

    return Sealed(note.encode(), read)


def _cosignature() -> Sealed:
    line = str(checkpoints.cosign(CHECKPOINT.text, WITNESS_KEY.name, WITNESS, NOW))

    def read(altered: bytes) -> Any:
        signature = checkpoints.parse_signatures([altered.decode()])
        found = checkpoints.verify_note(checkpoints.Note(CHECKPOINT.text, signature), [WITNESS_KEY])
        if not found:
            raise ValueError("of no witness that is known")
        return found

    return Sealed(line.encode(), read)


def _cosigned_text() -> Sealed:
    signature = checkpoints.cosign(CHECKPOINT.text, WITNESS_KEY.name, WITNESS, NOW)
    return Sealed(
        CHECKPOINT.text.encode(),
        lambda altered: checkpoints.verify_cosignature(altered.decode(), signature, WITNESS_KEY),
    )


def _checkpoint_note(*, cosigned: bool = False) -> str:
    note = checkpoints.sign(CHECKPOINT, KEYRING.sealing_key())
    witness = checkpoints.cosign(note.text, WITNESS_KEY.name, WITNESS, NOW)
    return str(replace(note, signatures=(*note.signatures, witness)) if cosigned else note)


def _holds(content: bytes) -> Sealed:
    """A file that `hetao audit verify` looks at."""

    def read(altered: bytes) -> bool:
        if not files.verify(altered, KNOWN).holds:
            raise ValueError("does not hold")
        return True

    return Sealed(content, read)


def _receipt() -> Sealed:
    told = ("act", "at", "destination", "reason_codes", "rule_version", "rule_hash", "outcome")
    content = {
        "case": {"reference": ROW["reference"]},
        "decision": {name: ROW[name] for name in told} | {"role": ROW["actor_role"]},
        "ledger": {"chain": ROW["chain"], "seq": ROW["seq"], "hash": ROW_HASH.hex(), "content": ROW},
        "seal": {"checkpoint": _checkpoint_note(), "index": 0, "proof": []},
    }
    return _holds(receipts.canonical(receipts.sign(content, ORIGIN, KEYRING.sealing_key())))


def _export() -> Sealed:
    manifest = {
        "type": "manifest",
        "format": exports.FORMAT,
        "made_by": {"issuer": "test", "subject": "auditor", "role": "auditor"},
        "chain": "export/1",
        "checkpoint": _checkpoint_note(),
        "stamp": None,
    }
    row = {"type": "row", "row": ROW, "hash": ROW_HASH.hex(), "leaf": {"index": 0, "proof": []}}
    lines = b"".join(receipts.canonical(line) + b"\n" for line in (manifest, row))
    end = {"type": "end", "rows": 1, "lines_hash": hashlib.sha256(lines).hexdigest(), "chain": "export/1"}
    signed = exports.signed_end(end, ORIGIN, KEYRING.sealing_key())
    return _holds(lines + receipts.canonical(signed) + b"\n")


def _archived(run: Run = RUN) -> Archived:
    place = f"{run.workflow_id}/{run.run_id}"
    content = seal_kept(KEYRING.archive, "archived_histories", "content", place, zlib.compress(HISTORY))
    return Archived(RUN, 1, hashlib.sha256(HISTORY).digest(), KEYRING.archive.current, content)


def _open_archived(archived: Archived) -> bytes:
    context: Any = SimpleNamespace(keyring=KEYRING)
    return archived.open(context)


def _history() -> Sealed:
    archived = _archived()
    return Sealed(archived.content, lambda altered: _open_archived(replace(archived, content=altered)))


def _history_hash() -> Sealed:
    archived = _archived()
    return Sealed(archived.sha256, lambda altered: _open_archived(replace(archived, sha256=altered)))


def _secret(purpose: str, secret: str) -> Sealed:
    """A secret that is neither signed nor encrypted: it is found by its keyed hash or not at all."""
    kept = KEYRING.lookup_hash(purpose, secret)

    def read(altered: bytes) -> bool:
        if KEYRING.lookup_hash(purpose, altered.decode("latin-1")) != kept:
            raise ValueError("unknown")
        return True

    return Sealed(secret.encode(), read)


THINGS: dict[str, Sealed] = {
    "callback body, v1": _body(SECRET, SECRET),
    "callback body, v1a": _body(PRIVATE, PUBLIC),
    "callback signature, v1": _header(webhooks.SIGNATURE, SECRET, SECRET),
    "callback signature, v1a": _header(webhooks.SIGNATURE, PRIVATE, PUBLIC),
    "callback time": _header(webhooks.TIMESTAMP, SECRET, SECRET),
    "callback id": _header(webhooks.ID, SECRET, SECRET),
    "cursor": _cursor(),
    "actor statement": _statement(),
    "sealed column": _column(),
    "wrapped data key": _wrapped_key(),
    "payload": _payload(),
    "payload key": _payload_mark("hetao-key-id"),
    "payload encoding": _payload_mark("encoding"),
    "payload with its marks": _whole_payload(),
    "line of the erasure list": _erasure_line(),
    "bearer token, EdDSA": _bearer("ed"),
    "bearer token, ES256": _bearer("ec"),
    "bearer token, RS256": _bearer("rsa"),
    "checkpoint note": _note(cosigned=False),
    "cosigned checkpoint note": _note(cosigned=True),
    "cosignature of a witness": _cosignature(),
    "text that a witness cosigned": _cosigned_text(),
    "decision receipt": _receipt(),
    "export of the ledger": _export(),
    "archived history": _history(),
    "hash of an archived history": _history_hash(),
    "secret of a sign-in link": _secret("sign_in_link", "Zm9yLXRlc3RzLW9ubHktMDEyMzQ1Njc4OWFiY2RlZg"),
    "token of a session": _secret("session", "hps_Zm9yLXRlc3RzLW9ubHktMDEyMzQ1Njc4OWFiY2RlZg"),
}


@st.composite
def alterations(draw: st.DrawFn, content: bytes) -> bytes:
    """Return a content that is not the one given: bits turned, parts cut out, put in, doubled or swapped."""
    start = draw(st.integers(0, len(content) - 1))
    length = draw(st.integers(1, max(1, len(content) - start)))
    way = draw(st.sampled_from(["turn", "cut", "insert", "double", "replace", "other"]))
    before, part, after = content[:start], content[start : start + length], content[start + length :]
    turned = bytes([part[0] ^ (1 << draw(st.integers(0, 7)))]) + part[1:]
    return {
        "turn": before + turned + after,
        "cut": before + after,
        "insert": before + draw(st.binary(min_size=1, max_size=8)) + part + after,
        "double": before + part + part + after,
        "replace": before + draw(st.binary(min_size=length, max_size=length)) + after,
        "other": draw(st.binary(max_size=2 * len(content))),
    }[way]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", list(THINGS))
def test_what_was_altered_is_not_accepted(name: str) -> None:
    thing = THINGS[name]
    expected = thing.open(thing.content)  # what was not altered is accepted

    @settings(max_examples=10 * FUZZED or 300, deadline=None, database=None, derandomize=not FUZZED)
    @given(altered=alterations(thing.content))
    def check(altered: bytes) -> None:
        if altered == thing.content:
            return
        try:
            opened = thing.open(altered)
        except _REFUSALS:
            return
        # Nothing else may come out; a time or a base64 text can be written in two ways that mean the same.
        assert opened == expected
        assert _means_the_same(name, altered, thing.content), altered

    check()


def _means_the_same(name: str, altered: bytes, content: bytes) -> bool:
    if name == "callback time":
        return int(altered) == int(content)
    if name.startswith("callback signature"):
        return content in altered.split(b" ")  # further signatures stand beside the one that fits, in a rotation
    if name == "line of the erasure list":
        return altered.rstrip(b"\n") == content.rstrip(b"\n")
    if name.startswith("bearer token"):
        return altered.decode("latin-1").strip() == content.decode()  # as a header, it has no end that is blank
    if name == "cosignature of a witness":
        return altered.rstrip(b"\n") == content.rstrip(b"\n")
    if name.endswith("checkpoint note"):
        return _signatures(content) <= _signatures(altered)  # of others, whose keys are not known, there may be more
    if name == "payload with its marks":
        return _marks(altered) == _marks(content)
    return False


def _signatures(note: bytes) -> set[str]:
    return {str(each) for each in checkpoints.parse_note(note.decode()).signatures}


def _marks(content: bytes) -> tuple[bytes, bytes, bytes]:
    """Return what a payload says in its form for the wire, which can be written in several ways and hold more."""
    payload = Payload.FromString(content)
    return payload.metadata["encoding"], payload.metadata["hetao-key-id"], payload.data


@pytest.mark.parametrize("mark", [b"json/plain", b"binary/null", b"binary/plain", b"", None])
@pytest.mark.parametrize("sealed", [True, False], ids=["sealed", "clear"])
def test_a_worker_takes_no_payload_whose_mark_was_taken_away_or_changed(mark: bytes | None, sealed: bool) -> None:
    whole = _sealed_payload()
    data = whole.data if sealed else BODY
    metadata = {name: value for name, value in whole.metadata.items() if name != "encoding"}
    if mark is not None:
        metadata["encoding"] = mark
    ours = whole if sealed else Codec(KEYRING.codec).seal_all([Payload(data=BODY)])[0]
    with pytest.raises(ValueError, match="not encrypted"):
        _decode(Payload(metadata=metadata, data=data))
    with pytest.raises(ValueError, match="not encrypted"):  # nor beside one of ours
        asyncio.run(Codec(KEYRING.codec).decode([ours, Payload(metadata=metadata, data=data)]))
    assert whole.metadata["encoding"] == ENCODING


@pytest.mark.parametrize(
    "opened",
    [
        lambda: DATA_KEY.open("commands", "body", "2", THINGS["sealed column"].content),
        lambda: DATA_KEY.open("answers", "body", "1", THINGS["sealed column"].content),
        lambda: DataKey(UUID(int=8), DATA_KEY.secret).open("commands", "body", "1", THINGS["sealed column"].content),
        lambda: Cursors(KEYRING.cursor.writing).read(
            THINGS["cursor"].content.decode(), binding=(*BINDING[:3], "stage=refused")
        ),
        lambda: Cursors(KEYRING.cursor.writing).read(
            THINGS["cursor"].content.decode(), binding=("tasks", *BINDING[1:])
        ),
        lambda: webhooks.verify(webhooks.sign("msg_1", NOW, BODY.decode(), [OTHER_SECRET]), BODY, [SECRET], NOW),
        lambda: statements.verify(
            THINGS["actor statement"].content.decode(), Keyring.parse(generate()).statement_keys()
        ),
        lambda: unwrap(KEYRING, WrappedKey(uuid4(), KEYRING.kek.current, THINGS["wrapped data key"].content)),
        lambda: _open_archived(_archived(replace(RUN, run_id="run-2"))),
        lambda: open_kept(KEYRING.archive, "a1", "assessments", "facts", PLACE, THINGS["archived history"].content),
        lambda: _decode(Payload(metadata=dict(_sealed_payload().metadata), data=_sealed_payload_of_others().data)),
    ],
    ids=["row", "column", "key", "query", "list", "secret", "signer", "place of a key", "run", "kept column", "codec"],
)
def test_what_was_sealed_for_another_place_is_not_accepted(opened: Callable[[], Any]) -> None:
    with pytest.raises(_REFUSALS):
        opened()
