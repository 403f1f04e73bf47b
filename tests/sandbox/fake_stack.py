"""A supervisor over children that do nothing, run as a program: `fake_stack.py DIR CHILD...`.

A child is named after what it does: `steady…` sleeps, `stubborn` ignores SIGTERM, `crasher` ends at once; `task-ok` and
`task-bad` are tasks.
"""

import asyncio
import os
import sys
from pathlib import Path

from sandbox.stack.supervisor import Child, Step, Supervisor, Task

PROGRAMS = {
    "steady": "import time; time.sleep(600)",
    "stubborn": "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)",
    "crasher": "print('the reason', flush=True); raise SystemExit(3)",
    "task-ok": "pass",
    "task-bad": "print('task reason', flush=True); raise SystemExit(1)",
}


def _step(name: str) -> Step:
    command = [sys.executable, "-c", PROGRAMS[name.rstrip("0123456789")]]
    if name.startswith("task"):
        return Task(name, command, os.environ)
    return Child(name, command, stop_seconds=0.5)


def main() -> int:
    directory, *names = sys.argv[1:]
    logs = Path(directory) / "logs"
    logs.mkdir(exist_ok=True)

    def say(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    def record(name: str, pid: int) -> None:
        written = Path(directory) / f"{name}.pid.new"
        written.write_text(str(pid))
        written.replace(Path(directory) / f"{name}.pid")  # at once, since a test reads it meanwhile

    supervisor = Supervisor([[_step(name)] for name in names], logs, say, record)
    return asyncio.run(supervisor.run(lambda: say("ready")))


if __name__ == "__main__":
    sys.exit(main())
