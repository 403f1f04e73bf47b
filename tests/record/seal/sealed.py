"""Sealing everything in a test, where other tests on the same server may hold the seal up for a moment."""

import asyncio

from sqlalchemy import text

from cases.shared.context import Context
from record.seal.sealer import PASSED_OVER, seal

_UNSEALED = text("""
    SELECT count(*) FROM ledger l WHERE l.act <> ALL(:passed_over)
    AND NOT EXISTS (SELECT FROM seal_leaves s WHERE s.chain = l.chain AND s.seq = l.seq)
""")


async def seal_all(context: Context, left_out: int = 0) -> int:
    """Seal until no row is left but those that are left out, and return how many were taken."""
    total = 0
    async with asyncio.timeout(20):
        while True:
            total += await seal(context)
            async with context.database.begin() as connection:
                if (await connection.execute(_UNSEALED, {"passed_over": PASSED_OVER})).scalar_one() == left_out:
                    return total
            # The oldest transaction is that of the whole server.
            await asyncio.sleep(0.01)
