"""How the workflow of a case is called in Temporal: by its programme's type, with an id that ends in its reference."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from domain.errors import Defect

# Each case's workflow has an id of this form, and no other workflow has: a process that knows no such programme reads
# the reference all the same.
_OF_A_CASE: Final = re.compile(r"[a-z][a-z-]*/([A-Z]{2}-[0-9A-Z-]+)")
_BEFORE: Final = re.compile(r"[a-z][a-z-]*/")
_PREFIX: Final = re.compile(r"[A-Z]{2}")


def reference_of(workflow_id: str) -> str | None:
    """Return the case that a workflow belongs to, or None where it belongs to none."""
    match = _OF_A_CASE.fullmatch(workflow_id)
    return match[1] if match is not None else None


@dataclass(frozen=True, slots=True)
class CaseType:
    """The workflow type of a programme's cases, what stands before the reference in their ids, and what they are.

    All three are shown to operators; the first two are stored with Temporal and never change.
    """

    workflow: str
    before: str
    says: str = ""

    def __post_init__(self) -> None:
        if not _BEFORE.fullmatch(self.before):
            raise ValueError("An id begins with a word of small letters and a slash.")

    def id_of(self, reference: str) -> str:
        """Return the workflow id of a case, the same for its whole life."""
        return f"{self.before}{reference}"

    def summary_of(self, reference: str) -> str:
        """Return what Temporal's lists say of a case's workflow."""
        return f"Case {reference}: {self.says}" if self.says else f"Case {reference}"


class Typed(Protocol):
    """A programme, as far as it is known down here."""

    @property
    def prefix(self) -> str:
        """The two letters that references of its cases begin with."""
        ...

    @property
    def workflow(self) -> CaseType:
        """The workflow type of its cases."""
        ...


class CaseTypes:
    """The types of all programmes that a process was handed, found by what references begin with."""

    def __init__(self, programmes: Mapping[str, Typed]) -> None:
        self._by_prefix: dict[str, CaseType] = {}
        for each in programmes.values():
            if not _PREFIX.fullmatch(each.prefix):
                raise ValueError("References begin with two capital letters.")
            if self._by_prefix.setdefault(each.prefix, each.workflow) != each.workflow:
                raise ValueError(f"References of two types of cases begin with {each.prefix}.")

    @property
    def workflows(self) -> tuple[str, ...]:
        """The workflow types in their order, each once."""
        return tuple(dict.fromkeys(each.workflow for each in self._by_prefix.values()))

    def knows(self, reference: str) -> bool:
        """Whether a case is of a programme that this process was handed."""
        return reference.partition("-")[0] in self._by_prefix

    def of(self, reference: str) -> CaseType:
        """Return the type of a case.

        Raises:
            Defect: `programme_unknown`, for a case of a programme that this process was not handed.
        """
        found = self._by_prefix.get(reference.partition("-")[0])
        if found is None:
            raise Defect("programme_unknown")
        return found

    def id_of(self, reference: str) -> str:
        """Return the workflow id of a case, the same for its whole life."""
        return self.of(reference).id_of(reference)
