"""How what a programme declares is asked over HTTP: what each call is named, who may send it, and where it stands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel

from domain.actors import Role

# What a call that gives reasons refuses.
REASONS: Final = frozenset({"reason_missing", "reason_unknown", "reason_not_allowed"})


class On(StrEnum):
    """What a command is asked of: the case, a track, a recorded fact or a piece of evidence of it, or a task."""

    CASE = "case"
    TRACK = "track"
    FACT = "fact"
    EVIDENCE = "evidence"
    TASK = "task"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What a call is named and says of itself.

    Attributes:
        name: the operation id of the OpenAPI document, which clients are generated with.
        summary: a few words for it.
        says: what it does.
        problems: the codes that it refuses with, beside those that its kind implies.
    """

    name: str
    summary: str
    says: str
    problems: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route(Operation):
    """How a command is asked.

    Attributes:
        verb: the last part of its path.
        by: the roles that may ask it.
        on: what it is asked of.
    """

    verb: str
    by: frozenset[Role]
    on: On = On.CASE

    @property
    def refusals(self) -> frozenset[str]:
        """All codes that it refuses with: its own, and those of the stage and of a case whose person was erased."""
        of_all = (
            {"wrong_stage", "facts_erased"} if self.on is On.TRACK else {"wrong_stage", "case_closed", "facts_erased"}
        )
        return self.problems | of_all


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackPath:
    """Where the tracks of a case stand under its own address.

    Attributes:
        path: the part before the key of a track.
        named: what the key is called, there and in the bodies of commands.
        keyed_by: what there may be a track of.
        says: what the key is.
        refused: what is said of another one.
    """

    path: str
    named: str
    keyed_by: type[StrEnum]
    says: str
    refused: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRoute(Operation):
    """How a person asks a command of a case of their own, which the body names by its `reference`.

    Attributes:
        verb: the last part of its path, under that of the person.
        body: the model of what is given.
        view: the model of the answer.
        asks: what of the body is stored with the command.
        tells: what the answer says beside the reference and that it was received.
        about: what is objected to by it, where that is kept with the person's `text` until it is answered.
        says_by: under which name the address by which the person had signed in is stored with the command, where only
            that one reads the answer.
        problems: with those that the command's own stages imply.
    """

    verb: str
    body: type[BaseModel]
    view: type[BaseModel]
    asks: Callable[[Any], Mapping[str, Any]]
    tells: Callable[[Any], Mapping[str, Any]]
    about: Callable[[Any], str] | None = None
    says_by: str = ""
