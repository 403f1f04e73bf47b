"""What is broken, in which order and for how long: drawn from a seed, so that a run can be had again."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# A deck has each fault once. As many decks as there are cases to break them under.
CASES_A_DECK: Final = 330
PAUSE: Final = (0.5, 4.0)
LASTS: Final = (2.0, 5.0)
FREEZE: Final = (1.0, 2.5)
# Longer than every timeout of the engine: the longest is that of a poll, five minutes.
AWAY_SECONDS: Final = 330.0
# The short mode has no five minutes: longer than a call (45 s) and its lease (60 s).
AWAY_SECONDS_SHORT: Final = 75.0
CASES_LONG: Final = 1000
SKEW_SECONDS: Final = 120.0


class Fault(StrEnum):
    """One way in which something breaks."""

    KILL_WORKER = "kill_worker"
    KILL_API = "kill_api"
    KILL_TEMPORAL = "kill_temporal"
    KILL_POSTGRES = "kill_postgres"
    KILL_AUTHORITY = "kill_authority"
    KILL_MAIL = "kill_mail"
    KILL_ALL = "kill_all"
    DATABASE_SLOW = "database_slow"
    DATABASE_CUT = "database_cut"
    DATABASE_SILENT = "database_silent"
    TEMPORAL_SLOW = "temporal_slow"
    TEMPORAL_SILENT = "temporal_silent"
    DISK_SLOW = "disk_slow"
    DISK_FULL = "disk_full"
    ANSWERS_TWICE = "answers_twice"
    ANSWERS_REORDERED = "answers_reordered"
    ANSWERS_DELAYED = "answers_delayed"
    AUTHORITY_FAILING = "authority_failing"
    AUTHORITY_AWAY = "authority_away"
    RECEIPTS_TWICE = "receipts_twice"
    RECEIPTS_REORDERED = "receipts_reordered"
    RECEIPTS_DELAYED = "receipts_delayed"
    MAIL_FAILING = "mail_failing"
    WORKER_CLOCK = "worker_clock"
    API_CLOCK = "api_clock"
    CASE_POISONED = "case_poisoned"
    WORKFLOW_UNDECODABLE = "workflow_undecodable"


# These strike a process; the others last for a while.
KILLS: Final = {
    Fault.KILL_WORKER: "worker",
    Fault.KILL_API: "api",
    Fault.KILL_TEMPORAL: "temporal",
    Fault.KILL_POSTGRES: "postgres",
    Fault.KILL_AUTHORITY: "authority",
    Fault.KILL_MAIL: "mail",
    Fault.KILL_ALL: "up",
}
# Moods of the authority, which may have one at a time: they wait until it is back.
OF_AUTHORITY: Final = {
    Fault.ANSWERS_TWICE: "duplicating",
    Fault.ANSWERS_REORDERED: "out-of-order",
    Fault.ANSWERS_DELAYED: "slow",
    Fault.AUTHORITY_FAILING: "failing",
}
OF_MAIL: Final = {
    Fault.RECEIPTS_TWICE: "duplicating",
    Fault.RECEIPTS_REORDERED: "out-of-order",
    Fault.RECEIPTS_DELAYED: "slow",
    Fault.MAIL_FAILING: "failing",
}
# These last long and go on beside the others.
BESIDE: Final = frozenset(
    {
        Fault.AUTHORITY_AWAY,
        Fault.WORKER_CLOCK,
        Fault.API_CLOCK,
        Fault.CASE_POISONED,
        Fault.WORKFLOW_UNDECODABLE,
    }
)
_BESIDE_SECONDS: Final = {Fault.WORKER_CLOCK: 30.0, Fault.API_CLOCK: 30.0}


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault at its place in the plan: after a pause, for some seconds, with the worker held still before it."""

    number: int
    fault: Fault
    pause: float
    seconds: float
    freeze: float


@dataclass(frozen=True, slots=True)
class Plan:
    """All strikes of a run."""

    seed: int
    cases: int
    strikes: tuple[Strike, ...]

    @property
    def seconds(self) -> float:
        """About how long the strikes take, those beside the others not counted."""
        return sum(s.pause + s.freeze + (0.0 if s.fault in BESIDE else s.seconds) for s in self.strikes)


def plan(seed: int, cases: int) -> Plan:
    """Draw a plan: every fault strikes at least once, in an order and at moments that the seed gives."""
    draw = random.Random(seed)
    decks = max(1, round(cases / CASES_A_DECK))
    faults = [fault for deck in range(decks) for fault in _deck(draw, first=deck == 0)]
    strikes = tuple(_strike(draw, number, fault, cases) for number, fault in enumerate(faults, 1))
    return Plan(seed, cases, strikes)


def _deck(draw: random.Random, *, first: bool) -> Iterator[Fault]:
    """Shuffle the faults; the authority goes away once, early, so that its return is seen as well."""
    faults: list[Fault] = [fault for fault in Fault if fault is not Fault.AUTHORITY_AWAY]
    draw.shuffle(faults)
    if first:
        faults.insert(len(faults) // 4, Fault.AUTHORITY_AWAY)
    return iter(faults)


def _strike(draw: random.Random, number: int, fault: Fault, cases: int) -> Strike:
    seconds = draw.uniform(*LASTS)
    if fault is Fault.AUTHORITY_AWAY:
        seconds = AWAY_SECONDS if cases >= CASES_LONG else AWAY_SECONDS_SHORT
    # Before every third, the worker stands still for a moment, so that cases stand in the steps that are over at once.
    freeze = draw.uniform(*FREEZE) if draw.random() < 1 / 3 else 0.0
    pause = draw.uniform(*PAUSE)
    return Strike(number, fault, round(pause, 2), round(_BESIDE_SECONDS.get(fault, seconds), 2), round(freeze, 2))
