"""Stamps of the seal by an authority that `openssl ts` plays, and that `openssl ts` checks again."""

import base64
import json
import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from activities.stamping import stamp_newest
from activities.timestamps import TimestampAuthority
from cases.shared.views import document
from domain.actors import Actor, Role
from domain.errors import Unavailable
from domain.purposes import Purpose
from proof.checkpoints import parse_note
from proof.files import verify
from proof.stamps import read_certificates
from proof.verdicts import KnownKeys, read_keys
from record.export import begin_export
from record.seal import log
from record.search import Filters
from tests.cases.driver import Park, china, open_park
from tests.record.seal.sealed import seal_all

AUDITOR = Actor(issuer="test", subject="auditor", role=Role.AUDITOR)
_CONFIG = """
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical,CA:true
[tsa]
extendedKeyUsage = critical,timeStamping
[ts]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
[tsa_config]
default_tsa = ts
"""


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


def _openssl(*words: object) -> None:
    subprocess.run(["openssl", *(str(word) for word in words)], check=True, capture_output=True)


@pytest.fixture
def tsa(tmp_path: Path) -> Path:
    """A folder with a certificate authority and a time-stamping one under it."""
    config = tmp_path / "openssl.cnf"
    config.write_text(_CONFIG.format(folder=tmp_path))
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", config]
    ca = ["-subj", "/CN=Test CA", "-extensions", "ca", "-keyout", tmp_path / "ca.key", "-out", tmp_path / "ca.pem"]
    _openssl("req", "-x509", "-days", 2, *key, *ca)
    _openssl("req", *key, "-subj", "/CN=Test TSA", "-keyout", tmp_path / "tsa.key", "-out", tmp_path / "tsa.csr")
    signed = ["-CA", tmp_path / "ca.pem", "-CAkey", tmp_path / "ca.key", "-CAcreateserial", "-days", 2]
    extended = ["-extfile", config, "-extensions", "tsa"]
    _openssl("x509", "-req", "-in", tmp_path / "tsa.csr", *signed, *extended, "-out", tmp_path / "tsa.pem")
    (tmp_path / "serial").write_text("01\n")
    return tmp_path


def _authority(folder: Path, answers: list[bytes]) -> TimestampAuthority:
    def reply(request: httpx.Request) -> httpx.Response:
        (folder / "query").write_bytes(request.content)
        asked = ["-queryfile", folder / "query", "-config", folder / "openssl.cnf", "-section", "ts"]
        _openssl("ts", "-reply", *asked, "-out", folder / "reply")
        answers.append((folder / "reply").read_bytes())
        return httpx.Response(200, content=answers[0])

    return TimestampAuthority("https://tsa.test", httpx.AsyncClient(transport=httpx.MockTransport(reply)))


async def test_the_newest_checkpoint_is_stamped_once_a_day_and_openssl_verifies_it(park: Park, tsa: Path) -> None:
    authority = _authority(tsa, [])
    assert not await stamp_newest(park.context, authority)
    await seal_all(park.context)
    assert await stamp_newest(park.context, authority)
    sealed = await log.find_checkpoint(park.context)
    assert sealed.stamp is not None
    (tsa / "data").write_text(parse_note(sealed.note).text)
    (tsa / "token").write_bytes(sealed.stamp)
    _openssl("ts", "-verify", "-data", tsa / "data", "-in", tsa / "token", "-CAfile", tsa / "ca.pem")
    await park.take_on()
    await seal_all(park.context)
    assert not await stamp_newest(park.context, authority)
    park.clock.at += timedelta(days=1)
    # The authority gives its first answer again, which is about the older checkpoint.
    with pytest.raises(Unavailable, match="timestamp_of_something_else"):
        await stamp_newest(park.context, authority)
    assert await stamp_newest(park.context, _authority(tsa, []))


async def test_stamps_are_checked_offline_with_the_roots_that_a_verifier_trusts(park: Park, tsa: Path) -> None:
    authority = _authority(tsa, [])
    await seal_all(park.context)
    early = await _export(park)
    await stamp_newest(park.context, authority)
    sealed = document((await log.find_checkpoint(park.context)).view())
    await park.take_on()
    await seal_all(park.context)
    export, checkpoint = await _export(park), json.dumps(sealed).encode()
    keys = read_keys(json.dumps(document(log.public_keys(park.context))))
    roots = read_certificates((tsa / "ca.pem").read_bytes())
    trusting = replace(keys, stamp_roots=roots, needs_stamp=True)

    for content in (export, checkpoint):
        assert "CN=Test TSA stamped it at" in _told(content, trusting)
        assert "name the roots that you trust" in _told(content, keys)
        assert _failed(content, replace(keys, needs_stamp=True)) == "stamp"
        leaf = read_certificates((tsa / "tsa.pem").read_bytes())
        assert _failed(content, replace(trusting, stamp_roots=leaf)) == "stamp"
    assert "The tree continues the one of" in _told(export, trusting)
    assert f"{sealed['size']} leaves that were stamped" in _told(export, trusting)
    # What was made before there was a stamp says so, and does not hold where one must be there.
    assert "is the log's word alone" in _told(early, keys)
    assert _failed(early, trusting) == "stamp"

    token = base64.b64decode(sealed["timestamp"])
    for position in range(0, len(token), 7):
        altered = bytearray(token)
        altered[position] ^= 1
        told = verify(json.dumps(sealed | {"timestamp": base64.b64encode(altered).decode()}).encode(), trusting)
        # A few bytes that no signature covers may differ; what is stated and by whom may not.
        assert told.holds or (told.failed and told.failed.code) == "stamp", position
        assert not told.holds or told.steps[-1].says in _told(checkpoint, trusting)
    other = await log.find_checkpoint(park.context)
    mixed = document(other.view()) | {"timestamp": sealed["timestamp"]}
    assert _failed(json.dumps(mixed).encode(), trusting) == "stamp"
    assert _failed(json.dumps(sealed | {"size": sealed["size"] + 1}).encode(), trusting) == "form"


async def _export(park: Park) -> bytes:
    export = await begin_export(
        park.context, AUDITOR, Filters(), Purpose.AUDIT, {}, after=None, cursor_of=str, later=lambda it: it.close()
    )
    return b"".join([line async for line in export.lines()])


def _told(content: bytes, keys: KnownKeys) -> str:
    verdict = verify(content, keys)
    assert verdict.holds, verdict.failed
    return " ".join(step.says for step in verdict.steps)


def _failed(content: bytes, keys: KnownKeys) -> str | None:
    failed = verify(content, keys).failed
    return failed.code if failed else None
