"""Renewals of a case as they are kept and shown: each numbered from 1, the newest last."""

from datetime import date, datetime
from typing import Annotated, Final

from pydantic import Field

from cases.case.row import OneCase
from cases.case.views import FindingView, view
from domain.clock import CHINA
from domain.data_map import ALL, STAFF, Basis, DataClass, Kept, Retention, rows
from domain.renewals import DECIDED, WAITING, RenewalStage
from domain.spellings import Place
from domain.stages import AssessmentOutcome
from store.case_tables import CaseTable
from store.rows.renewals import RenewalRow

CHANGES: Final = Place("renewals", "changes")
RENEWALS: Final = CaseTable(
    row=RenewalRow,
    key="number",
    hashed=(
        "asked_at", "assessment", "changes", "decided_by", "decided_on", "due_at",
        "due_provisional", "employer_id", "ended_on", "ends", "fields", "limit_since", "limit_used", "number",
        "overdue", "policy_hash", "policy_version", "reference", "returned_times", "settled", "settles_at", "stage",
    ),
    sealed={"changes": CHANGES},
    since=3,
    emptied={"ends": "'{}'", "fields": "'{}'", "changes": "NULL"},
    data=(
        *rows(
            "renewals",
            "reference number employer_id stage asked_at assessment policy_version policy_hash due_at due_provisional"
            " overdue returned_times limit_used limit_since decided_on settles_at settled ended_on",
            "confirming a case anew before it runs out",
            ALL,
        ),
        *rows(
            "renewals",
            "ends fields",
            "what runs out when, and which fields change",
            ALL,
            of=DataClass.PERSONAL,
            until=Retention.CASE,
        ),
        *rows(
            "renewals",
            "changes",
            "what changes with a renewal",
            ALL,
            of=DataClass.SENSITIVE,
            kept=Kept.SEALED,
            until=Retention.CASE,
        ),
        *rows("renewals", "decided_by", "who decided", STAFF, of=DataClass.PERSONAL, basis=Basis.ACCOUNT),
    ),
)  # fmt: skip


@view
class RenewedTrackView:
    """What runs out, and its last day."""

    destination: str
    valid_until: date


@view
class RenewalView:
    """A renewal as the case's readers see it: until a decision has taken effect it is under review to outsiders."""

    number: int
    stage: RenewalStage
    ends: tuple[RenewedTrackView, ...]
    fields: Annotated[tuple[str, ...], Field(description="What changes with it; nothing where all is as it was.")]
    policy_version: Annotated[str, Field(description="The rules of the day on which it was asked.")]
    assessment: AssessmentOutcome | None
    findings: tuple[FindingView, ...]
    asked_at: datetime
    due_at: Annotated[
        datetime | None,
        Field(description="Until when the park decides, or until when it can be corrected where it was sent back."),
    ]
    due_provisional: bool
    decided_on: date | None


def renewals_of(file: OneCase) -> list[RenewalRow]:
    """Return the renewals of a case, the oldest first."""
    return sorted(file.rows_of(RenewalRow), key=lambda row: row.number)


def newest_of(file: OneCase) -> RenewalRow | None:
    """Return the newest renewal of a case, if there is one."""
    found = renewals_of(file)
    return found[-1] if found else None


def under_way(file: OneCase) -> RenewalRow | None:
    """Return the renewal that waits to be decided, or whose decision can still be recalled, if there is one."""
    newest = newest_of(file)
    if newest is None or newest.stage in WAITING:
        return newest
    return newest if newest.stage in DECIDED and not newest.settled else None


def is_hidden(row: RenewalRow) -> bool:
    """Whether outsiders do not see yet where a renewal stands: a decision waits, or can still be recalled."""
    return row.stage == RenewalStage.AWAITING_CONFIRMATION or (row.stage in DECIDED and not row.settled)


def renewal_view(
    row: RenewalRow, *, inside: bool, assessment: AssessmentOutcome | None, findings: tuple[FindingView, ...]
) -> RenewalView:
    """Return a renewal as its reader may see it, with what was found of it for that reader."""
    hidden = is_hidden(row) and not inside
    return RenewalView(
        number=row.number,
        stage=RenewalStage.UNDER_REVIEW if hidden else RenewalStage(row.stage),
        ends=tuple(
            RenewedTrackView(destination=track, valid_until=date.fromisoformat(day))
            for track, day in sorted(row.ends.items())
        ),
        fields=tuple(row.fields),
        policy_version=row.policy_version,
        assessment=assessment,
        findings=findings,
        asked_at=_shown(row.asked_at),
        due_at=_shown(row.due_at) if row.due_at else None,
        due_provisional=row.due_provisional,
        decided_on=None if hidden else row.decided_on,
    )


def _shown(value: datetime) -> datetime:
    return value.astimezone(CHINA).replace(microsecond=0)
