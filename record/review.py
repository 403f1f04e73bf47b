"""What an auditor looks at in a time range: a random sample of decisions, and those with a possible conflict."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from math import sqrt
from typing import Any, Final, NamedTuple

from sqlalchemy import func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Text

from cases.case.view import moment
from cases.shared.accesses import note_access
from cases.shared.context import Context
from domain.actors import STAFF, Actor
from domain.acts import Act
from domain.errors import need
from domain.purposes import Purpose
from domain.words import Words
from record.event_views import BriefRow, ConflictsView, PairView, SampleView, event_view
from record.search import MOST_COUNTED, Filters, check_range, horizon, too_many
from store.ledger import Entry
from store.rows.record import LedgerRow
from store.tables import ledger

LONGEST: Final = timedelta(days=366)
# A pair is shown where it was seen this often, this many times as often as expected, and this many standard deviations
# above that, the number of a pair being taken as Poisson where officer and employer have nothing to do with each other.
LEAST_SEEN: Final = 5
LEAST_RATIO: Final = 2.0
LEAST_DEVIATIONS: Final = 3.0
_L: Final = ledger.c
_STAFF: Final = [role.value for role in STAFF]


class Decided(NamedTuple):
    """What is read of a decision to find possible conflicts of interest."""

    chain: str
    seq: int
    at: datetime
    act: str
    reference: str | None
    employer_id: str | None
    outcome: str | None
    actor_issuer: str
    actor_subject: str

    @property
    def officer(self) -> str:
        """Issuer and subject of who decided."""
        return f"{self.actor_issuer} {self.actor_subject}"

    def view(self) -> BriefRow:
        """Return it as auditors see it."""
        return BriefRow(
            chain=self.chain,
            seq=self.seq,
            at=need(moment(self.at), "at"),
            act=self.act,
            case=self.reference,
            outcome=self.outcome,
        )


_BRIEF: Final = [_L[name] for name in Decided._fields]


@dataclass(frozen=True, slots=True)
class Pair:
    """An officer and an employer: how many decisions were seen and how many expected, and the rows."""

    officer: str
    employer_id: str
    seen: int
    expected: float
    rows: tuple[Decided, ...]

    def view(self) -> PairView:
        """Return it as auditors see it."""
        return PairView(
            officer=self.officer,
            employer_id=self.employer_id,
            seen=self.seen,
            expected=round(self.expected, 2),
            rows=[row.view() for row in self.rows],
        )


async def draw_sample(
    context: Context, actor: Actor, *, seed: str, size: int, begins: datetime, ends: datetime, purpose: Purpose | None
) -> SampleView:
    """Draw decisions at random; the same seed over the same rows draws the same. A ledger act.

    Raises:
        Refused: `invalid` for a time range that is turned round, too long or too full.
    """
    filters = Filters(begins=begins, ends=ends)
    check_range(filters, LONGEST)
    async with context.database.begin() as connection:
        below = await horizon(connection)
        decisions = _decisions(context.words, filters, below).limit(MOST_COUNTED + 1).subquery()
        population = int((await connection.execute(select(func.count()).select_from(decisions))).scalar_one())
        if population > MOST_COUNTED:
            raise too_many(f"More than {MOST_COUNTED} decisions lie in this time.")
        # Nobody who writes a row knows the seed, and nobody who chooses the seed can choose the hashes.
        drawn = func.sha256(func.convert_to(literal(seed, Text), "UTF8").op("||")(_L.hash))
        query = _decisions(context.words, filters, below).order_by(drawn, _L.chain, _L.seq).limit(size)
        rows = LedgerRow.all_of(await connection.execute(query))
        detail = {
            "seed": seed,
            "size": size,
            "from": begins.isoformat(),
            "to": ends.isoformat(),
            "population": population,
            "drawn": len(rows),
            "rows_hash": sha256(b"".join(row.hash for row in rows)).hexdigest(),
            "cases": sorted({row.reference for row in rows if row.reference}),
        }
        at = context.clock()
        entry = Entry(Act.SAMPLED, actor, at, purpose=purpose.value if purpose else None, detail=detail)
        await note_access(connection, entry)
    return SampleView(seed=seed, population=population, items=[event_view(row) for row in rows])


async def find_conflicts(context: Context, begins: datetime, ends: datetime) -> ConflictsView:
    """Return decisions with a possible conflict of interest.

    Raises:
        Refused: `invalid` for a time range that is turned round, too long or too full.
    """
    filters = Filters(begins=begins, ends=ends)
    check_range(filters, LONGEST)
    async with context.database.begin() as connection:
        below = await horizon(connection)
        query = _brief(_decisions(context.words, filters, below)).limit(MOST_COUNTED + 1)
        rows = [Decided(*row) for row in await connection.execute(query)]
        if len(rows) > MOST_COUNTED:
            raise too_many(f"More than {MOST_COUNTED} decisions lie in this time.")
        signatures, same = await _signatures(context.words, connection, filters, below)
    return ConflictsView(
        signatures=signatures,
        same_signer=[row.view() for row in same],
        decisions=len(rows),
        pairs=[pair.view() for pair in unusual(rows)],
    )


def unusual(rows: Sequence[Decided]) -> tuple[Pair, ...]:
    """Return the pairs of officer and employer seen unusually often, the most unusual first.

    Expected of a pair is what would be seen if every officer decided on the employers in the same shares: the decisions
    of the officer times the decisions on the employer's cases, divided by all decisions.
    """
    of_pair: dict[tuple[str, str], list[Decided]] = defaultdict(list)
    for row in rows:
        if row.employer_id is not None:
            of_pair[row.officer, row.employer_id].append(row)
    of_officer: Counter[str] = Counter()
    of_employer: Counter[str] = Counter()
    for (officer, employer_id), found in of_pair.items():
        of_officer[officer] += len(found)
        of_employer[employer_id] += len(found)
    total = of_officer.total()
    pairs = [
        Pair(officer, employer_id, len(found), of_officer[officer] * of_employer[employer_id] / total, tuple(found))
        for (officer, employer_id), found in of_pair.items()
    ]
    shown = [pair for pair in pairs if _is_unusual(pair)]
    return tuple(sorted(shown, key=lambda pair: (-_deviations(pair), pair.officer, pair.employer_id)))


def _is_unusual(pair: Pair) -> bool:
    enough = pair.seen >= LEAST_SEEN and pair.seen >= LEAST_RATIO * pair.expected
    return enough and _deviations(pair) >= LEAST_DEVIATIONS


def _deviations(pair: Pair) -> float:
    return (pair.seen - pair.expected) / sqrt(pair.expected)


def _decisions(words: Words, filters: Filters, below: int) -> Any:
    """Return the query for what people decided in a time range."""
    return select(ledger).where(
        _L.act.in_(words.decisions()),
        _L.actor_role.in_(_STAFF),
        _L.at >= filters.begins,
        _L.at < filters.ends,
        _L.xid < below,
    )


def _brief(query: Any) -> Any:
    return query.with_only_columns(*_BRIEF).order_by(_L.at, _L.chain, _L.seq)


async def _signatures(
    words: Words, connection: AsyncConnection, filters: Filters, below: int
) -> tuple[int, list[Decided]]:
    """Return how many second signatures there were, and those by the one whose proposal they are about."""
    earlier = ledger.alias("earlier")
    e = earlier.c
    proposal = (
        select(e.seq, e.actor_issuer, e.actor_subject)
        .where(
            e.chain == _L.chain,
            e.seq < _L.seq,
            e.act.in_(words.proposals()),
            e.destination.is_not_distinct_from(_L.destination),
        )
        .order_by(e.seq.desc())
        .limit(1)
        .lateral("proposal")
    )
    signed = select(
        *_BRIEF,
        (
            (proposal.c.actor_issuer == _L.actor_issuer) & (proposal.c.actor_subject == _L.actor_subject)
        ).label("is_same"),
    ).join(proposal, literal(True)).where(
        _L.act.in_(words.signatures()),
        _L.actor_role.in_(_STAFF),
        _L.at >= filters.begins,
        _L.at < filters.ends,
        _L.xid < below,
    ).limit(MOST_COUNTED)  # fmt: skip
    rows = list(await connection.execute(signed))
    return len(rows), [Decided(*columns) for *columns, is_same in rows if is_same]
