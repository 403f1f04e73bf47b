"""Declaring a restore: a new epoch of the register, so that whoever remembers more than it yields to it."""

import json
from collections.abc import AsyncIterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.view import moment
from cases.health.restore_watch import CHAIN, CLUSTER, acknowledge, identity
from cases.shared import lost_cases
from cases.shared.calendar import find_cursor
from cases.shared.context import Context
from cases.shared.epochs import current_epoch, origin_now
from domain.actors import Actor
from domain.acts import Act
from domain.case_types import reference_of
from domain.errors import Refused
from domain.spellings import RESTORE_LOCK
from proof.checkpoints import BrokenNoteError, Checkpoint, open_checkpoint, parse_note, verifier_key
from proof.declarations import checkpoint_view, declare, origin_of_epoch
from proof.merkle import EMPTY_ROOT
from record.seal.log import find_newest
from store.ledger import Entry, append
from store.tables import epochs, ledger

# Registrations have numbers of the year; those given after the backup are on letters, and are not given again.
SKIPPED_NUMBERS: Final = 10_000
_SKIP: Final = text("SELECT setval('registration_number_seq', nextval('registration_number_seq') + :skipped)")
_LOCK: Final = f"SELECT pg_advisory_xact_lock({RESTORE_LOCK})"


@dataclass(frozen=True, kw_only=True)
class RestoredView:
    """What declaring a restore came to, as it is shown; `lost_cases` is None where Temporal was not asked."""

    epoch: int
    declared_now: bool
    log: str
    tree_size: int
    lost_leaves: int | None
    lost_cases: list[str] | None


@dataclass(slots=True)
class Restored:
    """What declaring a restore came to."""

    epoch: int
    is_new: bool
    origin: str
    tree_size: int
    declaration: Mapping[str, Any]
    lost_leaves: int | None = None
    lost_cases: list[str] = field(default_factory=list)
    asked_temporal: bool = False

    def view(self) -> RestoredView:
        """Return it as it is shown."""
        return RestoredView(
            epoch=self.epoch,
            declared_now=self.is_new,
            log=self.origin,
            tree_size=self.tree_size,
            lost_leaves=self.lost_leaves,
            lost_cases=self.lost_cases if self.asked_temporal else None,
        )


async def declare_restore(
    context: Context, actor: Actor, last_checkpoint: str | None = None, *, again: bool = False
) -> Restored:
    """Begin a new epoch of the register, and of its log unless that is shown to have lost nothing, in one transaction.

    Asked again before anything else was written down, it changes nothing, unless `again` is given.

    Args:
        context: the collaborators.
        actor: who declares it.
        last_checkpoint: the newest signed checkpoint that anybody outside has, as a signed note.
        again: begin another epoch although nothing was written since the last one began.

    Raises:
        Refused: `invalid` for a checkpoint that is not of this log, or contradicts the tree that was restored.
    """
    at, key = context.clock(), context.keyring.sealing_key()
    async with context.database.begin(locks=(_LOCK,)) as connection:
        number = await current_epoch(connection)
        if number and not again and await _is_untouched(connection):
            kept = select(epochs.c.declaration).where(epochs.c.number == number)
            return _found(number, (await connection.execute(kept)).scalar_one(), is_new=False)
        former = await origin_now(connection, context.log_origin)
        sealed = await find_newest(connection)
        restored = Checkpoint(former, sealed.size, sealed.root) if sealed else Checkpoint(former, 0, EMPTY_ROOT)
        known = None if last_checkpoint is None else _known(context, former, restored, last_checkpoint)
        number = max(number + 1, int(at.timestamp()))
        # Nothing that was sealed is lost: the log goes on as it is, and its witnesses need to be told nothing.
        is_whole = known is not None and (known.size, known.root) == (restored.size, restored.root)
        content = {
            "epoch": number,
            "at": moment(at),
            "origin": former if is_whole else origin_of_epoch(context.log_origin, number),
            "former_origin": former,
            "restored": checkpoint_view(restored, sealed.note if sealed else ""),
            "known": checkpoint_view(known, last_checkpoint) if known and last_checkpoint is not None else None,
        }
        declaration = declare(content, key)
        row = {"number": number, "origin": content["origin"], "tree_size": restored.size, "declaration": declaration}
        await connection.execute(insert(epochs).values(**row, at=at))
        await acknowledge(context, connection, actor)
        lost = known.size - restored.size if known else 0
        skipped = max(SKIPPED_NUMBERS, lost)
        await connection.execute(_SKIP, {"skipped": skipped})
        detail = {**content, "signature": declaration["signature"], "numbers_skipped": skipped}
        await append(connection, CHAIN, [Entry(Act.RESTORED, actor, at, detail=detail)])
    return _found(number, declaration, is_new=True)


async def find_lost_cases(context: Context, workflow_ids: AsyncIterable[Sequence[str]]) -> list[str]:
    """Keep the references of cases whose workflows Temporal knows and which the register does not have."""
    found: list[str] = []
    async for page in workflow_ids:
        references = {reference for each in page if (reference := reference_of(each)) is not None}
        async with context.database.begin() as connection:
            found += await lost_cases.keep_unknown(connection, references, lost_cases.BY_TEMPORAL, context.clock())
    return sorted(set(found))


def read_note(content: str) -> str:
    """Return the note of a file that holds one as text, or the answer of `GET /v1/audit/checkpoint`."""
    try:
        return str(json.loads(content)["note"])
    except (ValueError, KeyError, TypeError):
        return content


def _found(number: int, declaration: Mapping[str, Any], *, is_new: bool) -> Restored:
    content = declaration["content"]
    size, known = content["restored"]["size"], content["known"]
    lost = known["size"] - size if known else None
    return Restored(number, is_new, content["origin"], size, declaration, lost)


async def _is_untouched(connection: AsyncConnection) -> bool:
    """Whether the declaration is the last that was written down: whoever runs the command twice means one restore.

    A backup that was made right after it looks the same, but comes back on another timeline.
    """
    if await find_cursor(connection, CLUSTER) != await identity(connection):
        return False
    newest = select(ledger.c.act).order_by(ledger.c.xid.desc(), ledger.c.chain, ledger.c.seq.desc()).limit(1)
    return (await connection.execute(newest)).scalar_one_or_none() == Act.RESTORED.value


def _known(context: Context, origin: str, restored: Checkpoint, note: str) -> Checkpoint:
    keys = [verifier_key(origin, each) for each in context.keyring.sealing_keys().values()]
    try:
        known = open_checkpoint(parse_note(note), origin, keys).checkpoint
    except BrokenNoteError as error:
        raise Refused("invalid", f"The last checkpoint cannot be taken: {error}.") from error
    if known.size < restored.size:
        said = f"The last checkpoint is of {known.size} leaves, and the database has {restored.size}: find a newer one."
        raise Refused("invalid", said)
    if known.size == restored.size and known.root != restored.root:
        raise Refused("invalid", "The last checkpoint and the database have other trees of one size: another backup.")
    return known
