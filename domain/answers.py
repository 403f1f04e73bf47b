"""Answers from outside about a case or one of its tracks: what the core knows of any, and what becomes of one."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol


class AnswerState(StrEnum):
    """What became of an answer: it waits for its step, was recorded or applied, is early, a renewal or a contradiction.

    A renewal is about a number that follows the one in force; it is kept and not applied.
    """

    STORED = "stored"
    RECORDED = "recorded"
    APPLIED = "applied"
    EARLY = "early"
    RENEWAL = "renewal"
    HELD = "held"


class OutsideAnswer(Protocol):
    """What any answer from outside says; a programme's own says more, which its room alone reads."""

    @property
    def outcome_id(self) -> str:
        """What the sender calls this answer, once for each."""
        ...

    @property
    def reference(self) -> str:
        """The reference of the case."""
        ...

    @property
    def destination(self) -> str:
        """The key of the track that it is about."""
        ...

    @property
    def outcome(self) -> str:
        """What it says, in one word of its sender."""
        ...

    @property
    def occurred_at(self) -> datetime:
        """When what it says came about."""
        ...
