"""`hetao backup` and `hetao restore` on a real cluster: what comes back, up to which moment, and what is refused."""

import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from bench.embedded import COMMAND
from cli import app
from domain.erasure import ErasureEntry, ErasureReason
from sandbox.stack.directory import Stack, lock, open_stack
from sandbox.stack.postgres import OWNER, PostgresServer
from store.backup_manifest import NAME
from store.erasure_list import ErasureList
from store.key_file import generate
from store.keyring import Keyring
from store.migrate import upgrade
from tests.sandbox.waiting import until
from tests.services import POSTGRES_SETTINGS

pytestmark = pytest.mark.slow


@dataclass
class Made:
    """A stack of which only PostgreSQL was ever started, its backup, and the log since."""

    stack: Stack
    log: Path
    between: datetime
    said: dict[str, Any]

    @property
    def backup(self) -> Path:
        return Path(self.said["backup"])

    @property
    def keys(self) -> Path:
        return Path(self.said["keys"])

    @property
    def erasures(self) -> Path:
        return Path(self.said["erasure_list"])

    @property
    def server(self) -> PostgresServer:
        return PostgresServer(self.stack.directory / "postgres", self.stack.ports["postgres"], POSTGRES_SETTINGS)


def hetao(*words: object) -> Result:
    before = dict(os.environ)
    try:
        return CliRunner().invoke(app, [str(word) for word in words])
    finally:
        # `--data-dir` puts the stack's settings into the environment, also for the fixture of the module.
        os.environ.clear()
        os.environ.update(before)


def mark(server: PostgresServer, name: str) -> None:
    server.run_sql(f"INSERT INTO marks VALUES ('{name}')", database="hetao")


def marks(server: PostgresServer) -> list[str]:
    return server.run_sql("SELECT name FROM marks ORDER BY 1", database="hetao").splitlines()


