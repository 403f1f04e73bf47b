"""Enumerations that the API publishes: the core's own members, and after them those that the programmes declare."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

from domain.acts import Act as CoreAct
from domain.commands import CommandKind as CoreCommand
from domain.findings import AssessmentScope as CoreScope
from domain.notices import NoticeKind as CoreNotice
from domain.reasons import Use as CoreUse
from domain.roster import RosterAct as CoreRosterAct
from domain.tasks import TaskAction as CoreAnswer
from domain.tasks import TaskKind as CoreTask
from domain.tracks import TrackKey as CoreKey
from domain.tracks import TrackStage as CoreStage
from domain.words import joined
from programmes import PROGRAMMES


def _all(core: type[StrEnum], *declared: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the values of a kind, each once."""
    return tuple(dict.fromkeys(str(each) for each in (*core, *(kind for kinds in declared for kind in kinds))))


_WORDS: Final = joined(each.words for each in PROGRAMMES.values())
_TRACKS: Final = [track for each in PROGRAMMES.values() for track in each.tracks.values()]
# What the programmes call the keys and the stages of tracks, by the name of the core's own schema, which has no member.
_OF_TRACKS: Final[Mapping[str, tuple[type[StrEnum], ...]]] = {
    CoreKey.__name__: tuple(dict.fromkeys(each.keyed_by for each in _TRACKS)),
    CoreStage.__name__: tuple(dict.fromkeys(each.stages for each in _TRACKS)),
}
# By the name of the schema.
PUBLISHED: Final[Mapping[str, tuple[str, ...]]] = {
    CoreCommand.__name__: _all(CoreCommand, *(each.commands for each in PROGRAMMES.values())),
    CoreAct.__name__: _all(CoreAct, *(each.words.acts for each in PROGRAMMES.values())),
    CoreTask.__name__: _all(CoreTask, *(each.words.tasks for each in PROGRAMMES.values())),
    **{name: tuple(dict.fromkeys(str(each) for kind in kinds for each in kind)) for name, kinds in _OF_TRACKS.items()},
    CoreScope.__name__: _all(CoreScope, {str(key): None for each in _TRACKS for key in each.keyed_by}),
    CoreAnswer.__name__: _all(CoreAnswer, *(dict.fromkeys(each.answers) for each in _WORDS.tasks.values())),
    CoreRosterAct.__name__: tuple(str(act) for each in PROGRAMMES.values() for act in each.rosters),
    CoreNotice.__name__: tuple(map(str, _WORDS.notices)),
    CoreUse.__name__: tuple(map(str, _WORDS.uses)),
}


class Published:
    """Says of a field that its codes are those of a published enumeration, and takes no other."""

    def __init__(self, core: type[StrEnum]) -> None:
        self._core, self._values = core, PUBLISHED[core.__name__]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return a schema that says the enumeration, whose members `widen` completes, and takes all of them."""
        as_is = core_schema.plain_serializer_function_ser_schema(str)
        return core_schema.no_info_wrap_validator_function(
            self._take, handler.generate_schema(self._core), serialization=as_is
        )

    def _take(self, value: Any, _: core_schema.ValidatorFunctionWrapHandler) -> str:
        if value not in self._values:
            *most, last = map(repr, self._values)
            raise PydanticKnownError("enum", {"expected": f"{', '.join(most)} or {last}"})
        return str(value)


def widen(schemas: dict[str, dict[str, Any]]) -> dict[str, tuple[str, ...]]:
    """Complete the enumerations among the schemas of a document.

    Returns:
        Those in whose place others stand: what tracks are called, and where they stand, is published by the programmes'
        own enumerations, one of them in each answer.
    """
    instead = {name: tuple(kind.__name__ for kind in kinds) for name, kinds in _OF_TRACKS.items() if kinds}
    for name, values in PUBLISHED.items():
        if name not in schemas:
            continue
        schemas[name]["enum"] = list(values)
        if name in instead:
            common = schemas.pop(name)
            for kind in _OF_TRACKS[name]:
                own = {"title": kind.__name__, "enum": [str(each) for each in kind]}
                schemas.setdefault(kind.__name__, common | own)
    return instead


CommandKind = Annotated[str, Published(CoreCommand)]
TaskKind = Annotated[str, Published(CoreTask)]
Act = Annotated[str, Published(CoreAct)]
AssessmentScope = Annotated[str, Published(CoreScope)]
TrackKey = Annotated[str, Published(CoreKey)]
TaskAction = Annotated[str, Published(CoreAnswer)]
RosterAct = Annotated[str, Published(CoreRosterAct)]
NoticeKind = Annotated[str, Published(CoreNotice)]
Use = Annotated[str, Published(CoreUse)]
