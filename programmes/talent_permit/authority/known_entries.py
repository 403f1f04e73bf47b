"""Entries that the authority has already: after a restore one of them may be what the register forgot that it sent."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from cases.shared.context import Context
from domain.answers import AuthorityAnswer
from domain.list_entries import KnownEntry
from domain.references import find_reference
from programmes.talent_permit.tables import permits
from store.tables import cases

if TYPE_CHECKING:
    from programmes.talent_permit.authority.calls import Order

DIFFERS: Final = "entry_differs"
# Before the reason for which the authority refused to be asked.
UNASKABLE: Final = "search_"


@dataclass(frozen=True, slots=True)
class Found:
    """The entry that stands for a call, and the fields in which it is another's; none where it is the case's own."""

    entry: KnownEntry
    differs: tuple[str, ...] = ()

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


async def choose(context: Context, order: "Order", known: Sequence[KnownEntry]) -> Found | None:
    """Return the entry that stands for a call; None where the call has to be made.

    The case's own entry stands for it whatever became of it, since its answers are the case's; where it is another
    person's or for another destination, an officer says what holds. So does one of the same person under a reference
    that the register lacks, as long as it stands: the case was submitted anew after a restore. One that stands for
    the call of another case is that one's.
    """
    asked = [entry for entry in known if entry.entry_id not in order.passed_over]
    if any(entry.idempotency_key == order.key for entry in asked):
        return None  # the call itself, whose answer was lost: it is made again under its key
    # The newest of the case, one that stands before one that is over, and one that fits before one that does not.
    own = [Found(entry, _differs(order, entry)) for entry in asked if entry.case == order.case]
    if own:
        return min(reversed(own), key=lambda found: (bool(found.differs), found.entry.is_over))
    others = [entry for entry in asked if not entry.is_over and not _differs(order, entry)]
    ours = await _of_the_register(context, {entry.case for entry in others}) if others else set()
    return next((Found(entry) for entry in reversed(others) if entry.case not in ours), None)


async def named_here(context: Context, answer: AuthorityAnswer) -> AuthorityAnswer | None:
    """Return an answer under the case of ours whose entry the authority calls otherwise; None where there is none."""
    p = permits.c
    query = select(p.reference, p.destination).where(p.entry_case == answer.case)
    async with context.database.begin() as connection:
        row = (await connection.execute(query)).one_or_none()
    return None if row is None else answer.model_copy(update={"case": f"{row.reference}/{row.destination}"})


def _differs(order: "Order", entry: KnownEntry) -> tuple[str, ...]:
    """Return the fields in which an entry is about somebody or something else."""
    said = {
        "destination": entry.destination == order.destination.value,
        "person.identity_number": entry.person.identity_number.strip().upper() == order.person["identity_number"],
    }
    return tuple(field for field, is_same in said.items() if not is_same)


async def _of_the_register(context: Context, names: Collection[str]) -> set[str]:
    """Return those of the authority's names of cases that are no lost case's: another one follows them."""
    references = {name: find_reference(name.rpartition("/")[0]) for name in names}
    r, p = cases.c, permits.c
    known = select(r.reference).where(r.reference.in_([each for each in references.values() if each is not None]))
    taken = select(p.entry_case).where(p.entry_case.in_(list(names)))
    async with context.database.begin() as connection:
        has = set((await connection.execute(known)).scalars())
        stands = set((await connection.execute(taken)).scalars())
    # A name that is no reference of ours is nobody's whom a restore took away.
    return stands | {name for name, reference in references.items() if reference is None or reference in has}
