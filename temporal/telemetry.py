"""Logs and traces of a process, set up once by api and worker: codes and ids, never personal data."""

import logging
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import structlog
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

_ROOT: Final = f"{Path(__file__).parent.parent}/"
# By name, since an installed copy of them stands among the libraries.
_OURS: Final = (
    *("activities", "api", "cases", "console", "domain", "policy", "proof", "sandbox", "store", "temporal", "texts"),
    *("workflows", "cli.py", "worker.py", "tests", "bench"),
)
_correlation_id: ContextVar[str] = ContextVar("correlation_id", default="")
# Libraries whose lines at INFO name addresses and paths, which may hold personal data.
_QUIET: Final = (
    "httpx",
    "httpcore",
    "sqlalchemy",
    "asyncio",
    "uvicorn.access",
    "aiosmtpd",
    "mail.log",
    "opentelemetry",
)


@contextmanager
def correlated(correlation_id: str) -> Iterator[None]:
    """Put a correlation id on every log line written inside."""
    token = _correlation_id.set(correlation_id)
    try:
        yield
    finally:
        _correlation_id.reset(token)


def current_correlation() -> str:
    """Return the correlation id of what is being done; empty where there is none."""
    return _correlation_id.get()


def configure_logging(process: str, level: str = "INFO") -> None:
    """Write every log line of the process as one JSON object on stderr, those of libraries too."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_context(process),
        _without_messages,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _add_context(process: str) -> structlog.typing.Processor:
    def add(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        line["process"] = process
        correlation_id = _correlation_id.get()
        if correlation_id:
            line.setdefault("correlation_id", correlation_id)
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            line["trace_id"] = trace.format_trace_id(span.trace_id)
        return line

    return add


def _without_messages(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace an exception by its classes and places: its message may quote what someone sent."""
    given = line.pop("exc_info", None)
    if given:
        error = (
            given if isinstance(given, BaseException) else given[1] if isinstance(given, tuple) else sys.exc_info()[1]
        )
        if error is not None:
            line.update(describe(error))
    return line


def describe(error: BaseException) -> dict[str, Any]:
    """Return what a log may say of an error: its class, those of its causes, and where it was raised."""
    classes: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(classes) < 5:
        classes.append(f"{type(cause).__module__}.{type(cause).__qualname__}")
        cause = cause.__cause__ or cause.__context__
    return {"error": classes, "places": _places(error.__traceback__)}


def place_of(error: BaseException) -> str:
    """Return where in our code an error was raised, as `folder/file.py:line function`, which names no value."""
    places = _places(error.__traceback__)
    return places[-1] if places else ""


def _places(traceback: TracebackType | None) -> list[str]:
    places: list[str] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        name = code.co_filename.removeprefix(_ROOT)
        if name != code.co_filename and name.split("/", 1)[0] in _OURS:
            places.append(f"{name}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return places[-8:]


def configure_tracing(service: str, endpoint: str | None) -> TracerProvider | None:
    """Send traces to the OTLP endpoint; without one nothing is recorded.

    Returns:
        The provider, to be shut down when the process ends, or None.
    """
    if not endpoint:
        return None
    provider = TracerProvider(resource=Resource.create({"service.name": f"hetao-{service}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider
