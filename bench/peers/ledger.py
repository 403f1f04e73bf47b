"""The chained ledger of the register that the other sides share."""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import rfc8785


async def follow(connection: Any, chain: str, at: datetime, acts: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Add acts to the end of a chain."""
    last = await connection.fetchrow("SELECT seq, hash FROM ledger WHERE chain = $1 ORDER BY seq DESC LIMIT 1", chain)
    seq, previous = (last["seq"], last["hash"]) if last else (0, bytes(32))
    rows = []
    for act, detail in acts:
        seq += 1
        content: Any = {"chain": chain, "seq": seq, "act": act, "detail": detail, "at": at.isoformat()}
        digest = hashlib.sha256(rfc8785.dumps(content | {"previous": previous.hex()})).digest()
        rows.append((chain, seq, act, json.dumps(detail), at, previous, digest))
        previous = digest
    await connection.executemany("INSERT INTO ledger VALUES ($1, $2, $3, $4, $5, $6, $7)", rows)
