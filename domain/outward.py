"""Calls of a case to the world outside, as they are kept, sent and answered: no programme's own words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict


class Body(BaseModel):
    """What is sent to the world outside, whose personal data no error and no log repeats."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent and where to: a path with nothing personal in it, since traces and logs name it, and a body."""

    path: str
    body: Body = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOf:
    """What the key of a call is made of.

    Attributes:
        place: the reference of the case, with a slash and the track where the call is of one.
        part: which part of that it is about, such as a later term of the track; empty for the whole.
        since: tells a case that took effect again after a restore; empty for one that did not.
        attempt: which of several calls of its kind it is, counted from 1.
        on: the day in its detail, or nothing.
    """

    place: str
    part: str = ""
    since: str = ""
    attempt: int = 1
    on: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallKind:
    """A kind of call as its case keeps it.

    Attributes:
        key: the domain key of a call, under which it is made once, and its idempotency key outside as well.
        together: what the key begins with under which those of one case that are due go side by side as one, if they
            do; the reference follows.
        can_be_held: whether it waits while the case may send nothing.
    """

    key: Callable[[CallOf], str]
    together: str | None = None
    can_be_held: bool = False

    def together_key(self, reference: str) -> str | None:
        """Return the key under which those of a case go side by side."""
        return None if self.together is None else f"{self.together}/{reference}"


class Known(Protocol):
    """What those who were asked have already in the place of a call, so that it is not made."""

    @property
    def refusal(self) -> str | None:
        """Why it is not this case's, as a code; None where it stands for the call."""
        ...

    def told(self) -> Mapping[str, Any]:
        """Return what the ledger says of it: ids and codes."""
        ...
