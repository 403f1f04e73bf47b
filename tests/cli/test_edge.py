"""What is wrong outside a command is told in a line that names it and says what to do; no traceback, no secret."""

import json
import os
import re
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import cli
from cli import edge
from sandbox.stack.postgres import SUPERUSER, PostgresServer
from store.key_file import generate
from tests.test_settings import LEAST

NOBODY = "postgresql://hetao_app:of-the-database@127.0.0.1:1/hetao"


@pytest.fixture
def least(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """The settings of a process whose PostgreSQL is not there."""
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(generate()), encoding="utf-8")
    keys.chmod(0o600)
    for name in [name for name in os.environ if name.startswith(("HETAO_", "TEMPORAL_"))]:
        monkeypatch.delenv(name)
    given = {"HETAO_KEYS_FILE": str(keys), "HETAO_OWNER_DATABASE_URL": NOBODY, "HETAO_SEALER_DATABASE_URL": NOBODY}
    for name, value in {**LEAST, **given, "HETAO_DATABASE_URL": NOBODY, "TEMPORAL_ADDRESS": "127.0.0.1:1"}.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command that has to end with 2, and return what it said."""

    def tell(*command: str) -> str:
        monkeypatch.setattr(sys, "argv", ["hetao", *command])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr().err
        assert ended.value.code == 2, said
        assert "Traceback" not in said
        assert "of-the-database" not in said
        return said

    return tell


def test_every_setting_that_is_missing_is_named(least: pytest.MonkeyPatch, told: Callable[..., str]) -> None:
    for name in LEAST:
        least.delenv(name)

    lines = told("api").splitlines()

    assert {line.split()[1].rstrip(":") for line in lines[:-1]} == set(LEAST)
    assert "docs/operations.md" in lines[-1]


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("HETAO_PUBLIC_URL", "https://host.example/permits", "no path in front"),
        ("HETAO_API_PORT", "99999", "65535"),
        ("HETAO_PROXIES", "10.0.0.1,secret-of-mine", "(number 2 of the list)"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(
    least: pytest.MonkeyPatch, told: Callable[..., str], name: str, value: str, word: str
) -> None:
    least.setenv(name, value)

    said = told("api")

    assert name in said
    assert word in said


@pytest.mark.parametrize("command", ["api", "worker"])
def test_where_temporal_is_has_to_be_said(least: pytest.MonkeyPatch, told: Callable[..., str], command: str) -> None:
    least.delenv("TEMPORAL_ADDRESS")

    assert "TEMPORAL_ADDRESS: is needed" in told(command)


@pytest.mark.usefixtures("least")
@pytest.mark.parametrize(
    "command", [("migrate",), ("register", "load", "examples/employers.yaml"), ("calendar", "load")]
)
def test_a_database_that_is_away_is_said(told: Callable[..., str], command: tuple[str, ...]) -> None:
    assert "PostgreSQL does not answer" in told(*command)


@pytest.mark.usefixtures("least")
@pytest.mark.parametrize(
    "command", ["register load FILE", "calendar load --file FILE", "policy try FILE --since 2026-01-01"]
)
def test_a_file_that_is_no_utf_8_is_named(told: Callable[..., str], tmp_path: Path, command: str) -> None:
    file = tmp_path / "latin.yaml"
    file.write_bytes("Zürich".encode("latin-1"))

    assert f"{file} is not UTF-8 text" in told(*(str(file) if part == "FILE" else part for part in command.split()))


def test_a_port_that_is_taken_is_said(least: pytest.MonkeyPatch, told: Callable[..., str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        least.setenv("HETAO_API_PORT", str(taken.getsockname()[1]))

        assert "The port is taken" in told("api")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied"), "Ports below 1024"),
        (PermissionError(13, "Permission denied", "/var/lib/hetao/x"), "/var/lib/hetao/x may not be read or written"),
        (OSError(28, "No space left on device", "/backup/x"), "/backup/x does not fit: the disk is full"),
        (FileNotFoundError(2, "No such file", "/run/keys.json"), "/run/keys.json is not there"),
        (OSError(30, "Read-only file system", "/srv/x"), "takes no write"),
    ],
)
def test_the_system_is_put_in_words(error: OSError, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        raise error

    with pytest.raises(SystemExit) as ended:
        edge.run(command)

    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_defect_of_ours_keeps_its_traceback() -> None:
    def command() -> None:
        raise KeyError("ours")

    with pytest.raises(KeyError):
        edge.run(command)


def test_a_role_that_is_not_let_in_is_said(
    least: pytest.MonkeyPatch, told: Callable[..., str], clean_database: str
) -> None:
    head, _, tail = clean_database.partition("@")
    least.setenv("HETAO_DATABASE_URL", f"{head.rpartition(':')[0]}:wrong@{tail}")
    assert "does not let this role in" in told("calendar", "load")
    least.setenv("HETAO_DATABASE_URL", f"{clean_database.rpartition('/')[0]}/of_nobody")
    assert "no database of this name" in told("calendar", "load")


@pytest.mark.parametrize(
    ("command", "word"),
    [
        ("up --port 99999", "'--port'"),
        ("sandbox mood silly", "The mood is one of normal, slow"),
        ("sandbox mood slow --part silly", "The part is authority or mail"),
        ("sandbox mood slow --for-seconds -3", "'--for-seconds'"),
        ("sandbox answer HT-1/HK issued --field broken", "broken is not NAME=VALUE"),
        ("sandbox mails --after -1", "'--after'"),
        ("audit show HT-1 --api nonsense --token x", "begins with http://"),
        ("audit verify FILE --keys nowhere.json", "nowhere.json is not there: name the right file by --keys"),
        ("witness keygen good --key nowhere/w.key", "nowhere is not there"),
    ],
)
def test_an_argument_that_makes_no_sense_is_said(
    told: Callable[..., str], tmp_path: Path, command: str, word: str
) -> None:
    file = tmp_path / "receipt.json"
    file.write_text("{}", encoding="utf-8")

    assert word in " ".join(told(*(str(file) if part == "FILE" else part for part in command.split())).split())


@pytest.mark.usefixtures("least")
@pytest.mark.parametrize(
    "command", ["register load FILE", "calendar load --file FILE", "policy try FILE --since 2026-01-01"]
)
@pytest.mark.parametrize(
    ("content", "said"),
    [("a: 1\nb: [2", "expected ',' or ']'"), ("a: 1", ": Field required"), ("- 1", "")],
)
def test_a_document_that_does_not_fit_is_said_by_its_place_and_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str, content: str, said: str
) -> None:
    file = tmp_path / "document.yaml"
    file.write_text(content, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["hetao", *(str(file) if part == "FILE" else part for part in command.split())])

    with pytest.raises(SystemExit) as ended:
        cli.main()

    line = str(ended.value.code)
    assert said in line
    assert line.startswith("hetao: ")
    assert not re.search(r"\n|pydantic|input_value|Error", line)
    assert "[2" not in content or re.search(r"line \d, column \d", line)


def test_a_migration_without_the_owner_says_which_setting(least: pytest.MonkeyPatch, told: Callable[..., str]) -> None:
    least.delenv("HETAO_OWNER_DATABASE_URL")

    assert "hetao: HETAO_OWNER_DATABASE_URL: set it to PostgreSQL as hetao_owner" in told("migrate")


@pytest.mark.parametrize(
    "command",
    [
        "register load examples/employers.yaml",
        "calendar load",
        "keys check",
        "keys rotate kek",
        "erasures replay --only-look",
        "restored",
        "audit seal",
        "backup take B --keys-to K --erasures-to E",
    ],
)
def test_a_database_that_nobody_migrated_is_said_with_the_command_that_does(
    least: pytest.MonkeyPatch,
    told: Callable[..., str],
    postgres: PostgresServer,
    empty_database: str,
    tmp_path: Path,
    command: str,
) -> None:
    least.setenv("HETAO_DATABASE_URL", postgres.url(database=empty_database))
    least.setenv("HETAO_BACKUP_DATABASE_URL", postgres.url(role=SUPERUSER, database="postgres"))
    places = {name: str(tmp_path / name) for name in ("B", "K", "E")}

    said = told(*(places.get(part, part) for part in command.split()))

    assert said == "hetao: The database lacks tables of this version: run `hetao migrate` first.\n"
    # A backup leaves nothing of itself, the keys above all.
    assert not list(tmp_path.glob("[BKE]/[!.]*"))


def test_what_waits_for_a_newer_schema_is_said_so(
    least: pytest.MonkeyPatch, postgres: PostgresServer, empty_database: str
) -> None:
    least.setenv("HETAO_DATABASE_URL", postgres.url(database=empty_database))
    least.setattr(sys, "argv", ["hetao", "erasures", "complete"])

    with pytest.raises(SystemExit, match=r"schema_older: nothing was added\. The database lacks tables"):
        cli.main()
