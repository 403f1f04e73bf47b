"""The backups of the compose file as processes: its scripts, its role and its command lines, on servers of our own."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.embedded import COMMAND
from sandbox.stack.ports import free_port
from sandbox.stack.postgres import SUPERUSER, PostgresServer, binaries
from store.key_file import generate
from store.migrate import upgrade
from tests.sandbox.waiting import until
from tests.services import POSTGRES_SETTINGS
from tests.test_compose import ROOT, SERVICES, _environment, _filled

pytestmark = pytest.mark.slow

PASSWORDS = dict.fromkeys(
    ("HETAO_OWNER_PASSWORD", "HETAO_APP_PASSWORD", "HETAO_SEALER_PASSWORD", "TEMPORAL_DB_PASSWORD"), "filled-in"
) | {"HETAO_BACKUP_PASSWORD": "of-the-backup"}


class Server(PostgresServer):
    """A server on which nobody made roles, as the image of PostgreSQL starts it for its scripts."""

    def create_roles(self) -> None:
        pass

    def script(self, name: str) -> None:
        told = {
            "PATH": f"{binaries()}:{os.environ['PATH']}",
            "POSTGRES_USER": SUPERUSER,
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGPASSWORD": self.passwords()[SUPERUSER],
            "PGDATA": str(self.data),
        }
        script = ROOT / "deploy" / "postgres" / name
        done = subprocess.run(["sh", script], env=told | PASSWORDS, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "first" / "18", free_port(), POSTGRES_SETTINGS)
    made.prepare()
    # As the image has it: nobody replicates from elsewhere.
    rules = made.data / "pg_hba.conf"
    kept = [line for line in rules.read_text("utf-8").splitlines() if not re.match(r"host\s+replication", line)]
    rules.write_text("\n".join([*kept, ""]), "utf-8")
    made.start()
    try:
        for name in ("backup.sh", "roles.sh", "backup.sh"):
            made.script(name)
        yield made
    finally:
        made.stop()


def command_of(service: str, places: dict[str, str]) -> list[str]:
    """The command line of a service with directories of this machine."""
    words = [_filled(word) for word in SERVICES[service]["command"]]
    for inside, here in places.items():
        words = [re.sub(rf"(^|=){inside}(?=/|$)", rf"\g<1>{here}", word) for word in words]
    return [*COMMAND, *words]


def test_the_services_of_backups_do_what_their_command_lines_say(server: Server, tmp_path: Path) -> None:
    role = "SELECT rolsuper, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = 'hetao_backup'"
    assert server.run_sql(role) == "f|t|f"
    assert (server.data / "pg_hba.conf").read_text("utf-8").count("hetao_backup") == 1
    address = server.url(role=SUPERUSER).rpartition("@")[2].partition("/")[0]
    upgrade(f"postgresql://hetao_owner:filled-in@{address}/hetao")
    server.run_sql("CREATE TABLE runs (id int); INSERT INTO runs VALUES (7)", database="temporal")
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(generate()), "utf-8")
    keys.chmod(0o600)
    environment = {name: _filled(value) for name, value in _environment("backup").items()} | {
        name: value.replace("postgres:5432", address).replace("${HETAO_BACKUP_PASSWORD:-}", "of-the-backup")
        for name, value in _environment("backup").items()
        if name == "HETAO_BACKUP_DATABASE_URL"
    }
    environment["HETAO_DATABASE_URL"] = environment["HETAO_DATABASE_URL"].replace("postgres:5432", address)
    environment |= {"HETAO_KEYS_FILE": str(keys), "HETAO_ERASURE_LIST": str(tmp_path / "erasures.jsonl")}
    environment |= {"PATH": os.environ["PATH"]}
    places = {"/backup": str(tmp_path / "backup"), "/vault": str(tmp_path / "vault")}

    following = subprocess.Popen(command_of("backup-log", places), env=environment)
    try:
        healthy = SERVICES["backup-log"]["healthcheck"]["test"][1].replace("$$", "$")
        asked = {**environment, "PATH": f"{binaries()}:{os.environ['PATH']}"}
        until(lambda: subprocess.run(["sh", "-c", healthy], env=asked, check=False).returncode == 0)
        taken = subprocess.run(command_of("backup", places), env=environment, capture_output=True, check=False)
        assert taken.returncode == 0, taken.stderr.decode()
        said: dict[str, Any] = json.loads(taken.stdout)
        server.run_sql("INSERT INTO runs VALUES (8)", database="temporal")
        position = server.run_sql("SELECT pg_current_wal_insert_lsn()")
        until(lambda: server.run_sql(f"SELECT flush_lsn >= '{position}' FROM pg_stat_replication") == "t")
    finally:
        following.terminate()
        following.wait(20)
    assert said["at_least"]["databases"] == ["hetao", "postgres", "temporal", "temporal_visibility"]
    server.stop()

    # On another machine, as the service `restore` does with the image's directory of data.
    second = Server(tmp_path / "second" / "18", free_port(), POSTGRES_SETTINGS)
    second.directory.mkdir(parents=True)
    (server.directory / "passwords.json").rename(second.directory / "passwords.json")
    told = [said["backup"], "--into", str(second.data), "--wal", f"{places['/backup']}/log", "--set-aside"]
    entry = [*COMMAND, *SERVICES["restore"]["entrypoint"][1:]]
    done = subprocess.run([*entry, "postgres", *told], env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    second.start()
    try:
        assert second.run_sql("SELECT id FROM runs ORDER BY 1", database="temporal").split() == ["7", "8"]
        assert second.run_sql("SELECT count(*) FROM alembic_version", database="hetao") == "1"
    finally:
        second.stop()
