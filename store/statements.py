"""Statements as spans of a trace: their text cut to a length and without its parameters, which are people's."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from opentelemetry import trace
from sqlalchemy import Engine, event

_LONGEST: Final = 300
_SPAN: Final = "hetao_span"
_tracer = trace.get_tracer("hetao.store")


def trace_statements(engine: Engine) -> None:
    """Make a span of each statement within a recorded span; those of loops that look for work belong to no trace."""
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return  # Nothing is recorded, and so nothing is asked at each statement.
    if event.contains(engine, "before_cursor_execute", _begin):
        return
    event.listen(engine, "before_cursor_execute", _begin)
    event.listen(engine, "after_cursor_execute", _end)
    event.listen(engine, "handle_error", _fail)


@contextmanager
def beginning_of_transaction() -> Iterator[None]:
    """Make a span of what begins a transaction, which waits for the locks of its case."""
    if not trace.get_current_span().is_recording():
        yield
        return
    with _tracer.start_as_current_span(
        "BEGIN", kind=trace.SpanKind.CLIENT, attributes={"db.system.name": "postgresql"}
    ):
        yield


def _begin(
    _connection: object, _cursor: object, statement: str, _parameters: object, context: Any, _many: object
) -> None:
    if context is None or not trace.get_current_span().is_recording():
        return
    text = " ".join(statement.split())
    operation = text.partition(" ")[0].upper()
    attributes = {"db.system.name": "postgresql", "db.operation.name": operation, "db.query.text": text[:_LONGEST]}
    setattr(context, _SPAN, _tracer.start_span(operation, kind=trace.SpanKind.CLIENT, attributes=attributes))


def _end(
    _connection: object, _cursor: object, _statement: str, _parameters: object, context: Any, _many: object
) -> None:
    span = getattr(context, _SPAN, None)
    if span is not None:
        span.end()


def _fail(failed: Any) -> None:
    span = getattr(failed.execution_context, _SPAN, None)
    if span is not None:
        span.set_status(trace.StatusCode.ERROR)
        span.set_attribute("error.type", type(failed.original_exception).__name__)
        span.end()
