"""`hetao doctor`: each part of an installation is one line that says how it stands and what to do; no secret, no
traceback.
"""

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker
from typer.testing import CliRunner

from cases.deadlines.calendar_loads import load_calendar
from cases.health.register_check import look_at_register
from cases.shared.context import Context
from cli import app
from domain.actors import system
from domain.checkups import Health, Line, clock_line
from sandbox.stack.postgres import OWNER, SEALER, SUPERUSER, PostgresServer
from store import roles_check
from store.key_file import generate
from store.schema_version import own_version
from temporal.check import look_at_temporal
from tests.cases.contexts import NOON, Clock, load_samples, open_context, shared_keyring
from tests.test_settings import LEAST

NOBODY = "postgresql://hetao_app:of-the-database@127.0.0.1:1/hetao"


def _by_name(lines: list[Line]) -> dict[str, Line]:
    assert all(line.to_do for line in lines if line.health is not Health.OK)
    return {line.name: line for line in lines}


@pytest.fixture
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """The settings of an installation of which nothing answers."""
    for name in [name for name in os.environ if name.startswith(("HETAO_", "TEMPORAL_"))]:
        monkeypatch.delenv(name)
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(generate()), encoding="utf-8")
    keys.chmod(0o600)
    outside = dict.fromkeys(("HETAO_AUTHORITY_URL", "HETAO_SMS_URL", "HETAO_OIDC_JWKS_URL"), "http://127.0.0.1:1/x")
    given = {"HETAO_KEYS_FILE": str(keys), "HETAO_SMTP_HOST": "127.0.0.1", "HETAO_SMTP_PORT": "1", **outside}
    secrets = {
        "HETAO_AUTHORITY_CALLBACK_SECRETS": f"whsec_{'MDEy' * 8}",
        "HETAO_RECEIPTS_SECRETS": f"whsec_{'MDEy' * 8}",
    }
    away = {"HETAO_DATABASE_URL": NOBODY, "TEMPORAL_ADDRESS": "127.0.0.1:1"}
    for name, value in {**LEAST, **given, **secrets, **away}.items():
        monkeypatch.setenv(name, value)
    yield monkeypatch
    logging.disable(logging.NOTSET)


def _doctor() -> dict[str, dict[str, str]]:
    """Run the command and return its lines by name."""
    done = CliRunner().invoke(app, ["doctor", "--json"])
    assert done.exit_code == 1, done.output
    assert "Traceback" not in done.output
    assert "of-the-database" not in done.output
    return {line["name"]: line for line in json.loads(done.stdout)["lines"]}


@pytest.mark.usefixtures("surroundings")
def test_an_installation_of_which_nothing_answers_is_told_line_by_line() -> None:
    lines = _doctor()
    failing = {name for name, line in lines.items() if line["health"] == "fail"}
    assert failing == {"PostgreSQL as hetao_app", "Temporal", "mail relay", "authority", "SMS gateway", "issuer's keys"}
    assert {lines[name]["health"] for name in ("settings", "key file", "rules and limits")} == {"ok"}
    assert lines["register"]["health"] == "warn"
    assert lines["mail relay"]["to_do"].endswith("HETAO_SMTP_HOST and HETAO_SMTP_PORT")
    shown = CliRunner().invoke(app, ["doctor"])
    assert "FAIL  Temporal: it does not answer\n      -> start it" in shown.stdout


def test_a_database_that_nobody_migrated_is_told_with_the_command_that_does(
    surroundings: pytest.MonkeyPatch, postgres: PostgresServer, empty_database: str
) -> None:
    surroundings.setenv("HETAO_DATABASE_URL", postgres.url(database=empty_database))
    lines = _doctor()
    assert (lines["schema"]["health"], lines["schema"]["to_do"]) == ("fail", "run `hetao migrate`")
    for name in ("register", "keys"):
        assert lines[name]["says"] == "the database lacks tables of this version"
        assert "hetao migrate" in lines[name]["to_do"]
    assert not [line for line in lines.values() if "broke" in line["says"]]


