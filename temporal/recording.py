"""Recording of traces: set up once by api and worker, where the environment names a collector."""

import os
from collections.abc import Mapping, Sequence
from typing import Final

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.trace import Status
from temporalio.contrib.opentelemetry import create_tracer_provider

_SWITCHES: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_EXCEPTION_TYPE: Final = "exception.type"


class WithoutMessages(SpanExporter):
    """Hands spans on without what an error said and where: its message may quote what someone sent."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export spans; of an error its class is left."""
        return self._inner.export([_without_messages(span) for span in spans])

    def shutdown(self) -> None:
        """Close the exporter behind."""
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Have the exporter behind send what it has."""
        return self._inner.force_flush(timeout_millis)


def configure_tracing(service: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Send traces to the OTLP endpoint that the environment names, and return whether it names one.

    Without one nothing is recorded. What else the environment says of OpenTelemetry (sampler, headers, limits) holds.
    """
    if not any(environ.get(name) for name in _SWITCHES):
        return False
    record_with(BatchSpanProcessor(WithoutMessages(OTLPSpanExporter())), service)
    return True


def record_with(processor: SpanProcessor, service: str, sampler: Sampler | None = None) -> None:
    """Record the spans of this process from now on; once in the life of a process."""
    resource = Resource.create({"service.name": f"hetao-{service}"})
    provider = create_tracer_provider(sampler=sampler, resource=resource)
    provider.add_span_processor(processor)
    trace.set_tracer_provider(provider)


def _without_messages(span: ReadableSpan) -> ReadableSpan:
    if not span.events and span.status.description is None:
        return span
    events = [Event(each.name, _class_alone(each), each.timestamp) for each in span.events]
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=span.attributes,
        events=events,
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _class_alone(event: Event) -> dict[str, str]:
    named = (event.attributes or {}).get(_EXCEPTION_TYPE)
    return {_EXCEPTION_TYPE: str(named)} if named is not None else {}
