"""What the log of the seal tells: checkpoints, proofs and public keys; and taking the cosignatures of witnesses."""

import base64
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.view import moment
from cases.shared.context import Context
from cases.shared.epochs import LogEpoch, former_log, log_keys
from domain.actors import system
from domain.acts import Act
from domain.errors import FieldError, Refused, need
from domain.field_errors import FieldCode
from proof import checkpoints as notes
from proof import merkle
from proof.checkpoints import BrokenNoteError, VerifierKey
from record.seal.views import (
    CheckpointView,
    ConsistencyView,
    Cosigned,
    FormerLogView,
    InclusionView,
    KeysView,
    StampTold,
)
from store import seal
from store.ledger import Entry, append
from store.rows.seal import LeafRow
from store.tables import checkpoints, cosignatures, seal_leaves, stamps

_MOST_STATED_AHEAD_S: Final = 300
Proved = Mapping[tuple[str, int], tuple[int, list[str]]]  # leaf and proof of rows, by chain and seq


@dataclass(frozen=True, slots=True)
class Sealed:
    """A checkpoint with everything that was signed over it."""

    size: int
    root: bytes
    note: str
    at: datetime
    cosigned: tuple[tuple[str, datetime], ...]
    stamp: bytes | None

    def view(self) -> CheckpointView:
        """Return the checkpoint as it is shown."""
        return CheckpointView(
            size=self.size,
            root=self.root.hex(),
            at=_written(self.at),
            note=self.note,
            cosignatures=[Cosigned(witness=name, at=_written(at)) for name, at in self.cosigned],
            timestamp=base64.b64encode(self.stamp).decode() if self.stamp is not None else None,
        )


def public_keys(context: Context, names: Sequence[LogEpoch] = ()) -> KeysView:
    """Return what a verifier must know: the log's keys, the one that writes first, and the witnesses'.

    `names` are those that the log had, with the restores between them; none where none was declared.
    """
    *before, now = names or [LogEpoch(context.log_origin, 0)]
    return KeysView(
        origin=now.origin,
        log_keys=[str(key) for key in log_keys(context.keyring, now.origin)],
        witness_keys=[str(key) for key in context.witness_keys],
        former=[
            FormerLogView(**former_log(context.keyring, each, after).view(after.declaration))
            for each, after in zip(before, names[1:], strict=True)
        ],
    )


async def find_checkpoint(context: Context, size: int | None = None) -> Sealed:
    """Return the newest checkpoint, or that of one size.

    Raises:
        Refused: `not_found` while nothing is sealed; `invalid` for a size at which no checkpoint was signed.
    """
    async with context.database.begin() as connection:
        return await load_checkpoint(connection, size)


async def find_newest(connection: AsyncConnection) -> Sealed | None:
    """Return the newest checkpoint within a transaction; None while nothing is sealed."""
    return await load_checkpoint(connection) if await seal.tree_size(connection) else None


async def load_checkpoint(connection: AsyncConnection, size: int | None = None) -> Sealed:
    """Return a checkpoint within a transaction."""
    c = checkpoints.c
    query = select(checkpoints, stamps.c.token).outerjoin(stamps, stamps.c.tree_size == c.tree_size)
    query = query.order_by(c.tree_size.desc()).limit(1) if size is None else query.where(c.tree_size == size)
    row = (await connection.execute(query)).one_or_none()
    if row is None and size is not None:
        newest = await seal.tree_size(connection)
        raise _wrong("size", f"No checkpoint was signed at this size; the newest is of {newest} leaves.")
    if row is None:
        raise Refused("not_found", "Nothing is sealed yet.")
    s = cosignatures.c
    lines = select(s.witness, s.line, s.stated_at).where(s.tree_size == row.tree_size).order_by(s.at, s.witness)
    found = (await connection.execute(lines)).all()
    note = row.note + "".join(each.line for each in found)
    cosigned = tuple((each.witness, each.stated_at) for each in found)
    return Sealed(row.tree_size, bytes(row.root), note, row.at, cosigned, row.token)


