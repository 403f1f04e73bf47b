"""Rows of the seal: leaves and checkpoints."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy import Table

from store import tables
from store.rows.base import TableRow


@dataclass(slots=True, kw_only=True)
class LeafRow(TableRow):
    """Which leaf of the tree a row of the ledger is."""

    TABLE: ClassVar[Table] = tables.seal_leaves
    index: int
    chain: str
    seq: int
    xid: int
    hash: bytes


@dataclass(slots=True, kw_only=True)
class CheckpointRow(TableRow):
    """The root of the tree at a size, with the note that was signed over it."""

    TABLE: ClassVar[Table] = tables.checkpoints
    tree_size: int
    root: bytes
    note: str
    at: datetime
