"""What stands on what: rows of take-overs, which each of the two cases changes by steps of its own.

Neither step writes into the other case. Whoever takes over lets the case that vouches look whether it still does, and
whichever of its steps finds that it does not tells those that stand on it: a command of the engine for each, stored
once in the transaction that finds it, so that a process that dies in between loses nothing and repeats nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.once_only.facts import Fact, Held, held, vouches
from cases.shared.told_cases import tell_case
from domain.errors import Refused
from domain.once_only import Consent, OnceOnlyCommand, TakeoverState
from store.rows.takeovers import TakeoverRow
from store.tables import takeovers

_T: Final = takeovers.c
_BY: Final = "once_only"
_FELL: Final = text("""
    UPDATE takeovers t SET state = 'fallen', over_at = :at FROM cases c
    WHERE t.from_reference = :reference AND t.from_item = :item AND t.from_evidence = :number AND t.state = 'taken'
    AND c.reference = t.to_reference
    RETURNING t.takeover_id, c.reference, c.employer_id
""")
_BETWEEN: Final = """
    FROM cases c, cases s
    WHERE c.reference = t.to_reference AND s.reference = t.from_reference AND c.person_id <> s.person_id
    AND ARRAY[c.person_id, s.person_id] && CAST(:persons AS uuid[])
"""
_FELL_BETWEEN: Final = text(f"""
    UPDATE takeovers t SET state = 'fallen', over_at = :at {_BETWEEN} AND t.state = 'taken'
    RETURNING t.takeover_id, c.reference, c.employer_id
""")  # noqa: S608 - made of words of this file
_END_BETWEEN: Final = text(f"""
    UPDATE takeovers t SET state = 'withdrawn', over_at = :at {_BETWEEN} AND t.state = 'released'
""")  # noqa: S608 - made of words of this file


class Before(NamedTuple):
    """Whom a case was about before a step, and what it vouched for."""

    person_id: UUID
    held: frozenset[Held]


def before(file: CaseFile) -> Before:
    """Return how a case stands before a step, for `pass_on` after it."""
    return Before(file.row.person_id, held(file))


async def pass_on(file: CaseFile, connection: AsyncConnection, was: Before, at: datetime) -> None:
    """Let all that stands on what a step of a case let fall hear of it, in the transaction of the step.

    Of a case that is about another person from then on, nothing of the one before is taken over any more.
    """
    if file.row.person_id != was.person_id:
        only = update(takeovers).where(_T.to_reference == file.reference)
        only = only.where(_T.state.in_((TakeoverState.RELEASED.value, TakeoverState.TAKEN.value)))
        await connection.execute(only.values(state=TakeoverState.WITHDRAWN.value, over_at=at))
    fallen = was.held - held(file) if vouches(file) else frozenset()
    for each in sorted(fallen, key=lambda one: (one.item, one.number)):
        await _let_fall(connection, file.reference, each.item, each.number, at)


async def look_again(file: CaseFile, connection: AsyncConnection, at: datetime) -> None:
    """Let all hear that stands on what a case does not vouch for any more, where it was taken over meanwhile."""
    query = select(_T.from_item, _T.from_evidence).distinct()
    query = query.where(_T.from_reference == file.reference, _T.state == TakeoverState.TAKEN.value)
    rows, holds = (await connection.execute(query)).all(), held(file)
    for item, number in sorted((row.from_item, row.from_evidence) for row in rows):
        if Held(file.row.person_id, item, number) not in holds:
            await _let_fall(connection, file.reference, item, number, at)


async def take(
    file: CaseFile, connection: AsyncConnection, fact: Fact, item: str, to_evidence: int, at: datetime, *, by: Consent
) -> None:
    """Keep that a fact was taken over with the consent of who asked, and let the case that vouches look at it again."""
    row = TakeoverRow(
        takeover_id=uuid4(),
        person_id=file.row.person_id,
        from_reference=fact.reference,
        from_item=fact.item,
        from_evidence=fact.number,
        to_reference=file.reference,
        to_item=item,
        to_evidence=to_evidence,
        consent=by.value,
        state=TakeoverState.TAKEN.value,
        consented_at=at,
        taken_at=at,
    )
    await connection.execute(insert(takeovers).values(row.filled()))
    await _ask(connection, row.takeover_id, fact, at)


async def take_by_release(
    file: CaseFile, connection: AsyncConnection, fact: Fact, item: str, to_evidence: int, at: datetime, release: UUID
) -> None:
    """Make use of the person's release, and let the case that vouches look at it again.

    Raises:
        Refused: `wrong_stage` where the person took it back, or it was made use of.
    """
    only = update(takeovers).where(
        _T.takeover_id == release,
        _T.to_reference == file.reference,
        _T.to_item == item,
        _T.person_id == file.row.person_id,
        _T.state == TakeoverState.RELEASED.value,
    )
    values = {"state": TakeoverState.TAKEN.value, "taken_at": at, "to_evidence": to_evidence}
    if (await connection.execute(only.values(values))).rowcount != 1:
        raise Refused("wrong_stage", words="release_gone")
    await _ask(connection, release, fact, at)


async def fallen_of(file: CaseFile, connection: AsyncConnection) -> Sequence[TakeoverRow]:
    """Return what a case had taken over that does not hold any more where it came from."""
    query = select(takeovers).where(_T.to_reference == file.reference, _T.state == TakeoverState.FALLEN.value)
    return TakeoverRow.all_of(await connection.execute(query.order_by(_T.to_evidence)))


async def let_fall_between(connection: AsyncConnection, persons: Sequence[UUID], at: datetime) -> None:
    """Let fall what was taken over between cases that are not of one person after all, and end such releases."""
    values = {"persons": list(persons), "at": at}
    await connection.execute(_END_BETWEEN, values)
    for each in (await connection.execute(_FELL_BETWEEN, values)).all():
        await _tell_fallen(connection, each, at)


async def _let_fall(connection: AsyncConnection, reference: str, item: str, number: int, at: datetime) -> None:
    values = {"reference": reference, "item": item, "number": number, "at": at}
    for each in (await connection.execute(_FELL, values)).all():
        await _tell_fallen(connection, each, at)


async def _tell_fallen(connection: AsyncConnection, case: Any, at: datetime) -> None:
    kind = OnceOnlyCommand.SOURCE_FELL
    await tell_case(connection, case.takeover_id, case.reference, case.employer_id, kind, _BY, at)


async def _ask(connection: AsyncConnection, takeover_id: UUID, fact: Fact, at: datetime) -> None:
    """Let the case that vouches look again whether it does: what fell in the same moment is not lost."""
    kind = OnceOnlyCommand.VOUCH
    await tell_case(connection, takeover_id, fact.reference, fact.owner, kind, _BY, at)
