"""Entries that the authority has already: after a restore one of them may be what the register forgot that it sent."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy import select

from cases.shared.context import Context
from domain.errors import Unavailable
from domain.references import find_reference
from domain.spellings import TERM_KEY
from programmes.talent_permit.authority.answers import AuthorityAnswer
from programmes.talent_permit.authority.list_entries import KnownEntry
from programmes.talent_permit.permit_stages import Destination
from programmes.talent_permit.references import PREFIX
from programmes.talent_permit.tables import permits
from store.tables import cases

DIFFERS: Final = "entry_differs"
# Before the reason for which the authority refused to be asked.
UNASKABLE: Final = "search_"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The entry that a call is about: its key, the name of the case, whom it is about and where, and for which term."""

    key: str
    case: str
    destination: Destination
    identity_number: str = field(repr=False)
    term: int = 1
    passed_over: tuple[str, ...] = ()
    # Whether one of before is known to have ended, so that an entry that is over stands for nothing any more.
    is_anew: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """The entry that stands for a call, and the fields in which it is another's; none where it is the case's own."""

    entry: KnownEntry
    differs: tuple[str, ...] = ()

    @property
    def refusal(self) -> str | None:
        """Why it stands for no call of the case."""
        return DIFFERS if self.differs else None

    def told(self) -> dict[str, Any]:
        """Return what the ledger says of it."""
        return {"entry": self.detail()}

    def detail(self) -> dict[str, Any]:
        """Return what ledger and task say of the entry: its ids and numbers, and nobody's name."""
        entry = self.entry
        said = {
            "entry_id": entry.entry_id,
            "case": entry.case,
            "registration_number": entry.registration_number,
            "state": entry.state,
        }
        return {name: value for name, value in said.items() if value is not None}


def read_entries(answer: Mapping[str, Any]) -> list[KnownEntry]:
    """Return the entries that the authority tells of.

    Raises:
        Unavailable: nobody can read what it says; it is asked again.
    """
    found = answer.get("entries")
    if not isinstance(found, list):
        raise Unavailable("authority_answer_unreadable")
    try:
        return [KnownEntry.model_validate(each) for each in found]
    except ValidationError:
        raise Unavailable("authority_answer_unreadable") from None


async def choose(context: Context, wanted: Wanted, known: Sequence[KnownEntry]) -> Found | None:
    """Return the entry that stands for a call; None where the call has to be made.

    The case's own entry stands for it whatever became of it, since its answers are the case's; where it is another
    person's or for another destination, an officer says what holds. So does one of the same person under a reference
    that the register lacks, as long as it stands: the case was submitted anew after a restore. One that stands for
    the call of another case is that one's.
    """
    asked = [entry for entry in known if entry.entry_id not in wanted.passed_over and _is_of_term(wanted, entry)]
    if any(entry.idempotency_key == wanted.key for entry in asked):
        return None  # the call itself, whose answer was lost: it is made again under its key
    # The newest of the case, one that stands before one that is over, and one that fits before one that does not.
    asked = [entry for entry in asked if not (wanted.is_anew and entry.is_over)]
    own = [Found(entry, _differs(wanted, entry)) for entry in asked if entry.case == wanted.case]
    if own:
        return min(reversed(own), key=lambda found: (bool(found.differs), found.entry.is_over))
    others = [entry for entry in asked if not entry.is_over and not _differs(wanted, entry)]
    ours = await _of_the_register(context, {entry.case for entry in others}) if others else set()
    return next((Found(entry) for entry in reversed(others) if entry.case not in ours), None)


async def named_here(context: Context, answer: AuthorityAnswer) -> AuthorityAnswer | None:
    """Return an answer under the case of ours whose entry the authority calls otherwise; None where there is none."""
    p = permits.c
    query = select(p.reference, p.destination).where(p.entry_case == answer.case)
    async with context.database.begin() as connection:
        row = (await connection.execute(query)).one_or_none()
    return None if row is None else answer.model_copy(update={"case": f"{row.reference}/{row.destination}"})


def _is_of_term(wanted: Wanted, entry: KnownEntry) -> bool:
    """Whether an entry is for the term that is wanted: its key says so, and that of the first says nothing."""
    behind = (entry.idempotency_key or "").partition(f"/{TERM_KEY}/")[2]
    number = re.match(r"[0-9]+", behind)
    return wanted.term == (1 if number is None else int(number.group()))


def _differs(wanted: Wanted, entry: KnownEntry) -> tuple[str, ...]:
    """Return the fields in which an entry is about somebody or something else."""
    said = {
        "destination": entry.destination == wanted.destination.value,
        "person.identity_number": entry.person.identity_number.strip().upper() == wanted.identity_number,
    }
    return tuple(field for field, is_same in said.items() if not is_same)


async def _of_the_register(context: Context, names: Collection[str]) -> set[str]:
    """Return those of the authority's names of cases that are no lost case's: another one follows them."""
    references = {name: find_reference(name.rpartition("/")[0], {PREFIX}) for name in names}
    r, p = cases.c, permits.c
    known = select(r.reference).where(r.reference.in_([each for each in references.values() if each is not None]))
    taken = select(p.entry_case).where(p.entry_case.in_(list(names)))
    async with context.database.begin() as connection:
        has = set((await connection.execute(known)).scalars())
        stands = set((await connection.execute(taken)).scalars())
    # A name that is no reference of ours is nobody's whom a restore took away.
    return stands | {name for name, reference in references.items() if reference is None or reference in has}
