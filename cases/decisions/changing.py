"""Changes of what was given: asked by employer or person, taken or declined by an officer, and what follows (R34).

How those of a programme are, its room declares (`cases.programme.Changing`).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case import facts as case_facts
from cases.case.corrected import value_of
from cases.case.file import CaseFile
from cases.case.identity import know_by
from cases.case.signers import PROPOSAL_WAITS, need_reasons
from cases.decisions import assessing, changes_kept
from cases.decisions.changes_weighed import would_fail
from cases.decisions.reported_days import need_day
from cases.decisions.versions import keep_version
from cases.moves.changing import ChangeEvent
from cases.moves.moving import Spoken, move, need_move
from cases.notices import contact_changes
from cases.notices.compose import Said
from cases.programme import ChangeTaken, Changing, programme_of
from domain.actors import Actor, Role, system
from domain.acts import Act
from domain.changes import HAPPENED_ON, PROOF
from domain.clock import day_of
from domain.decisions import ChangeAnswerRequest, GivenReason
from domain.errors import FieldError, Refused, need
from domain.field_errors import FieldCode
from domain.findings import Finding
from domain.forms import Form
from domain.languages import Language
from domain.notices import NoticeKind, Recipient
from domain.reasons import Use
from domain.stages import Stage
from domain.tasks import TaskAction, TaskKind
from texts.problems import particular_sentence


async def change(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, asked: BaseModel) -> None:
    """Change at once what needs no officer, and ask one for the rest.

    While an address waits that was changed before, an officer looks at a further one too.
    """
    need_move(file, ChangeEvent.CHANGE, actor)
    changing = changing_of(file)
    if actor.role is Role.PERSON and not _is_own(changing, asked):
        raise Refused("role_not_allowed")
    _need_days(file, at, asked)
    for_review = need_changes(file, asked)
    at_once = changing.asked_at_once(asked)
    held = contact_changes.held_back(file, at, merged(file, at_once).subject) if at_once else {}
    if at_once := {name: value for name, value in at_once.items() if name not in held}:
        told = keep_version(file, at, whole=merged(file, at_once))
        changing.keeps(file, file.application)
        move(file, ChangeEvent.CHANGE, actor, at, said=[(NoticeKind.CONTACT_CHANGED, each) for each in told])
        by: dict[str, Any] = {"asked_by": [actor.role.value]} if actor.role is Role.PERSON else {}
        by |= _told_of_day(_happened_on(asked))
        file.record(Act.CHANGED, actor, at, fields=sorted(at_once), version=file.row.facts_version, **by)
    if for_review := for_review | held:
        ask_officer(file, actor, at, for_review, _proof_of(asked), _happened_on(asked))


def wanted(file: CaseFile, at: datetime, asked: BaseModel) -> dict[str, Any]:
    """Return what an officer looks at of a change that comes with something else, and what is said to prove it."""
    _need_days(file, at, asked)
    known, proof = case_facts.known(file), _proof_of(asked)
    fields = {name: value for name, value in need_changes(file, asked).items() if value != value_of(known, name)}
    return fields if proof is None or not fields else fields | {PROOF: proof.model_dump(mode="json")}


async def renewed(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    asked: BaseModel | None,
    before: Mapping[str, Any],
) -> dict[str, Any]:
    """Change at once what a change does, and return what an officer looks at of what comes with a renewal.

    Args:
        file: the case.
        connection: its transaction.
        actor: who asks.
        at: when.
        asked: what changes, if anything; given again where the renewal was sent back.
        before: what was wanted before; what is asked to stay as it is known after all is wanted no more.
    """
    given = frozenset[str]() if asked is None else asked.model_fields_set
    kept = {name: value for name, value in before.items() if name not in given}
    named = _not_put_back(file, asked, before)
    if named is not None:
        kept |= wanted(file, at, named)
        if at_once := changing_of(file).asked_at_once(named):
            await change(file, connection, actor, at, type(named).model_validate(at_once))
    return kept if kept.keys() - {PROOF} else {}


def _not_put_back(file: CaseFile, asked: BaseModel | None, before: Mapping[str, Any]) -> BaseModel | None:
    """Return what is asked but for what was wanted before and is to stay as it is known after all."""
    if asked is None or not before:
        return asked
    known, for_review = case_facts.known(file), changing_of(file).asked_of_officer(asked)
    back = {name for name in before if name in for_review and for_review[name] == value_of(known, name)}
    rest = asked.model_dump(mode="json", exclude_unset=True, exclude=back)
    return type(asked).model_validate(rest) if rest.keys() - {PROOF} else None


def ask_officer(
    file: CaseFile,
    actor: Actor,
    at: datetime,
    asked: Mapping[str, Any],
    proof: BaseModel | None = None,
    happened_on: date | None = None,
) -> None:
    """Let an officer take or decline a change, together with what waits for one already."""
    task = move(file, ChangeEvent.ASK_CHANGE, actor, at).task
    merged(file, {**changes_kept.wanted_by(file, task), **asked})
    said = None if proof is None else proof.model_dump(mode="json", exclude_none=True)
    changes_kept.keep(file, task, asked, said, happened_on, actor, at)
    proved = {} if said is None else {PROOF: said["kind"]}
    file.record(Act.CHANGE_ASKED, actor, at, fields=sorted(asked), **proved, **_told_of_day(happened_on))


async def answer(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, asked: ChangeAnswerRequest
) -> None:
    """Take or decline what was asked to have changed, all of it or some fields; what is left goes on waiting."""
    task = file.find_task(TaskKind.CHANGE)
    if task is None:
        raise Refused("wrong_stage", "No change waits for an answer.")
    wanted, proofs = changes_kept.wanted_by(file, task), changes_kept.proofs_of(file, task)
    fields = _chosen(wanted, asked.fields)
    rest = wanted.keys() - fields
    days = {name: changes_kept.happened_on(task, name) for name in sorted(fields)}
    answered = _Answered(
        fields={name: wanted[name] for name in fields},
        asked_by=sorted({changes_kept.asker_of(task, name) for name in fields}),
        proofs=sorted({proofs[name]["kind"] for name in fields if name in proofs}),
        days={name: day.isoformat() for name, day in days.items() if day is not None},
        occasion=f"{task.task_id}/{at.isoformat()}" if rest or asked.fields else str(task.task_id),
        is_last=not rest,
    )
    if asked.action == TaskAction.TAKE:
        await _take(file, connection, actor, at, answered, asked.reasons)
    else:
        _decline(file, actor, at, answered, asked.reasons)
    if rest:
        changes_kept.keep_rest(file, task, rest)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answered:
    """What is answered of a change: the fields with what they are to be, who asked, on what proof, since when."""

    fields: Mapping[str, Any]
    asked_by: list[str]
    proofs: list[str]
    days: Mapping[str, str]
    occasion: str
    is_last: bool

    @property
    def told(self) -> dict[str, Any]:
        """What the row of the ledger says of it beside the names of the fields, where it has more to say."""
        asked: dict[str, Any] = {"asked_by": self.asked_by} if Role.PERSON in self.asked_by else {}
        asked |= {PROOF: self.proofs} if self.proofs else {}
        return asked | ({HAPPENED_ON: dict(self.days)} if self.days else {})

    def said(self, reasons: Iterable[GivenReason], *, also_person: bool) -> Said:
        """What the notice says: the employer is always told, the person where they asked, or it is about them."""
        is_own = Role.PERSON in self.asked_by
        only = {Recipient.EMPLOYER} | ({Recipient.PERSON} if is_own or also_person else set())
        facts = {"changed_fields": tuple(sorted(self.fields)), "asked_by_person": is_own}
        return Said(occasion=self.occasion, facts=facts, reasons=tuple(reasons), only=frozenset(only))


async def _take(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    answered: _Answered,
    reasons: tuple[GivenReason, ...],
) -> None:
    fields, changing, before = answered.fields, changing_of(file), file.application
    is_weighed = not changing.weighed.isdisjoint(fields)
    if is_weighed and file.stage is Stage.AWAITING_CONFIRMATION:
        raise Refused("already_decided", PROPOSAL_WAITS)
    whole = merged(file, fields)
    if is_weighed and (failing := await would_fail(file, connection, at, whole)):
        _need_override(file, reasons, failing)
    await know_by(file, connection, whole)
    told = keep_version(file, at, whole=whole)
    changing.keeps(file, whole)
    said = answered.said((), also_person=is_weighed)
    spoken: Spoken = [*((NoticeKind.CONTACT_CHANGED, each) for each in told), (NoticeKind.CHANGE_TAKEN, said)]
    move(file, ChangeEvent.TAKE_CHANGE if answered.is_last else ChangeEvent.TAKE_PART, actor, at, said=spoken)
    if is_weighed and file.stage is Stage.UNDER_REVIEW:
        _begin_round(file)  # before the act is recorded, whose row is the only one to tell it where no rule looks
    codes = [reason.code for reason in reasons]
    version = file.row.facts_version
    file.record(Act.CHANGED, actor, at, reasons=codes, fields=sorted(fields), version=version, **answered.told)
    changing.taken(file, actor, at, frozenset(fields))
    await follow(file, connection, at, fields, before)


def _decline(file: CaseFile, actor: Actor, at: datetime, answered: _Answered, reasons: tuple[GivenReason, ...]) -> None:
    # What nothing rests on was declined without a reason, and may be by those who know no other.
    is_weighed = not changing_of(file).weighed.isdisjoint(answered.fields) or Role.PERSON in answered.asked_by
    codes = need_reasons(reasons, Use.RETURN, file.forms, file.words.reasons, at_least_one=is_weighed)
    event = ChangeEvent.DECLINE_CHANGE if answered.is_last else ChangeEvent.DECLINE_PART
    move(file, event, actor, at, said=answered.said(reasons, also_person=False))
    file.record(Act.CHANGE_DECLINED, actor, at, reasons=codes, fields=sorted(answered.fields), **answered.told)


async def follow(
    file: CaseFile, connection: AsyncConnection, at: datetime, fields: Collection[str], before: Form
) -> None:
    """Run the rules again that look at what changed, and let the tracks and those outside know of it.

    Args:
        file: the case, which has the new version of what was given.
        connection: its transaction.
        at: when it was taken.
        fields: what changed.
        before: what had been given until then.
    """
    changing = changing_of(file)
    is_ruled, by_engine = not changing.ruled.isdisjoint(fields), system("change")
    if file.stage is Stage.UNDER_REVIEW and is_ruled:
        await assessing.assess_again(file, connection, by_engine, at)
    if file.stage is not Stage.APPROVED:
        return
    by = await assessing.of_day(file, connection, at)
    if is_ruled:
        await assessing.assess_again(file, connection, by_engine, at, by=by)
    if file.row.settled:
        taken = ChangeTaken(fields=frozenset(fields), before=before, is_ruled=is_ruled, pack=by.pack, on=by.on)
        await changing.follows(file, connection, by_engine, at, taken)


def _begin_round(file: CaseFile) -> None:
    """Begin the next round, so that nobody decides on facts that are not what they saw."""
    file.row.round += 1
    task = file.find_task(TaskKind.REVIEW)
    if task is not None:
        file.change_task(task, round=file.round)


def _need_override(file: CaseFile, reasons: tuple[GivenReason, ...], failing: Iterable[Finding]) -> None:
    """Refuse a change without a reason by which a rule would fail, naming the fields that it looks at."""
    if not reasons:
        code, said = FieldCode.REQUIRED, "rule_would_fail"
        errors = [
            FieldError("reasons", code, particular_sentence(said, Language.EN, each.code), words=said, about=each.code)
            for each in failing
        ]
        raise Refused("reason_missing", errors=errors, words="change_fails_rules")
    need_reasons(reasons, Use.OVERRIDE, file.forms, file.words.reasons)


def need_changes(file: CaseFile, asked: BaseModel) -> dict[str, Any]:
    """Return what an officer is to look at, or refuse what is no change, or is of what is not there."""
    changing, known = changing_of(file), case_facts.known(file)
    wanted = changing.asked_of_officer(asked)
    if waiting := (changes_kept.waiting(file) - changing.at_once) & wanted.keys():
        errors = wrong(waiting, FieldCode.UNKNOWN_VALUE, "change_waits")
        raise Refused("already_decided", errors=errors, words="change_waits")
    errors = list(changing.wrong(file, wanted))
    same = {name for name in changing.weighed & wanted.keys() if wanted[name] == value_of(known, name)}
    same -= changing.asks_again(file, wanted)
    if not errors and same and same == wanted.keys() and changing.at_once.isdisjoint(asked.model_fields_set):
        errors = wrong(same, FieldCode.UNKNOWN_VALUE, "nothing_changes")
    if errors:
        raise Refused("invalid", errors=errors, words=errors[0].words)
    return {name: value for name, value in wanted.items() if name not in same}


def wrong(fields: Iterable[str], code: FieldCode, words: str) -> list[FieldError]:
    """Return what is wrong with fields, in the words of a particular (`texts/refusals.yaml`)."""
    return [FieldError(name, code, particular_sentence(words, Language.EN), words=words) for name in sorted(fields)]


def merged(file: CaseFile, fields: Mapping[str, Any]) -> Form:
    """Return what was given with other values of fields; refused where the whole does not hold together."""
    return changing_of(file).merged(file.application, fields)


def changing_of(file: CaseFile) -> Changing:
    """Return how the cases of this one's programme are changed."""
    return need(programme_of(file).changing, "changing")


