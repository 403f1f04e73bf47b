"""No read, write or poll looks through a table that grows, by PostgreSQL's own count of the rows it read."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta
from uuid import UUID

import pytest_asyncio

from bench.growth.registers import EMPLOYER, OFFICER, WORKS, Register, open_register, tuples_read
from bench.people import registration
from cases.case import export, reads
from cases.commands import reviving, watched
from cases.commands import store as commands
from cases.notices import lists
from cases.notices import reads as notice_reads
from cases.notices.due import take_turn
from cases.notices.text_instead import text_instead
from domain.actors import SESSION_ISSUER, Actor, Role
from domain.errors import Unavailable
from domain.languages import Language
from domain.notices import Channel
from domain.purposes import Purpose
from privacy import access_log, own_cases, own_data
from privacy.sign_in import Session, address_hash
from programmes.talent_permit.authority import polling
from programmes.talent_permit.authority.answers import AuthorityAnswer
from record import receipts
from record.case import read_record
from record.seal.sealer import seal
from record.seal.watch import watch_seal
from register.rollout import find_unspread
from sandbox.stack.postgres import PostgresServer
from temporal.histories import Run, RunHistory

_CASES = 3_000
_WAITING_IN = 4
# Far more than a page with all its parts needs, and far fewer than a scan of a table or a sort of the inbox reads.
_MOST_ROWS = 450


@pytest_asyncio.fixture
async def register(postgres: PostgresServer, empty_database: str) -> AsyncIterator[Register]:
    """A register of some thousand cases, many of them waiting for an officer, whose messages all have a receipt."""
    async with open_register(postgres, empty_database, _CASES, waiting_in=_WAITING_IN) as register:
        await register.superuser.execute(
            "INSERT INTO receipts (message_id, about, delivery_id, status, at, recorded_at)"
            " SELECT delivery_id, delivery_id, delivery_id, 'delivered', now(), now() FROM deliveries;"
            "ANALYZE receipts"
        )
        yield register


async def test_what_is_read_does_not_grow_with_the_register(register: Register) -> None:
    await _let_rest(register)
    assert await _too_much(register, _POLLS) == {}
    assert await _too_much(register, WORKS) == {}


async def test_what_is_read_of_one_case_does_not_grow_with_the_register(register: Register) -> None:
    assert await _too_much(register, _OF_A_CASE) == {}


class _Away:
    """Temporal that does not answer, so that a record is what PostgreSQL has of it."""

    async def runs_of(self, workflow_id: str) -> list[Run]:
        raise Unavailable("Temporal is away.")

    async def fetch(self, run: Run) -> RunHistory | None:
        raise Unavailable("Temporal is away.")


async def _session(register: Register) -> tuple[Actor, Session]:
    """Return a session of the person whose case the others are copies of, as a sign-in would leave it."""
    person_id: UUID = await register.superuser.fetchval(
        "SELECT person_id FROM cases WHERE employer_id = 'emp-a' AND client_reference = 'bench-1'"
    )
    actor = Actor(issuer=SESSION_ISSUER, subject=str(person_id), role=Role.PERSON, correlation_id="bench")
    address = address_hash(register.context, registration(1)["person"]["email"])
    return actor, Session(person_id, address, b"", register.context.clock() + timedelta(hours=1))


async def _read_own(register: Register) -> None:
    actor, session = await _session(register)
    found = await own_cases.list_own(register.context, actor, session, Language.EN)
    assert len(found) == 1
    await own_data.read_own_data(register.context, actor, session, Language.EN)
    await access_log.list_accesses(register.context, actor, session)


async def _read_record(register: Register) -> None:
    record = await read_record(register.context, _Away(), register.references[0])
    assert record.ledger
    assert record.notices


async def _read_notices(register: Register) -> None:
    items, _ = await notice_reads.list_notices(register.context, OFFICER, register.references[0])
    assert items


async def _read_own_notices(register: Register) -> None:
    items, position = await lists.list_own(register.context, EMPLOYER, limit=20)
    assert len(items) == 20
    await lists.list_own(register.context, EMPLOYER, limit=20, after=position)


async def _export_cases(register: Register) -> None:
    made = await export.begin_export(register.context, EMPLOYER, most=100)
    assert len(made.references) == 100


async def _issue_receipts(register: Register) -> None:
    await receipts.issue_receipts(register.context, OFFICER, register.references[0])


async def _open_person(register: Register) -> None:
    await reads.open_person(register.context, OFFICER, register.references[0], ("phone",), Purpose.CASE_REVIEW)


# What is asked about one case or one person, by whom it belongs to, staff and auditors.
_OF_A_CASE: dict[str, Callable[[Register], Awaitable[None]]] = {
    "own cases": _read_own,
    "record": _read_record,
    "notices": _read_notices,
    "own notices": _read_own_notices,
    "export": _export_cases,
    "receipts": _issue_receipts,
    "person": _open_person,
}


async def _look_for_messages(register: Register) -> None:
    for channel in (Channel.MAIL, Channel.SMS, Channel.WEBHOOK):
        await take_turn(register.context, channel, (), register.context.clock(), 1)


async def _look_for_unsent(register: Register) -> None:
    await commands.lease_unsent(register.context, older_than=timedelta(seconds=5), most=200)
    await find_unspread(register.context, register.context.clock())


async def _look_for_late_answers(register: Register) -> None:
    await watched.pass_watched(register.context, register.context.clock())
    said = {"outcome": "accepted", "occurred_at": register.context.clock()}
    given = [
        AuthorityAnswer.model_validate({**said, "case": "HT-0000-0000-E/HK", "outcome_id": name}) for name in ("a", "b")
    ]
    assert await polling.unknown_answers(register.context, given) == given


async def _look_for_unsealed(register: Register) -> None:
    assert await seal(register.context) == 0


async def _look_for_overdue(register: Register) -> None:
    assert await watch_seal(register.context) is None


async def _look_for_late_mail(register: Register) -> None:
    await text_instead(register.context, register.context.clock())


# What a worker asks again and again, whether there is work or not.
async def _look_for_lost_workflows(register: Register) -> None:
    # Nothing of what sleeps is due; what waits for an officer has its reminders to come.
    assert await reviving.lease_due(register.context, most=200) == []


_POLLS: dict[str, Callable[[Register], Awaitable[None]]] = {
    "messages": _look_for_messages,
    "unsent": _look_for_unsent,
    "late answers": _look_for_late_answers,
    "unsealed": _look_for_unsealed,
    "overdue": _look_for_overdue,
    "late mail": _look_for_late_mail,
    "lost workflows": _look_for_lost_workflows,
}


async def _let_rest(register: Register) -> None:
    """Let polls find nothing to do: every message is sent, and the last leaf of the seal is behind all rows."""
    await register.superuser.execute(
        "SET hetao.tenant = '*'; UPDATE deliveries SET status = 'sent', next_attempt = NULL; ANALYZE deliveries;"
        "INSERT INTO seal_leaves (index, chain, seq, xid, hash) SELECT 0, '', 0, max(xid) + 1, '' FROM ledger;"
        "INSERT INTO checkpoints (tree_size, root, note, at) VALUES (1, '', '', now())"
    )


async def _too_much(
    register: Register, works: Mapping[str, Callable[[Register], Awaitable[None]]]
) -> dict[tuple[str, str], tuple[int, int]]:
    """Return scans and rows read of each growing table by each kind of work that scanned it, or read too much of it."""
    found = {}
    for name, work in works.items():
        before = await tuples_read(register)
        await work(register)
        for table, (scans, rows) in (await tuples_read(register)).items():
            if scans > before[table][0] or rows - before[table][1] > _MOST_ROWS:
                found[name, table] = (scans - before[table][0], rows - before[table][1])
    return found
