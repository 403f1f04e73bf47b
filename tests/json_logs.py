"""The log lines of a process as JSON, as its own configuration writes them."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from temporal.telemetry import configure_logging


@contextmanager
def logging_as_json(process: str = "api", level: str = "INFO") -> Iterator[list[logging.StreamHandler]]:
    """Configure logging as a process does, and undo it; yields the handlers that write the lines."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level_before = list(root.handlers), root.level
    try:
        configure_logging(process, level)
        yield [each for each in root.handlers if isinstance(each, logging.StreamHandler)]
    finally:
        root.handlers[:] = handlers
        root.setLevel(level_before)
        logging.captureWarnings(capture=False)
        structlog.configure(**before)
