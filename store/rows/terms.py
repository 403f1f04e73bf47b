"""Rows of terms: stretches of time for which a track holds, one after the other, in a table of its programme."""

from dataclasses import dataclass
from datetime import date

from store.rows.base import TableRow


@dataclass(slots=True, kw_only=True)
class TermRow(TableRow):
    """A term of a track, as far as it is read whatever the programme; days are days in China, the last one included.

    Attributes:
        reference: the case.
        employer_id: its owner.
        number: 1 for the first of the track, and so on.
        stage: where it stands, as one of the stages of its track; `issued` or the like until something ends it.
        valid_from: its first day, once it is given.
        valid_until: its last day.
        ended_on: the day on which something else than its last day ended it, or None.
        end_reason: what ended it, as a code.
    """

    reference: str
    employer_id: str
    number: int
    stage: str
    valid_from: date | None = None
    valid_until: date | None = None
    ended_on: date | None = None
    end_reason: str | None = None
