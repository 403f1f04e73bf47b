"""Checking the whole seal again, stretch by stretch, and keeping what does not hold."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cases.shared.context import Context
from domain.actors import Actor
from record.reconciliation import reconcile
from record.reconciliation.evidence import Difference
from record.seal.differences import Held, Signers, check_ends, check_stretch
from store import seal_walk
from store.database import Database

# Under this name the differences of the seal are kept beside those of cases.
SUBJECT: Final = "seal"
STRETCH: Final = 1024
# Each becomes an incident; what else differs on the same night is counted.
MOST_NAMED: Final = 200


@dataclass(slots=True)
class Progress:
    """How far a round has come: `leaf` is the next one, `held` the last checkpoint whose root was the tree's."""

    leaf: int = 0
    held: int = 0
    is_broken: bool = False
    differences: int = 0
    is_whole: bool = False


async def check_next(database: Database, signers: Signers, progress: Progress, most: int = STRETCH) -> list[Difference]:
    """Check the next stretch of the seal, carry the progress on, and return every difference in it."""
    async with database.begin() as connection:
        leaves, signed = await seal_walk.read_ends(connection)
        # What lies past the one or the other is named as a whole, however far somebody had it reach.
        beyond = max(min(leaves, signed), progress.leaf)
        stretch = await seal_walk.read_stretch(connection, progress.leaf, min(progress.leaf + most, beyond))
    held = Held(progress.held, progress.is_broken)
    # Hashing holds the loop of the worker no longer than a thread's turn.
    found = await asyncio.to_thread(check_stretch, stretch, signers, held)
    progress.leaf, progress.held, progress.is_broken = stretch.end, held.size, held.is_broken
    progress.is_whole = stretch.end >= beyond
    if progress.is_whole:
        found += check_ends(leaves, signed)
    progress.differences += len(found)
    return found


async def keep_found(context: Context, found: Sequence[Difference], at: datetime, progress: Progress) -> None:
    """Keep what a stretch of the round that began then had, as far as it is named, and as incidents where it is new."""
    room = max(MOST_NAMED - (progress.differences - len(found)), 0)
    await reconcile.keep_differences(context, SUBJECT, found[:room], at, is_complete=False)


async def end_round(context: Context, actor: Actor, round_id: str, at: datetime, progress: Progress) -> None:
    """Mark what the round did not find again, and write down once what it came to."""
    await reconcile.mark_gone(context, SUBJECT, at)
    counted = {"leaves": progress.leaf, "differences": progress.differences}
    await reconcile.record_round(context, actor, round_id, counted)
