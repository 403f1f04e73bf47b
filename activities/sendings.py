"""Messages as spans: each in the trace of what caused it, however much later and with whatever others it is sent."""

from opentelemetry import trace

from cases.notices.due import Due, Result
from temporal.traces import context_of

_tracer = trace.get_tracer("hetao.deliveries")


def note_sending(due: Due, told: Result, begun: int) -> None:
    """Make a span of a message that was handed over, with what became of it as codes.

    Args:
        due: the message; several deliveries may stand behind it, and the traces of the further ones are linked.
        told: what became of it.
        begun: when it was begun to be sent, in nanoseconds since 1970.
    """
    contexts = [context for each in due.traceparents if (context := context_of(each)) is not None]
    if not contexts:
        return
    links = [trace.Link(trace.get_current_span(each).get_span_context()) for each in contexts[1:]]
    attributes = {"hetao.channel": due.channel.value, "hetao.delivery": due.message_id, "hetao.outcome": told.outcome}
    if due.reference:
        attributes["hetao.case"] = due.reference
    if told.reason is not None:
        attributes["hetao.reason"] = told.reason
    name = f"send {due.channel.value}"
    _tracer.start_span(name, contexts[0], trace.SpanKind.PRODUCER, attributes, links, begun).end()
