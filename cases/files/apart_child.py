"""The process in which one file is read or made: it bounds itself, does the work, answers, and ends.

It starts for every file, so it imports no more than the work needs.
"""

import json
import os
import resource
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final, cast

from domain.errors import Refused

# The kinds of work, by name; each takes the file and what is asked of it, and returns what it makes.
WORKS: Final = {
    "read_sheet": ("cases.files.sheet", "read_sheet"),
    "write_workbook": ("cases.files.written", "write_workbook"),
}
_NICENESS: Final = 5  # the server answers first
_FILES: Final = 32

Work = Callable[[bytes, Mapping[str, Any]], bytes]


def main() -> None:
    """Do the work that the first line of the input names on the rest of it."""
    asked = json.loads(sys.stdin.buffer.readline())
    work = work_named(asked["work"])
    _bound(asked["memory"], asked["cpu"])
    made = b""
    try:
        made = work(sys.stdin.buffer.read(), asked["options"])
        said: dict[str, Any] = {"made": len(made)}
    except Refused as refused:
        errors = [error.as_kept() for error in refused.errors]
        said = {"refused": refused.code, "detail": refused.detail, "errors": errors}
    except MemoryError:
        os._exit(1)  # at once: there may be no memory to end in good order
    except Exception as error:  # noqa: BLE001 - the last resort, told without what the file holds
        said = {"defect": type(error).__name__}
    sys.stdout.buffer.write(json.dumps(said).encode() + b"\n")
    sys.stdout.buffer.write(made)
    sys.stdout.buffer.flush()


def work_named(name: str) -> Work:
    """Return a kind of work by its name; only what it needs is imported."""
    module, function = WORKS[name]
    return cast(Work, getattr(import_module(module), function))


def _bound(memory: int, cpu: int) -> None:
    """Let this process have so much memory and time, write no file, and leave no picture of its memory."""
    os.nice(_NICENESS)
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_NOFILE, _FILES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    main()