def _is_own(changing: Changing, asked: BaseModel) -> bool:
    return changing.own is not None and asked.model_fields_set <= changing.own.model_fields.keys()


def _chosen(wanted: Mapping[str, Any], fields: tuple[str, ...] | None) -> set[str]:
    if fields is None:
        return set(wanted)
    if not wanted.keys() >= set(fields):
        said = particular_sentence("not_asked", Language.EN)
        allowed = tuple(sorted(wanted))
        error = FieldError("fields", FieldCode.UNKNOWN_VALUE, said, words="not_asked", allowed=allowed)
        raise Refused("invalid", errors=[error], words="not_asked")
    return set(fields)


def _need_days(file: CaseFile, at: datetime, asked: BaseModel) -> None:
    changing_of(file).looks(file, at, asked)
    for field, day in (("proof.date", getattr(_proof_of(asked), "date", None)), (HAPPENED_ON, _happened_on(asked))):
        if isinstance(day, date):
            need_day(field, day, latest=day_of(at), after="in_future")


def _proof_of(asked: BaseModel) -> BaseModel | None:
    said = getattr(asked, PROOF, None)
    return said if isinstance(said, BaseModel) else None


def _happened_on(asked: BaseModel) -> date | None:
    said = getattr(asked, HAPPENED_ON, None)
    return said if isinstance(said, date) else None


def _told_of_day(happened_on: date | None) -> dict[str, Any]:
    return {} if happened_on is None else {HAPPENED_ON: happened_on.isoformat()}
