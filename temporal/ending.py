"""The end of a process that has threads of Temporal's core: bounded, and without the interpreter's own way out.

The core's threads may hold what the interpreter waits for while it takes itself apart: a process was seen to stay after
its last line, its ports open and nobody behind them.
"""

import faulthandler
import os
import sys
from datetime import timedelta
from typing import Final, NoReturn

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

# EX_SOFTWARE: nothing that a setting mends.
FAILED: Final = 70


def bound_end(within: timedelta) -> None:
    """End the process with 1 after so long, wherever it stands then; where that is, goes to stderr.

    It needs no lock of the interpreter's, so that it comes also where that is what is waited for.
    """
    faulthandler.dump_traceback_later(within.total_seconds(), exit=True)


def end_now(code: int) -> NoReturn:
    """Send what traces are left and end the process."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
