"""The words of a programme: each kind of what it does, with what the kind implies; the core's own among them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from domain.deadlines import DEADLINES, DeadlineMeaning
from domain.tasks import TASKS, TaskMeaning


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Kinds, each with its meaning.

    Attributes:
        deadlines: what can be due of a case.
        tasks: what a person can be asked to do.
    """

    deadlines: Mapping[str, DeadlineMeaning] = field(default_factory=dict)
    tasks: Mapping[str, TaskMeaning] = field(default_factory=dict)

    def __or__(self, other: "Words") -> "Words":
        """Return the words of both."""
        return Words(deadlines={**self.deadlines, **other.deadlines}, tasks={**self.tasks, **other.tasks})

    def deadlines_of_schedule(self) -> list[str]:
        """Return the deadlines that the Schedule watches and no workflow of a case."""
        return [str(kind) for kind, each in self.deadlines.items() if each.by_schedule]

    def deadlines_of_workflow(self) -> list[str]:
        """Return the deadlines that wake the workflow of their case."""
        return [str(kind) for kind, each in self.deadlines.items() if not each.by_schedule]

    def outliving_deadlines(self) -> list[str]:
        """Return the deadlines that may come after the workflow of their case has closed."""
        return [str(kind) for kind, each in self.deadlines.items() if each.outlives]


# Of any case.
CORE_WORDS: Final = Words(deadlines=DEADLINES, tasks=TASKS)


def joined(words: Iterable[Words]) -> Words:
    """Return the core's words and all of these."""
    found = CORE_WORDS
    for each in words:
        found |= each
    return found
