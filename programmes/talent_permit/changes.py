"""Changes of what was given: asked by employer or person, taken or declined by an officer, and what follows (R34)."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case import facts as case_facts
from cases.case.change_views import ChangeAskedForView, FieldAskedView, RuleWeighedView
from cases.case.file import CaseFile
from cases.case.signers import PROPOSAL_WAITS, need_reasons
from cases.case.view import shown_at
from cases.decisions import assessing
from cases.decisions.reported_days import need_day
from cases.decisions.versions import keep_version
from cases.moves.moving import Spoken, move, need_move
from cases.notices import contact_changes
from cases.notices.compose import Said
from cases.programme import programme_of
from domain.actors import Actor, Role, system
from domain.case_facts import short_of
from domain.clock import day_of
from domain.decisions import GivenReason
from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from domain.findings import STANDING_IN_THE_WAY, Finding
from domain.languages import Language
from domain.notices import NoticeKind, Recipient
from domain.reasons import Use
from domain.stages import Stage
from domain.tasks import TaskAction, TaskKind
from policy.facts import Facts
from policy.rerun import REGISTRATION_SCOPE, run_again
from programmes.talent_permit import eligibility, employment, permits, running_on
from programmes.talent_permit.given import given, known
from programmes.talent_permit.notices import PermitNotice
from programmes.talent_permit.permit_requests import TaskAnswerRequest
from programmes.talent_permit.requests import (
    AT_ONCE,
    OF_EMPLOYMENT,
    ChangeRequest,
    CorrectionRequest,
    OwnChanges,
    Proof,
    RegistrationRequest,
)
from programmes.talent_permit.stages import LifeEvent
from programmes.talent_permit.tables import destinations_of, permit_rows, talent_permit
from programmes.talent_permit.words import PermitAct
from store.rows.work import TaskRow
from texts.problems import particular_sentence

# What a rule looks at, by the names of fields within their parts.
RULED: Final = frozenset(
    {"permit_card_number", "permit_card_valid_until", "work_site", "contract_start", "contract_end", "destinations"}
)
# What changes through an officer since a change is of more than contact, names and the end of the contract.
LATER: Final = (RULED | {"position"}) - {"contract_end"}


async def change(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, asked: ChangeRequest) -> None:
    """Change contact and language at once, and ask an officer for the rest.

    While an address waits that was changed before, an officer looks at a further one too.
    """
    need_move(file, LifeEvent.CHANGE, actor)
    if actor.role is Role.PERSON and not asked.model_fields_set <= OwnChanges.model_fields.keys():
        raise Refused("role_not_allowed")
    _need_days(file, at, asked)
    for_review = need_changes(file, asked)
    at_once = asked.at_once
    held = contact_changes.held_back(file, at, changed(file, at_once).subject) if at_once else {}
    if at_once := {name: value for name, value in at_once.items() if name not in held}:
        told = keep_version(file, at, whole=changed(file, at_once))
        move(file, LifeEvent.CHANGE, actor, at, said=[(NoticeKind.CONTACT_CHANGED, each) for each in told])
        by: dict[str, Any] = {"asked_by": [actor.role.value]} if actor.role is Role.PERSON else {}
        file.record(PermitAct.CHANGED, actor, at, fields=sorted(at_once), version=file.row.facts_version, **by)
    if for_review := for_review | held:
        ask_officer(file, actor, at, for_review, asked.proof)


def wanted(file: CaseFile, at: datetime, asked: ChangeRequest) -> dict[str, Any]:
    """Return what an officer looks at of a change that comes with something else, and what is said to prove it."""
    _need_days(file, at, asked)
    now, proof = known(file), asked.proof
    fields = {name: value for name, value in need_changes(file, asked).items() if value != value_of(now, name)}
    return fields if proof is None or not fields else fields | {"proof": proof.model_dump(mode="json")}


def _need_days(file: CaseFile, at: datetime, asked: ChangeRequest) -> None:
    if asked.contract_end is not None and file.stage is Stage.APPROVED:
        employment.need_contract_to_come(file, at, asked.contract_end)
    if asked.proof is not None:
        need_day("proof.date", asked.proof.date, latest=day_of(at), after="in_future")


def ask_officer(
    file: CaseFile, actor: Actor, at: datetime, asked: Mapping[str, Any], proof: Proof | None = None
) -> None:
    """Let an officer take or decline a change, together with what waits for one already."""
    task = move(file, LifeEvent.ASK_CHANGE, actor, at).task
    wanted = {**wanted_by(file, task), **asked}
    changed(file, wanted)
    proofs = {name: each for name, each in proofs_of(file, task).items() if name not in asked}
    if proof is not None:
        proofs |= dict.fromkeys(asked, proof.model_dump(mode="json", exclude_none=True))
    by = {name: {"role": actor.role.value, "at": at.isoformat()} for name in asked}
    _keep_task(file, task, wanted, proofs, task.detail.get("asked", {}) | by)
    proved = {} if proof is None else {"proof": proof.kind.value}
    file.record(PermitAct.CHANGE_ASKED, actor, at, fields=sorted(asked), **proved)


async def answer_change(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, asked: TaskAnswerRequest
) -> None:
    """Take or decline what was asked to have changed, all of it or some fields; what is left goes on waiting."""
    task = file.find_task(TaskKind.CHANGE)
    if task is None:
        raise Refused("wrong_stage", "No change waits for an answer.")
    wanted, proofs = wanted_by(file, task), proofs_of(file, task)
    fields = _chosen(wanted, asked.fields)
    rest = {name: value for name, value in wanted.items() if name not in fields}
    answered = _Answered(
        fields={name: wanted[name] for name in fields},
        asked_by=sorted({_asker(task, name) for name in fields}),
        proofs=sorted({proofs[name]["kind"] for name in fields if name in proofs}),
        occasion=f"{task.task_id}/{at.isoformat()}" if rest or asked.fields else str(task.task_id),
        is_last=not rest,
    )
    if asked.action == TaskAction.TAKE:
        await _take(file, connection, actor, at, answered, asked.reasons)
    else:
        _decline(file, actor, at, answered, asked.reasons)
    if rest:
        _keep_task(
            file,
            task,
            rest,
            {name: each for name, each in proofs.items() if name in rest},
            {name: each for name, each in task.detail.get("asked", {}).items() if name in rest},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answered:
    """What is answered of a change: the fields with what they are to be, who asked, on what proof."""

    fields: Mapping[str, Any]
    asked_by: list[str]
    proofs: list[str]
    occasion: str
    is_last: bool

    @property
    def told(self) -> dict[str, Any]:
        """What the row of the ledger says of it beside the names of the fields, where it has more to say."""
        asked = {"asked_by": self.asked_by} if Role.PERSON in self.asked_by else {}
        return asked | ({"proof": self.proofs} if self.proofs else {})

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
    fields, held = answered.fields, destinations_of(file)
    is_later = not LATER.isdisjoint(fields)
    if is_later and file.stage is Stage.AWAITING_CONFIRMATION:
        raise Refused("already_decided", PROPOSAL_WAITS)
    whole = changed(file, fields)
    if is_later and (failing := await would_fail(file, connection, at, whole)):
        _need_override(file, reasons, failing)
    told = keep_version(file, at, whole=whole)
    talent_permit(file).destinations = [each.value for each in whole.destinations]
    said = answered.said((), also_person=is_later)
    spoken: Spoken = [*((NoticeKind.CONTACT_CHANGED, each) for each in told), (PermitNotice.CHANGE_TAKEN, said)]
    move(file, LifeEvent.TAKE_CHANGE if answered.is_last else LifeEvent.TAKE_PART, actor, at, said=spoken)
    codes = [reason.code for reason in reasons]
    version = file.row.facts_version
    file.record(PermitAct.CHANGED, actor, at, reasons=codes, fields=sorted(fields), version=version, **answered.told)
    if "contract_end" in fields:
        employment.take_contract_end(file, actor, at)
    await follow(file, connection, at, fields, held)


def _decline(file: CaseFile, actor: Actor, at: datetime, answered: _Answered, reasons: tuple[GivenReason, ...]) -> None:
    # Contact, names and the end of a contract were declined without a reason, and may be by those who know no other.
    is_later = not LATER.isdisjoint(answered.fields) or Role.PERSON in answered.asked_by
    codes = need_reasons(reasons, Use.RETURN, file.forms, file.words.reasons, at_least_one=is_later)
    event = LifeEvent.DECLINE_CHANGE if answered.is_last else LifeEvent.DECLINE_PART
    move(file, event, actor, at, said=answered.said(reasons, also_person=False))
    file.record(PermitAct.CHANGE_DECLINED, actor, at, reasons=codes, fields=sorted(answered.fields), **answered.told)


async def follow(
    file: CaseFile, connection: AsyncConnection, at: datetime, fields: Collection[str], held: Collection[str]
) -> None:
    """Run the rules again that look at what changed, and let the tracks and the authority know of it."""
    is_ruled, by_engine = not RULED.isdisjoint(fields), system("change")
    if file.stage is Stage.UNDER_REVIEW:
        if not LATER.isdisjoint(fields):
            _begin_round(file)
        if is_ruled:
            await assessing.assess_again(file, connection, by_engine, at)
    if file.stage is not Stage.APPROVED:
        return
    by = await assessing.of_day(file, connection, at)
    if is_ruled:
        await assessing.assess_again(file, connection, by_engine, at, by=by)
    if not file.row.settled:
        return
    waiting = running_on.waiting(file)
    kept = [each for each in destinations_of(file) if each not in waiting]
    for destination in sorted(set(permit_rows(file)) - set(kept)):
        if destination in held:
            permits.give_up(file, by_engine, at, destination)
    for destination in kept:
        if destination not in permit_rows(file):
            await eligibility.add(file, connection, by_engine, at, destination, by)
        elif is_ruled:
            await eligibility.weigh_known(file, connection, by_engine, at, destination, by)
        permits.tell_entry(file, by_engine, at, destination, fields)
    permits.follow_up(file)


def _begin_round(file: CaseFile) -> None:
    """Begin the next round, so that nobody decides on facts that are not what they saw."""
    file.row.round += 1
    task = file.find_task(TaskKind.REVIEW)
    if task is not None:
        file.change_task(task, round=file.round)


async def shown(file: CaseFile, connection: AsyncConnection, at: datetime) -> ChangeAskedForView | None:
    """Return the change that waits for an officer, with what the rules that look at it find now and would find."""
    task = file.find_task(TaskKind.CHANGE)
    if task is None:
        return None
    wanted, proofs, now = wanted_by(file, task), proofs_of(file, task), known(file)
    whole = changed(file, wanted)
    by = await _by(file, connection, at)
    return ChangeAskedForView(
        reference=file.reference,
        task_id=task.task_id,
        round=file.round,
        due_at=shown_at(task.due_at) if task.due_at else None,
        rule_version=by.pack.version,
        fields=tuple(
            FieldAskedView(
                field=name,
                known=value_of(now, name),
                wanted=wanted[name],
                asked_by=Role(_asker(task, name)),
                asked_at=_asked_at(task, name),
                proof=proofs.get(name),
            )
            for name in sorted(wanted)
        ),
        rules=tuple(await _rules_on(file, connection, at, whole, set(wanted))),
    )


async def _rules_on(
    file: CaseFile, connection: AsyncConnection, at: datetime, whole: RegistrationRequest, fields: Collection[str]
) -> list[RuleWeighedView]:
    """Return what each rule that looks at a changed field finds before and after, of the case and of each permit."""
    before, after = await _facts(file, connection, at, whole)
    by, rules = await _by(file, connection, at), programme_of(file).rules
    scopes = [REGISTRATION_SCOPE]
    if file.stage is Stage.APPROVED:
        scopes += [each.value for each in sorted({*destinations_of(file), *whole.destinations})]
    found: list[RuleWeighedView] = []
    for scope in scopes:
        now, then = (
            {finding.code: finding for finding in run_again(rules, scope, facts, by.pack, by.on)}
            for facts in (before, after)
        )
        for code in now | then:
            looked = (then.get(code) or now[code]).fields
            if {short_of(name) or name for name in looked} & set(fields):
                found.append(
                    RuleWeighedView(
                        scope=scope,
                        code=code,
                        fields=looked,
                        now=now[code].outcome if code in now else None,
                        then=then[code].outcome if code in then else None,
                    )
                )
    return found


async def would_fail(
    file: CaseFile, connection: AsyncConnection, at: datetime, whole: RegistrationRequest
) -> list[Finding]:
    """Return what would stand in the way once a change is taken and does not now, by the rules that it is judged by."""
    by, assess = await _by(file, connection, at), programme_of(file).rules.assess
    before, after = (assess(facts, by.pack, by.on) for facts in await _facts(file, connection, at, whole))
    stood = {finding.code for finding in before if finding.outcome in STANDING_IN_THE_WAY}
    return [each for each in after if each.outcome in STANDING_IN_THE_WAY and each.code not in stood]


async def _by(file: CaseFile, connection: AsyncConnection, at: datetime) -> assessing.By:
    """Return the rules that a change is judged by: before a decision those of the case, after it those of the day."""
    is_decided = file.stage is Stage.APPROVED
    return await assessing.of_day(file, connection, at) if is_decided else assessing.of_acceptance(file)


async def _facts(
    file: CaseFile, connection: AsyncConnection, at: datetime, whole: RegistrationRequest
) -> tuple[Facts, Facts]:
    """Return what the rules look at: as it is known, and as it would be with a change."""
    on, in_force = (await _by(file, connection, at)).on, eligibility.is_in_force(file, at)
    known_now = await assessing.known_facts(file, connection, at, in_force=in_force, on=on)
    would_be = case_facts.known(file, whole)
    return known_now.facts, await programme_of(file).gather(file, connection, would_be, at, in_force, on)


def _need_override(file: CaseFile, reasons: tuple[GivenReason, ...], failing: Iterable[Finding]) -> None:
    """Refuse a change without a reason by which a rule would fail, naming the fields that it looks at."""
    if not reasons:
        code, said = FieldCode.REQUIRED, "rule_would_fail"
        errors = [FieldError("reasons", code, _words(said, each.code), words=said, about=each.code) for each in failing]
        raise Refused("reason_missing", errors=errors, words="change_fails_rules")
    need_reasons(reasons, Use.OVERRIDE, file.forms, file.words.reasons)


def need_changes(file: CaseFile, asked: ChangeRequest) -> dict[str, Any]:
    """Return what an officer is to look at, or refuse what is no change, or is of what is not there."""
    wanted, now = asked.for_review, known(file)
    if waiting := _waiting(file) & wanted.keys():
        errors = _errors(waiting, FieldCode.UNKNOWN_VALUE, "change_waits")
        raise Refused("already_decided", errors=errors, words="change_waits")
    errors = [*_card_errors(wanted, now), *_destination_errors(file, wanted)]
    same = {name for name in LATER & wanted.keys() if wanted[name] == value_of(now, name)}
    if not errors and same and same == wanted.keys() and not asked.at_once:
        errors = _errors(same, FieldCode.UNKNOWN_VALUE, "nothing_changes")
    if errors:
        raise Refused("invalid", errors=errors, words=errors[0].words)
    return {name: value for name, value in wanted.items() if name not in same}


def _waiting(file: CaseFile) -> set[str]:
    task = file.find_task(TaskKind.CHANGE)
    return set() if task is None else set(task.detail.get("fields", ())) - set(AT_ONCE)


def _card_errors(wanted: Mapping[str, Any], now: RegistrationRequest) -> list[FieldError]:
    number, until = "permit_card_number", "permit_card_valid_until"
    if until in wanted and wanted.get(number, now.person.permit_card_number) is None:
        return _errors([until], FieldCode.UNKNOWN_VALUE, "no_card")
    if number in wanted and wanted[number] != now.person.permit_card_number and until not in wanted:
        return _errors([until], FieldCode.REQUIRED, "card_without_last_day")
    return []


def _destination_errors(file: CaseFile, wanted: Mapping[str, Any]) -> list[FieldError]:
    if "destinations" not in wanted:
        return []
    held = set(destinations_of(file))
    if set(wanted["destinations"]) == held:
        return _errors(["destinations"], FieldCode.UNKNOWN_VALUE, "destinations_held")
    followed = set(permit_rows(file)) - held
    if followed & set(wanted["destinations"]):
        return _errors(["destinations"], FieldCode.UNKNOWN_VALUE, "destination_given_up")
    return []


def _errors(fields: Iterable[str], code: FieldCode, words: str) -> list[FieldError]:
    return [FieldError(name, code, _words(words), words=words) for name in sorted(fields)]


def _words(name: str, about: str = "") -> str:
    return particular_sentence(name, Language.EN, about)


def _chosen(wanted: Mapping[str, Any], fields: tuple[str, ...] | None) -> set[str]:
    if fields is None:
        return set(wanted)
    if not wanted.keys() >= set(fields):
        code, said = FieldCode.UNKNOWN_VALUE, _words("not_asked")
        wrong = FieldError("fields", code, said, words="not_asked", allowed=tuple(sorted(wanted)))
        raise Refused("invalid", errors=[wrong], words="not_asked")
    return set(fields)


def _asker(task: TaskRow, field: str) -> str:
    """Return the role of who asked for a field; a task of before tells of one who asked for all."""
    asked = task.detail.get("asked", {})
    return str(asked[field]["role"] if field in asked else task.detail["by"]["role"])


def _asked_at(task: TaskRow, field: str) -> datetime:
    asked = task.detail.get("asked", {})
    return shown_at(datetime.fromisoformat(asked[field]["at"]) if field in asked else task.opened_at)


def _keep_task(
    file: CaseFile, task: TaskRow, wanted: Mapping[str, Any], proofs: Mapping[str, Any], asked: Mapping[str, Any]
) -> None:
    detail: dict[str, Any] = {
        "fields": sorted(wanted),
        "change": file.seal("tasks", "detail", _place(file), wanted).hex(),
        "asked": dict(asked),
    }
    if "by" in task.detail:  # one of before tells of all that it asks at once who asked it
        detail["by"] = task.detail["by"]
    if proofs:
        detail["proof"] = file.seal("tasks", "detail", _place_of_proof(file), proofs).hex()
    file.change_task(task, detail=detail)


def wanted_by(file: CaseFile, task: TaskRow) -> dict[str, Any]:
    """Return what an open task asks to have changed, by field."""
    if "change" not in task.detail:
        return {}
    wanted: dict[str, Any] = file.open("tasks", "detail", _place(file), bytes.fromhex(task.detail["change"]))
    return wanted


def proofs_of(file: CaseFile, task: TaskRow) -> dict[str, Any]:
    """Return what is said to prove what an open task asks, by field."""
    if "proof" not in task.detail:
        return {}
    proofs: dict[str, Any] = file.open("tasks", "detail", _place_of_proof(file), bytes.fromhex(task.detail["proof"]))
    return proofs


def _place(file: CaseFile) -> str:
    return f"{file.reference}/change"


def _place_of_proof(file: CaseFile) -> str:
    return f"{file.reference}/change/proof"


def changed(file: CaseFile, wanted: Mapping[str, Any]) -> RegistrationRequest:
    """Return the registration with what is asked to be changed; refused where the whole does not hold together."""
    return employment.merged(given(file), CorrectionRequest.model_validate(parts_of(wanted)))


def parts_of(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a change as parts of a registration."""
    parts: dict[str, Any] = {}
    for name, value in wanted.items():
        part = part_of(name)
        if part is None:
            parts[name] = value
        else:
            parts.setdefault(part, {})[name] = value
    return parts


def part_of(field: str) -> str | None:
    """Return the part of a registration that a field of a change lies in; None where it is none of a part."""
    if field == "destinations":
        return None
    return "employment" if field in (*OF_EMPLOYMENT, "contract_end") else "person"


def value_of(whole: RegistrationRequest, field: str) -> Any:
    """Return what a registration says of a field of a change, as JSON."""
    part = part_of(field)
    body = whole.model_dump(mode="json")
    return body[field] if part is None else body[part][field]
