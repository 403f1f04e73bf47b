"""The end of an approved case, as its row keeps it; what becomes of its tracks goes on where they are not over."""

from datetime import datetime

from cases.case.file import CaseFile
from cases.deadlines import park_clock
from domain.clock import day_of
from domain.deadlines import DeadlineKind
from domain.stages import DueKind, Holder


def close(file: CaseFile, at: datetime, end_reason: str, *deadlines: str) -> None:
    """Write the end of an approved case; a move of its programme takes it to `ended`, and its act is recorded last.

    Args:
        file: the case.
        at: when it ends; the day that stands there already, where it is earlier, stays the day of its end.
        end_reason: a coded reason, or a word that the texts of the programme have under `unnamed`.
        deadlines: the programme's own kinds that end with it; those of tracks that go on are not among them.
    """
    ended_on = min(file.row.ended_on or day_of(at), day_of(at))
    file.row.change(
        ended_on=ended_on, end_reason=end_reason, pending_act=None, pending=None, standing_hold=False, hold=None
    )
    file.cancel_deadlines(*deadlines, DeadlineKind.SETTLED, DeadlineKind.DEPARTURE_ANSWER)
    park_clock.owe(file, None, DueKind.PARK_DECISION, Holder.NONE)
