"""Notices of a case: the exact text for each reader, written with its deliveries in the transaction that causes it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from cases.case import open_points
from cases.case.bundles import Foretold, Told
from cases.case.contact import alone
from cases.case.file import CaseFile
from cases.notices.letters import keep_texts
from cases.programme import programme_of
from domain.clock import day_of, morning_of
from domain.decisions import GivenReason
from domain.forms import Form
from domain.languages import Language
from domain.notices import (
    Channel,
    DeliveryStatus,
    NoticeKind,
    Recipient,
    notice_status,
    opening_channels,
    when_undelivered,
)
from domain.open_points import fields_of
from domain.parties import Party
from domain.stages import Stage
from domain.tasks import TaskKind
from store.case_rows import Subscription
from store.rows.notices import DeliveryRow, NoticeRow
from temporal.traces import current_traceparent
from texts.fields import field_names
from texts.notices import NoticeFacts, Reason, render
from texts.reasons import reason_sentence

# Facts that are said anew to each reader.
_OF_A_READER = frozenset({"occurred_at", "employer_name", "person_name", "points", "link"})
# Those that say what is to be mended, or was not.
_WITH_POINTS = frozenset(
    {
        NoticeKind.CORRECTION_REQUESTED,
        NoticeKind.CORRECTION_REMINDER,
        NoticeKind.REGISTRATION_LAPSED,
        NoticeKind.RENEWAL_CORRECTION_REQUESTED,
        NoticeKind.RENEWAL_CORRECTION_REMINDER,
        NoticeKind.RENEWAL_LAPSED,
    }
)


@dataclass(frozen=True, slots=True)
class Telling:
    """What is told: the kind, the occasion that makes it one notice, and the facts beyond those every notice has.

    One that is for a single address is sent to that one, whatever the reader has by then, and not after its time. Of
    one that is not whole the facts are not known any more.
    """

    kind: str
    at: datetime
    occasion: str
    destination: str | None = None
    facts: Mapping[str, Any] | None = None
    reasons: Sequence[GivenReason] = ()
    not_before: datetime | None = None
    only: frozenset[Recipient] | None = None
    holder: str | None = None
    to: tuple[Channel, str] | None = None
    until: datetime | None = None
    is_whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a verb says with a notice of its move, beside what the row of the move says of it."""

    occasion: str | None = None
    facts: Mapping[str, Any] | None = None
    reasons: Sequence[GivenReason] = ()
    not_before: datetime | None = None
    only: frozenset[Recipient] | None = None
    holder: str | None = None
    to: tuple[Channel, str] | None = None


def tell(file: CaseFile, telling: Telling) -> None:
    """Write the notices of one step to everyone whom the table names for its kind; nothing to a person who has died."""
    if file.previewed:
        if file.foretold is not None:
            file.foretold += _foretell(file, telling)
        return
    for recipient in _recipients(file, telling):
        _tell_one(file, telling, recipient)


def _recipients(file: CaseFile, telling: Telling) -> Iterator[Recipient]:
    """Yield those who are told."""
    for recipient in programme_of(file).words.notices[telling.kind].recipients:
        if telling.only is not None and recipient not in telling.only:
            continue
        if recipient is Recipient.PERSON and programme_of(file).has_died(file):
            continue
        # Of a case that a person owns the employer is who confirms something of it, where anybody does.
        if recipient is Recipient.EMPLOYER and _employer_of(file) is None:
            continue
        if recipient in (Recipient.HOLDER, Recipient.PARK) and (recipient is Recipient.HOLDER) != bool(telling.holder):
            continue
        yield recipient


def _foretell(file: CaseFile, telling: Telling) -> Iterator[Foretold]:
    """Yield what those outside would read, as the mail or else the first channel says it."""
    programme = programme_of(file)
    for recipient in _recipients(file, telling):
        if recipient not in (Recipient.EMPLOYER, Recipient.PERSON):
            continue
        language, channels = (
            _language(file, recipient),
            programme.words.notices[telling.kind].recipients[recipient].channels,
        )
        channel = Channel.MAIL if Channel.MAIL in channels else next(iter(channels))
        facts = _facts(file, telling, recipient, language)
        text = render(telling.kind, recipient, channel, language, facts, programme.texts)
        yield Foretold(str(telling.kind), recipient, language, text)


def _said(telling: Telling) -> str:
    """Return of which kind the text is that is told, or handed over."""
    return str((telling.facts or {}).get("handed_kind", telling.kind))


def _is_for_the_person(telling: Telling, own: Collection[str]) -> bool:
    """Whether a notice says what is for the person alone, which no address that others gave may read."""
    return any(value is not None for name, value in (telling.facts or {}).items() if name in own)


