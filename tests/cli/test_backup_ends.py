"""`hetao backup take` that fails, is killed, or keeps a number; and going back by an archive that PostgreSQL made."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from bench.embedded import COMMAND
from cli import backup
from sandbox.stack.directory import Stack, lock, open_stack
from sandbox.stack.postgres import OWNER, PostgresServer
from store.base_backup import find_tools
from store.erasure_list import ErasureList
from store.key_file import generate
from store.keyring import Keyring
from store.migrate import upgrade
from tests.cli.test_backup import an_erasure, hetao, mark, marks
from tests.sandbox.waiting import until
from tests.services import POSTGRES_SETTINGS

pytestmark = pytest.mark.slow
_SEGMENT_NAME = 24  # characters
_SEGMENT_BYTES = 16 * 1024 * 1024


@dataclass
class Site:
    """A stack whose PostgreSQL archives its log by a command of its own, and places for backups."""

    stack: Stack
    archive: Path

    @property
    def directory(self) -> Path:
        return self.stack.directory

    def server(self) -> PostgresServer:
        return PostgresServer(self.directory / "postgres", self.stack.ports["postgres"], POSTGRES_SETTINGS)

    def take(self, place: Path, *further: object) -> Result:
        return hetao("backup", "take", *self.places(place), *further)

    def places(self, place: Path) -> list[object]:
        apart = ["--keys-to", place / "keys", "--erasures-to", place / "erasures"]
        return [place / "base", *apart, "--data-dir", self.directory]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("ends") / "stack"
    # PostgreSQL runs as another user where we are root, and the folders of pytest are closed to others.
    archive = Path(tempfile.mkdtemp(prefix="hetao-archive-"))
    archive.chmod(0o777)
    with lock(directory):
        stack = open_stack(directory, port=None, make_keys=generate, say=print)
    made = Site(stack, archive)
    (directory / "temporal" / "temporal.db").touch()
    ErasureList(directory / "erasures.jsonl", Keyring.load(directory / "keys.json"))._append(an_erasure())
    server = made.server()
    server.start()
    try:
        upgrade(server.url(role=OWNER))
        server.run_sql("CREATE TABLE marks (name text)", database="hetao")
        # In the cluster's own file, as an operator's: what recovers has to archive the history of its new timeline.
        server.run_sql("ALTER SYSTEM SET archive_mode = 'on'")
        server.run_sql(f'ALTER SYSTEM SET archive_command = \'test ! -f "{archive}/%f" && cp "%p" "{archive}/%f"\'')
    finally:
        server.stop()
    yield made
    shutil.rmtree(archive)


@pytest.fixture
def server(site: Site) -> Iterator[PostgresServer]:
    started = site.server()
    started.start()
    yield started
    started.stop()


def tools_that(place: Path, basebackup: str) -> Path:
    """PostgreSQL's tools, of which the one that copies does something else."""
    place.mkdir()
    real = find_tools(further=backup.wheel())
    for name in ("pg_verifybackup", "pg_receivewal", "pg_waldump"):
        (place / name).symlink_to(real / name)
    tool = place / "pg_basebackup"
    tool.write_text(f"#!/bin/sh\n{basebackup}\n", encoding="utf-8")
    tool.chmod(0o755)
    return place


def archive(site: Site, server: PostgresServer, name: str) -> None:
    """Write something, and wait until the segment that has it is in the archive."""
    mark(server, name)
    segment = server.run_sql("SELECT pg_walfile_name(pg_switch_wal())")
    until(lambda: (site.archive / segment).exists())


def what_lies_in(place: Path) -> set[str]:
    return {str(path.relative_to(place)) for path in place.rglob("*") if path.name != ".lock"}


NOTHING = {"base", "keys", "erasures"}


