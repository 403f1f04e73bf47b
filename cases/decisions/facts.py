"""Recording a fact that an officer saw, contesting it, and answering the contest; the rules run again each time."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case import facts as case_facts
from cases.case.file import CaseFile
from cases.case.moves import At
from cases.case.signers import holder_of, need_another, need_not_held, need_round, signature_of
from cases.decisions import assessing, disputes
from cases.decisions.reported_days import need_day
from cases.moves.front_half import Event
from cases.moves.moving import move, need_move
from cases.notices.compose import Said
from cases.programme import programme_of
from domain.actors import Actor, system
from domain.acts import Act
from domain.case_facts import ContestState, FactAsked, FactState, contest_of, short_of
from domain.clock import day_of
from domain.decisions import TaskAnswerRequest
from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from domain.notices import NoticeKind, Recipient
from domain.stages import Stage
from domain.tasks import TaskAction, TaskKind
from store.rows.register import FactRow


async def record(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, asked: FactAsked) -> None:
    """Keep a fact that an officer saw beside what was given, and run the rules again that still decide (R35)."""
    need_move(file, Event.RECORD_FACT, actor)
    _need_to_decide(file)
    need_round(file, asked.round)
    _need_none_held(file, actor)
    if asked.field in file.application.past:
        need_day("value", file.application.read_field(asked.field, asked.value), latest=day_of(at), after="in_future")
    _need_to_hold(file, asked)
    for replaced in _replace(file, actor, asked, at):
        await disputes.end_dispute(file, connection, actor, at, "replaced", about=contest_of(replaced))
    number, content = _keep(file, actor, at, asked)
    hashed = file.person_key.ledger_hash(content)
    file.record(Act.FACT_RECORDED, actor, at, fact=number, field=asked.field, content=hashed)
    await run_again(file, connection, at)
    said = Said(occasion=str(number), facts={"fact_field": short_of(asked.field)})
    move(file, Event.RECORD_FACT, actor, at, said=said)


def contest(file: CaseFile, actor: Actor, at: datetime, number: int) -> None:
    """Let another officer look at a recorded fact that the employer or the person thinks wrong, each once (R36)."""
    need_move(file, Event.CONTEST_FACT, actor)
    row = case_facts.find_fact(file, number)
    if row is None:
        raise Refused("not_found", words="fact_unknown")
    if row.state != FactState.STANDS:
        raise Refused("wrong_stage", words="fact_not_standing")
    side = actor.role.value
    if side in row.contested_by:
        raise Refused("already_decided", words="fact_contested_before")
    file.put_fact(row, contest=ContestState.OPEN.value, contested_by=sorted([*row.contested_by, side]))
    task = move(file, Event.CONTEST_FACT, actor, at).task
    file.change_task(task, detail={"facts": sorted({*task.detail.get("facts", ()), number})})
    file.record(Act.FACT_CONTESTED, actor, at, fact=number)


def refuses_fact(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse a fact that would change nothing any more, or while another officer works on what it would change."""
    need_move(file, Event.RECORD_FACT, actor)
    _need_to_decide(file)
    _need_none_held(file, actor)


