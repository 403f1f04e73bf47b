"""The figures of the cases as Prometheus' gauges, read at a pace of their own and never by whoever asks for them.

Every worker gives the same ones, since they are PostgreSQL's: take the `max` over all.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

import structlog
from prometheus_client import Gauge

from cases.health.figures import Figures, OpenIncidents, count_live, read_figures
from cases.shared.context import Context
from domain.errors import Unavailable
from domain.stages import Stage

EVERY: Final = 30.0
# Live cases are counted one by one: every so many rounds.
_STAGES_EACH: Final = 10

_LIVE: Final = Gauge("hetao_cases_live", "Cases in which something can still happen, by stage.", ["stage"])
_COMMANDS: Final = Gauge("hetao_commands_unapplied", "Commands stored and not applied, but for cases that are stuck.")
_COMMAND: Final = Gauge("hetao_commands_oldest_unapplied_seconds", "Age of the oldest of them; 0 where there is none.")
_CALLS: Final = Gauge("hetao_calls_due", "Calls to the authority that are due, but for those that are held back.")
_CALL: Final = Gauge("hetao_calls_oldest_due_seconds", "Age of the oldest of them; 0 where there is none.")
_DELIVERIES: Final = Gauge("hetao_deliveries_due", "Messages not handed over yet whose time has come.", ["channel"])
_DELIVERY: Final = Gauge(
    "hetao_deliveries_oldest_due_seconds",
    "Age of the oldest of them since it was due for the first time; 0 where there is none.",
    ["channel"],
)
_INCIDENTS: Final = Gauge("hetao_incidents_open", "Incidents that no operator has closed, by kind.", ["kind"])
_CAUSES: Final = Gauge(
    "hetao_incident_causes_open",
    "Causes of the incidents that no operator has closed, by kind; alike ones are one.",
    ["kind"],
)
_ROTATION: Final = Gauge(
    "hetao_key_rotation_waits_seconds",
    "For how long the next step of a rotation of keys has waited; 0 where none is under way.",
    ["kind"],
)
_CALENDAR: Final = Gauge(
    "hetao_calendar_end_timestamp_seconds", "End of the last day that the working calendar knows for certain."
)
_ROUNDS: Final = Gauge(
    "hetao_round_last_end_timestamp_seconds",
    "When a round for all cases last came to its end, or was first looked for where it never did.",
    ["round"],
)
_READ: Final = Gauge("hetao_figures_timestamp_seconds", "When the figures of the cases were last read.")
_kinds: set[str] = set()
_log = structlog.get_logger(__name__)


async def read_gauges(context: Context, *, with_stages: bool = True) -> Figures:
    """Read the figures once, and set the gauges to them.

    Raises:
        Unavailable: when PostgreSQL is away; the gauges stay, and `hetao_figures_timestamp_seconds` with them.
    """
    if with_stages:
        _set_live(await count_live(context))
    figures = await read_figures(context)
    _COMMANDS.set(figures.commands.count)
    _COMMAND.set(figures.commands.oldest.total_seconds())
    _CALLS.set(figures.calls.count)
    _CALL.set(figures.calls.oldest.total_seconds())
    for channel, waiting in figures.deliveries.items():
        _DELIVERIES.labels(channel.value).set(waiting.count)
        _DELIVERY.labels(channel.value).set(waiting.oldest.total_seconds())
    _set_incidents(figures.incidents)
    for kind, waited in figures.rotation_waits.items():
        _ROTATION.labels(kind.value).set(waited.total_seconds())
    _CALENDAR.set(figures.calendar_end.timestamp())
    for each, ended in figures.round_ends.items():
        _ROUNDS.labels(each.value).set(ended.timestamp())
    _READ.set(context.clock().timestamp())
    return figures


async def keep_reading_gauges(context: Context, *, is_stopping: Callable[[], bool], every: float = EVERY) -> None:
    """Read until the worker stops; while PostgreSQL is away there is nothing to read."""
    turn = 0
    while not is_stopping():
        try:
            await read_gauges(context, with_stages=turn % _STAGES_EACH == 0)
            turn += 1
        except Unavailable:
            pass
        except Exception as error:  # noqa: BLE001 - what cannot be counted once is counted the next time
            _log.error("figures_failed", error=type(error).__name__)
        await asyncio.sleep(every)


def _set_live(by_stage: Mapping[Stage, int]) -> None:
    for stage, count in by_stage.items():
        _LIVE.labels(stage.value).set(count)


def _set_incidents(by_kind: Mapping[str, OpenIncidents]) -> None:
    """Set what is open; a kind that was seen before and has none any more is 0, so that its end is seen too."""
    _kinds.update(by_kind)
    for kind in _kinds:
        found = by_kind.get(kind, OpenIncidents())
        _INCIDENTS.labels(kind).set(found.incidents)
        _CAUSES.labels(kind).set(found.causes)