def _tell_one(file: CaseFile, telling: Telling, recipient: Recipient) -> None:
    programme = programme_of(file)
    own = programme.notice_facts.for_person
    if recipient is Recipient.PERSON and telling.to is None and _is_for_the_person(telling, own):
        telling = replace(telling, to=alone(file, telling.at))
    plan = programme.words.notices[telling.kind]
    reachable = _reachable(file, telling.kind, recipient) if telling.to is None else frozenset({telling.to[0]})
    channels = opening_channels(plan, recipient, reachable)
    language = _language(file, recipient)
    facts = _facts(file, telling, recipient, language)
    used = [channel for channel in plan.recipients[recipient].channels if channel in reachable]
    texts = {c: render(telling.kind, recipient, c, language, facts, programme.texts) for c in used}
    notice_id = uuid4()
    deliveries = [row for c in channels for row in _deliveries(file, telling, recipient, notice_id, c)]
    body, proof = keep_texts(texts)
    if Channel.INBOX in channels or any(row.digest for row in deliveries):
        body["facts"] = facts.model_dump(mode="json", exclude_defaults=True)
    elif recipient is Recipient.PERSON and when_undelivered(plan, recipient).employer_hands_over:
        body["facts"] = to_hand_over(facts)
    if telling.to is not None:
        body["only"] = {"to": telling.to[1], "until": telling.until.isoformat() if telling.until else None}
    subject = (telling.holder or "") if recipient in (Recipient.HOLDER, Recipient.PROPOSER) else ""
    notice = NoticeRow(
        notice_id=notice_id,
        reference=file.reference,
        employer_id=_belongs_to(file, recipient),
        destination=telling.destination or "",
        kind=str(telling.kind),
        recipient=recipient.value,
        subject=subject,
        occasion=telling.occasion,
        language=language.value,
        status=notice_status(DeliveryStatus(row.status) for row in deliveries).value,
        key_id=file.person_key.key_id,
        body=file.seal("notices", "body", str(notice_id), body),
        text_hash=proof,
        at=telling.at,
    )
    file.notices.append(notice)
    file.deliveries += deliveries
    is_alone = telling.to is not None or plan.is_letter
    file.told.append(Told(notice, deliveries, facts, alone=is_alone, room=programme.texts))
    if not channels:
        nobody_reached(file, telling, recipient)


def to_hand_over(facts: NoticeFacts) -> dict[str, Any]:
    """Return what is kept with a notice to a person, so that the employer can be asked to hand it over later."""
    return facts.model_dump(mode="json", exclude_defaults=True, exclude=set(facts.for_person | _OF_A_READER))


def handed_over(file: CaseFile, kept: Mapping[str, Any], language: Language) -> dict[str, Any]:
    """Return what was kept with a notice as facts of what is handed over, in the language of who is asked to."""
    facts = respoken(programme_of(file).notice_facts.model_validate(kept), language)
    return {name: getattr(facts, name) for name in facts.model_fields_set}


def nobody_reached(file: CaseFile, telling: Telling, recipient: Recipient) -> None:
    """Ask the employer to hand the notice over, and open the task, where no channel is left (states.md, section 4)."""
    plan = programme_of(file).words.notices[telling.kind]
    undelivered = when_undelivered(plan, recipient)
    if undelivered.employer_hands_over:
        occasion, is_whole = f"{telling.kind}/{telling.occasion}", telling.is_whole and plan.is_handed_over_whole
        facts = {**(telling.facts or {}), "handed_kind": telling.kind, "is_handed_whole": is_whole}
        tell(file, replace(telling, kind=NoticeKind.HAND_OVER_REQUESTED, occasion=occasion, facts=facts, only=None))
    if undelivered.opens_task:
        detail = {"kind": str(telling.kind), "recipient": recipient.value}
        file.open_task(TaskKind.UNDELIVERED, telling.at, destination=telling.destination, detail=detail)


def _deliveries(
    file: CaseFile, telling: Telling, recipient: Recipient, notice_id: UUID, channel: Channel
) -> list[DeliveryRow]:
    begins = telling.not_before or telling.at
    digest = (
        channel is Channel.MAIL
        and recipient is Recipient.EMPLOYER
        and programme_of(file).words.notices[telling.kind].digestible
        and bool(file.employer.digest)
    )
    if digest:
        morning = morning_of(day_of(begins))
        begins = morning if morning > begins else morning + timedelta(days=1)
    hooks: list[UUID | None] = [None]
    if channel is Channel.WEBHOOK:
        hooks = [hook.webhook_id for hook in _subscriptions(file, telling.kind)]
    done = channel is Channel.INBOX
    return [
        DeliveryRow(
            delivery_id=uuid4(),
            notice_id=notice_id,
            employer_id=_belongs_to(file, recipient),
            channel=channel.value,
            webhook_id=hook,
            digest=digest,
            status="delivered" if done else "queued",
            next_attempt=None if done else begins,
            give_up_at=begins + file.context.limits.notice_retry,
            settled_at=telling.at if done else None,
            traceparent=current_traceparent(),
        )
        for hook in hooks
    ]


