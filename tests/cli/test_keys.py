"""The commands `hetao keys …`: a file is made, looked at and rotated in the right order, and never in another."""

import asyncio
import json
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from cases.keys.register import KeyHolder
from cases.keys.rewrapping import wrap_some
from cases.shared.context import Context
from cli import app
from proof.webhooks import is_key
from store.database import Database
from store.encryption import new_data_key
from store.keyring import Keyring
from tests.api.conftest import settings_for_tests
from tests.cases.contexts import Clock, limits, packs


class Installation:
    """A key file, and processes that start with it."""

    def __init__(self, database_url: str, file: Path) -> None:
        self.file, self._url = file, database_url
        self.holders: dict[str, KeyHolder] = {}

    def keys(self, *args: str) -> Result:
        """Run a command."""
        return CliRunner().invoke(app, ["keys", *args])

    def rotate(self, kind: str) -> tuple[int, str]:
        """Take the next step."""
        done = self.keys("rotate", kind)
        return done.exit_code, done.output

    def part(self, kind: str) -> dict[str, Any]:
        """Return the keys of a kind in the file."""
        part: dict[str, Any] = json.loads(self.file.read_text())[kind]
        return part

    def restart(self, *names: str) -> None:
        """Start processes again with the file as it is."""
        for name in names:
            asyncio.run(self._with_context(name, self._start))

    def wrap_again(self, name: str) -> None:
        """Let a process wrap what is left."""
        asyncio.run(self._with_context(name, self._wrap))

    def add_data_key(self) -> None:
        """Let something be sealed."""
        asyncio.run(self._with_context("api", self._add))

    async def _with_context(self, name: str, act: Callable[[str, Context], Awaitable[None]]) -> None:
        database = Database(self._url, pool_size=1)
        keyring = Keyring.load(self.file)
        try:
            await act(name, Context(database, keyring, packs(), limits(), Clock(), programmes={}))
        finally:
            await database.close()

    async def _start(self, name: str, context: Context) -> None:
        if name in self.holders:
            self.holders[name].context = context
            await self.holders[name].leave()
        self.holders[name] = KeyHolder(context, name)
        await self.holders[name].announce()

    async def _wrap(self, _name: str, context: Context) -> None:
        while await wrap_some(context):
            pass

    async def _add(self, _name: str, context: Context) -> None:
        _, wrapped = new_data_key(context.keyring)
        statement = text("INSERT INTO data_keys (key_id, kek_id, wrapped) VALUES (:key_id, :kek_id, :wrapped)")
        row = {"key_id": wrapped.key_id, "kek_id": wrapped.kek_id, "wrapped": wrapped.wrapped}
        async with context.database.begin() as connection:
            await connection.execute(statement, row)


