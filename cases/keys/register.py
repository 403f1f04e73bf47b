"""The register of keys: each process says which it holds before it works, and is refused where that cannot go well.

What is decided is in `domain.service_keys`; here it is read, written and said again every few seconds by the
database's clock, one process at a time.
"""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import structlog
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.shared.context import Context
from cases.shared.machine_secrets import MachineSecrets
from domain.clock import CHINA
from domain.errors import Unavailable
from domain.incidents import IncidentKind
from domain.service_keys import (
    SECRETS,
    Held,
    Holder,
    Judgement,
    KeyFinding,
    KeyKind,
    KeysRefusedError,
    KeyState,
    Registered,
    is_needed,
    judge,
)
from domain.spellings import SERVICE_KEYS_LOCK
from proof.statements import StatementKeyUnknown
from store.database import sqlstate
from store.incident_rows import new_incident, opening
from store.tables import key_holders, service_keys
from temporal.events import first_of

EVERY: Final = 15.0
# A process that has been silent for longer is taken for gone; four of its words were lost by then.
SILENT_SECONDS: Final = 60
_AGAIN: Final = 2.0
# Asked for, for longer than a process takes to start again with another file.
_MISSED_SECONDS: Final = 120.0
_LOCK: Final = f"SELECT pg_advisory_xact_lock(hashtextextended('{SERVICE_KEYS_LOCK}', 0))"
_UNDEFINED_TABLE: Final = "42P01"
# One look at the index for each key there is, however many rows are under it.
_KEKS: Final = text("""
    WITH RECURSIVE k AS (
        (SELECT kek_id FROM data_keys WHERE wrapped IS NOT NULL ORDER BY kek_id LIMIT 1)
        UNION ALL
        SELECT (SELECT d.kek_id FROM data_keys d WHERE d.wrapped IS NOT NULL AND d.kek_id > k.kek_id
                ORDER BY d.kek_id LIMIT 1)
        FROM k WHERE k.kek_id IS NOT NULL
    )
    SELECT kek_id FROM k WHERE kek_id IS NOT NULL
""")
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class KeyHolder:
    """This process as a holder of keys; `broken` is what it found malformed among its settings and passed over."""

    context: Context
    process: str
    secrets: Sequence[MachineSecrets] = ()
    broken: Sequence[KeyFinding] = ()
    holder_id: UUID = field(default_factory=uuid4)

    def holds(self) -> dict[str, Held]:
        """Return what this process holds, by kind."""
        held = {keys.kind: keys.held() for keys in self.context.keyring.sets()}
        return held | {each.kind: each.held() for each in self.secrets}

    async def announce(self) -> Sequence[KeyFinding]:
        """Say which keys this process holds, and take a new current one into the register where all know it.

        Returns:
            What an operator should know, and nothing has to wait for.

        Raises:
            KeysRefusedError: when the process must not work with them; nothing was written.
            Unavailable: when PostgreSQL is away, or its schema is older than this code.
        """
        holds = self.holds()
        try:
            async with self.context.database.begin(locks=(_LOCK,)) as connection:
                rows, others = await read_register(connection), await read_holders(connection, self.holder_id)
                under = await needed(connection, rows)
                judged = {
                    kind: judge(KeyKind(kind), held, rows.get(kind, ()), others, under.get(kind, ()))
                    for kind, held in holds.items()
                }
                findings = [finding for each in judged.values() for finding in each.findings]
                if refusing := [finding for finding in findings if finding.refuses]:
                    raise KeysRefusedError(refusing)
                await _take(connection, holds, rows, judged)
                for each in self.broken:
                    await note(connection, self.context.clock(), each.code, each.kind, each.key_id)
                await self._say(connection, holds)
        except ProgrammingError as error:
            if sqlstate(error) != _UNDEFINED_TABLE:
                raise
            raise Unavailable("schema_older") from error
        for finding in findings:
            _log.warning(finding.code, kind=finding.kind, key_id=finding.key_id)
        return findings

    async def beat(self) -> bool:
        """Say that this process lives and holds what it said; False where nobody remembers that, so that it says it."""
        writing = [(kind, held.current) for kind, held in self.holds().items() if held.current is not None]
        k = service_keys.c
        async with self.context.database.begin() as connection:
            mine = update(key_holders).where(key_holders.c.holder_id == self.holder_id)
            is_there = (await connection.execute(mine.values(seen_at=func.clock_timestamp()))).rowcount == 1
            # One that still writes with a key that another has followed puts off the day from which that may go.
            for kind, key_id in writing:
                behind = (
                    (k.kind == kind) & (k.key_id == key_id) & (k.state == KeyState.RETIRED) & k.current_at.isnot(None)
                )
                await connection.execute(update(service_keys).where(behind).values(retired_at=func.clock_timestamp()))
            for each in self.secrets:
                if used := sorted(each.used):
                    these = (k.kind == each.kind) & k.key_id.in_(used)
                    await connection.execute(update(service_keys).where(these).values(used_at=func.clock_timestamp()))
                    each.used.difference_update(used)
            await self._note_missed(connection)
        return is_there

    async def leave(self) -> None:
        """Say that this process ends."""
        async with self.context.database.begin() as connection:
            await connection.execute(delete(key_holders).where(key_holders.c.holder_id == self.holder_id))

    async def _say(self, connection: AsyncConnection, holds: Mapping[str, Held]) -> None:
        gone = func.clock_timestamp() - text("interval '1 hour'")
        await connection.execute(delete(key_holders).where(key_holders.c.seen_at < gone))
        told = {kind: {"current": held.current, "keys": dict(held.keys)} for kind, held in holds.items()}
        name = f"{self.process} {os.getpid()} on {socket.gethostname()}"
        statement = insert(key_holders).values(holder_id=self.holder_id, name=name, holds=told)
        new = {"holds": statement.excluded.holds, "seen_at": func.clock_timestamp()}
        await connection.execute(statement.on_conflict_do_update(index_elements=["holder_id"], set_=new))

    async def _note_missed(self, connection: AsyncConnection) -> None:
        """Put a key before the operator that is asked for again and again and does not come; one line a key and day."""
        now, at = time.monotonic(), self.context.clock()
        for keys in self.context.keyring.sets():
            for key_id, (first, last) in tuple(keys.missed.seen.items()):
                if now - last > _MISSED_SECONDS:
                    del keys.missed.seen[key_id]
                elif now - first > _MISSED_SECONDS:
                    await note(connection, at, IncidentKind.KEY_UNKNOWN.value, keys.kind, key_id)