def test_settings_and_secrets_that_cannot_be_read_are_named_and_never_shown(surroundings: pytest.MonkeyPatch) -> None:
    surroundings.setenv("HETAO_RECEIPTS_SECRETS", f"whsec_{'MDEy' * 8},whsec_of-mine!,whpk_c2hvcnQ=")
    surroundings.setenv("HETAO_WITNESS_KEYS", "no-key-of-mine")
    keys = Path(os.environ["HETAO_KEYS_FILE"])
    keys.chmod(0o644)
    lines = _doctor()
    assert lines["HETAO_RECEIPTS_SECRETS"]["says"] == "number 2, 3 of 3 cannot be read"
    assert lines["HETAO_WITNESS_KEYS"]["says"] == "number 1 of 1 cannot be read"
    assert lines["HETAO_AUTHORITY_CALLBACK_SECRETS"]["health"] == "ok"
    assert "chmod 0600" in lines["key file"]["says"]
    assert "of-mine" not in json.dumps(lines)
    for content, said in (
        ("{", "no JSON"),
        ("[]", "must be a JSON object"),
        ('{"kek": {}}', "kek must have"),
        (None, "be read"),
    ):
        keys.unlink(missing_ok=True)
        if content is not None:
            keys.write_text(content, encoding="utf-8")
            keys.chmod(0o600)
        lines = _doctor()
        assert said in lines["key file"]["says"]
        assert "register" not in lines
    surroundings.delenv("HETAO_SMS_URL")
    assert _doctor()["settings"]["says"] == "HETAO_SMS_URL: is needed and not set"


async def test_a_database_that_is_as_it_should_be_is_well(
    postgres: PostgresServer, database_name: str, clean_database: str
) -> None:
    for role in (roles_check.APPLICATION, OWNER, SEALER):
        url = postgres.url(role=role, database=database_name)
        assert [line.health for line in await roles_check.look_at_role("X", url, role)] == [Health.OK]
    lines = await roles_check.look_at_schema(clean_database, ["ledger", "incidents"])
    assert {line.name for line in lines} == {
        "schema", "roles", "grants", "row-level security", "PostgreSQL takes writes", "clock of PostgreSQL",
    }  # fmt: skip
    assert [line for line in lines if line.health is not Health.OK] == []


async def test_each_thing_that_is_wrong_with_a_database_is_named(
    postgres: PostgresServer, database_name: str, clean_database: str
) -> None:
    async def line(name: str) -> Line:
        return _by_name(await roles_check.look_at_schema(clean_database, ["ledger", "incidents"]))[name]

    spoils = {
        "grants": ("GRANT UPDATE ON ledger TO hetao_app", "REVOKE UPDATE ON ledger FROM hetao_app"),
        "row-level security": (
            "ALTER TABLE incidents NO FORCE ROW LEVEL SECURITY",
            "ALTER TABLE incidents FORCE ROW LEVEL SECURITY",
        ),
        "schema": (
            "UPDATE alembic_version SET version_num = '0001'",
            f"UPDATE alembic_version SET version_num = '{own_version()}'",
        ),
    }
    said = {}
    for name, (spoil, mend) in spoils.items():
        postgres.run_sql(spoil, database=database_name)
        found = await line(name)
        postgres.run_sql(mend, database=database_name)
        assert found.health is Health.FAIL
        said[name] = found.says
    assert said["grants"] == "hetao_app may UPDATE ledger"
    assert said["row-level security"] == "off or not forced: incidents"
    assert said["schema"].startswith("it is 0001, and this code needs")
    postgres.run_sql(f"ALTER DATABASE {database_name} SET default_transaction_read_only = on")
    assert (await line("PostgreSQL takes writes")).says == "it is a standby, or read-only"
    postgres.run_sql(f"ALTER DATABASE {database_name} RESET default_transaction_read_only")


async def test_a_role_that_is_another_too_high_or_not_let_in_is_named(
    postgres: PostgresServer, database_name: str, empty_database: str
) -> None:
    async def line(url: str) -> Line:
        (line,) = await roles_check.look_at_role("HETAO_DATABASE_URL", url, roles_check.APPLICATION)
        return line

    good = postgres.url(database=database_name)
    head, _, tail = good.partition("@")
    assert (await line(postgres.url(role=OWNER, database=database_name))).health is Health.WARN
    assert "superuser" in (await line(postgres.url(role=SUPERUSER, database=database_name))).says
    assert "HETAO_DATABASE_URL" in (await line(f"{head.rpartition(':')[0]}:wrong@{tail}")).to_do
    assert "no database of this name" in (await line(postgres.url(database="of_nobody"))).says
    assert "does not answer" in (await line(NOBODY)).says
    empty = _by_name(await roles_check.look_at_schema(postgres.url(database=empty_database), ["ledger"]))
    assert empty["schema"].to_do == "run `hetao migrate`"


