"""Counting deadlines again once the calendar of their year is loaded (design, section 5)."""

from datetime import datetime
from typing import Any

from cases.case.file import CaseFile
from cases.case.renewals import under_way
from cases.deadlines import correction_limit, park_clock, renewal_limit
from cases.notices.compose import Telling, tell
from cases.programme import programme_of
from domain.actors import Actor
from domain.acts import Act
from domain.clock import day_of
from domain.errors import need
from domain.notices import NoticeKind
from domain.renewals import RenewalStage
from domain.stages import DueKind
from store.rows.renewals import RenewalRow
from store.rows.work import DeadlineRow


def recount(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Count every deadline again after a calendar was loaded, and tell the owner of one that moved.

    Provisional or not: a notice may move days that an earlier one had settled.
    """
    state, due_at, renewal = file.state(), file.row.due_at, under_way(file)
    renewal_due_at = None if renewal is None else renewal.due_at
    park_clock.recount(file)
    correction_limit.recount(file)
    renewal_limit.recount(file)
    for row in [r for r in file.deadlines.values() if _is_counted_otherwise(file, r)]:
        kind, from_day = row.kind, need(row.counted_from, "counted_from")
        days = need(row.counted_days, "counted_days")
        again = file.set_working_days(kind, from_day, days, destination=row.destination, step=row.step)
        programme_of(file).recounted(file, at, row, again)
    is_told = _tell_moved(file, actor, at, due_at, file.row.due_at, str(file.round), due_kind=file.row.due_kind)
    if renewal is not None:
        number, kind = renewal.number, _due_kind_of(renewal)
        occasion = f"renewal/{number}"
        is_told |= _tell_moved(file, actor, at, renewal_due_at, renewal.due_at, occasion, due_kind=kind, renewal=number)
    if not is_told and file.state() != state:
        # No day moved that anybody was told, but what is kept of one: it is settled now, or another comes first.
        file.record(Act.DUE_DATE_CHANGED, actor, at)


def _tell_moved(
    file: CaseFile,
    actor: Actor,
    at: datetime,
    before: datetime | None,
    after: datetime | None,
    occasion: str,
    *,
    due_kind: str | None,
    renewal: int | None = None,
) -> bool:
    """Record and tell that a limit ends on another day, and return whether it does."""
    if before is None or after is None or day_of(before) == day_of(after):
        return False
    about: dict[str, Any] = {} if renewal is None else {"renewal": renewal}
    file.record(Act.DUE_DATE_CHANGED, actor, at, old=before.isoformat(), new=after.isoformat(), **about)
    old_on, new_on = day_of(before), day_of(after)
    facts = {"old_on": old_on, "new_on": new_on, "due_kind": DueKind(need(due_kind, "due_kind")), **about}
    tell(file, Telling(NoticeKind.DUE_DATE_CHANGED, at, f"{occasion}/{old_on}/{new_on}", facts=facts))
    return True


def _due_kind_of(renewal: RenewalRow) -> DueKind:
    is_sent_back = renewal.stage == RenewalStage.CORRECTION_REQUESTED
    return DueKind.CORRECTION if is_sent_back else DueKind.PARK_DECISION


def _is_counted_otherwise(file: CaseFile, row: DeadlineRow) -> bool:
    return row.counted_from is not None and row.calendar_version != file.calendar.version
