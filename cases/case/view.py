"""What a reader may see of a case (states.md, "What outsiders see"; person fields are masked for every role)."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter

from cases.case import open_points
from cases.case.file import CaseFile
from cases.case.parts import destinations_of
from cases.case.reading import CaseReading
from cases.case.signers import subject_of
from domain.actors import Actor
from domain.clock import CHINA
from domain.errors import Defect, KeyUnknown, Refused, need
from domain.findings import Audience, Finding, FindingOutcome, outcome_of, seen_by
from domain.languages import Language
from domain.masks import MASKS
from domain.messages import registration_workflow_id
from domain.stages import Destination, DueKind, Holder, Stage
from domain.working_days import ParkClock
from store.case_reads import FactShown
from store.rows.register import FactRow, PermitRow
from texts.findings import finding_sentence
from texts.reasons import reason_sentence

# A case being changed, or one that is only read.
Shown = CaseFile | CaseReading
_FINDINGS: TypeAdapter[tuple[Finding, ...]] = TypeAdapter(tuple[Finding, ...])


def case_view(file: Shown, actor: Actor, language: Language, *, short: bool = False) -> dict[str, Any]:
    """Return the case as this reader may see it; short: without findings that pass, as in a list of many."""
    inside = actor.is_inside
    row = file.row
    settling = file.stage is Stage.APPROVED and not row.settled
    hidden = not inside and (file.stage is Stage.AWAITING_CONFIRMATION or settling)
    due_at, due_kind, due_provisional, clock = _shown_due(file, hidden and settling)
    assessment, findings = _findings(file, Audience.STAFF if inside else Audience.EMPLOYER, language, short=short)
    shown = [d for d in sorted(file.permits) if inside or file.permits[d].stage is not None]
    view: dict[str, Any] = {
        "reference": file.reference,
        "programme": row.programme,
        "client_reference": row.client_reference,
        "employer_id": file.employer_id,
        "workflow_id": registration_workflow_id(file.reference),
        "stage": Stage.UNDER_REVIEW.value if hidden else file.stage.value,
        "round": file.round,
        "destinations": [d.value for d in file.destinations],
        "policy_version": row.policy_version,
        "assessment": assessment if row.assessment else None,
        "findings": findings,
        "pending_change": _pending_change(file),
        "open_points": open_points.point_views(file, language),
        "accepted_at": moment(row.accepted_at),
        "due_at": moment(due_at),
        "due_kind": due_kind,
        "due_provisional": due_provisional,
        "clock": clock,
        "holder": Holder.PARK.value if hidden else row.holder,
        "registration_number": None if hidden else row.registration_number,
        "end_reason": row.end_reason,
        "ended_on": day(row.ended_on),
        "in_force": _in_force(file),
        "updated_at": row.updated_at.astimezone(CHINA).isoformat(),
        "person": _person(file, actor),
        "recorded_facts": [fact_view(fact) for fact in file.facts],
        "permits": [] if hidden else [permit_view(file, d, inside, language, short=short) for d in shown],
        "links": {"self": f"/v1/registrations/{file.reference}"},
    }
    if inside:
        view |= _for_staff(file, language)
    return view


def permit_view(
    file: Shown, destination: Destination, inside: bool, language: Language, *, short: bool = False
) -> dict[str, Any]:
    """Return the permit of a destination; a destination shows from its eligibility on (P1)."""
    permit = file.permits[destination]
    view: dict[str, Any] = {
        "destination": destination.value,
        "stage": permit.stage,
        "authority_number": permit.authority_number,
        "valid_from": day(permit.valid_from),
        "valid_until": day(permit.valid_until),
        "stay_days": permit.stay_days,
        "entries": permit.entries,
        "in_force": permit_in_force(permit, _today(file)),
        "sent_at": moment(permit.sent_at),
        "accepted_on": day(permit.accepted_on),
        "due_at": moment(permit.due_at),
        "reported_at": moment(permit.reported_at),
        "card_lost_on": day(permit.card_lost_on),
        "end_reason": permit.end_reason,
    }
    if inside:
        _, findings = _findings(file, Audience.STAFF, language, destination.value, short=short)
        view |= {
            "pending_act": permit.pending_act,
            "rejected": _rejection(
                file, permit.rejected, "permits", f"{file.reference}/{destination.value}/rejected", language
            ),
            "earlier": permit.earlier,
            "findings": findings,
        }
        if permit.reason is not None:
            place = f"{file.reference}/{destination.value}"
            view["authority_reason"] = _opened(file, "permits", "reason", place, permit.reason)
    return view


def finding_views(findings: Iterable[Finding], language: Language) -> list[dict[str, Any]]:
    """Return findings with their sentence in the reader's language."""
    return [
        {
            "code": finding.code.value,
            "outcome": finding.outcome.value,
            "message": finding_sentence(finding, language),
            "source": finding.source,
            "audience": finding.audience.value,
            "fields": list(finding.fields),
            "parameters": [p.model_dump(mode="json") for p in finding.parameters],
        }
        for finding in findings
    ]


