"""Exports of the ledger: one file of lines, made while it is sent, that says who made it and why. A ledger act."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

import rfc8785

from cases.case.view import moment
from cases.shared.context import Context
from cases.shared.epochs import origin_now
from cases.shared.views import document
from domain.actors import Actor
from domain.acts import Act
from domain.purposes import Purpose
from proof.exports import FORMAT, signed_end
from proof.ledger_rows import content_of
from record.seal.log import Proved, Sealed, find_newest, find_stamp, prove_in
from record.seal.views import StampTold
from record.search import Filters, Place, horizon, need_case, read_page
from store.ledger import Entry, append
from store.rows.record import LedgerRow

_AT_ONCE: Final = 500

Line = Mapping[str, Any]
# Place of the last candidate read and oldest transaction then open; chain, rows and hash of the lines up to there.
Resume = tuple[datetime, str, int, int, str, int, str]


@dataclass(slots=True)
class Export:
    """One export under way: what it is of, who makes it, and how far it has come.

    `after` is where an earlier one broke off; `cursor_of` writes the place from which this one is resumed, and `later`
    runs something once the reader is gone.
    """

    context: Context
    actor: Actor
    filters: Filters
    purpose: Purpose
    asked: Mapping[str, Any]
    below: int
    after: Resume | None
    made_at: datetime
    sealed: Sealed | None
    stamp: StampTold | None
    cursor_of: Callable[[Resume], str | None]
    later: Callable[[Coroutine[Any, Any, object]], None]
    origin: str
    chain: str = field(default_factory=lambda: f"export/{uuid4()}")
    rows: int = 0
    _hash: Any = field(default_factory=hashlib.sha256)
    _lines_hash: Any = field(default_factory=hashlib.sha256)

    async def lines(self) -> AsyncGenerator[bytes]:
        """Yield the lines: the manifest, the rows with places to resume from between them, and the end."""
        is_whole = False
        try:
            yield self._line(self._manifest())
            place = self.after[:3] if self.after is not None else None
            while True:
                # A reader who goes must not cut a transaction in two.
                rows, proved, place = await asyncio.shield(self._read(place))
                for row in rows:
                    yield self._row(row, proved)
                if place is None:
                    break
                yield self._line({"type": "resume", "after": self.cursor_of(self._reached(place))})
            is_whole = True
            await asyncio.shield(self._record("complete"))
            yield _line(self._end())
        finally:
            if not is_whole:
                self.later(self._record("broken_off"))

    async def begin(self) -> None:
        """Record that the export begins, before the first line of it leaves."""
        await self._record("begun")

    async def _read(self, place: Place | None) -> tuple[list[LedgerRow], Proved, Place | None]:
        async with self.context.database.begin() as connection:
            rows, place = await read_page(connection, self.filters, self.below, place, _AT_ONCE, oldest_first=True)
            places = [(row.chain, row.seq) for row in rows]
            return rows, await prove_in(connection, self.sealed.size, places) if self.sealed else {}, place

    def _reached(self, place: Place) -> Resume:
        return (*place, self.below, self.chain, self.rows, self._lines_hash.hexdigest())

    def _row(self, row: LedgerRow, proved: Proved) -> bytes:
        found = proved.get((row.chain, row.seq))
        leaf = {"index": found[0], "proof": found[1]} if found else None
        line = self._line({"type": "row", "row": content_of(row.document()), "hash": row.hash.hex(), "leaf": leaf})
        self.rows += 1
        self._hash.update(line)
        return line

    def _line(self, content: Line) -> bytes:
        line = _line(content)
        self._lines_hash.update(line)
        return line

    def _end(self) -> Line:
        end = {
            "type": "end",
            "rows": self.rows,
            "rows_hash": self._hash.hexdigest(),
            "lines_hash": self._lines_hash.hexdigest(),
            "chain": self.chain,
        }
        return signed_end(end, self.origin, self.context.keyring.sealing_key())

    def _continues(self) -> Line | None:
        """Return which export this one goes on from, and what of that one lies before it."""
        if self.after is None:
            return None
        at, chain, seq, _, export, rows, lines_hash = self.after
        place = {"at": moment(at), "chain": chain, "seq": seq}
        return {"chain": export, "rows": rows, "lines_hash": lines_hash, "after": place}

    def _manifest(self) -> Line:
        return {
            "type": "manifest",
            "format": FORMAT,
            "made_at": moment(self.made_at),
            "made_by": {"issuer": self.actor.issuer, "subject": self.actor.subject, "role": self.actor.role.value},
            "purpose": self.purpose.value,
            "asked": dict(self.asked),
            "below": self.below,
            "resumed": self.after is not None,
            "continues": self._continues(),
            "chain": self.chain,
            "checkpoint": self.sealed.note if self.sealed else None,
            "stamp": document(self.stamp),
        }

    async def _record(self, outcome: str) -> None:
        rows_hash = None if outcome == "begun" else self._hash.hexdigest()
        earlier = self.after[4] if self.after is not None else None
        entry = Entry(
            Act.EXPORTED,
            self.actor,
            self.context.clock(),
            purpose=self.purpose.value,
            outcome=outcome,
            detail={
                "asked": dict(self.asked),
                "below": self.below,
                "continues": earlier,
                "rows": self.rows,
                "rows_hash": rows_hash,
            },
        )
        async with self.context.database.begin() as connection:
            await append(connection, self.chain, [entry])


async def begin_export(
    context: Context,
    actor: Actor,
    filters: Filters,
    purpose: Purpose,
    asked: Mapping[str, Any],
    *,
    after: Resume | None,
    cursor_of: Callable[[Resume], str | None],
    later: Callable[[Coroutine[Any, Any, object]], None],
) -> Export:
    """Begin an export of the rows that fit, or go on with one from where it broke off.

    Raises:
        Refused: `invalid` for a time range turned round, `case_unknown` for a case that there is not.
    """
    filters.check()
    async with context.database.begin() as connection:
        await need_case(connection, filters.case)
        below = after[3] if after is not None else await horizon(connection)
        sealed = await find_newest(connection)
        stamp = await find_stamp(connection, sealed) if sealed else None
        origin = await origin_now(connection, context.log_origin)
    export = Export(
        context,
        actor,
        filters,
        purpose,
        asked,
        below,
        after,
        made_at=context.clock(),
        sealed=sealed,
        stamp=stamp,
        cursor_of=cursor_of,
        later=later,
        origin=origin,
    )
    await export.begin()
    return export


def _line(content: Line) -> bytes:
    return rfc8785.dumps(dict(content)) + b"\n"
