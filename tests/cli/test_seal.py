"""`hetao audit seal`: what it says of a seal that holds and of one that was altered, and by whose keys it asks."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cases.shared.views import document
from cli import app
from domain.actors import system
from domain.acts import Act
from record.seal.log import public_keys
from sandbox.stack.postgres import PostgresServer
from store.key_file import generate, make_key_file
from store.ledger import Entry, append
from tests.api.conftest import settings_for_tests
from tests.cases.contexts import NOON, Clock, open_context
from tests.record.seal.sealed import seal_all

Seal = Callable[..., Result]


@pytest.fixture
def seal(clean_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Seal:
    """The command on a register with three sealed rows, with the public keys of its log."""
    settings = settings_for_tests(clean_database)
    for name in ("database_url", "oidc_issuer", "oidc_jwks_url", "public_url", "authority_url", "smtp_host",
                 "mail_from", "sms_url"):  # fmt: skip
        monkeypatch.setenv(f"HETAO_{name.upper()}", str(getattr(settings, name)))
    for name in ("AUTHORITY_TOKEN", "AUTHORITY_CALLBACK_SECRETS", "SMS_TOKEN", "RECEIPTS_SECRETS"):
        monkeypatch.setenv(f"HETAO_{name}", "whsec_YQ==")
    strangers = tmp_path / "strangers.json"
    make_key_file(strangers, generate())
    monkeypatch.setenv("HETAO_KEYS_FILE", str(strangers))
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(asyncio.run(_sealed(clean_database))), encoding="utf-8")

    def run(*more: str) -> Result:
        return CliRunner().invoke(app, ["audit", "seal", *(more or ("--keys", str(keys)))])

    return run


async def _sealed(database: str) -> dict[str, object]:
    entries = [Entry(act=Act.CASE_READ, actor=system("test"), at=NOON) for _ in range(3)]
    async with open_context(database, Clock()) as context:
        async with context.database.begin() as connection:
            await append(connection, "access/1", entries)
        await seal_all(context)
        found: dict[str, Any] = document(public_keys(context))
        return found


def test_the_command_says_that_a_seal_holds_or_what_of_it_does_not(
    seal: Seal, postgres: PostgresServer, database_name: str
) -> None:
    done = seal()
    assert done.exit_code == 0, done.output
    first, *rest = done.stdout.splitlines()
    assert first.startswith("3 leaves: each row, node and checkpoint holds, by the keys of ")
    assert rest == ["Not checked: cosignatures and stamps of the checkpoints (`hetao audit verify` does)."]
    altered = "UPDATE ledger SET actor_subject = 'x' WHERE chain = 'access/1' AND seq = 2"
    postgres.run_sql(f"SET session_replication_role = replica; {altered}", database=database_name)
    done = seal()
    assert done.exit_code == 1
    assert "ledger_row_differs_from_seal: " in done.stdout
    assert "table=ledger chain=access/1 seq=2" in done.stdout


def test_by_other_keys_than_those_of_the_log_no_checkpoint_is_signed(seal: Seal) -> None:
    done = seal("--json")
    *found, counted = (json.loads(line) for line in done.stdout.splitlines())
    assert (done.exit_code, counted) == (1, {"leaves": 3, "differences": 1, "unsealed": 0})
    assert [(each["code"], each["place"]["size"]) for each in found] == [("checkpoint_altered", 3)]
    assert seal("--keys", "nowhere.json").exit_code == 2


def test_nothing_is_said_to_hold_of_what_is_not_sealed(
    seal: Seal, postgres: PostgresServer, database_name: str, clean_database: str
) -> None:
    asyncio.run(_write_unsealed(clean_database))
    assert "Not checked: 2 rows of the ledger that are not sealed.\n" in seal().stdout
    nothing = "TRUNCATE seal_leaves, seal_nodes, stamps, cosignatures, checkpoints"
    postgres.run_sql(f"SET session_replication_role = replica; {nothing}", database=database_name)
    first, second, *_ = seal().stdout.splitlines()
    assert first == "Nothing is sealed: there was nothing to check."
    assert second == "Not checked: 5 rows of the ledger that are not sealed."


async def _write_unsealed(database: str) -> None:
    entries = [Entry(act=Act.CASE_READ, actor=system("test"), at=NOON) for _ in range(2)]
    async with open_context(database, Clock()) as context, context.database.begin() as connection:
        await append(connection, "access/2", entries)
