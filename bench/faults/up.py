"""Runs the embedded stack with doors before its servers, and with API and worker on clocks that can be off."""

import argparse
import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from cli import ours
from sandbox.stack.directory import lock, open_stack
from sandbox.stack.embedded import addresses, plan
from sandbox.stack.supervisor import Child, Step, Supervisor
from sandbox.standins.serving import refuse_production

OURS: Final = ("api", "worker")
# The machine may be busy with more than this, and a start is not what is measured here.
READY_SECONDS: Final = 300.0


def behind_doors(step: Step, *, database_port: int, temporal_port: int, clocks: Path) -> Step:
    """Return a step of the stack's plan as it is, but for API and worker: these go through the doors."""
    if not isinstance(step, Child) or step.name not in OURS:
        return step
    parts = urlsplit(step.environment["HETAO_DATABASE_URL"])
    credentials = parts.netloc.rsplit("@", 1)[0]
    environment = {
        **step.environment,
        "HETAO_DATABASE_URL": urlunsplit(parts._replace(netloc=f"{credentials}@127.0.0.1:{database_port}")),
        "TEMPORAL_ADDRESS": f"127.0.0.1:{temporal_port}",
    }
    command = [sys.executable, "-P", "-m", "bench.faults.clocks", str(clocks / f"{step.name}.clock"), step.name]
    return replace(step, command=command, environment=environment)


def main() -> None:
    """Run until a signal comes; what it prints is the ready line alone."""
    refuse_production()
    parser = argparse.ArgumentParser(description="The embedded stack, with doors before its servers.")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--database-port", type=int, required=True)
    parser.add_argument("--temporal-port", type=int, required=True)
    given = parser.parse_args()
    parts = ours()
    with lock(given.data_dir):
        stack = open_stack(given.data_dir, port=None, make_keys=parts.make_keys, say=_say)
        doors = {"database_port": given.database_port, "temporal_port": given.temporal_port, "clocks": stack.directory}
        phases = [[behind_doors(step, **doors) for step in phase] for phase in plan(stack, parts)]
        supervisor = Supervisor(phases, stack.logs, _say, stack.record_process, ready_seconds=READY_SECONDS)
        sys.exit(asyncio.run(supervisor.run(lambda: print(json.dumps(addresses(stack, parts)), flush=True))))


def _say(line: str) -> None:
    print(f"hetao: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
