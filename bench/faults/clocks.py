"""Runs API or worker, on a clock that is off by what a file says; without the file, on the host's own clock."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine

import cli


def set_clock(file: Path, seconds: float) -> None:
    """Have the next process that starts with this file live so many seconds off; 0 for the right time."""
    if seconds:
        file.write_text(str(seconds))
    else:
        file.unlink(missing_ok=True)


def main() -> None:
    """Start the command named, its whole process on the clock of the file."""
    file, command = Path(sys.argv[1]), sys.argv[2]
    sys.argv = ["hetao", command]
    if not file.exists():
        cli.main()
        return
    # Wall-clock time alone is off, as on a host whose time service has failed; what measures spans is not.
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=float(file.read_text())), tick=True):
        cli.main()


if __name__ == "__main__":
    main()
