"""Counting deadlines again once the calendar of their year is loaded (design, section 5)."""

from datetime import datetime

from cases.case.file import CaseFile
from cases.deadlines import correction_limit, park_clock, renewal_limit
from cases.notices.compose import Telling, tell
from cases.programme import programme_of
from domain.actors import Actor
from domain.acts import Act
from domain.clock import day_of
from domain.errors import need
from domain.notices import NoticeKind
from domain.stages import DueKind
from store.rows.work import DeadlineRow


def recount(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Count every deadline again after a calendar was loaded, and tell the employer of one that moved.

    Provisional or not: a notice may move days that an earlier one had settled.
    """
    before = (file.row.due_at, file.row.due_kind)
    park_clock.recount(file)
    correction_limit.recount(file)
    renewal_limit.recount(file)
    for row in [r for r in file.deadlines.values() if _is_counted_otherwise(file, r)]:
        kind, from_day = row.kind, need(row.counted_from, "counted_from")
        days = need(row.counted_days, "counted_days")
        again = file.set_working_days(kind, from_day, days, destination=row.destination, step=row.step)
        programme_of(file).recounted(file, at, row, again)
    after = file.row.due_at
    if before[0] and after and day_of(before[0]) != day_of(after):
        facts = {
            "old_on": day_of(before[0]),
            "new_on": day_of(after),
            "due_kind": DueKind(need(file.row.due_kind, "due_kind")),
        }
        file.record(Act.DUE_DATE_CHANGED, actor, at, old=before[0].isoformat(), new=after.isoformat())
        occasion = f"{file.round}/{day_of(before[0])}/{day_of(after)}"
        tell(file, Telling(NoticeKind.DUE_DATE_CHANGED, at, occasion, facts=facts))


def _is_counted_otherwise(file: CaseFile, row: DeadlineRow) -> bool:
    return row.counted_from is not None and row.calendar_version != file.calendar.version
