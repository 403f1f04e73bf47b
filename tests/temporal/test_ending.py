"""The end of a process: bounded wherever it stands, and with a code."""

import subprocess
import sys

import pytest

# A thread that nobody ends is what the interpreter waits for.
_STAYS = "import threading; threading.Thread(target=threading.Event().wait).start()\n"


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("from datetime import timedelta; from temporal.ending import bound_end; bound_end(timedelta(seconds=0.1))", 1),
        ("from temporal.ending import FAILED, end_now; end_now(FAILED)", 70),
        ("from temporal.ending import end_now; end_now(0)", 0),
    ],
)
def test_a_process_with_a_thread_that_stays_ends_with_a_code(end: str, code: int) -> None:
    done = subprocess.run([sys.executable, "-c", _STAYS + end], capture_output=True, check=False, timeout=20)
    assert done.returncode == code, done.stderr
