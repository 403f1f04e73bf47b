"""A migration asks for what only the superuser can make, and changes nothing until it is there."""

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest
from typer.testing import CliRunner

from cli import app
from sandbox.stack.ports import free_port
from sandbox.stack.postgres import OWNER, SEALER, PostgresServer
from store.cluster import ClusterNotReadyError
from store.migrate import upgrade
from tests.services import POSTGRES_SETTINGS


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A server of its own, made ready as for the version before: roles belong to the whole server."""
    server = PostgresServer(tmp_path_factory.mktemp("bare"), free_port(), POSTGRES_SETTINGS)
    server.start()
    yield server
    server.stop()


def _tables(server: PostgresServer) -> str:
    return server.run_sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", database="hetao")


def test_where_the_sealer_is_missing_a_migration_names_the_statements_that_make_it(
    bare: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare.run_sql(f"REVOKE ALL ON DATABASE hetao FROM {SEALER}; DROP ROLE {SEALER}")
    with pytest.raises(ClusterNotReadyError) as asked:
        upgrade(bare.url(role=OWNER))
    assert _tables(bare) == "0"
    create, grant = asked.value.statements
    assert create.startswith("CREATE ROLE hetao_sealer LOGIN NOSUPERUSER ")
    assert grant == "GRANT CONNECT ON DATABASE hetao TO hetao_sealer;"

    told = _settings(bare)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(app, ["migrate"])
    assert done.exit_code == 1
    assert create in done.stderr
    assert grant in done.stderr
    bare.run_sql("; ".join(asked.value.statements).replace("…", bare.passwords()[SEALER]))
    assert CliRunner().invoke(app, ["migrate"]).exit_code == 0
    assert asyncio.run(_answer(bare.url(role=SEALER), "SELECT count(*) FROM seal_leaves")) == 0


def test_a_limit_on_idle_transactions_that_the_owner_may_not_set_is_asked_for(bare: PostgresServer) -> None:
    upgrade(bare.url(role=OWNER))
    bare.run_sql("ALTER DATABASE hetao RESET idle_in_transaction_session_timeout")
    upgrade(bare.url(role=OWNER))  # a dump does not carry it, so that each migration sets it again
    show = "SHOW idle_in_transaction_session_timeout"
    assert asyncio.run(_answer(bare.url(), show)) == "1min"
    bare.run_sql(
        "ALTER DATABASE hetao SET idle_in_transaction_session_timeout = '5min'; ALTER DATABASE hetao OWNER TO postgres;"
        f"GRANT CONNECT ON DATABASE hetao TO {OWNER}"
    )
    upgrade(bare.url(role=OWNER))  # another one is left alone
    assert asyncio.run(_answer(bare.url(), show)) == "5min"
    bare.run_sql("ALTER DATABASE hetao RESET idle_in_transaction_session_timeout")
    with pytest.raises(ClusterNotReadyError) as asked:
        upgrade(bare.url(role=OWNER))
    assert asked.value.statements == ["ALTER DATABASE hetao SET idle_in_transaction_session_timeout = '60s';"]
    bare.run_sql("; ".join(asked.value.statements))
    upgrade(bare.url(role=OWNER))


async def _answer(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def _settings(server: PostgresServer) -> dict[str, str]:
    named = ("oidc_issuer", "oidc_jwks_url", "public_url", "authority_url", "sms_url")
    return {f"HETAO_{name.upper()}": "https://example.test" for name in named} | {
        "HETAO_DATABASE_URL": server.url(),
        "HETAO_OWNER_DATABASE_URL": server.url(role=OWNER),
        "HETAO_KEYS_FILE": "/nowhere",
        "HETAO_AUTHORITY_TOKEN": "t",
        "HETAO_AUTHORITY_CALLBACK_SECRETS": "whsec_YQ==",
        "HETAO_RECEIPTS_SECRETS": "whsec_YQ==",
        "HETAO_SMTP_HOST": "127.0.0.1",
        "HETAO_MAIL_FROM": "park@example.test",
        "HETAO_SMS_TOKEN": "t",
    }
