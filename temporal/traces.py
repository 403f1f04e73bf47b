"""Where we are in a trace, and going on in it later: from a request through workflow and step to mail and authority.

Traces hold codes and ids alone, as logs do.
"""

import re
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context, attach
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_HEADER: Final = "traceparent"
# W3C Trace Context: version, trace, span and flags in hexadecimal, which hold nothing of anybody's.
_FORM: Final = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_PROPAGATOR: Final = TraceContextTextMapPropagator()
_tracer = trace.get_tracer("hetao")


def are_recorded() -> bool:
    """Whether this process records traces at all."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def caller_context(headers: Mapping[str, str]) -> Context:
    """Return the trace that a caller is in; its `tracestate` and `baggage`, which may say anything, are left behind."""
    return context_of(headers.get(_HEADER)) or Context()


def current_traceparent() -> str | None:
    """Return where in a trace we are, to be stored with what is done later; None where nothing is recorded."""
    if not trace.get_current_span().is_recording():
        return None
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get(_HEADER)


def context_of(traceparent: str | None) -> Context | None:
    """Return the trace that a stored or sent traceparent names, or None where it names none."""
    if traceparent is None or not _FORM.fullmatch(traceparent):
        return None
    return _PROPAGATOR.extract({_HEADER: traceparent}, Context())


@contextmanager
def within(context: Context | None) -> Iterator[None]:
    """Do what follows within a trace; None changes nothing.

    A workflow that is put out of a worker's memory leaves this wherever that happens: then there is nothing to undo.
    """
    if context is None:
        yield
        return
    token = attach(context)
    try:
        yield
    finally:
        with suppress(ValueError):
            token.var.reset(token)


def going_on(traceparent: str | None) -> AbstractContextManager[None]:
    """Do what follows in the trace of what asked for it, where that is known."""
    return within(context_of(traceparent))


@contextmanager
def unrecorded() -> Iterator[None]:
    """Do what follows outside every trace, as what goes on for ever must: its trace would have no end."""
    nobody = NonRecordingSpan(SpanContext(1, 1, is_remote=True, trace_flags=TraceFlags(TraceFlags.DEFAULT)))
    with within(trace.set_span_in_context(nobody, Context())):
        yield


def tell_trace(headers: MutableMapping[str, str]) -> None:
    """Add the traceparent of where we are to the headers of a call outward: random numbers, which name nobody."""
    told = current_traceparent()
    if told is not None:
        headers[_HEADER] = told


def linked_to(earlier: Context, name: str) -> Context:
    """Return a trace of its own that begins with a mark and a link to an earlier one, for what comes long after it."""
    span = trace.get_current_span(earlier).get_span_context()
    if not (span.is_valid and span.trace_flags.sampled):
        return earlier
    mark = _tracer.start_span(name, Context(), links=[Link(span)])
    mark.end()
    return trace.set_span_in_context(mark, Context())


@contextmanager
def outward(name: str, attributes: Mapping[str, str]) -> Iterator[Span]:
    """Make a span of a call outward: what is called and how it ended, never where to in full nor what was said."""
    with _tracer.start_as_current_span(name, kind=trace.SpanKind.CLIENT, attributes=attributes) as span:
        yield span