async def note(connection: AsyncConnection, at: datetime, kind: str, step: str, reason: str) -> None:
    """Open an incident about a key, one a day, so that one closed too early comes again."""
    day = at.astimezone(CHINA).date().isoformat()
    one = uuid5(NAMESPACE_URL, f"{kind}/{step}/{reason}/{day}")
    opened = new_incident(at, kind=kind, step=step, reason=reason, incident_id=one)
    await connection.execute(opening([opened]).on_conflict_do_nothing())


async def keep_announcing(holder: KeyHolder, stopping: asyncio.Event, *, is_announced: bool) -> KeysRefusedError | None:
    """Say again and again which keys this process holds, until it is to stop; return why where it must not go on.

    Told to stop and not cancelled, since drivers may lose that.
    """
    while not stopping.is_set():
        pause = EVERY
        try:
            if not is_announced or not await holder.beat():
                await holder.announce()
                is_announced = True
        except KeysRefusedError as refused:
            return refused
        except Unavailable:
            pause = _AGAIN
        except Exception as error:  # noqa: BLE001 - an error of one round must not end it: others take us for gone
            _log.error("keys_not_announced", error=type(error).__name__)
        await first_of(stopping, within=pause)
    with contextlib.suppress(Unavailable):
        await holder.leave()
    return None


async def read_register(connection: AsyncConnection) -> dict[str, list[Registered]]:
    """Return the keys of the register by kind."""
    found: dict[str, list[Registered]] = {}
    query = select(service_keys).order_by(service_keys.c.kind, service_keys.c.known_at, service_keys.c.key_id)
    for row in await connection.execute(query):
        one = Registered(**{**row._asdict(), "state": KeyState(row.state)})
        found.setdefault(one.kind, []).append(one)
    return found


