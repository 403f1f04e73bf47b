"""Stamps of the seal by an authority that `openssl ts` plays, and that `openssl ts` checks again."""

import subprocess
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from activities.stamping import stamp_newest
from activities.timestamps import TimestampAuthority
from cases import log_reads
from domain.errors import Unavailable
from proof.checkpoints import parse_note
from tests.cases.driver import Park, china, open_park
from tests.cases.sealed import seal_all

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
    sealed = await log_reads.find_checkpoint(park.context)
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