@pytest.fixture
def installation(clean_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    file = tmp_path / "keys.json"
    settings = settings_for_tests(clean_database).model_copy(update={"keys_file": file})
    for name in ("database_url", "keys_file", "oidc_issuer", "oidc_jwks_url", "public_url", "authority_url",
                 "smtp_host", "mail_from", "sms_url"):  # fmt: skip
        monkeypatch.setenv(f"HETAO_{name.upper()}", str(getattr(settings, name)))
    for name in ("AUTHORITY_TOKEN", "AUTHORITY_CALLBACK_SECRETS", "SMS_TOKEN", "RECEIPTS_SECRETS"):
        monkeypatch.setenv(f"HETAO_{name}", "whsec_YQ==")
    assert CliRunner().invoke(app, ["keys", "generate"]).exit_code == 0
    return Installation(clean_database, file)


def test_a_key_file_is_made_once_with_the_secrets_that_the_settings_need(
    installation: Installation, tmp_path: Path
) -> None:
    done = installation.keys("generate", str(tmp_path / "other.json"))
    assert done.exit_code == 0
    assert stat.S_IMODE((tmp_path / "other.json").stat().st_mode) == 0o600
    told = dict(line.split("=", 1) for line in done.stdout.splitlines() if line.startswith("HETAO_"))
    assert sorted(told) == ["HETAO_AUTHORITY_CALLBACK_SECRETS", "HETAO_RECEIPTS_SECRETS"]
    assert all(is_key(each) for each in told.values())
    before = installation.file.read_bytes()
    again = installation.keys("generate")
    assert again.exit_code != 0
    assert installation.file.read_bytes() == before


def test_a_key_goes_through_its_whole_life_step_by_step(installation: Installation) -> None:
    installation.restart("api", "worker")
    installation.add_data_key()
    assert installation.keys("check").exit_code == 0
    code, said = installation.rotate("kek")
    assert (code, installation.part("kek")["current"], sorted(installation.part("kek")["keys"])) == (
        0, "k1", ["k1", "k2"],
    )  # fmt: skip
    assert "restart every API and worker" in said
    code, said = installation.rotate("kek")
    assert (code, installation.part("kek")["current"]) == (1, "k1")
    assert "not known everywhere yet: restart api" in said
    installation.restart("worker")
    assert installation.rotate("kek")[0] == 1
    installation.restart("api")
    assert installation.rotate("kek")[0] == 0
    assert installation.part("kek")["current"] == "k2"
    code, said = installation.rotate("kek")
    assert (code, "no process has started with it" in said) == (1, True)
    installation.restart("api")
    code, said = installation.rotate("kek")
    assert (code, "still write with k1 of kek" in said) == (1, True)
    installation.restart("worker")
    code, said = installation.rotate("kek")
    assert (code, "1 data keys are still wrapped by k1" in said) == (1, True)
    installation.wrap_again("worker")
    assert installation.rotate("kek")[0] == 0
    assert sorted(installation.part("kek")["keys"]) == ["k2"]
    installation.restart("api", "worker")
    assert installation.keys("check").exit_code == 0
    assert installation.rotate("kek")[0] == 0
    assert sorted(installation.part("kek")["keys"]) == ["k2", "k3"]
    assert stat.S_IMODE(installation.file.stat().st_mode) == 0o600


def test_a_codec_key_may_go_when_no_run_can_be_under_it_any_more(installation: Installation) -> None:
    installation.restart("worker")
    for _ in range(2):
        assert installation.rotate("codec")[0] == 0
        installation.restart("worker")
    report = json.loads(installation.keys("check", "--json").stdout)
    (line,) = (each for each in report["lines"] if (each["kind"], each["key_id"]) == ("codec", "c1"))
    assert (line["state"], line["may_go"]) == ("retired", False)
    assert line["may_go_from"] > "2027"
    assert installation.rotate("codec")[0] == 0
    assert sorted(installation.part("codec")["keys"]) == ["c1", "c2", "c3"]


def test_what_cannot_be_rotated_in_the_file_says_what_to_do(installation: Installation) -> None:
    before = installation.file.read_bytes()
    assert installation.rotate("lookup")[0] != 0
    code, said = installation.rotate("receipts")
    assert (code, "HETAO_RECEIPTS_SECRETS" in said, "whsec_" in said) == (0, True, True)
    assert installation.rotate("nonsense")[0] == 2
    assert installation.file.read_bytes() == before


def test_no_key_and_no_secret_is_ever_printed(installation: Installation) -> None:
    installation.restart("api")
    shown = installation.keys("check").output + installation.keys("check", "--json").output
    for part in json.loads(installation.file.read_text()).values():
        for key in [part] if isinstance(part, str) else part["keys"].values():
            assert key not in shown
    assert "YQ==" not in shown


def test_a_malformed_secret_is_named_by_setting_and_place(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HETAO_AUTHORITY_CALLBACK_SECRETS", "whsec_YQ==,whsec_!,whpk_YQ==")
    monkeypatch.setenv("HETAO_WITNESS_KEYS", "nonsense")
    done = installation.keys("check")
    assert done.exit_code == 1
    for words in ("CALLBACK_SECRETS: number 2 of 3", "CALLBACK_SECRETS: number 3 of 3", "WITNESS_KEYS: none of its 1"):
        assert words in done.output
    assert "whsec_!" not in done.output