async def prove_inclusion(
    context: Context,
    *,
    chain: str | None = None,
    seq: int | None = None,
    index: int | None = None,
    size: int | None = None,
) -> InclusionView:
    """Prove that a row, named by its chain and place there or by its leaf, is in the tree of a checkpoint.

    Raises:
        Refused: `invalid` with the field that names nothing; `not_sealed_yet` for a row that no leaf is known of.
    """
    async with context.database.begin() as connection:
        sealed = await load_checkpoint(connection, size)
        leaf = await _find_leaf(connection, chain, seq, index, sealed.size)
        index = leaf.index
        read = await _reader(connection, merkle.inclusion_nodes(index, sealed.size))
    return InclusionView(
        chain=leaf.chain,
        seq=leaf.seq,
        row_hash=leaf.hash.hex(),
        index=index,
        size=sealed.size,
        proof=[each.hex() for each in merkle.inclusion_proof(index, sealed.size, read)],
        checkpoint=sealed.note,
    )


async def prove_rows(connection: AsyncConnection, places: Collection[tuple[str, int]]) -> tuple[Sealed | None, Proved]:
    """Return leaf and inclusion proof of each row that is sealed, by chain and seq, all in the tree of one checkpoint.

    It is the newest that a witness co-signed where that one holds them all, else the newest.
    """
    leaves = await _leaves(connection, places)
    if not leaves:
        return None, {}
    c = cosignatures.c
    witnessed = select(func.max(c.tree_size)).where(c.tree_size > max(leaves.values()))
    sealed = await load_checkpoint(connection, (await connection.execute(witnessed)).scalar_one())
    return sealed, await _proofs(connection, leaves, sealed.size)


async def prove_in(connection: AsyncConnection, size: int, places: Collection[tuple[str, int]]) -> Proved:
    """Return leaf and inclusion proof of each row, by chain and seq, that is in the tree of this size."""
    leaves = await _leaves(connection, places)
    return await _proofs(connection, {place: leaf for place, leaf in leaves.items() if leaf < size}, size)


async def _leaves(connection: AsyncConnection, places: Collection[tuple[str, int]]) -> dict[tuple[str, int], int]:
    s = seal_leaves.c
    query = select(s.chain, s.seq, s.index.label("leaf")).where(tuple_(s.chain, s.seq).in_(places))
    return {(row.chain, row.seq): int(row.leaf) for row in await connection.execute(query)} if places else {}


async def _proofs(connection: AsyncConnection, leaves: Mapping[tuple[str, int], int], size: int) -> Proved:
    read = await _reader(connection, [node for leaf in leaves.values() for node in merkle.inclusion_nodes(leaf, size)])
    return {
        place: (leaf, [each.hex() for each in merkle.inclusion_proof(leaf, size, read)])
        for place, leaf in leaves.items()
    }


async def prove_consistency(context: Context, old: int, new: int | None) -> ConsistencyView:
    """Prove that the tree of one size continues that of a smaller one.

    Raises:
        Refused: `invalid` with the field that is past the tree, or with both turned round.
    """
    async with context.database.begin() as connection:
        size = await seal.tree_size(connection)
        new = size if new is None else new
        if new > size:
            raise _wrong("to", f"The tree has {size} leaves.")
        if old > new:
            raise _wrong("from", f"The older tree is not larger than the newer one; the tree has {size} leaves.")
        wanted = [*merkle.consistency_nodes(old, new), *merkle.edge_nodes(old), *merkle.edge_nodes(new)]
        read = await _reader(connection, wanted)
    return ConsistencyView(
        from_=old,
        to=new,
        from_root=merkle.root(old, read).hex(),
        to_root=merkle.root(new, read).hex(),
        proof=[each.hex() for each in merkle.consistency_proof(old, new, read)],
    )


