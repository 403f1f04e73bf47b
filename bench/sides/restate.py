"""Restate, its server from the npm package."""

import dataclasses
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, ClassVar, Final

import httpx

from bench.peers.common import Setup
from bench.servers import ROOT, Servers, durability
from bench.sides.base import PeerSide, Running, module
from sandbox.ports import free_port

_PACKAGE: Final = ROOT / "bench" / "peers" / "restate_side"
_CACHE: Final = ROOT / "bench" / ".cache" / "restate"
_MAIN: Final = "bench.peers.restate_side.main"
_READ: Final = ("rocksdb-disable-wal", "rocksdb-disable-wal-fsync", "default-replication", "default-num-partitions")


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
        """Return what PostgreSQL says, and the configuration that Restate's server says it runs with."""
        assert running.servers is not None
        environment = _environment(running.servers, {"ingress": 1, "admin": 2, "node": 3})
        said = subprocess.run([str(server()), "--dump-config"], env=environment, capture_output=True, text=True)
        lines = [line.strip() for line in said.stdout.splitlines()]
        return durability(running.servers) | {"restate": [line for line in lines if line.split(" = ")[0] in _READ]}


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
    }
