"""This engine: the embedded stack as `hetao up` runs it, Temporal on disk."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

import httpx

from bench.compare.sides.base import Running, Side
from bench.servers import ROOT, Servers
from sandbox.stack.directory import running_stack
from sandbox.stack.postgres import DATABASE, SUPERUSER, PostgresServer
from sandbox.stack.temporal_server import TemporalServer

_PERSONAS = ("employer-a", "employer-b", "officer-1", "officer-2", "supervisor")
_TASKS = ("migrate", "register")
_READY_SECONDS = 180
_STOP_SECONDS = 60
# What one step tells one reader of both destinations goes out as one mail.
MAILS = (
    "SELECT count(DISTINCT coalesce(d.carried_by, d.delivery_id)) FROM deliveries d JOIN notices n USING (notice_id)"
    " WHERE n.reference = ANY($1) AND d.channel = 'mail'"
)


class HetaoSide(Side):
    """The whole product: sign-in, rules, encryption, ledger, leases, sweeper, metrics."""

    name: ClassVar[str] = "hetao"
    uses_temporal: ClassVar[bool] = True

    @asynccontextmanager
    async def open(self, directory: Path) -> AsyncIterator[Running]:
        """Start the embedded stack and sign the personas in."""
        process = _start(directory)
        try:
            addresses = await asyncio.wait_for(asyncio.to_thread(_ready_line, process), _READY_SECONDS)
            stack = running_stack(directory)
            postgres = PostgresServer(directory / "postgres", stack.ports["postgres"])
            temporal = TemporalServer(directory / "temporal", stack.ports["temporal"], stack.ports["temporal_ui"])
            pids = {name: pid for name, (pid, _started) in stack.processes.items() if name not in _TASKS}
            async with httpx.AsyncClient(trust_env=False) as http:
                answers = {p: await http.post(stack.url("issuer") + "/token", json={"persona": p}) for p in _PERSONAS}
            yield Running(
                api=addresses["api"],
                watch_url=postgres.url(role=SUPERUSER, database=DATABASE),
                servers=Servers(stack, postgres, temporal),
                pids=pids,
                tokens={persona: answer.json()["access_token"] for persona, answer in answers.items()},
                mails_query=MAILS,
            )
        finally:
            process.send_signal(signal.SIGINT)
            await asyncio.to_thread(process.wait, _STOP_SECONDS)


def _start(directory: Path) -> subprocess.Popen[bytes]:
    directory.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "cli", "up", "--json", "--data-dir", str(directory)]
    with (directory / "up.log").open("wb") as log:
        return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)


def _ready_line(process: subprocess.Popen[bytes]) -> dict[str, str]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("hetao up ended before it was ready; up.log says why.")
    found: dict[str, str] = json.loads(line)
    return found