def an_erasure() -> ErasureEntry:
    return ErasureEntry(
        erasure_id=uuid4(), person_id=uuid4(), keys=(uuid4(),), references=("HT-0000-0000-E",),
        reason=ErasureReason.PERSON_ASKED, at=datetime.now(UTC),
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A backup, a row of before it, one between it and a moment, and one after that moment."""
    place = tmp_path_factory.mktemp("backups")
    directory = place / "stack"
    with lock(directory):
        stack = open_stack(directory, port=None, make_keys=generate, say=print)
    server = PostgresServer(directory / "postgres", stack.ports["postgres"], POSTGRES_SETTINGS)
    server.start()
    upgrade(server.url(role=OWNER))
    server.run_sql("CREATE TABLE marks (name text)", database="hetao")
    mark(server, "before")
    with sqlite3.connect(directory / "temporal" / "temporal.db") as histories:
        histories.executescript("PRAGMA journal_mode = wal; CREATE TABLE runs (name); INSERT INTO runs VALUES ('one')")
    ErasureList(directory / "erasures.jsonl", Keyring.load(directory / "keys.json"))._append(an_erasure())
    log = place / "log"
    following = subprocess.Popen([*COMMAND, "backup", "follow", log, "--slot", "kept", "--data-dir", directory])
    try:
        until(lambda: log.exists() and any(log.iterdir()))
        told = ["--keys-to", place / "keys", "--erasures-to", place / "erasures", "--data-dir", directory]
        result = hetao("backup", "take", place / "base", *told)
        assert result.exit_code == 0, result.output
        said = json.loads(result.stdout)
        mark(server, "between")
        between = datetime.fromisoformat(server.run_sql("SELECT to_json(clock_timestamp()) #>> '{}'"))
        mark(server, "after")
        position = server.run_sql("SELECT pg_current_wal_insert_lsn()")
        followed = f"SELECT flush_lsn >= '{position}' FROM pg_stat_replication WHERE application_name = 'pg_receivewal'"
        until(lambda: server.run_sql(followed) == "t")
        mark(server, "unfollowed")
    finally:
        following.send_signal(signal.SIGTERM)
        following.wait(20)
        server.stop()
    histories.close()
    return Made(stack, log, between, said)


def copy_of(made: Made, place: Path) -> Path:
    """A copy of the backup that a test may break."""
    return Path(shutil.copytree(made.backup, place / "broken", symlinks=True))


def test_a_backup_says_what_it_is_and_is_verified(made: Made) -> None:
    assert (
        made.said["at_least"]["schema"]
        == json.loads(hetao("backup", "check", made.backup).stdout)["at_least"]["schema"]
    )
    assert made.said["at_least"]["databases"] == ["hetao", "postgres"]
    assert made.said["erasures"] == 1
    assert made.said["key_ids"]["kek"] == ["k1"]
    assert {
        stat.S_IMODE(path.stat().st_mode) for path in (made.keys / "keys.json", made.erasures / "erasures.jsonl")
    } == {0o600}
    content = (made.stack.directory / "keys.json").read_text()
    assert not [path for path in made.backup.rglob("*.json*") if path.is_file() and content in path.read_text()]


def test_the_database_comes_back_to_a_moment_and_what_stood_there_is_kept(made: Made) -> None:
    directory = made.stack.directory
    since = ["--wal", made.log, "--until", made.between.isoformat()]
    refused = hetao("restore", "postgres", made.backup, *since, "--data-dir", directory)
    assert refused.exit_code == 1
    assert "is not empty" in refused.output
    done = hetao("restore", "postgres", made.backup, *since, "--data-dir", directory, "--set-aside")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["came_back"]["schema"] == made.said["at_least"]["schema"]
    assert "hetao restored" in done.stderr
    server = made.server
    server.start()
    try:
        assert marks(server) == ["before", "between"]
        # It goes on under a timeline of its own, and a second restore begins from the same backup.
        assert server.run_sql("SELECT timeline_id FROM pg_control_checkpoint()") == "2"
        living = hetao("restore", "postgres", made.backup, "--into", server.data, "--set-aside")
        assert living.exit_code == 1
        assert "living data directory" in living.output
    finally:
        server.stop()
    assert (Path(said["set_aside"]) / "PG_VERSION").exists()
    end = hetao("restore", "postgres", made.backup, "--wal", made.log, "--data-dir", directory, "--set-aside")
    assert end.exit_code == 0, end.output
    server.start()
    assert marks(server)[:3] == ["after", "before", "between"]
    server.stop()


def test_a_backup_that_was_altered_is_not_laid_back(made: Made, tmp_path: Path) -> None:
    broken = copy_of(made, tmp_path)
    version = broken / "postgres" / "PG_VERSION"
    version.write_text(version.read_text().replace("1", "2"))
    for command in (["backup", "check", broken], ["restore", "postgres", broken, "--into", tmp_path / "data"]):
        result = hetao(*command)
        assert result.exit_code == 1
        assert "PG_VERSION was altered" in result.output
    version.unlink()
    assert "PG_VERSION is missing" in hetao("backup", "check", broken).output
    manifest = broken / "postgres" / NAME
    manifest.write_bytes(manifest.read_bytes().replace(b'"Timeline": 1', b'"Timeline": 2'))
    assert "was altered" in hetao("backup", "check", broken).output
    (broken / "backup.json").unlink()
    assert "is no whole backup" in hetao("backup", "check", broken).output
    assert not (tmp_path / "data").exists()


def test_each_part_that_is_not_as_it_was_is_named(made: Made, tmp_path: Path) -> None:
    whole = ["--keys", made.keys.parent, "--erasures", made.erasures.parent, "--wal", made.log]
    done = hetao("backup", "check", made.backup, *whole)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["looked_at"] == ["postgres", "temporal", "wal", "keys", "erasures"]
    assert "--wal was not given: that part was not looked at" in hetao("backup", "check", made.backup).stderr

    broken = copy_of(made, tmp_path)
    name = made.said["name"]
    keys, erasures, log = tmp_path / "keys" / name, tmp_path / "erasures" / name, tmp_path / "wal"
    for source, target in ((made.keys, keys), (made.erasures, erasures), (made.log, log)):
        shutil.copytree(source, target)
    told = ["--keys", keys.parent, "--erasures", erasures.parent, "--wal", log]
    assert hetao("backup", "check", broken, *told).exit_code == 0
    cut = max((broken / "postgres" / "base").rglob("*"), key=lambda path: path.stat().st_size if path.is_file() else 0)
    size = cut.stat().st_size
    os.truncate(cut, size - 1)
    own = min((broken / "postgres" / "pg_wal").glob("0000*"))
    own.rename(tmp_path / own.name)
    os.truncate(broken / "temporal.db", 100)
    (keys / "keys.json").unlink()
    (erasures / "erasures.jsonl").unlink()
    result = hetao("backup", "check", broken, *told)
    assert result.exit_code == 1
    lines = [line for line in result.output.splitlines() if line.startswith("hetao: ")]
    # The first difference of the copy, and each other part.
    for line, words in zip(
        lines,
        (
            (str(cut.relative_to(broken / "postgres")), f"{size - 1}"),
            ("temporal.db has 100 bytes",),
            ("has no log of its own",),
            ("keys.json is missing",),
            ("erasures.jsonl is missing: 1 erased",),
        ),
        strict=True,
    ):
        assert all(word in line for word in words), result.output
    shutil.copyfile(made.backup / cut.relative_to(broken), cut)
    assert f"The log in {own.parent} cannot be read from" in hetao("backup", "check", broken).output
    (tmp_path / own.name).rename(own)

    def says(words: str) -> None:
        result = hetao("backup", "check", broken, *told)
        assert result.exit_code == 1
        assert words in result.output

    shutil.copyfile(made.backup / "temporal.db", broken / "temporal.db")
    shutil.copyfile(made.keys / "keys.json", keys / "keys.json")
    (erasures / "erasures.jsonl").write_bytes(b"")
    (keys / "keys.json").chmod(0o600)
    says("has 0 erasures in place of 1")
    altered = (made.erasures / "erasures.jsonl").read_bytes().replace(b"person_asked", b"court_ordered")
    (erasures / "erasures.jsonl").write_bytes(altered)
    says("is not as it was written: erasure_list_altered")
    shutil.copyfile(made.erasures / "erasures.jsonl", erasures / "erasures.jsonl")
    other = generate()
    (keys / "keys.json").write_text(
        json.dumps({**other, "kek": {"current": "k9", "keys": {"k9": other["kek"]["keys"]["k1"]}}})
    )
    says("lacks keys that this backup needs: kek k1")


def test_a_moment_that_cannot_be_reached_is_refused(made: Made, tmp_path: Path) -> None:
    into = ["--into", tmp_path / "data"]
    early = hetao("restore", "postgres", made.backup, *into, "--wal", made.log, "--until", "2026-01-01T00:00:00+00:00")
    assert "take an older one" in early.output
    assert (
        "needs the log" in hetao("restore", "postgres", made.backup, *into, "--until", made.between.isoformat()).output
    )
    assert "needs its offset" in hetao("restore", "postgres", made.backup, *into, "--until", "2027-01-01T00:00").output
    holed = tmp_path / "log"
    holed.mkdir()
    first, *_ = sorted(path.name for path in made.log.iterdir())

    def named(number: int) -> str:
        return f"{int(first.removesuffix('.partial'), 16) + number:024X}"

    for number in (1, 3):
        (holed / named(number)).write_bytes(b"")
    lacking = hetao("restore", "postgres", made.backup, *into, "--wal", holed, "--until", made.between.isoformat())
    assert lacking.exit_code == 1
    assert f"lacks a part of the log in the middle: {named(2)} is missing" in lacking.output
    (holed / named(3)).unlink()
    cut = hetao("restore", "postgres", made.backup, *into, "--wal", holed)
    assert f"{named(1)} is not of" in cut.output
    assert not list(tmp_path.glob("data*"))


def test_keys_and_list_never_lie_beside_the_database(made: Made, tmp_path: Path) -> None:
    directory = made.stack.directory
    for keys, erasures in (
        (tmp_path, tmp_path / "e"),
        (tmp_path / "k", tmp_path),
        (tmp_path / "b" / "k", tmp_path / "e"),
    ):
        told = ["--keys-to", keys, "--erasures-to", erasures, "--data-dir", directory]
        result = hetao("backup", "take", tmp_path / "b" if keys != tmp_path else tmp_path, *told)
        assert result.exit_code == 1
        assert "would lie together" in result.output
    assert list(tmp_path.iterdir()) == []


def test_histories_come_back_or_are_set_aside(made: Made) -> None:
    directory = made.stack.directory
    file = directory / "temporal" / "temporal.db"
    with sqlite3.connect(file) as histories:
        histories.execute("INSERT INTO runs VALUES ('two')")
    histories.close()
    assert "set aside" in hetao("restore", "temporal", made.backup, "--data-dir", directory).output
    done = hetao("restore", "temporal", made.backup, "--data-dir", directory, "--set-aside")
    assert done.exit_code == 0, done.output
    with sqlite3.connect(file) as histories:
        assert histories.execute("SELECT name FROM runs").fetchall() == [("one",)]
    histories.close()
    aside = Path(json.loads(done.stdout)["set_aside"])
    with sqlite3.connect(aside / file.name) as histories:
        assert histories.execute("SELECT name FROM runs").fetchall() == [("one",), ("two",)]
    histories.close()
    shutil.rmtree(aside)
    assert hetao("restore", "temporal", "--data-dir", directory, "--set-aside").exit_code == 0
    assert not file.exists()
    assert "docs/restoring.md" in hetao("restore", "temporal", made.backup).output


def test_the_key_file_comes_back_and_the_one_that_stood_there_is_kept(made: Made) -> None:
    directory = made.stack.directory
    file = directory / "keys.json"
    was = file.read_text()
    assert "set aside" in hetao("restore", "keys", made.keys, "--data-dir", directory).output
    file.write_text("spoilt")
    done = hetao("restore", "keys", made.keys, "--data-dir", directory, "--set-aside")
    assert done.exit_code == 0, done.output
    assert file.read_text() == was
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Path(json.loads(done.stdout)["set_aside"]).read_text() == "spoilt"


def test_a_list_that_knows_fewer_erasures_replaces_none_that_knows_more(made: Made) -> None:
    directory = made.stack.directory
    file = directory / "erasures.jsonl"
    kept = hetao("restore", "erasures", made.erasures, "--data-dir", directory, "--set-aside")
    assert kept.exit_code == 1
    assert "is the one to keep" in kept.output
    file.unlink()
    done = hetao("restore", "erasures", made.erasures, "--data-dir", directory)
    assert (done.exit_code, json.loads(done.stdout)["erasures"]) == (0, 1)
    altered = file.read_bytes().replace(b"person_asked", b"court_ordered")
    (made.erasures / "erasures.jsonl").write_bytes(altered)
    file.unlink()
    refused = hetao("restore", "erasures", made.erasures, "--data-dir", directory)
    assert refused.exit_code == 1
    assert "erasure_list_altered" in refused.output
    assert not file.exists()


def test_a_running_stack_is_left_alone(made: Made) -> None:
    directory = made.stack.directory
    with lock(directory):
        for words in (["postgres", made.backup], ["temporal", made.backup], ["keys", made.keys]):
            result = hetao("restore", *words, "--data-dir", directory, "--set-aside")
            assert result.exit_code == 1
            assert "Another `hetao up`" in result.output


def test_a_copy_without_a_role_that_may_replicate_says_which_setting() -> None:
    from cli.backup import replication_url
    from settings import Settings

    with pytest.raises(SystemExit, match="HETAO_BACKUP_DATABASE_URL"):
        replication_url(Settings.model_construct(), None)


def test_the_tools_that_are_named_are_there_and_those_of_the_newest_version_are_found(tmp_path: Path) -> None:
    from cli.backup import wheel
    from store.base_backup import BackupError, find_tools

    with pytest.raises(BackupError, match="has no pg_basebackup"):
        find_tools(tmp_path)
    for name in ("pg_basebackup", "pg_verifybackup", "pg_receivewal", "pg_waldump"):
        tool = tmp_path / name
        tool.write_text(f"#!{sys.executable}\nprint('{name} (PostgreSQL) 9.6')\n")
        tool.chmod(0o755)
    os.environ["PATH"], before = f"{tmp_path}:{os.environ['PATH']}", os.environ["PATH"]
    try:
        assert find_tools(further=wheel()) != tmp_path
    finally:
        os.environ["PATH"] = before
