"""Logs of a process, set up once by api and worker: codes and ids, never personal data."""

import logging
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import structlog
from opentelemetry import trace
from temporalio import activity, workflow

from domain.case_types import reference_of

_ROOT: Final = f"{Path(__file__).parent.parent}/"
# By name, since an installed copy of them stands among the libraries.
_OURS: Final = (
    *("activities", "api", "cases", "cli", "console", "domain", "policy", "privacy", "programmes", "proof", "record"),
    *("register", "sandbox", "store", "temporal", "texts", "workflows", "worker.py", "tests", "bench"),
)
# What a library's line says of what it is about, by the name that ours gives it.
_OF_TEMPORAL: Final = ("workflow_id", "run_id", "workflow_type", "activity_type", "attempt")
_OF_OURS: Final = ("step", "error", "reference")
# A library may put a statement, or all that it holds, into its line.
_LONGEST_EVENT: Final = 300
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


@dataclass(slots=True)
class _About:
    """What is being done: for which call, and for which case once that is known."""

    correlation_id: str = ""
    reference: str = ""


_about: ContextVar[_About] = ContextVar("about")
_runs: dict[str, _About] = {}
_MOST_RUNS: Final = 4096  # more than a worker keeps in memory


@contextmanager
def correlated(correlation_id: str) -> Iterator[None]:
    """Put a correlation id on every log line written inside, and the case once `concern` names one."""
    token = _about.set(_About(correlation_id))
    try:
        yield
    finally:
        _about.reset(token)


@contextmanager
def concerning(reference: str = "", correlation_id: str = "") -> Iterator[None]:
    """Put the case and the call that something is done for on every log line written inside.

    Where one of them is not given, what holds outside goes on to hold.
    """
    outer = _about.get(_About())
    token = _about.set(_About(correlation_id or outer.correlation_id, reference or outer.reference))
    try:
        yield
    finally:
        _about.reset(token)


def concern(reference: str) -> None:
    """Put a case on the lines that follow, those of the call that it turns out to be about too."""
    about = _about.get(None)
    if about is not None and reference:
        about.reference = reference


def concern_task(reference: str, correlation_id: str = "") -> None:
    """Put a case and a call on all lines of the task that runs, those of its library after its end too."""
    _about.set(_About(correlation_id, reference))


def current_reference() -> str:
    """Return the case that what is being done concerns; empty where none is known."""
    return _about.get(_About()).reference


def remember_run(run_id: str, reference: str, correlation_id: str) -> None:
    """Remember which case a run is of, for lines that name the run alone; the oldest are forgotten."""
    if len(_runs) >= _MOST_RUNS:
        _runs.pop(next(iter(_runs)), None)
    _runs[run_id] = _About(correlation_id, reference)


def current_correlation() -> str:
    """Return the correlation id of what is being done; empty where there is none."""
    return _about.get(_About()).correlation_id


def configure_logging(process: str, level: str = "INFO") -> None:
    """Write every log line of the process as one JSON object on stderr, those of libraries too."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_context(process),
        _of_library,
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
    logging.captureWarnings(capture=True)
    # As fields of the line, and not as text in it.
    workflow.logger.workflow_info_on_message = activity.logger.activity_info_on_message = False


def _add_context(process: str) -> structlog.typing.Processor:
    def add(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        line["process"] = process
        about = _about.get(None)
        if about is not None and about.correlation_id:
            line.setdefault("correlation_id", about.correlation_id)
        if about is not None and about.reference:
            line.setdefault("reference", about.reference)
        span = trace.get_current_span().get_span_context()
        if span.is_valid and span.trace_flags.sampled:
            line["trace_id"] = trace.format_trace_id(span.trace_id)
        return line

    return add


def _of_library(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Shorten a library's line to its first, and take over what Temporal says of the workflow that it is about.

    What follows the first line are values, of a future that failed or of a statement, which may be anybody's.
    """
    record = line.get("_record")
    if not isinstance(record, logging.LogRecord) or line.get("_from_structlog"):
        return line
    line["event"] = str(line["event"]).partition("\n")[0][:_LONGEST_EVENT]
    for name in ("temporal_workflow", "temporal_activity"):
        said = getattr(record, name, None)
        if isinstance(said, Mapping):
            line.update({key: said[key] for key in _OF_TEMPORAL if key in said})
    core = getattr(record, "temporal_log", None)
    if core is not None:
        line.update({key: core.fields[key] for key in _OF_TEMPORAL if key in core.fields})
    line.update({name: getattr(record, name) for name in _OF_OURS if hasattr(record, name)})
    about = _runs.get(_run_of(line, record)) or _About()
    reference = reference_of(str(line.get("workflow_id") or "")) or about.reference
    if reference:
        line.setdefault("reference", reference)
    if about.correlation_id:
        line.setdefault("correlation_id", about.correlation_id)
    return line


def _run_of(line: Mapping[str, Any], record: logging.LogRecord) -> str:
    """Return the run that a library's line is about; some of Temporal's name it among their words alone."""
    args = record.args if isinstance(record.args, tuple) else ()
    named = (each for each in (line.get("run_id"), *args) if isinstance(each, str) and each in _runs)
    return next(named, "")


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
