"""Asking the employer to mend a case, and what comes back: a correction, a contest or silence (R4 to R8)."""

from collections.abc import Sequence
from datetime import datetime

from cases.case import open_points
from cases.case.file import CaseFile
from cases.deadlines import correction_limit
from cases.moves.front_half import Event
from cases.moves.moving import Asked, move, need_move
from cases.notices.compose import Said
from domain.actors import Actor
from domain.acts import Act
from domain.decisions import GivenReason
from domain.findings import Finding, to_be_mended
from domain.notices import NoticeKind
from domain.open_points import points_of_findings, points_of_reasons
from domain.stages import AssessmentOutcome
from store.rows.work import DeadlineRow


def may_return(file: CaseFile) -> bool:
    """Whether returns are left; the machine's and the officers' are counted together."""
    return bool(file.row.returns < file.context.limits.returns_allowed and not file.row.named_defects.get("complete"))


def request_after_assessment(file: CaseFile, actor: Actor, at: datetime, findings: tuple[Finding, ...]) -> None:
    """Send the case back with one list of all that is missing or fails on the employer's side (R4)."""
    mended = to_be_mended(findings)
    open_points.keep(file, points_of_findings(mended), [None] * len(mended))
    _request(file, {finding.code for finding in mended})
    move(file, Event.ASSESSED_INCOMPLETE, actor, at)
    file.record(Act.ASSESSED, actor, at, outcome=AssessmentOutcome.INCOMPLETE.value)


def request_by_officer(file: CaseFile, actor: Actor, at: datetime, reasons: Sequence[GivenReason]) -> None:
    """Send the case back with an officer's reasons, every defect at once (R12)."""
    open_points.keep(file, points_of_reasons(reasons, file.forms), [reason.note for reason in reasons])
    _request(file, {reason.code for reason in reasons})
    move(file, Event.RETURN, actor, at)
    file.record(Act.DECIDED, actor, at, outcome="return", reasons=[reason.code for reason in reasons])


def take_correction(file: CaseFile, actor: Actor, at: datetime, *, contact_changed: Sequence[Said] = ()) -> None:
    """Take a correction whose new version is stored; the rules are applied again (R5)."""
    need_move(file, Event.CORRECT, actor)
    _go_on(file)
    file.row.contested = False
    move(file, Event.CORRECT, actor, at, said=[(NoticeKind.CONTACT_CHANGED, each) for each in contact_changed])
    content = file.person_key.ledger_hash(file.application.model_dump_json(exclude_none=True).encode())
    file.record(Act.CORRECTED, actor, at, content=content, version=file.row.facts_version)


def contest(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Let a person look at a finding that the employer thinks wrong (R6)."""
    need_move(file, Event.CONTEST, actor)
    _go_on(file)
    file.row.contested = True
    move(file, Event.CONTEST, actor, at, asked=Asked(detail={"contested": True}))
    file.record(Act.CONTESTED, actor, at)


def remind(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Remind the employer of a correction that is due (R7)."""
    said = Said(occasion=f"{file.round}/{deadline.step}", facts={"days_left": deadline.step})
    move(file, Event.CORRECTION_REMINDER_DUE, actor, at, said=said)
    file.record(Act.REMINDED, actor, at, step=deadline.step)


def lapse(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Close a case for which nothing came in time (R8); whatever was stored before the end has been applied by now."""
    move(file, Event.CORRECTION_OVER, actor, at)
    open_points.put_away(file)
    file.record(Act.LAPSED, actor, at)


def _request(file: CaseFile, codes: set[str]) -> None:
    file.row.returns += 1
    named = file.row.named_defects
    assessment = file.assessment()
    found = {f["code"] for f in assessment.findings if f["outcome"] != "pass"} if assessment else set()
    file.row.named_defects = named | {
        "codes": sorted(codes | set(named.get("codes", []))),
        "found": sorted(found | set(named.get("found", []))),
    }


def _go_on(file: CaseFile) -> None:
    file.row.round += 1
    open_points.clear(file)
    file.row.rejected = None
    correction_limit.end(file)