def _reachable(file: CaseFile, kind: str, recipient: Recipient) -> frozenset[Channel]:
    if recipient is Recipient.EMPLOYER:
        hooks = {Channel.WEBHOOK} if _subscriptions(file, kind) else set()
        return frozenset({Channel.MAIL} | hooks)
    if recipient is Recipient.PERSON:
        mail = {Channel.MAIL} if file.subject.email else set()
        return frozenset(mail | ({Channel.SMS} if file.subject.phone else set()))
    return frozenset({Channel.INBOX} | ({Channel.MAIL} if file.context.staff_mailbox else set()))


def _employer_of(file: CaseFile) -> str | None:
    """Return the employer that is told of a case: its owner, or, of one that a person owns, who confirms of it."""
    return file.employer_id if file.owned_by is Party.EMPLOYER else file.employer.employer_id


def _belongs_to(file: CaseFile, recipient: Recipient) -> str:
    """Return whose a notice is: that of the employer whom it is for, and else of the owner of the case."""
    return _employer_of(file) or file.employer_id if recipient is Recipient.EMPLOYER else file.employer_id


def _subscriptions(file: CaseFile, kind: str) -> list[Subscription]:
    return [hook for hook in file.employer.webhooks if kind in hook.kinds]


def _language(file: CaseFile, recipient: Recipient) -> Language:
    if recipient is Recipient.EMPLOYER:
        return Language(file.employer.language)
    return file.subject.language if recipient is Recipient.PERSON else Language.ZH_HANS


def _facts(file: CaseFile, telling: Telling, recipient: Recipient, language: Language) -> NoticeFacts:
    employer = file.employer_on(day_of(telling.at)) or file.employer_on(file.accepted_on)
    is_own = file.owned_by is Party.PERSON and recipient is not Recipient.EMPLOYER
    programme = programme_of(file)
    return programme.notice_facts.model_validate(
        {
            "reference": file.reference,
            "registration_number": file.row.registration_number,
            "destination": telling.destination,
            "employer_id": _employer_of(file),
            "occurred_at": telling.at,
            # Nobody applies for a person who owns the case.
            "employer_name": "" if is_own else employer.name_zh if employer else None,
            "person_name": file.subject.name_in(language),
            "stage": _shown_stage(file, telling.kind),
            "round": file.round,
            "reasons": coded(telling.reasons, file.forms, language),
            "points": open_points.spoken(file, language) if _said(telling) in _WITH_POINTS else (),
            "link": _link(file, recipient),
            **programme.told(file, telling.destination),
            **_told_to(recipient, telling.facts or {}, programme.notice_facts.for_person),
        }
    )


def coded(reasons: Sequence[GivenReason], forms: Sequence[type[Form]], language: Language) -> tuple[Reason, ...]:
    """Return reasons as a notice says them: each with its sentence in the reader's language."""
    return tuple(_spoken(reason.code, fields_of(reason, forms), reason.note, language) for reason in reasons)


def respoken(facts: NoticeFacts, language: Language) -> NoticeFacts:
    """Return the facts of a notice to staff with their reasons in another language; notes stay as they were written."""
    reasons = tuple(_spoken(reason.code, reason.fields, reason.note, language) for reason in facts.reasons)
    return facts.model_copy(update={"reasons": reasons})


def _link(file: CaseFile, recipient: Recipient) -> str | None:
    """Return where a reader sees the case: a person signs in there by a link of their own."""
    if recipient is Recipient.PERSON:
        return file.context.sign_in_url or None
    return f"{file.context.public_url}/v1/{file.context.path_of(file.reference)}" if file.context.public_url else None


def _told_to(recipient: Recipient, facts: Mapping[str, Any], for_person: Collection[str]) -> Mapping[str, Any]:
    """Return the facts that a recipient may read: some are for the person and staff (P11)."""
    if recipient is Recipient.EMPLOYER:
        return {name: value for name, value in facts.items() if name not in for_person}
    return facts


def _spoken(code: str, fields: tuple[str, ...], note: str | None, language: Language) -> Reason:
    sentence, names = reason_sentence(code, language), field_names(fields, language)
    return Reason(code=code, sentence=sentence, fields=fields, field_names=names, note=note)


def _shown_stage(file: CaseFile, kind: str) -> Stage:
    """Return the stage as outsiders see it when the notice goes out: an approval is told once it has settled."""
    if kind == NoticeKind.REGISTRATION_APPROVED:
        return Stage.APPROVED
    settling = file.stage is Stage.APPROVED and not file.row.settled
    return Stage.UNDER_REVIEW if settling or file.stage is Stage.AWAITING_CONFIRMATION else file.stage
