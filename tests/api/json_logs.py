"""The log lines of the API as JSON, as its process writes them."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from temporal.telemetry import configure_logging


@contextmanager
def logging_as_json() -> Iterator[None]:
    """Configure logging as the API's process does, and undo it."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        configure_logging("api")
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