def refuses_contest(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse where no recorded fact stands that this side has not contested yet."""
    need_move(file, Event.CONTEST_FACT, actor)
    standing = [row for row in file.facts if row.state == FactState.STANDS]
    if not standing:
        raise Refused("not_found", words="fact_unknown")
    if all(actor.role.value in row.contested_by for row in standing):
        raise Refused("already_decided", words="fact_contested_before")


def _need_to_decide(file: CaseFile) -> None:
    if file.row.settled and not programme_of(file).asked(file):
        raise Refused("wrong_stage", words="fact_changes_nothing")


def _need_none_held(file: CaseFile, actor: Actor) -> None:
    if file.stage is Stage.UNDER_REVIEW:
        need_not_held(file, actor, TaskKind.REVIEW)
    for kind, destination in programme_of(file).asked(file):
        need_not_held(file, actor, kind, destination)


async def answer_contest(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, asked: TaskAnswerRequest
) -> None:
    """Let contested facts stand, or set them aside, so that what was given holds again."""
    task = file.find_task(TaskKind.FACT_CONTESTED)
    if task is None:
        raise Refused("wrong_stage", "No recorded fact is contested.")
    contested = [row for row in file.facts if row.number in task.detail["facts"]]
    need_another(holder_of(actor), [row.seen_by for row in contested], words="own_fact")
    chosen = {row.number for row in contested} if asked.facts is None else set(asked.facts)
    if not chosen <= {row.number for row in contested}:
        numbers = tuple(str(row.number) for row in contested)
        wrong = FieldError("facts", FieldCode.UNKNOWN_VALUE, "Not contested.", allowed=numbers)
        raise Refused("invalid", "Name facts that are contested.", [wrong])
    ends = chosen if asked.action == TaskAction.SET_ASIDE else set()
    told: list[tuple[str, Said]] = []
    for row in contested:
        state = FactState.SET_ASIDE.value if row.number in ends else row.state
        file.put_fact(row, state=state, contest=ContestState.ANSWERED.value)
        outcome = asked.action if row.number in chosen else TaskAction.UPHOLD.value
        await disputes.end_dispute(file, connection, actor, at, outcome, about=contest_of(row.number))
        told.append(_answer(file, row, is_set_aside=row.number in ends))
    move(file, Event.ANSWER_FACT, actor, at, said=told)
    file.record(Act.TASK_ANSWERED, actor, at, outcome=asked.action, kind=task.kind, facts=sorted(ends or chosen))
    if ends:
        programme_of(file).known_anew(file, at)
        await run_again(file, connection, at)


def _answer(file: CaseFile, row: FactRow, *, is_set_aside: bool) -> tuple[NoticeKind, Said]:
    """Tell of a fact that is set aside all who heard that it was recorded, and of one that stands who contested it.

    Each contests a fact once: of the other's contest, whoever was told before that it stands is not told again, since
    the occasion is the same.
    """
    kind = NoticeKind.FACT_SET_ASIDE if is_set_aside else NoticeKind.FACT_UPHELD
    only = None if is_set_aside else frozenset(Recipient(side) for side in row.contested_by)
    facts = {"fact_field": short_of(row.field)}
    return kind, Said(occasion=str(row.number), facts=facts, only=only)


def _need_to_hold(file: CaseFile, asked: FactAsked) -> None:
    """Refuse a fact that cannot be true together with what else is known; what clashed before is not its fault."""
    known = case_facts.known(file)
    before, clashes = known.clashes(), known.clashes(asked.field, asked.value)
    wrong = [FieldError("value", each.code, each.message) for field, each in clashes.items() if field not in before]
    if wrong:
        raise Refused("invalid", "The fact does not hold together with what else is known.", wrong)


def _replace(file: CaseFile, actor: Actor, asked: FactAsked, at: datetime) -> list[int]:
    """Let what was recorded of the field before stand no more; return the numbers whose contest ends by it."""
    earlier = [row for row in file.facts if row.field == asked.field and row.state == FactState.STANDS]
    contested = [row for row in earlier if row.contest == ContestState.OPEN]
    for row in earlier:
        file.put_fact(row, state=FactState.REPLACED.value)
    for row in contested:
        file.put_fact(row, contest=ContestState.ANSWERED.value)
        _drop_contest(file, actor, row.number, at)
    return [row.number for row in contested]


def _keep(file: CaseFile, actor: Actor, at: datetime, asked: FactAsked) -> tuple[int, bytes]:
    """Keep the fact under the next number; return it with its content."""
    number = len(file.facts) + 1
    given = file.application.given_of(asked.field)
    content = case_facts.content_of(asked.value, asked.seen_in, given)
    kept = FactRow(
        reference=file.reference,
        number=number,
        employer_id=file.employer_id,
        field=asked.field,
        state=FactState.STANDS.value,
        contested_by=[],
        facts_version=file.row.facts_version,
        round=file.round,
        body=file.person_key.seal("case_facts", "body", case_facts.place_of(file.reference, number), content),
        seen_by=signature_of(actor),
        at=at,
    )
    file.put_fact(kept)
    programme_of(file).known_anew(file, at)
    return number, content


def _drop_contest(file: CaseFile, actor: Actor, number: int, at: datetime) -> None:
    """Take a fact that was replaced out of the task about its contest."""
    task = file.find_task(TaskKind.FACT_CONTESTED)
    left = [each for each in task.detail["facts"] if each != number] if task else []
    if task is not None and left:
        file.change_task(task, detail={"facts": left})
    else:
        move(file, Event.REPLACE_FACT, actor, at)


async def run_again(file: CaseFile, connection: AsyncConnection, at: datetime) -> None:
    """Run the rules of a case that is being decided, and what of them still decides something of one that was."""
    if file.stage in (Stage.UNDER_REVIEW, Stage.AWAITING_CONFIRMATION):
        await assessing.assess_again(file, connection, system("assess_again"), at)
    await programme_of(file).weigh_again(file, connection, at)
