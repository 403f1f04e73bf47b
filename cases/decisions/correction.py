"""Asking the employer to mend a case, and what comes back: a correction, a contest or silence (R4 to R8)."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from cases.case import open_points
from cases.case.file import CaseFile
from cases.deadlines import park_clock
from cases.notices.compose import Telling, tell
from cases.tasks.review import close_review, open_review
from domain.actors import Actor
from domain.acts import Act
from domain.clock import day_of
from domain.deadlines import DeadlineKind
from domain.decisions import GivenReason
from domain.errors import need
from domain.findings import Finding, to_be_mended
from domain.moves import Event
from domain.notices import NoticeKind
from domain.open_points import points_of_findings, points_of_reasons
from domain.stages import AssessmentOutcome, DueKind, Holder
from store.rows.work import DeadlineRow

_CORRECTION_DEADLINES = (DeadlineKind.CORRECTION_REMINDER, DeadlineKind.CORRECTION_OVER)


def may_return(file: CaseFile) -> bool:
    """Whether returns are left; the machine's and the officers' are counted together."""
    return bool(file.row.returns < file.context.limits.returns_allowed and not file.row.named_defects.get("complete"))


def request_after_assessment(file: CaseFile, actor: Actor, at: datetime, findings: tuple[Finding, ...]) -> None:
    """Send the case back with one list of all that is missing or fails on the employer's side (R4)."""
    mended = to_be_mended(findings)
    file.move(Event.ASSESSED_INCOMPLETE)
    file.record(Act.ASSESSED, actor, at, outcome=AssessmentOutcome.INCOMPLETE.value)
    open_points.keep(file, points_of_findings(mended), [None] * len(mended))
    _request(file, at, {finding.code.value for finding in mended})
    tell(file, Telling(NoticeKind.CORRECTION_REQUESTED, at, str(file.round), facts=_due(file)))


def request_by_officer(file: CaseFile, actor: Actor, at: datetime, reasons: Sequence[GivenReason]) -> None:
    """Send the case back with an officer's reasons, every defect at once (R12)."""
    file.move(Event.RETURN)
    open_points.keep(file, points_of_reasons(reasons, file.forms), [reason.note for reason in reasons])
    file.record(Act.DECIDED, actor, at, outcome="return", reasons=[reason.code for reason in reasons])
    close_review(file, at)
    _request(file, at, {reason.code for reason in reasons})
    tell(file, Telling(NoticeKind.CORRECTION_REQUESTED, at, str(file.round), facts=_due(file)))


def take_correction(file: CaseFile, actor: Actor, at: datetime, content: str) -> None:
    """Take a correction whose new version is stored; the rules are applied again (R5)."""
    file.move(Event.CORRECT)
    _go_on(file, at)
    file.row.contested = False
    file.record(Act.CORRECTED, actor, at, content=content, version=file.row.facts_version)
    _received(file, at)


def contest(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Let a person look at a finding that the employer thinks wrong (R6)."""
    file.move(Event.CONTEST)
    _go_on(file, at)
    file.row.contested = True
    file.record(Act.CONTESTED, actor, at)
    open_review(file, at, detail={"contested": True})
    _received(file, at)


def remind(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Remind the employer of a correction that is due (R7)."""
    file.move(Event.CORRECTION_REMINDER_DUE)
    file.record(Act.REMINDED, actor, at, step=deadline.step)
    occasion = f"{file.round}/{deadline.step}"
    facts = _due(file) | {"days_left": deadline.step}
    tell(file, Telling(NoticeKind.CORRECTION_REMINDER, at, occasion, facts=facts))


def lapse(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Close a case for which nothing came in time (R8); whatever was stored before the end has been applied by now."""
    file.move(Event.CORRECTION_OVER)
    file.cancel_tasks(at)
    file.cancel_deadlines()
    park_clock.end(file)
    park_clock.owe(file, None, DueKind.CORRECTION, Holder.NONE)
    file.record(Act.LAPSED, actor, at)
    tell(file, Telling(NoticeKind.REGISTRATION_LAPSED, at, str(file.round)))
    open_points.clear(file)


def recount(file: CaseFile) -> None:
    """Count the correction limit again, after a calendar was loaded."""
    row = file.deadlines.get((DeadlineKind.CORRECTION_OVER, "", 0))
    if row is not None and row.counted_from is not None:
        _set_limit(file, row.counted_from, again=True)


def _request(file: CaseFile, at: datetime, codes: set[str]) -> None:
    park_clock.stop(file, at)
    file.row.returns += 1
    named = file.row.named_defects
    assessment = file.assessment()
    found = {f["code"] for f in assessment.findings if f["outcome"] != "pass"} if assessment else set()
    file.row.named_defects = named | {
        "codes": sorted(codes | set(named.get("codes", []))),
        "found": sorted(found | set(named.get("found", []))),
    }
    _set_limit(file, day_of(at))


def _set_limit(file: CaseFile, day0: date, *, again: bool = False) -> None:
    limits = file.context.limits
    due = file.set_working_days(DeadlineKind.CORRECTION_OVER, day0, limits.correction_days)
    park_clock.owe(file, due, DueKind.CORRECTION, Holder.EMPLOYER)
    for left in limits.correction_reminders_left:
        moments = file.calendar.reminders_before_end(day0, limits.correction_days, (left,))
        is_waiting = (DeadlineKind.CORRECTION_REMINDER, "", left) in file.deadlines
        if moments and (is_waiting or not again):
            file.set_deadline(DeadlineKind.CORRECTION_REMINDER, moments[0], step=left)


def _go_on(file: CaseFile, at: datetime) -> None:
    file.row.round += 1
    open_points.clear(file)
    file.row.rejected = None
    file.cancel_deadlines(*_CORRECTION_DEADLINES)
    park_clock.run(file, day_of(at))


def _received(file: CaseFile, at: datetime) -> None:
    tell(file, Telling(NoticeKind.CORRECTION_RECEIVED, at, str(file.round), facts=_due(file)))


def _due(file: CaseFile) -> dict[str, Any]:
    return {"due_on": day_of(need(file.row.due_at, "due_at")), "due_provisional": file.row.due_provisional}
