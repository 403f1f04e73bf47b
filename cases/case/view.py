"""What a reader may see of a case (states.md, "What outsiders see"; person fields are masked for every role)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

from pydantic import TypeAdapter

from cases.case import open_points
from cases.case.parts import destinations_of
from cases.case.shows import Showing, Shown, views_of
from cases.case.signers import EFFECT, subject_of
from cases.case.views import (
    AmendmentView,
    AnyCaseView,
    AnyFactView,
    CaseForStaff,
    CaseTaskView,
    ChangedFindingView,
    Findings,
    FindingView,
    HoldView,
    LegalHoldShown,
    MaskedDocument,
    MaskedPerson,
    ObjectionShown,
    ParameterUsedView,
    PendingChangeView,
    ProposalView,
    ReasonAgainstView,
    ReasonGivenView,
    RejectionView,
    SignedProposalView,
    SignerView,
)
from domain.actors import Actor, Role
from domain.amendments import Amendment
from domain.case_facts import ContestState, FactState
from domain.clock import CHINA
from domain.errors import Defect, KeyUnknown, Refused, need
from domain.findings import Audience, Finding, FindingOutcome, outcome_of, seen_by
from domain.languages import Language
from domain.masks import MASKS, mask_document_number
from domain.signatures import CoolingSignature, EffectSignature
from domain.stages import CLOSED, AssessmentOutcome, DueKind, Holder, Stage
from domain.working_days import ParkClock
from store.case_reads import FactShown
from store.rows.register import FactRow
from texts.findings import finding_sentence
from texts.reasons import reason_sentence

_Shown = TypeVar("_Shown", bound=FindingView)

_FINDINGS: TypeAdapter[tuple[Finding, ...]] = TypeAdapter(tuple[Finding, ...])


def case_view(file: Shown, actor: Actor, language: Language, *, short: bool = False) -> AnyCaseView:
    """Return the case as this reader may see it; short: without findings that pass, as in a list of many."""
    inside = actor.is_inside
    row = file.row
    settling = file.stage is Stage.APPROVED and not row.settled
    hidden = not inside and (file.stage is Stage.AWAITING_CONFIRMATION or settling)
    due_at, due_kind, due_provisional, clock = _shown_due(file, _clock_before(file) if hidden else None)
    assessment, findings = findings_shown(file, Audience.STAFF if inside else Audience.EMPLOYER, language, short=short)
    seen = AnyCaseView(
        reference=file.reference,
        programme=row.programme,
        client_reference=row.client_reference,
        employer_id=file.employer_id,
        workflow_id=file.context.case_types.id_of(file.reference),
        stage=Stage.UNDER_REVIEW if hidden else file.stage,
        round=file.round,
        policy_version=row.policy_version,
        assessment=assessment if row.assessment else None,
        findings=findings,
        pending_change=_pending_change(file),
        open_points=open_points.point_views(file, language),
        accepted_at=shown_at(row.accepted_at),
        due_at=shown_at(due_at) if due_at else None,
        due_kind=due_kind,
        due_provisional=due_provisional,
        clock=clock,
        holder=Holder.PARK if hidden else Holder(row.holder),
        registration_number=None if hidden else row.registration_number,
        end_reason=row.end_reason,
        ended_on=row.ended_on,
        in_force=_in_force(file),
        updated_at=row.updated_at.astimezone(CHINA),
        person=_person(file, actor),
        objections=tuple(_objections(file, actor)),
        recorded_facts=tuple(fact_view(fact) for fact in file.facts),
    )
    seen = _for_staff(file, seen, language) if inside else seen
    return views_of(file).case(Showing(file, actor, language, short, hidden), seen)


def _objections(file: Shown, actor: Actor) -> Iterator[ObjectionShown]:
    """Return the objections that a reader may know of: staff all, each side its own."""
    for each in file.row.objections or ():
        if actor.is_inside or each["party"] == actor.role:
            yield ObjectionShown(
                id=UUID(each["id"]),
                against=each["against"],
                destination=each["track"],
                by=each["party"],
                at=shown_at(datetime.fromisoformat(each["at"])),
                due_at=shown_at(datetime.fromisoformat(each["due_at"])),
                state=each["state"],
            )


def finding_views(findings: Iterable[Finding], language: Language) -> tuple[FindingView, ...]:
    """Return findings with their sentence in the reader's language."""
    return tuple(finding_view(finding, language, FindingView) for finding in findings)


def fact_view(fact: FactRow | FactShown) -> AnyFactView:
    """Return a fact that an officer recorded as every reader of the case sees it, its content masked."""
    return AnyFactView(
        number=fact.number,
        field=fact.field,
        state=FactState(fact.state),
        contest=ContestState(fact.contest) if fact.contest else None,
        role=Role(fact.seen_by["role"]),
        round=fact.round,
        at=shown_at(fact.at),
    )