async def read_holders(connection: AsyncConnection, besides: UUID | None = None) -> list[Holder]:
    """Return the processes that live, but for one, the one heard of longest ago first."""
    h = key_holders.c
    silent = func.extract("epoch", func.clock_timestamp() - h.seen_at).label("silent")
    query = select(h.name, h.holds, silent).where(h.holder_id != (besides or UUID(int=0)), silent < SILENT_SECONDS)
    rows = await connection.execute(query.order_by(h.seen_at))
    return [
        Holder(row.name, {kind: _held(told) for kind, told in row.holds.items()}, float(row.silent)) for row in rows
    ]


async def needed(connection: AsyncConnection, rows: Mapping[str, Sequence[Registered]]) -> dict[str, set[str]]:
    """Return the ids of keys that something is still under, by kind."""
    now = (await connection.execute(select(func.clock_timestamp()))).scalar_one()
    found = {kind: {row.key_id for row in each if is_needed(row, 0, now)} for kind, each in rows.items()}
    found.setdefault(KeyKind.KEK, set()).update((await connection.execute(_KEKS)).scalars())
    return found


async def current_kek(connection: AsyncConnection) -> str | None:
    """Return which key-encryption key the register has as current."""
    k = service_keys.c
    query = select(k.key_id).where(k.kind == KeyKind.KEK, k.state == KeyState.CURRENT)
    current: str | None = (await connection.execute(query)).scalar_one_or_none()
    return current


async def wait_for_signer(context: Context, connection: AsyncConnection, unknown: StatementKeyUnknown) -> None:
    """Have what is signed by a key that this process lacks tried again; a key that no process ever had is made up.

    Raises:
        KeyUnknown: when the register knows the key, so that it comes with the newest key file.
    """
    k = service_keys.c
    is_known = (k.kind == KeyKind.STATEMENT) & (k.key_id == unknown.key_id) & (k.state != KeyState.LOST)
    if (await connection.execute(select(k.key_id).where(is_known))).first() is not None:
        raise context.keyring.statement.unknown(unknown.key_id) from unknown


async def declare_lost(connection: AsyncConnection, kind: KeyKind, key_id: str) -> bool:
    """Write down that no copy of a key is left, so that nobody waits for it; False where it is current or not known."""
    k = service_keys.c
    mine = (k.kind == kind) & (k.key_id == key_id)
    row = (await connection.execute(select(k.state).where(mine).with_for_update())).scalar_one_or_none()
    if row == KeyState.CURRENT or (row is None and key_id not in (await needed(connection, {})).get(kind, ())):
        return False
    lost = insert(service_keys).values(kind=kind, key_id=key_id, fingerprint="", state=KeyState.LOST)
    await connection.execute(
        lost.on_conflict_do_update(index_elements=["kind", "key_id"], set_={"state": KeyState.LOST.value})
    )
    return True


async def _take(
    connection: AsyncConnection,
    holds: Mapping[str, Held],
    rows: Mapping[str, Collection[Registered]],
    judged: Mapping[str, Judgement],
) -> None:
    """Write new keys into the register, and what becomes current.

    The keys of a kind that is met for the first time may have written before there was a register: those beside the
    current one count as if they had until now.
    """
    now = func.clock_timestamp()
    for kind, held in holds.items():
        known = {row.key_id for row in rows.get(kind, ())}
        is_first = not known and kind not in SECRETS
        new: list[dict[str, Any]] = [
            {
                "kind": kind,
                "key_id": key_id,
                "fingerprint": held.keys[key_id],
                "state": KeyState.RETIRED if is_first else KeyState.KNOWN,
            }
            for key_id in sorted(set(held.keys) - known)
        ]
        if new:
            retired = {"retired_at": now} if is_first else {}
            await connection.execute(insert(service_keys).values([row | retired for row in new]))
        wanted = judged[kind].becomes_current
        if wanted is None:
            continue
        k = service_keys.c
        before = update(service_keys).where(k.kind == kind, k.state == KeyState.CURRENT)
        await connection.execute(before.values(state=KeyState.RETIRED, retired_at=now))
        this = update(service_keys).where(k.kind == kind, k.key_id == wanted)
        await connection.execute(this.values(state=KeyState.CURRENT, current_at=now, retired_at=None))
        _log.info("key_current", kind=kind, key_id=wanted)


def _held(told: Mapping[str, Any]) -> Held:
    return Held(current=told["current"], keys=told["keys"])