async def find_stamp(connection: AsyncConnection, sealed: Sealed) -> StampTold | None:
    """Return the newest stamp of a checkpoint or of one that it continues, with the proof that it does."""
    s = stamps.c
    query = select(s.tree_size).where(s.tree_size <= sealed.size).order_by(s.tree_size.desc()).limit(1)
    size = (await connection.execute(query)).scalar_one_or_none()
    if size is None:
        return None
    stamped = await load_checkpoint(connection, size)
    read = await _reader(connection, merkle.consistency_nodes(size, sealed.size))
    return StampTold(
        checkpoint=stamped.note,
        token=stamped.view().timestamp,
        consistency=[each.hex() for each in merkle.consistency_proof(size, sealed.size, read)],
    )


async def add_cosignature(context: Context, size: int, line: str) -> Sealed:
    """Keep the cosignature of a known witness over the checkpoint of one size; the same again changes nothing.

    Raises:
        Refused: `signature_invalid` for an unknown witness or a signature that does not verify.
    """
    at = context.clock()
    async with context.database.begin() as connection:
        sealed = await load_checkpoint(connection, size)
        witness, stated_at, written = _verified(context, sealed.note, line)
        if stated_at.timestamp() > at.timestamp() + _MOST_STATED_AHEAD_S:
            raise Refused("signature_invalid", "The cosignature states a time that has not come yet.")
        row = {"tree_size": size, "witness": witness.name, "line": written, "stated_at": stated_at, "at": at}
        added = await connection.execute(insert(cosignatures).values(row).on_conflict_do_nothing().returning(1))
        if added.one_or_none() is not None:
            detail = {"witness": witness.name, "key_id": witness.key_id.hex(), "size": size, "root": sealed.root.hex()}
            entry = Entry(act=Act.CHECKPOINT_COSIGNED, actor=system("cosignature"), at=at, detail=detail)
            await append(connection, f"witness/{witness.name}/{size}", [entry])
        return await load_checkpoint(connection, size)


def _verified(context: Context, note: str, line: str) -> tuple[VerifierKey, datetime, str]:
    try:
        text = notes.parse_note(note).text
        (signature,) = notes.parse_signatures([line])
        known = {(key.name, key.key_id): key for key in context.witness_keys}
        witness = known.get((signature.name, signature.key_id))
        if witness is None:
            raise Refused("signature_invalid", "The cosignature is of no witness that is known here.")
        return witness, notes.verify_cosignature(text, signature, witness), str(signature)
    except BrokenNoteError as error:
        raise Refused("signature_invalid", f"The cosignature was not taken: {error}.") from error


async def _find_leaf(
    connection: AsyncConnection, chain: str | None, seq: int | None, index: int | None, size: int
) -> LeafRow:
    s = seal_leaves.c
    if index is not None:
        if index >= size:
            raise _wrong("index", f"The tree has {size} leaves; the last one has the index {size - 1}.")
        return need(LeafRow.one_of(await connection.execute(select(seal_leaves).where(s.index == index))), "leaf")
    query = select(seal_leaves).where(s.chain == chain, s.seq == seq)
    leaf = LeafRow.one_of(await connection.execute(query))
    if leaf is None:
        raise Refused("not_sealed_yet", "No leaf is known of this row: it was not sealed yet, or there is none.")
    if leaf.index >= size:
        raise _wrong("size", f"The row is the leaf {leaf.index}, which is past this size.")
    return leaf


async def _reader(connection: AsyncConnection, wanted: list[merkle.NodeId]) -> Callable[[int, int], bytes]:
    known = await seal.read_nodes(connection, set(wanted))
    return lambda level, index: known[level, index]


def _written(at: datetime) -> str:
    return need(moment(at), "at")


def _wrong(field: str, message: str) -> Refused:
    return Refused("invalid", message, [FieldError(field, FieldCode.UNKNOWN_VALUE, message)])
