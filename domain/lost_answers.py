"""Answers of the authority about cases that the register does not have, and to which case one belongs after all."""

from enum import StrEnum


class LostAnswerState(StrEnum):
    """What became of an answer: kept, on its way to a case that somebody named, attached to it, or applied by itself.

    It is applied by itself once the register has the case that it names, as after another restore.
    """

    KEPT = "kept"
    PROPOSED = "proposed"
    ATTACHED = "attached"
    APPLIED = "applied"