def fact_view(fact: FactRow | FactShown) -> dict[str, Any]:
    """Return a fact that an officer recorded as every reader of the case sees it, its content masked."""
    return {
        "number": fact.number,
        "field": fact.field,
        "state": fact.state,
        "contest": fact.contest,
        "role": fact.seen_by["role"],
        "round": fact.round,
        "at": moment(fact.at),
    }


def obstacle_views(obstacles: Iterable[tuple[Destination, Finding]], language: Language) -> list[dict[str, Any]]:
    """Return what stands in the way of permits, each finding with its destination."""
    return [
        {"destination": destination.value, **view}
        for destination, finding in obstacles
        for view in finding_views([finding], language)
    ]


def permit_in_force(permit: PermitRow, today: date) -> bool:
    """Whether a permit is in force on a day, reckoned from its dates when it is read."""
    first, last = permit.valid_from, permit.valid_until
    return bool(permit.stage == "issued" and first and last and first <= today <= last)


def moment(value: datetime | None) -> str | None:
    """Return a time as RFC 3339 with China's offset."""
    return value.astimezone(CHINA).isoformat(timespec="seconds") if value else None


def day(value: date | None) -> str | None:
    """Return a day in ISO form."""
    return value.isoformat() if value else None


def _pending_change(file: Shown) -> dict[str, Any] | None:
    """Return which fields an officer has yet to take or decline, since when, and until when it is expected."""
    asked = file.pending_change
    if asked is None:
        return None
    return {
        "fields": asked.fields,
        "asked_at": moment(asked.asked_at),
        "due_at": moment(asked.due_at),
    }


def _today(file: Shown) -> date:
    return file.context.clock().astimezone(CHINA).date()


def _in_force(file: Shown) -> bool:
    ended = file.row.ended_on
    return file.stage is Stage.APPROVED and file.row.settled and (ended is None or _today(file) <= ended)


def _shown_due(file: Shown, is_hidden_approval: bool) -> tuple[datetime | None, str | None, bool, str]:
    """Return due date, its kind, whether it is provisional, and the clock, as the reader may see them."""
    row = file.row
    if not is_hidden_approval:
        return row.due_at, row.due_kind, row.due_provisional, row.clock
    effect = need(row.effect_by, "effect_by")
    since = effect["clock_since"]
    used = ParkClock(
        limit=file.context.limits.park_decision_days,
        used=effect["days_used"],
        since=date.fromisoformat(since) if since else None,
    )
    due = used.deadline(file.calendar)
    if due is None:
        return None, None, False, "stopped"
    return due.at, DueKind.PARK_DECISION.value, due.provisional, "running"


def _findings(
    file: Shown, audience: Audience, language: Language, scope: str = "registration", *, short: bool
) -> tuple[str, list[dict[str, Any]]]:
    """Return what the findings of an assessment amount to for a reader, and the findings."""
    outcome, views = _shown(file.findings(scope) or "[]", audience, language, short=short)
    return outcome, list(views)


