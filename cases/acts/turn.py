"""Whose turn it is: who has to act, by which act, until when, and what follows if nobody does."""

from typing import Final

from cases.acts.views import TurnView
from cases.case.file import CaseFile
from cases.case.moves import Move
from cases.case.views import AnyCaseView, CaseForStaff
from cases.moves.front_half import Event
from cases.programme import Programme, programme_of
from domain.actors import STAFF, Role
from domain.languages import Language
from domain.parties import Party
from domain.stages import CLOSED, DueKind, Holder, Stage
from texts.acts import if_nobody, turn_sentence

# What comes of itself once a date is over. That of another kind is watched by a task of its own.
_OVER: Final = {DueKind.CORRECTION: Event.CORRECTION_OVER, DueKind.PARK_DECISION: Event.REVIEW_OVER}


def turn_of(file: CaseFile, seen: AnyCaseView, language: Language) -> TurnView:
    """Return whose turn it is, as the reader of the case as it is seen may know."""
    programme = programme_of(file)
    return TurnView(
        holder=seen.holder,
        says=turn_sentence(seen.holder, language, programme.texts),
        # Once a decision is signed and cools off, time alone lets it take effect.
        acts=[] if isinstance(seen, CaseForStaff) and seen.settles_at else _acts(programme, seen.stage, seen.holder),
        due_at=seen.due_at,
        due_kind=seen.due_kind,
        due_provisional=seen.due_provisional,
        if_nobody=_if_nobody(programme, seen, language),
    )


def _acts(programme: Programme, stage: Stage, holder: Holder) -> list[str]:
    """Return the commands of the holder's role by which the case leaves its stage, and does not end by their wish."""
    roles = _roles(programme, holder)
    if stage in CLOSED or not roles:
        return []
    return [
        str(kind)
        for kind, command in programme.commands.items()
        if command.track is None and any(_goes_on(row, stage, roles) for row in _rows(programme, command.events, stage))
    ]


def _rows(programme: Programme, events: tuple[str, ...], stage: Stage) -> list[Move]:
    """Return the rows of a programme by which events go from a stage."""
    return [row for event in events if (row := programme.moves.find(stage, event)) is not None]


def _goes_on(row: Move, stage: Stage, roles: frozenset[Role]) -> bool:
    """Whether a row is what the holder is waited for: the park's people by a task that it closes."""
    if not row.who.asked or row.who.roles.isdisjoint(roles) or (not row.closes and roles == STAFF):
        return False
    return row.to is not None and row.to != stage and row.to not in CLOSED and stage is not Stage.APPROVED


def _roles(programme: Programme, holder: Holder) -> frozenset[Role]:
    owner = Role.PERSON if programme.party is Party.PERSON else Role.EMPLOYER
    return {
        Holder.PARK: frozenset(STAFF),
        Holder.EMPLOYER: frozenset({owner}),
        Holder.PERSON: frozenset({Role.PERSON}),
    }.get(holder, frozenset())


def _if_nobody(programme: Programme, seen: AnyCaseView, language: Language) -> str | None:
    kind = seen.due_kind
    if kind is None:
        return None
    event = _OVER.get(kind)
    if event is not None and programme.moves.find(seen.stage, event) is None:
        return None
    return if_nobody(kind, language, programme.texts)