def shown_at(value: datetime) -> datetime:
    """Return a time as it is shown: with China's offset, to the second."""
    return value.astimezone(CHINA).replace(microsecond=0)


def moment(value: datetime | None) -> str | None:
    """Return a time as RFC 3339 with China's offset."""
    return value.astimezone(CHINA).isoformat(timespec="seconds") if value else None


def day(value: date | None) -> str | None:
    """Return a day in ISO form."""
    return value.isoformat() if value else None


def finding_view(finding: Finding, language: Language, shown: Callable[..., _Shown], **beside: Any) -> _Shown:
    """Return a finding as it is shown, as a view of findings that may have further members."""
    return shown(
        code=finding.code,
        outcome=finding.outcome,
        message=finding_sentence(finding, language),
        source=finding.source,
        audience=finding.audience,
        fields=finding.fields,
        parameters=tuple(ParameterUsedView(**each.model_dump(mode="json")) for each in finding.parameters),
        **beside,
    )


def _pending_change(file: Shown) -> PendingChangeView | None:
    """Return which fields an officer has yet to take or decline, since when, and until when it is expected."""
    asked = file.pending_change
    if asked is None:
        return None
    due_at = shown_at(asked.due_at) if asked.due_at else None
    return PendingChangeView(fields=asked.fields, asked_at=shown_at(asked.asked_at), due_at=due_at)


def today(file: Shown) -> date:
    """Return the day in China on which a case is shown."""
    return file.context.clock().astimezone(CHINA).date()


def _in_force(file: Shown) -> bool:
    ended = file.row.ended_on
    return file.stage is Stage.APPROVED and file.row.settled and (ended is None or today(file) <= ended)


def _clock_before(file: Shown) -> EffectSignature | CoolingSignature | None:
    """Return how the park's clock stood before a decision that no outsider sees yet; None where none is signed."""
    row = file.row
    if file.stage is Stage.APPROVED:
        return need(row.effect_by, "effect_by")
    effect: CoolingSignature | None = (row.pending or {}).get(EFFECT)
    return effect


def _shown_due(
    file: Shown, before: EffectSignature | CoolingSignature | None
) -> tuple[datetime | None, DueKind | None, bool, str]:
    """Return due date, its kind, whether it is provisional, and the clock, as the reader may see them.

    Args:
        file: the case.
        before: how the park's clock stood before a decision that the reader does not see.
    """
    row = file.row
    if before is None:
        return row.due_at, DueKind(row.due_kind) if row.due_kind else None, row.due_provisional, row.clock
    since = before["clock_since"]
    used = ParkClock(
        limit=file.context.limits.park_decision_days,
        used=before["days_used"],
        since=date.fromisoformat(since) if since else None,
    )
    due = used.deadline(file.calendar)
    if due is None:
        return None, None, False, "stopped"
    return due.at, DueKind.PARK_DECISION, due.provisional, "running"


def findings_shown(
    file: Shown, audience: Audience, language: Language, scope: str = "registration", *, short: bool
) -> tuple[AssessmentOutcome, tuple[FindingView, ...]]:
    """Return what the findings of an assessment amount to for a reader, and the findings."""
    return _shown(file.findings(scope) or "[]", audience, language, short=short)


@lru_cache(maxsize=2048)
def _shown(
    found: str | bytes, audience: Audience, language: Language, *, short: bool
) -> tuple[AssessmentOutcome, tuple[FindingView, ...]]:
    """Return findings, given as JSON, as they are shown; they hold codes only and are alike in most cases."""
    findings = seen_by(_FINDINGS.validate_json(found), audience)
    told = [each for each in findings if not (short and each.outcome is FindingOutcome.PASS)]
    return outcome_of(findings), Findings(finding_views(told, language))


def _person(file: Shown, actor: Actor) -> MaskedPerson:
    """Return the person masked; the names whole to the owner who gave them."""
    try:
        person = file.subject
    except (Defect, KeyUnknown, Refused) as error:
        # Facts that cannot be opened keep neither this case out of sight nor the others of its list.
        is_erased = isinstance(error, Refused)
        return MaskedPerson(
            name_zh=None, name_en=None, identity_number=None, document=None, language=None, erased=is_erased
        )
    is_own, document = file.is_of(actor), person.document
    has_own, masked = document.is_of_eighteen, mask_document_number(document.kind, document.number)
    return MaskedPerson(
        name_zh=_name("name_zh", person.name_zh, whole=is_own),
        name_en=_name("name_en", person.name_en, whole=is_own),
        identity_number=masked if has_own else None,
        document=None if has_own else MaskedDocument(kind=document.kind.value, place=document.place, number=masked),
        language=person.language.value,
        erased=False,
    )


