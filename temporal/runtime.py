"""The one Runtime of a process: what the SDK's core counts, on a port of the loopback, and its lines, in our log.

The core can serve its figures itself or hand each change of one to Python. It serves them: a busy worker changes some
thousands a second. `temporal.exposition` joins them with ours, so that a process is one target to whoever asks.
"""

import logging
import socket
from dataclasses import dataclass
from typing import Final

from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)

_TRIES: Final = 5
_LOOPBACK: Final = "127.0.0.1"
# The core's warnings come as lines of the SDK's; their fields go into those of our line (`temporal.telemetry`), and not
# into its text.
FORWARDED: Final = LoggingConfig(
    filter=TelemetryFilter(core_level="WARN", other_level="ERROR"),
    forwarding=LogForwardingConfig(
        logger=logging.getLogger("temporalio"), prepend_target_on_message=False, append_log_fields_to_message=False
    ),
)
# Seconds; the core's own go from 10 to 100 and 1000, between which no quantile is worth looking at.
_WAITS: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_BUCKETS: Final = {
    "workflow_task_schedule_to_start_latency": _WAITS,
    "activity_schedule_to_start_latency": _WAITS,
}


@dataclass(frozen=True, slots=True)
class EngineRuntime:
    """The Runtime, and where its core serves its metrics; no address where it counts nothing."""

    runtime: Runtime
    metrics_url: str | None


def start_runtime(*, counts: bool) -> EngineRuntime:
    """Start the Runtime of this process; called once, since each has a pool of threads of its own.

    Args:
        counts: whether the core counts: names by Prometheus' conventions (`temporal_…_seconds`, `…_total`).

    Raises:
        ValueError: where no port of the loopback could be had.
    """
    for again in reversed(range(_TRIES)):
        address = f"{_LOOPBACK}:{_free_port()}" if counts else None
        try:
            return EngineRuntime(
                Runtime(telemetry=_telemetry(address)), f"http://{address}/metrics" if counts else None
            )
        except ValueError:
            # Somebody took the port between our look and the core's.
            if not again:
                raise
    raise AssertionError


def _telemetry(address: str | None) -> TelemetryConfig:
    if address is None:
        return TelemetryConfig(logging=FORWARDED)
    return TelemetryConfig(
        logging=FORWARDED,
        metrics=PrometheusConfig(
            bind_address=address,
            counters_total_suffix=True,
            unit_suffix=True,
            durations_as_seconds=True,
            histogram_bucket_overrides=_BUCKETS,
        ),
        attach_service_name=False,
    )


def _free_port() -> int:
    """Return a port that nothing listens on; the core does not tell which one it would choose itself."""
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        return int(probe.getsockname()[1])
