"""Days that somebody reports of a case, held against what the case knows (states.md, section 2)."""

from datetime import date

from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
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


def day_refused(field: str, why: str, **facts: int) -> Refused:
    """Return the refusal of a day, with the reason in words."""
    said = particular_sentence(why, Language.EN)
    wrong = FieldError(field, FieldCode.DATE_ORDER, said, words=why)
    return Refused("invalid", errors=[wrong], facts=facts, words=why)