@pytest_asyncio.fixture
async def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def context(clean_database: str, clock: Clock) -> AsyncIterator[Context]:
    async with open_context(clean_database, clock) as context:
        yield context


async def test_what_is_not_loaded_is_said_with_the_command_that_loads_it(context: Context, clock: Clock) -> None:
    empty = _by_name(await look_at_register(context))
    assert (empty["employers"].health, empty["calendar"].health) == (Health.FAIL, Health.WARN)
    assert "hetao register load" in empty["employers"].to_do
    assert "hetao calendar load" in empty["calendar"].to_do
    assert empty["list of erasures"].says == "not begun yet; its directory can be written"
    await load_samples(context)
    days = {date(2026, 1, 1) + timedelta(days=n): True for n in range(365)}
    await load_calendar(context, system("calendar_load"), days)
    loaded = _by_name(await look_at_register(context))
    assert (loaded["employers"].health, loaded["calendar"].health) == (Health.OK, Health.OK)
    assert loaded["calendar"].says == "304 days left, until 2026-12-31"
    for at, health in ((datetime(2026, 12, 1, 12, tzinfo=UTC), Health.WARN), (NOON.replace(year=2027), Health.FAIL)):
        clock.at = at
        assert _by_name(await look_at_register(context))["calendar"].health is health


async def test_a_list_of_erasures_that_cannot_be_written_or_was_altered_is_said(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert context.erasure_list is not None
    monkeypatch.setattr("os.access", lambda *_: False)
    assert "cannot be written" in _by_name(await look_at_register(context))["list of erasures"].says
    monkeypatch.undo()
    path: Path = vars_of(context.erasure_list)
    await asyncio.to_thread(path.write_text, "altered\n", encoding="utf-8")
    assert "altered" in _by_name(await look_at_register(context))["list of erasures"].says


def vars_of(erasure_list: object) -> Path:
    """Return where the list is."""
    path = getattr(erasure_list, "_path")  # noqa: B009 - it is nobody's to read but here
    assert isinstance(path, Path)
    return path


@activity.defn
async def _nothing() -> None:
    """Be there to be polled for."""


async def test_temporal_says_what_is_missing_and_its_clock_is_read(
    temporal_client: Client, temporal_address: str, temporal_namespace: str, surroundings: pytest.MonkeyPatch
) -> None:
    surroundings.setenv("TEMPORAL_ADDRESS", temporal_address)
    surroundings.setenv("TEMPORAL_NAMESPACE", temporal_namespace)
    queue = f"doctor-{uuid4()}"

    async def look() -> dict[str, Line]:
        named = [f"none-{uuid4()}"]
        return _by_name(await look_at_temporal(shared_keyring(), [queue], named, named, "none"))

    lines = await look()
    for name, to_do in (("workers", "start a worker"), ("Schedules", "start a worker"), ("channels", "start a worker")):
        assert lines[name].health is Health.FAIL
        assert lines[name].to_do.startswith(to_do)
    assert lines["clock of Temporal"].health is Health.OK
    # The server of the tests keeps closed runs for a day.
    assert lines[f"retention of {temporal_namespace}"].health is Health.WARN
    async with Worker(temporal_client, task_queue=queue, activities=[_nothing]):
        surroundings.setenv("TEMPORAL_NAMESPACE", "of-nobody")
        missing = await look()
    assert missing["namespace of-nobody"].says == "it is not there"
    surroundings.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    assert [line.says for line in (await look()).values()] == ["it does not answer"]
    surroundings.delenv("TEMPORAL_ADDRESS")
    assert "TEMPORAL_ADDRESS" in (await look())["Temporal"].says


@pytest.mark.parametrize(
    ("seconds", "health"),
    [(0.4, Health.OK), (-5, Health.WARN), (5, Health.WARN), (31, Health.FAIL), (-31, Health.FAIL)],
)
def test_a_clock_is_looked_at_from_two_seconds_on_and_wrong_from_thirty(seconds: float, health: Health) -> None:
    assert clock_line("clock", timedelta(seconds=seconds)).health is health


def test_a_look_that_breaks_hides_no_other(surroundings: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> list[Line]:
        await asyncio.sleep(0)
        raise KeyError("secret-of-mine")

    surroundings.setattr("cli.doctor._temporal", broken)
    lines = _doctor()
    assert lines["Temporal"]["says"] == "the look itself broke (KeyError)"
    assert "secret-of-mine" not in json.dumps(lines)
    assert lines["mail relay"]["health"] == "fail"
