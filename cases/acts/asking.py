"""What the caller may ask of a case now: each command of their role with its address, and why not where it is not."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final
from uuid import UUID

from cases.acts.views import ActView, GroundView, RefusedActView, ToldView, WayView
from cases.case.file import CaseFile
from cases.case.moves import At, Move
from cases.case.parts import destinations_of
from cases.case.signers import need_no_conflict
from cases.moves.allowed import Allowed, allowed
from cases.moves.moving import moves_of, stage_of
from cases.programme import Command, Programme, Reasoned, programme_of
from domain.actors import STAFF, Actor, Role
from domain.errors import Refused
from domain.languages import Language
from domain.notices import Recipient
from domain.reasons import Use
from domain.routes import On, OwnRoute
from domain.tasks import TaskKind
from texts.acts import act_label, going, recipients_word, stage_word, track_stage_word
from texts.reasons import reason_sentence

# What a refusal says to its reader, in a language.
Explain = Callable[[Refused, Language], str]

_PLACES: Final = {On.FACT: "facts/{number}/", On.EVIDENCE: "evidence/{evidence_id}/"}
_REJECTS: Final = Reasoned(Use.REJECT)
_OUTSIDE: Final = frozenset({Recipient.EMPLOYER, Recipient.PERSON})


def acts_of(
    file: CaseFile, actor: Actor, at: datetime, language: Language, *, shown_round: int, explain: Explain
) -> list[ActView]:
    """Return what the actor's role may ask of a case, in the order in which its programme declares it.

    Args:
        file: the case as it stands.
        actor: who would ask.
        at: when.
        language: of the sentences.
        shown_round: the round as the actor sees it.
        explain: what a refusal says to the actor.
    """
    conflict = _conflict(file, actor)
    programme = programme_of(file)
    found = []
    for each in allowed(file, actor, at):
        command = programme.commands[each.command]
        if actor.role not in command.by:
            continue
        why_not = conflict or each.why_not
        told = None if why_not is None else RefusedActView(code=why_not.code, detail=explain(why_not, language))
        found.append(
            ActView(
                act=str(each.command),
                label=act_label(each.command, language, programme.texts),
                method="POST",
                address=_address(file, programme, command, each.track, actor.role),
                body=_body(command, actor.role),
                destination=None if each.track is None else str(each.track.key),
                is_allowed=why_not is None,
                why_not=told,
                round=shown_round,
                tasks=_tasks(file, actor, command, each) if actor.is_inside and why_not is None else [],
                ways=list(_ways(file, actor, command, each, language)) if why_not is None else [],
            )
        )
    return found


def _conflict(file: CaseFile, actor: Actor) -> Refused | None:
    try:
        need_no_conflict(file, actor)
    except Refused as refused:
        return refused
    return None


def _address(file: CaseFile, programme: Programme, command: Command, track: At | None, role: Role) -> str:
    """Return where a role asks a command: below the case, or below the person where only the person asks it so."""
    route = command.route
    if (own := _own(command, role)) is not None:
        return f"/v1/me/{own.verb}"
    assert route is not None, "a command that a role asks has a way to be asked"
    case = f"/v1/{programme.path}/{file.reference}"
    if route.on is On.TASK:
        return f"/v1/tasks/{{task_id}}/{route.verb}"
    if route.on is On.TRACK and track is not None:
        path = programme.tracks[track.track].path
        assert path is not None, "what is asked of a track has a path"
        return f"{case}/{path.path}/{track.key}/{route.verb}"
    return f"{case}/{_PLACES.get(route.on, '')}{route.verb}"


def _own(command: Command, role: Role) -> OwnRoute | None:
    """Return the way by which only the person asks, where a role has no other."""
    return command.own if command.route is None or role not in command.route.by else None


def _body(command: Command, role: Role) -> str | None:
    if (own := _own(command, role)) is not None:
        return own.body.__name__
    return None if command.body is None else command.body.__name__


def _rows(file: CaseFile, each: Allowed) -> list[Move]:
    moves, stage = moves_of(file, each.track), stage_of(file, each.track)
    return [row for event in each.events if (row := moves.find(stage, event)) is not None]


def _tasks(file: CaseFile, actor: Actor, command: Command, each: Allowed) -> list[UUID]:
    """Return the open tasks that an act answers: those that its rows close, of the track that it is about."""
    words = programme_of(file).words.tasks
    if command.route is not None and command.route.on is On.TASK:
        return [task.task_id for task in file.tasks if words[task.kind].answers]
    kinds = {closed if isinstance(closed, str) else closed.kind for row in _rows(file, each) for closed in row.closes}
    key = None if each.track is None else each.track.key
    return [
        task.task_id
        for task in file.tasks
        if task.kind in kinds and (key is None or key in {task.destination, *destinations_of(task)})
    ]


def _ways(file: CaseFile, actor: Actor, command: Command, each: Allowed, language: Language) -> Iterator[WayView]:
    programme = programme_of(file)
    open_to = each.events if command.comes_to is None else command.comes_to(file, each.events)
    for row in _rows(file, each):
        if row.event not in open_to:
            continue
        signers = sorted(STAFF) if any(task.kind == TaskKind.CONFIRM for task in row.opens) else []
        told = [_told(programme, notice.kind, actor) for notice in row.notices]
        notices = [each for each in told if each.to]
        label = None
        if row.to is not None:
            label = (
                stage_word(row.to, language, programme.texts)
                if each.track is None
                else track_stage_word(each.track.track, row.to, language, programme.texts)
            )
        reasoned = command.reasons.get(row.event, _reject(programme, row.event))
        use = None if reasoned is None else reasoned.use
        yield WayView(
            event=str(row.event),
            leads_to=None if row.to is None else str(row.to),
            label=label,
            second_signature_by=signers,
            notices=notices,
            use=None if use is None else str(use),
            needs_reason=reasoned is not None and reasoned.is_needed,
            reasons=[] if use is None else _grounds(programme, use, language),
            says=_says(row, label, signers, notices, language),
        )


def _reject(programme: Programme, event: str) -> Reasoned | None:
    """Return what the reasons are for where an event is the rejection of something proposed."""
    return _REJECTS if any(each.rejected == event for each in programme.signatures.values()) else None


def _told(programme: Programme, kind: str, actor: Actor) -> ToldView:
    recipients = programme.words.notices[kind].recipients
    return ToldView(kind=str(kind), to=[each for each in recipients if actor.is_inside or each in _OUTSIDE])


def _grounds(programme: Programme, use: str, language: Language) -> list[GroundView]:
    return [
        GroundView(
            code=str(reason.code),
            sentence=reason_sentence(reason.code, language),
            source=reason.source,
            standing=reason.standings[use].value,
        )
        for reason in programme.words.reasons.values()
        if use in reason.uses
    ]


def _says(row: Move, label: str | None, signers: list[Role], notices: list[ToldView], language: Language) -> list[str]:
    said = [] if label is None else [going("stage", language, stage=label)]
    if signers:
        said.append(going("second_signature", language))
    outside = {to for notice in notices for to in notice.to} & _OUTSIDE
    if outside:
        said.append(going("letter", language, to=recipients_word(sorted(outside), language)))
    return said