@pytest.mark.usefixtures("server")
def test_what_failed_is_gone_with_its_keys_and_can_be_tried_again_at_once(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "_now", lambda: datetime(2026, 11, 30, 7, tzinfo=UTC))
    place = tmp_path / "backups"
    full = 'mkdir -p "${1#--pgdata=}/base"; echo "No space left on device" >&2; exit 1'
    tools = tools_that(tmp_path / "tools", full)
    for _ in range(2):
        failed = site.take(place, "--tools", tools)
        assert failed.exit_code == 1
        assert "No space left on device" in failed.output
        assert what_lies_in(place) == NOTHING
    # Nothing that breaks at the end leaves more: the copy is whole by then.
    monkeypatch.setattr(backup, "_write", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left", "x")))
    assert isinstance(site.take(place).exception, OSError)
    assert what_lies_in(place) == NOTHING


@pytest.mark.usefixtures("server")
def test_two_backups_of_one_second_have_names_of_their_own(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "_now", lambda: datetime(2026, 11, 30, 7, tzinfo=UTC))
    said = [json.loads(site.take(tmp_path).stdout) for _ in range(2)]
    assert [each["name"] for each in said] == ["20261130T070000Z", "20261130T070000Z-2"]
    for each in said:
        assert all(Path(each[part]).name == each["name"] for part in ("backup", "keys", "erasure_list"))
        told = ["--keys", tmp_path / "keys", "--erasures", tmp_path / "erasures"]
        assert hetao("backup", "check", each["backup"], *told).exit_code == 0


def killed(site: Site, place: Path, tools: Path, number: signal.Signals) -> int:
    """Start a backup, wait until its tool writes, and end it; return what it ended with."""
    process = subprocess.Popen([*COMMAND, "backup", "take", *map(str, site.places(place)), "--tools", tools])
    until(lambda: list(place.glob("base/*.unfinished/postgres")))
    os.kill(process.pid, number)
    return process.wait(20)


@pytest.mark.usefixtures("server")
def test_what_a_killed_run_left_is_told_and_removed_by_the_next(site: Site, tmp_path: Path) -> None:
    place, waiting = tmp_path / "backups", tmp_path / "waiting"
    os.mkfifo(waiting)
    tools = tools_that(tmp_path / "tools", f'mkdir "${{1#--pgdata=}}"; read -r _ < "{waiting}"')
    assert killed(site, place, tools, signal.SIGTERM) == 128 + signal.SIGTERM
    assert what_lies_in(place) == NOTHING
    assert killed(site, place, tools, signal.SIGKILL) == -signal.SIGKILL
    [left] = (place / "keys").glob("*.unfinished/keys.json")
    # The tool outlived us, and holds the directories: nobody removes what it still writes.
    busy = site.take(place)
    assert busy.exit_code == 1
    assert "Another backup is being taken" in busy.output
    assert left.exists()
    waiting.write_text("\n", encoding="utf-8")
    until(lambda: site.take(place, "--tools", tools_that(tmp_path / f"t{os.urandom(4).hex()}", "exit 3")).exit_code)
    # A run of before the names were given last had left keys under a name of their own.
    older = "20261129T070000Z"
    (place / "base" / f"{older}.unfinished").mkdir()
    (place / "keys" / older).mkdir()
    shutil.copyfile(site.directory / "keys.json", place / "keys" / older / "keys.json")
    (place / "base" / "of-somebody.unfinished").mkdir()
    done = site.take(place)
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert f"an earlier run did not end: {place / 'keys' / older} is removed" in done.stderr
    assert [path.parent.name for path in place.rglob("keys.json")] == [said["name"]]
    assert {path.name for path in (place / "base").iterdir()} == {".lock", "of-somebody.unfinished", said["name"]}


def _wait_until_whole(path: Path) -> None:
    """Wait while PostgreSQL still archives a segment: its command copies straight to the segment's own name."""
    while len(path.name) == _SEGMENT_NAME and path.stat().st_size < _SEGMENT_BYTES:
        time.sleep(0.02)


def test_as_many_as_are_kept_stay_with_the_log_that_they_need(
    site: Site, server: PostgresServer, tmp_path: Path
) -> None:
    kept: list[dict[str, Any]] = []
    foreign = tmp_path / "base" / "20200101T000000Z"
    foreign.mkdir(parents=True)
    (foreign / "backup.json").write_text('{"format": 1, "log_origin": "of.others", "ended_at": "2020"}', "utf-8")
    log = tmp_path / "log"
    log.mkdir()
    for number in range(3):
        archive(site, server, f"kept{number}")
        newest = max((path.name for path in log.iterdir()), default="")
        for path in site.archive.iterdir():
            if path.name > newest:
                _wait_until_whole(path)
                shutil.copy(path, log)
        kept.append(json.loads(site.take(tmp_path, "--keep", 2, "--log", log).stdout))
    assert kept[2]["old_removed"] == [kept[0]["name"]]
    for folder in ("base", "keys", "erasures"):
        names = {path.name for path in (tmp_path / folder).iterdir()} - {".lock", foreign.name}
        assert names == {kept[1]["name"], kept[2]["name"]}
    assert foreign.exists()
    assert kept[2]["segments_removed"] > 0
    # What is left is what the older of the two needs, and the newest has nothing yet that follows it.
    assert hetao("backup", "check", kept[1]["backup"], "--wal", log).exit_code == 0
    assert "from the end of this backup on" in hetao("backup", "check", kept[2]["backup"], "--wal", log).output
    assert "give both" in site.take(tmp_path, "--log", log).output


def test_the_database_goes_back_by_an_archive_that_postgresql_made(site: Site, tmp_path: Path) -> None:
    server = site.server()
    server.start()
    try:
        server.run_sql("TRUNCATE marks", database="hetao")
        mark(server, "before")
        said = json.loads(site.take(tmp_path).stdout)
        mark(server, "between")
        between = datetime.fromisoformat(server.run_sql("SELECT to_json(clock_timestamp()) #>> '{}'"))
        archive(site, server, "after")
    finally:
        server.stop()
    told = ["restore", "postgres", said["backup"], "--data-dir", site.directory, "--set-aside"]
    for command, reason in ((f"cp {site.archive} %p", "needs %f"), ("cp a/%f\n%p", "one line")):
        assert reason in hetao(*told, "--restore-command", command).output
    # Backslashes, quotes and a file that is not there: all as the shell is to read them.
    fetch = f"""test "\\\\" = '\\' -a -f '{site.archive}/%f' && cp "{site.archive}/%f" "%p\""""
    done = hetao(*told, "--restore-command", fetch, "--until", between.isoformat())
    assert done.exit_code == 0, done.output
    server.start()
    try:
        assert marks(server) == ["before", "between"]
        # It archives on, under a timeline of its own.
        archive(site, server, "anew")
        assert [path for path in site.archive.iterdir() if path.name.startswith("00000002")]
    finally:
        server.stop()
    # Where the moment was chosen badly: the archive has two timelines now, and the first of them is asked for.
    for timeline, expected in (("latest", ["anew", "before", "between"]), ("current", ["after", "before", "between"])):
        again = hetao(*told, "--restore-command", fetch, "--timeline", timeline)
        assert again.exit_code == 0, again.output
        server.start()
        try:
            assert marks(server) == expected
        finally:
            server.stop()
    # The same archive, as a directory.
    by_wal = hetao(*told, "--wal", site.archive, "--timeline", "current", "--until", between.isoformat())
    assert by_wal.exit_code == 0, by_wal.output
    assert "cannot stat" not in (site.stack.logs / "postgres.log").read_text(encoding="utf-8")