def _name(field: str, name: str | None, *, whole: bool) -> str | None:
    return name if whole else MASKS[field](name) if name else None


def opened(file: Shown, table: str, column: str, place: str, sealed: bytes) -> Any:
    """Return a sealed content, or None after an erasure."""
    try:
        return file.open(table, column, place, sealed)
    except Refused:
        return None


def _for_staff(file: Shown, seen: AnyCaseView, language: Language) -> CaseForStaff:
    row = file.row
    return CaseForStaff(
        **vars(seen),
        pending_act=row.pending_act,
        pending=_proposal(file, row.pending) if row.pending else None,
        rejected=rejection_view(file, row.rejected, "registrations", f"{file.reference}/rejected", language),
        hold=_hold(row.hold) if row.hold else None,
        standing_hold=row.standing_hold,
        legal_holds=tuple(LegalHoldShown(**each._asdict()) for each in file.legal_holds),
        erased_at=shown_at(row.erased_at) if row.erased_at else None,
        overdue=row.overdue,
        contested=row.contested,
        returns=row.returns,
        differences=tuple(amendment_view(each) for each in row.amendments or ()),
        settles_at=settles_at(row.pending) or (shown_at(row.settles_at) if row.settles_at else None),
        waits_for_transfer=row.follows is not None and row.stage not in CLOSED,
        tasks=tuple(
            CaseTaskView(
                id=task.task_id,
                kind=task.kind,
                holder=subject_of(task.holder),
                destination=task.destination,
                destinations=destinations_of(task),
            )
            for task in file.tasks
        ),
    )


def settles_at(pending: Mapping[str, Any] | None) -> datetime | None:
    """Return when a decision that cools off takes effect, by what is kept of its proposal."""
    effect: CoolingSignature | None = (pending or {}).get(EFFECT)
    return None if effect is None else shown_at(datetime.fromisoformat(effect["settles_at"]))


def amendment_view(kept: Amendment) -> AmendmentView:
    """Return what changed by what was given again under review, without values."""
    return AmendmentView(
        round=kept["round"],
        at=kept["at"],
        fields=kept["fields"],
        findings=[
            ChangedFindingView(code=each["code"], before=_outcome(each["before"]), after=_outcome(each["after"]))
            for each in kept["findings"]
        ],
    )


def _outcome(code: str | None) -> FindingOutcome | None:
    return FindingOutcome(code) if code else None


def _hold(kept: Mapping[str, Any]) -> HoldView:
    signer = kept["by"]
    return HoldView(
        at=kept["at"],
        by=SignerView(role=signer["role"], issuer=signer["issuer"], subject=signer["subject"]),
        reason=kept["reason"],
        review_on=kept["review_on"],
    )


def _proposal(file: Shown, kept: Mapping[str, Any]) -> ProposalView:
    note, notes = _notes(file, kept, "registrations", f"{file.reference}/{file.round}")
    by = kept["by"]
    seen = ProposalView(
        by=by["subject"],
        role=by["role"],
        at=kept["at"],
        reasons=tuple(
            ReasonGivenView(code=reason["code"], field=reason.get("field"), note=each)
            for reason, each in zip(kept["reasons"], notes, strict=True)
        ),
        note=note,
    )
    if EFFECT not in kept:
        return seen
    effect: CoolingSignature = kept[EFFECT]
    return SignedProposalView(**vars(seen), signed_by=effect["subject"], signed_at=effect["at"])


def rejection_view(
    file: Shown, kept: Mapping[str, Any] | None, table: str, place: str, language: Language
) -> RejectionView | None:
    """Return why the last second signature was not given, for the proposer and other staff."""
    if kept is None:
        return None
    note, notes = _notes(file, kept, table, place)
    return RejectionView(
        act=kept["act"],
        by=kept["by"]["subject"],
        role=kept["by"]["role"],
        at=kept["at"],
        reasons=tuple(
            ReasonAgainstView(
                code=reason["code"],
                field=reason.get("field"),
                message=reason_sentence(reason["code"], language),
                note=each,
            )
            for reason, each in zip(kept["reasons"], notes, strict=True)
        ),
        note=note,
    )


def _notes(file: Shown, kept: Mapping[str, Any], table: str, place: str) -> tuple[str | None, list[str | None]]:
    """Return the note of a proposal or a rejection, and those of its reasons; none after an erasure."""
    notes = opened(file, table, "note", place, bytes.fromhex(kept["notes"]))
    if notes is None:
        return None, [None] * len(kept["reasons"])
    return notes["note"], notes["reasons"]
