"""What is known of the keys of an installation: the file, the register, the processes, and what is left under old ones.

`check_keys` returns findings, for a command or a doctor to print; it changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select

from cases.keys.register import needed, read_holders, read_register
from cases.keys.rewrapping import count_left
from cases.keys.start import callback_secrets, malformed_settings, receipts_secrets
from domain.errors import Unavailable
from domain.service_keys import (
    SECRETS,
    Held,
    Holder,
    KeyFinding,
    KeyKind,
    KeysRefusedError,
    KeyState,
    Registered,
    is_needed,
    judge,
    lacking,
    may_go_from,
)
from settings import Settings
from store.database import Database
from store.keyring import Keyring


@dataclass(frozen=True, slots=True)
class KeyLine:
    """One key as an operator sees it: where it is, who has it, who writes with it, what is left under it.

    `left` is a count where one is kept; `may_go` says whether it can be taken out of the file, and `may_go_from` from
    when, where time decides.
    """

    kind: str
    key_id: str
    fingerprint: str
    state: str
    in_file: bool
    writes_in_file: bool
    known_to: Sequence[str] = ()
    not_known_to: Sequence[str] = ()
    written_by: Sequence[str] = ()
    left: int | None = None
    may_go: bool = False
    may_go_from: datetime | None = None
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class KeyReport:
    """All keys, the processes that live, and what is wrong."""

    lines: Sequence[KeyLine] = ()
    holders: Sequence[str] = ()
    findings: Sequence[KeyFinding] = field(default=())

    def find(self, kind: str, key_id: str) -> KeyLine | None:
        """Return the line of a key."""
        return next((each for each in self.lines if (each.kind, each.key_id) == (kind, key_id)), None)


async def check_keys(settings: Settings, database: Database, keyring: Keyring) -> KeyReport:
    """Return what is known of the keys, as the file and the database have them now.

    Raises:
        Unavailable: when PostgreSQL is away.
    """
    held: dict[str, Held] = {keys.kind: keys.held() for keys in keyring.sets()}
    findings = malformed_settings(settings)
    for read in (callback_secrets, receipts_secrets):
        try:
            secrets = read(keyring, settings)
        except KeysRefusedError:
            continue  # each is among the malformed settings
        held[secrets.kind] = secrets.held()
    async with database.begin() as connection:
        now = (await connection.execute(select(func.clock_timestamp()))).scalar_one()
        rows, holders = await read_register(connection), await read_holders(connection)
        under = await needed(connection, rows)
        left = await count_left(connection, "")
    lines: list[KeyLine] = []
    for kind in KeyKind:
        mine = held.get(kind, Held(None))
        judged = judge(kind, mine, rows.get(kind, ()), holders, under.get(kind, ()))
        findings += judged.findings
        lines += _lines(kind, mine, rows.get(kind, ()), holders, left if kind is KeyKind.KEK else {}, now)
    findings += _behind(lines)
    return KeyReport(tuple(lines), tuple(holder.name for holder in holders), tuple(findings))


async def check_key_file(settings: Settings, database: Database) -> Sequence[KeyFinding]:
    """Return what is wrong with the key file and the lists of secrets, and where their rotation stands.

    Unlike `check_keys` this raises nothing: a file that cannot be read, and PostgreSQL being away, are findings.
    """
    try:
        return (await check_keys(settings, database, Keyring.load(settings.keys_file))).findings
    except ValueError as error:
        return [KeyFinding("key_file_unusable", "", "", str(error), refuses=True)]
    except Unavailable as error:
        return [
            *malformed_settings(settings),
            KeyFinding("not_compared", "", "", f"PostgreSQL is away: {error.reason}."),
        ]


def _lines(
    kind: KeyKind,
    held: Held,
    rows: Sequence[Registered],
    holders: Sequence[Holder],
    left: Mapping[str, int],
    now: datetime,
) -> list[KeyLine]:
    known = {row.key_id: row for row in rows}
    lines = []
    for key_id in dict.fromkeys([*known, *held.keys, *left]):
        row = known.get(key_id)
        count = left.get(key_id, 0) if kind is KeyKind.KEK else None
        print_ = held.keys.get(key_id) or (row.fingerprint if row else "")
        without = lacking(kind, key_id, print_, _holders_of(kind, holders))
        written_by = [each.name for each in holders if each.holds.get(kind, Held(None)).current == key_id]
        is_free = row is not None and row.state is KeyState.RETIRED
        lines.append(
            KeyLine(
                kind=kind,
                key_id=key_id,
                fingerprint=print_,
                state=row.state.value if row else "new",
                in_file=key_id in held.keys,
                writes_in_file=held.current == key_id,
                known_to=[each.name for each in _holders_of(kind, holders) if _has(each, kind, key_id, print_)],
                not_known_to=without,
                written_by=written_by,
                left=count,
                may_go=is_free and row is not None and not written_by and not is_needed(row, count or 0, now),
                may_go_from=may_go_from(row) if row is not None else None,
                used_at=row.used_at if row else None,
            )
        )
    return lines


def _holders_of(kind: KeyKind, holders: Sequence[Holder]) -> list[Holder]:
    """Return the processes that a kind matters to: messages are taken by the API alone."""
    return [each for each in holders if kind not in SECRETS or kind in each.holds]


def _has(holder: Holder, kind: KeyKind, key_id: str, fingerprint: str) -> bool:
    return holder.holds.get(kind, Held(None)).keys.get(key_id) == fingerprint


def _behind(lines: Sequence[KeyLine]) -> list[KeyFinding]:
    """Return processes that still write with a key which the register has seen another one follow."""
    found = []
    for line in lines:
        if line.state == KeyState.RETIRED and line.written_by:
            words = (
                f"{', '.join(line.written_by)} still write with {line.key_id} of {line.kind}: restart them with the"
                " newest key file."
            )
            found.append(KeyFinding("still_written", line.kind, line.key_id, words))
        if line.state == KeyState.KNOWN and line.in_file and line.not_known_to and line.kind not in SECRETS:
            words = f"{line.key_id} of {line.kind} is not known yet to {', '.join(line.not_known_to)}: restart them."
            found.append(KeyFinding("not_known_everywhere", line.kind, line.key_id, words))
    return found
