import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from sandbox.stack.ports import free_port
from sandbox.stack.postgres import APPLICATION, OWNER, PID_FILE, SUPERUSER, PostgresError, PostgresServer
from sandbox.stack.processes import is_alive
from tests.sandbox.waiting import until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    server = PostgresServer(tmp_path_factory.mktemp("cluster"), free_port())
    server.start()
    yield server
    server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes accounts")
def test_the_server_does_not_run_as_root(server: PostgresServer) -> None:
    assert os.stat(f"/proc/{server.pid}").st_uid != 0


def test_the_server_listens_on_the_loopback_address_only(server: PostgresServer) -> None:
    assert server.run_sql("SHOW listen_addresses; SHOW unix_socket_directories;") == "127.0.0.1"


def test_passwords_are_private_and_asked_for(server: PostgresServer) -> None:
    assert stat.S_IMODE((server.directory / "passwords.json").stat().st_mode) == 0o600
    wrong = PostgresServer(server.directory, server.port)
    wrong.passwords = lambda: {SUPERUSER: "guessed"}  # type: ignore[method-assign]
    with pytest.raises(PostgresError, match="password authentication failed"):
        wrong.run_sql("SELECT 1")


async def test_roles_are_as_small_as_they_should_be(server: PostgresServer) -> None:
    owner = await asyncpg.connect(server.url(role=OWNER))
    await owner.execute("CREATE TABLE IF NOT EXISTS own (id int)")
    await owner.close()
    application = await asyncpg.connect(server.url(role=APPLICATION))
    for statement in ("CREATE TABLE stray (id int)", "CREATE SCHEMA stray", "CREATE TEMP TABLE stray (id int)"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await application.execute(statement)
    assert not await application.fetchval(
        "SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
    )
    await application.close()


async def test_further_databases_come_and_go(server: PostgresServer) -> None:
    for _ in range(2):
        server.create_database("further")
    connection = await asyncpg.connect(server.url(database="further"))
    await connection.close()
    server.drop_database("further")
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(server.url(database="further"))


def test_what_was_committed_is_there_after_a_kill(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path / "cluster", free_port())
    server.start()
    server.run_sql("CREATE TABLE kept AS SELECT 7 AS id")
    assert server.pid
    os.kill(server.pid, signal.SIGKILL)
    until(lambda: server.pid is None)
    assert (server.data / PID_FILE).exists()
    server.start()
    assert server.run_sql("SELECT id FROM kept") == "7"
    server.stop()


def test_a_pid_file_that_names_another_program_is_passed_over(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path / "cluster", free_port())
    server.start()
    server.stop()
    (server.data / PID_FILE).write_text(f"{os.getpid()}\n{server.data}\n1\n{server.port}\n\n127.0.0.1\n\nready\n")
    server.start()
    assert server.run_sql("SELECT 1") == "1"
    server.stop()


def test_the_server_ends_with_its_parent_and_a_later_one_goes_on(tmp_path: Path) -> None:
    script = (
        "import os, pathlib; from sandbox.stack.postgres import PostgresServer\n"
        f"server = PostgresServer(pathlib.Path({str(tmp_path / 'cluster')!r}), {free_port()}); server.start()\n"
        "print(server.pid, server.port, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=False)
    pid, port = map(int, done.stdout.split())
    server = PostgresServer(tmp_path / "cluster", port)
    server.start()
    assert not is_alive(pid)
    server.stop()


def test_a_cluster_cut_short_is_built_again(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path / "cluster", free_port())
    (server.directory / "data.unfinished" / "base").mkdir(parents=True)
    server.prepare()
    assert (server.data / "PG_VERSION").read_text().strip() == "18"


def test_a_server_that_cannot_listen_says_so(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = PostgresServer(tmp_path / "cluster", taken.getsockname()[1])
        with pytest.raises(PostgresError, match="ended before it was ready"):
            server.start()
