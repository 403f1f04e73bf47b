"""Days that somebody reports of a case, held against what the case knows (states.md, section 2)."""

from datetime import date, datetime

from domain.clock import day_of
from domain.errors import FieldError, Refused
from domain.evidence import pieces_of
from domain.field_errors import FieldCode
from domain.forms import Form
from domain.languages import Language
from texts.problems import particular_sentence


def need_day(
    field: str,
    day: date,
    *,
    earliest: date | None = None,
    before: str = "",
    latest: date | None = None,
    after: str = "",
    **facts: int,
) -> None:
    """Refuse a day before the earliest or after the latest that it can be.

    Args:
        field: its path in the body.
        day: what was given.
        earliest: the first day that it can be.
        before: why it cannot be earlier, a name in the catalogue of refusals.
        latest: the last day that it can be.
        after: why it cannot be later.
        facts: what else the refusal tells.
    """
    if earliest is not None and day < earliest:
        raise day_refused(field, before, **facts)
    if latest is not None and day > latest:
        raise day_refused(field, after, **facts)


def need_days_past(form: Form, at: datetime, before: Form | None = None) -> None:
    """Refuse what is given to open a case, or given again, where it tells of a day that has not come.

    Args:
        form: what is given.
        at: when.
        before: what was given until now, of which nothing is held against whoever gives other parts again.

    Raises:
        Refused: `invalid`, with each such day.
    """
    today, kept = day_of(at), () if before is None else pieces_of(before)
    days = {path: form.day_at(path) for path in form.past if before is None or form.day_at(path) != before.day_at(path)}
    for number, piece in enumerate(pieces_of(form)):
        days |= {} if piece in kept else {f"evidence[{number}].{name}": on for name, on in piece.days_told().items()}
    wrong = [_wrong_day(field, "in_future") for field, day in days.items() if day is not None and day > today]
    if wrong:
        raise Refused("invalid", errors=wrong, words="in_future")


def day_refused(field: str, why: str, **facts: int) -> Refused:
    """Return the refusal of a day, with the reason in words."""
    return Refused("invalid", errors=[_wrong_day(field, why)], facts=facts, words=why)


def _wrong_day(field: str, why: str) -> FieldError:
    return FieldError(field, FieldCode.DATE_ORDER, particular_sentence(why, Language.EN), words=why)