@lru_cache(maxsize=2048)
def _shown(
    found: str | bytes, audience: Audience, language: Language, *, short: bool
) -> tuple[str, tuple[dict[str, Any], ...]]:
    """Return findings, given as JSON, as they are shown; they hold codes only and are alike in most cases."""
    findings = seen_by(_FINDINGS.validate_json(found), audience)
    told = [each for each in findings if not (short and each.outcome is FindingOutcome.PASS)]
    return outcome_of(findings).value, tuple(finding_views(told, language))


def _person(file: Shown, actor: Actor) -> dict[str, Any]:
    """Return the person masked; the names whole to the employer that gave them."""
    try:
        person = file.application.person
    except (Defect, KeyUnknown, Refused) as error:
        # Facts that cannot be opened keep neither this case out of sight nor the others of its list.
        unknown = dict.fromkeys(("name_zh", "name_en", "identity_number", "language"))
        return unknown | {"erased": isinstance(error, Refused)}
    names = {"name_zh": person.name_zh, "name_en": person.name_en}
    if actor.employer_id != file.employer_id:
        names = {field: MASKS[field](name) if name else None for field, name in names.items()}
    masked = MASKS["identity_number"](person.identity_number)
    return {**names, "identity_number": masked, "language": person.language.value, "erased": False}


def _opened(file: Shown, table: str, column: str, place: str, sealed: bytes) -> Any:
    """Return a sealed content, or None after an erasure."""
    try:
        return file.open(table, column, place, sealed)
    except Refused:
        return None


def _for_staff(file: Shown, language: Language) -> dict[str, Any]:
    row = file.row
    pending, hold = row.pending, row.hold
    return {
        "pending_act": row.pending_act,
        "pending": _proposal(file, pending) if pending else None,
        "rejected": _rejection(file, row.rejected, "registrations", f"{file.reference}/rejected", language),
        "hold": {**{k: v for k, v in hold.items() if k != "note"}} if hold else None,
        "standing_hold": row.standing_hold,
        "legal_holds": file.legal_holds,
        "erased_at": moment(row.erased_at),
        "overdue": row.overdue,
        "contested": row.contested,
        "returns": row.returns,
        "settles_at": moment(row.settles_at),
        "tasks": [
            {
                "id": str(t.task_id),
                "kind": t.kind,
                "holder": subject_of(t.holder),
                "destination": t.destination,
                "destinations": destinations_of(t),
            }
            for t in file.tasks
        ],
        "held_answers": [
            {
                "outcome_id": a.outcome_id,
                "outcome": a.outcome,
                "destination": a.destination,
                "state": a.state,
            }
            for a in file.answers
            if a.state in ("held", "early", "renewal")
        ],
    }


def _proposal(file: Shown, pending: Mapping[str, Any]) -> dict[str, Any]:
    sealed = bytes.fromhex(pending["notes"])
    notes = _opened(file, "registrations", "note", f"{file.reference}/{file.round}", sealed)
    notes = notes or {"note": None, "reasons": [None] * len(pending["reasons"])}
    reasons = [{**reason, "note": note} for reason, note in zip(pending["reasons"], notes["reasons"], strict=True)]
    shown = {"by": pending["by"]["subject"], "role": pending["by"]["role"], "at": pending["at"], "reasons": reasons,
             "note": notes["note"]}  # fmt: skip
    return shown | {name: pending[name] for name in ("last_day", "late") if name in pending}


def _rejection(
    file: Shown, kept: dict[str, Any] | None, table: str, place: str, language: Language
) -> dict[str, Any] | None:
    """Return why the last second signature was not given, for the proposer and other staff."""
    if kept is None:
        return None
    notes = _opened(file, table, "note", place, bytes.fromhex(kept["notes"]))
    notes = notes or {"note": None, "reasons": [None] * len(kept["reasons"])}
    reasons = [
        {**reason, "message": reason_sentence(reason["code"], language), "note": note}
        for reason, note in zip(kept["reasons"], notes["reasons"], strict=True)
    ]
    return {
        "act": kept["act"],
        "by": kept["by"]["subject"],
        "role": kept["by"]["role"],
        "at": kept["at"],
        "reasons": reasons,
        "note": notes["note"],
    }
