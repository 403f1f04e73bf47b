"""Restate, its server from the npm package."""

import dataclasses
import os
import shutil
import signal
import subprocess
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Final

import httpx

from bench.compare.sides.base import PeerSide, Running, module
from bench.peers.common import Setup
from bench.servers import ROOT, Servers, durability
from sandbox.stack.ports import free_port

_PACKAGE: Final = ROOT / "bench" / "peers" / "restate_side"
_CACHE: Final = ROOT / "bench" / ".cache" / "restate"
_MAIN: Final = "bench.peers.restate_side.main"
# Every journal lies with the log server, where the provider is the replicated one.
_READ: Final = (
    "bifrost.default-provider",
    "default-replication",
    "default-num-partitions",
    "log-server.rocksdb-disable-wal-fsync",
)
_SAID_SECONDS: Final = 10


class MissingError(RuntimeError):
    """The server of a side cannot be had here."""


def server() -> Path:
    """Return the server's program, fetched by npm with the pinned lock where it is not there yet."""
    found = _find()
    if found is None:
        npm = shutil.which("npm")
        if npm is None:
            raise MissingError("npm is not installed, so Restate's server cannot be fetched.")
        _CACHE.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(_PACKAGE / name, _CACHE / name)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        fetched = subprocess.run(command, cwd=_CACHE, capture_output=True, text=True)
        found = _find()
        if fetched.returncode or found is None:
            raise MissingError(f"npm could not fetch Restate's server: {fetched.stderr[-300:]}")
    return found


def _find() -> Path | None:
    return next(_CACHE.glob("node_modules/@restatedev/restate-server-*/bin/restate-server"), None)


class RestateSide(PeerSide):
    """Durable handlers beside a server of their own."""

    name: ClassVar[str] = "restate"

    async def start(self, servers: Servers, setup: Setup) -> None:
        """Start the server, the services and the routes, and tell the server of the services."""
        program = server()
        taken = set(servers.stack.ports.values())
        ports: dict[str, int] = {}
        for name in ("ingress", "admin", "node", "services"):
            ports[name] = free_port(frozenset(taken | set(ports.values())))
        servers.start("restate", [str(program), "--no-logo"], _environment(servers, ports))
        told = dataclasses.replace(setup, restate_ingress=f"http://127.0.0.1:{ports['ingress']}")
        servers.start("worker", module(_MAIN, "worker", str(ports["services"])), told.environment())
        servers.start("api", module(_MAIN, "api"), told.environment())
        admin = f"http://127.0.0.1:{ports['admin']}"
        await servers.wait_for("restate", f"{admin}/health")
        await servers.wait_for("worker", f"http://127.0.0.1:{ports['services']}/health")
        async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
            uri = f"http://127.0.0.1:{ports['services']}"
            (await http.post(f"{admin}/deployments", json={"uri": uri, "force": True})).raise_for_status()
        await servers.wait_for("restate", f"http://127.0.0.1:{ports['ingress']}/restate/health")

    def settings(self, running: Running) -> dict[str, Any]:
        """Return what PostgreSQL says, and of what Restate's server says it runs with that which bears on durability.

        Raises:
            TimeoutError: when the running server does not say it; at SIGUSR1 it writes its configuration to its log.
        """
        log = running.servers.stack.logs / "restate.log"
        before = log.stat().st_size
        os.kill(running.pids["restate"], signal.SIGUSR1)
        until = time.monotonic() + _SAID_SECONDS
        while time.monotonic() < until:
            time.sleep(0.1)
            said = _configuration(log.read_bytes()[before:].decode())
            if all(name in said for name in _READ):
                return durability(running.servers, running.pids) | {"restate": {name: said[name] for name in _READ}}
        raise TimeoutError("Restate's server did not write its configuration to its log.")


def _configuration(log: str) -> dict[str, Any]:
    """Return a written configuration by dotted names; none while it is not written to its end."""
    lines = [line for line in log.splitlines() if not line.startswith("{")]
    try:
        return dict(_dotted(tomllib.loads("\n".join(lines))))
    except tomllib.TOMLDecodeError:
        return {}


def _dotted(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _dotted(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _environment(servers: Servers, ports: dict[str, int]) -> dict[str, str]:
    """Return the configuration that differs from the defaults: where things lie and listen, and nothing sent home."""
    return {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | {
        "RESTATE_BASE_DIR": str(servers.stack.directory / "restate"),
        "RESTATE_NODE_NAME": "bench",
        "RESTATE_LISTEN_MODE": "tcp",
        "RESTATE_BIND_IP": "127.0.0.1",
        "RESTATE_BIND_PORT": str(ports["node"]),
        "RESTATE_INGRESS__BIND_PORT": str(ports["ingress"]),
        "RESTATE_ADMIN__BIND_PORT": str(ports["admin"]),
        "RESTATE_DISABLE_TELEMETRY": "true",
        "RESTATE_LOG_FILTER": "warn",
        "RESTATE_LOG_FORMAT": "json",  # a line each, and what is no event stands between them as it is
    }
