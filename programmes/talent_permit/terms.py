"""The terms of a permit: kept side by side, the first as the permit stood before there were others."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from cases.case import terms
from cases.case.file import CaseFile
from cases.case.row import OneCase
from cases.case.terms import Gap
from programmes.talent_permit.permit_stages import Destination, PermitStage
from programmes.talent_permit.tables import PERMIT_TERMS, PermitRow, PermitTermRow, permit_rows

# The stages of a permit in which a further term may come.
RENEWABLE: Final = frozenset({PermitStage.ISSUED, PermitStage.EXPIRED})
GIVEN: Final = ("authority_number", "valid_from", "valid_until", "stay_days", "entries")


def term_rows(case: OneCase, destination: Destination) -> list[PermitTermRow]:
    """Return the terms of a permit, oldest first; none before the authority accepted or issued one."""
    kept = terms.terms_of(case, PERMIT_TERMS, PermitTermRow, destination)
    if kept:
        return kept
    first = _first(permit_rows(case).get(destination))
    return [] if first is None else [first]


def kept_terms(file: CaseFile, destination: Destination) -> list[PermitTermRow]:
    """Return the terms of a permit as `term_rows`, to be changed: one that was never written is written with the case.

    A version of before that is at work beside this one writes a permit without its term.
    """
    found = term_rows(file, destination)
    if found and found[0] not in file.rows_of(PermitTermRow):
        terms.add_term(file, PERMIT_TERMS, found[0])
    return found


def _first(permit: PermitRow | None) -> PermitTermRow | None:
    """Return a permit as its first term, as its migration made those that there were."""
    if permit is None or permit.stage is None or (permit.accepted_on is None and permit.valid_until is None):
        return None
    stage, is_issued = PermitStage(permit.stage), permit.valid_until is not None
    was_ended = stage in (PermitStage.REFUSED, PermitStage.REVOKED)
    why = stage.value if was_ended else permit.end_reason if stage is PermitStage.ENDED else None
    return PermitTermRow(
        reference=permit.reference,
        employer_id=permit.employer_id,
        destination=permit.destination,
        number=1,
        stage=(PermitStage.ISSUED if stage is PermitStage.EXPIRED else stage).value,
        sent_at=permit.sent_at,
        accepted_on=permit.accepted_on,
        issued_on=permit.decided_on if is_issued and not was_ended else None,
        ended_on=permit.decided_on if was_ended else None,
        end_reason=why,
        **{name: getattr(permit, name) for name in GIVEN},
    )


def add_term(file: CaseFile, destination: Destination, stage: PermitStage, **values: Any) -> PermitTermRow:
    """Open the next term of a permit and return it."""
    told = terms.new_values(file, PERMIT_TERMS, destination.value, kept_terms(file, destination))
    return terms.add_term(file, PERMIT_TERMS, PermitTermRow(**told, stage=stage.value, **values))


def holding(rows: Sequence[PermitTermRow]) -> list[PermitTermRow]:
    """Return the terms that were issued and that nothing but their last day ended."""
    return terms.holding(PERMIT_TERMS, rows)


def find_pending(rows: Sequence[PermitTermRow]) -> PermitTermRow | None:
    """Return the term that was asked for, or accepted, and is not issued yet."""
    return terms.find_pending(PERMIT_TERMS, rows)


def find_next_pending(case: OneCase, destination: Destination) -> PermitTermRow | None:
    """Return the further term of a permit that was issued once, asked for or accepted and not issued yet."""
    permit = permit_rows(case).get(destination)
    if permit is None or permit.stage not in RENEWABLE:
        return None
    return find_pending(term_rows(case, destination))


def find_shown(case: OneCase, destination: Destination, on: date) -> PermitTermRow | None:
    """Return the term that stands for a permit on a day: the one in force, else the newest that was issued."""
    return terms.find_shown(PERMIT_TERMS, term_rows(case, destination), on)


def is_in_force(case: OneCase, destination: Destination, on: date) -> bool:
    """Whether a permit is in force on a day, reckoned from the days of its terms when it is read."""
    permit = permit_rows(case)[destination]
    found = terms.find_in_force(PERMIT_TERMS, term_rows(case, destination), on)
    return permit.stage == PermitStage.ISSUED and found is not None


def is_of_day(row: PermitTermRow, on: date) -> bool:
    """Whether a term is issued and a day is one of its days."""
    return terms.is_in_force(PERMIT_TERMS, row, on)


def reason_place(row: PermitTermRow) -> str:
    """Return what the sealed reason of a term is bound to, beside its column."""
    return f"{row.reference}/{row.destination}/{row.number}"


def stage_on(row: PermitTermRow, on: date) -> PermitStage:
    """Return where a term stands on a day: expired once its last day is over, whatever a timer did."""
    over = row.stage == PermitStage.ISSUED and row.valid_until is not None and row.valid_until < on
    return PermitStage.EXPIRED if over else PermitStage(row.stage)


def last_day(case: OneCase, destination: Destination) -> date | None:
    """Return the last day of the last term of a permit, to which reminders and its end are counted."""
    return terms.find_last_day(PERMIT_TERMS, term_rows(case, destination))


def issued_on(rows: Sequence[PermitTermRow]) -> date | None:
    """Return the day on which the newest of the terms was issued, if any was."""
    return max((row.issued_on for row in rows if row.issued_on), default=None)


def ends_after_all(rows: Sequence[PermitTermRow], until: date | None) -> bool:
    """Whether a day is behind the last day of every term that was issued."""
    ends = [row.valid_until for row in rows if row.valid_until]
    return until is not None and all(until > each for each in ends)


def find_gap(rows: Sequence[PermitTermRow], before: PermitTermRow) -> Gap | None:
    """Return the days between a term and the one before it on which none is in force."""
    return terms.find_gap(PERMIT_TERMS, rows, before)


def find_numbered(permit: PermitRow, rows: Sequence[PermitTermRow], number: str | None) -> PermitTermRow | None:
    """Return the term that has a number of the authority's, or had it before it was replaced."""
    if number is None:
        return None
    now = next((row for row in rows if row.authority_number == number), None)
    if now is not None:
        return now
    before = {kept["authority_number"]: kept.get("term", 1) for kept in permit.earlier}
    return next((row for row in rows if row.number == before.get(number)), None)


def find_replaced(rows: Sequence[PermitTermRow], until: date | None, on: date) -> PermitTermRow:
    """Return the term whose card was replaced: the one with the same last day, else the one in force, else the newest.

    The authority's answer names the number of the new card alone.
    """
    held = holding(rows) or list(rows)
    same = next((row for row in held if row.valid_until == until), None)
    return same or terms.find_in_force(PERMIT_TERMS, held, on) or held[-1]


def before(row: PermitTermRow) -> dict[str, Any]:
    """Return number and days of a term as they are kept beside newer ones."""
    old = {name: getattr(row, name) for name in GIVEN}
    told = {name: value.isoformat() if isinstance(value, date) else value for name, value in old.items()}
    return told if row.number == 1 else told | {"term": row.number}
