"""Which load is asked for: of which days, of which programme and of which employer."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from cases.load.views import Bucket
from domain.clock import start_of
from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode

# So many days are counted over where nothing else is asked for.
DAYS: Final = 28
# The most days that may be asked for, so that an answer stays small.
MOST_DAYS: Final = {Bucket.DAY: 92, Bucket.WEEK: 366}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadAsked:
    """What load is asked for, at a time.

    Attributes:
        at: when it is asked for.
        first: the first day that is counted over.
        last: the last one.
        bucket: how long the times are.
        programme: of which programme alone, if of one.
        employer_id: of which employer alone, if of one.
    """

    at: datetime
    first: date
    last: date
    bucket: Bucket
    programme: str | None = None
    employer_id: str | None = None

    @property
    def begins(self) -> datetime:
        """When the days begin that are counted over."""
        return start_of(self.first)

    @property
    def ends(self) -> datetime:
        """When they are over."""
        return start_of(self.last + timedelta(days=1))

    def buckets(self) -> Iterator[date]:
        """Yield the first day of each time that is counted over; a week begins on a Monday."""
        day = self.first
        while day <= self.last:
            yield self.bucket_of(day)
            is_day = self.bucket is Bucket.DAY
            day = day + timedelta(days=1) if is_day else self.bucket_of(day) + timedelta(days=7)

    def bucket_of(self, day: date) -> date:
        """Return the first day of the time that a day falls into."""
        return day if self.bucket is Bucket.DAY else day - timedelta(days=day.weekday())


def load_asked(
    at: datetime,
    today: date,
    *,
    first: date | None,
    last: date | None,
    bucket: Bucket,
    programme: str | None,
    employer_id: str | None,
) -> LoadAsked:
    """Return what is asked for; without days the last four weeks.

    Raises:
        Refused: `invalid` for days turned round, to come, or more than one answer has.
    """
    ends = last or today
    begins = first or ends - timedelta(days=DAYS - 1)
    most = MOST_DAYS[bucket]
    if begins > ends:
        raise _wrong("from", FieldCode.DATE_ORDER, "turned_round", "The day `from` comes after the day `to`.")
    if ends > today:
        raise _wrong("to", FieldCode.UNKNOWN_VALUE, "not_over_yet", "The day `to` is still to come.")
    if (ends - begins).days >= most:
        raise _wrong("from", FieldCode.UNKNOWN_VALUE, f"too_many_{bucket.value}s", f"At most {most} days at once.")
    return LoadAsked(at=at, first=begins, last=ends, bucket=bucket, programme=programme, employer_id=employer_id)


def _wrong(field: str, code: FieldCode, words: str, said: str) -> Refused:
    return Refused("invalid", said, [FieldError(field, code, said, words=words)])
