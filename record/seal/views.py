"""What the log of the seal tells; the order of members is the order in which they are answered."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field


@dataclass(frozen=True, kw_only=True)
class Cosigned:
    """A witness that co-signed, and the time it states."""

    witness: str
    at: str


@dataclass(frozen=True, kw_only=True)
class CheckpointView:
    """A checkpoint of the log."""

    size: Annotated[int, Field(description="Leaves in the tree.")]
    root: Annotated[str, Field(description="Root of the tree (RFC 9162), in hexadecimal.")]
    at: Annotated[str, Field(description="When it was signed.")]
    note: Annotated[str, Field(description="Signed note (C2SP tlog-checkpoint) with all cosignatures.")]
    cosignatures: list[Cosigned]
    timestamp: Annotated[
        str | None, Field(description="Token of a time-stamping authority (RFC 3161) over the note's text.")
    ]


@dataclass(frozen=True, kw_only=True)
class InclusionView:
    """Proof that a row of the ledger is in the tree of a checkpoint."""

    chain: str
    seq: int
    row_hash: Annotated[str, Field(description="Hash of the row, which is the content of the leaf.")]
    index: int
    size: int
    proof: Annotated[list[str], Field(description="Hashes from the leaf up (RFC 9162, 2.1.3), in hexadecimal.")]
    checkpoint: str


@dataclass(frozen=True, kw_only=True)
class ConsistencyView:
    """Proof that a tree continues an older one."""

    from_: Annotated[int, Field(alias="from", title="From")]
    to: Annotated[int, Field(title="To")]
    from_root: str
    to_root: str
    proof: Annotated[list[str], Field(description="Hashes (RFC 9162, 2.1.4), in hexadecimal.")]


@dataclass(frozen=True, kw_only=True)
class StampTold:
    """The stamp of a checkpoint, and the proof that a later one continues it."""

    checkpoint: str
    token: str | None
    consistency: list[str]


@dataclass(frozen=True, kw_only=True)
class FormerLogView:
    """A log that ended with a declared restore."""

    origin: str
    log_keys: Annotated[list[str], Field(description="Verifier keys of the log under that name.")]
    until: Annotated[int, Field(description="Size of the tree that the next log goes on from.")]
    declaration: Annotated[dict[str, Any], Field(description="The declaration, signed by a key of this log.")]


@dataclass(frozen=True, kw_only=True)
class KeysView:
    """What a verifier must know; compare it with what you were given another way."""

    origin: str
    log_keys: Annotated[
        list[str], Field(description="Verifier keys of the log (C2SP signed-note), the one that writes first.")
    ]
    witness_keys: Annotated[
        list[str], Field(description="Verifier keys of the witnesses whose cosignatures are taken.")
    ]
    former: Annotated[
        list[FormerLogView], Field(description="Logs that ended with a declared restore, the first one first.")
    ]
