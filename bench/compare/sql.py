"""The register as every other side of the comparison keeps it: the same steps, one transaction each.

It writes what the engine writes for a case that goes straight through: sealed facts under a key of the person, the
idempotency row, commands, findings of the same rules, a chained ledger and the same sixteen rendered notices. That a
notice went out is written to the notice's own chain without the lock of its case, as the engine does. It has no roles,
row-level security, tasks of other kinds, deadlines, second signatures or leases: what a step writes is never more. What
the engine does in batches is done one by one here: a notice is a mail of its own, on one of the connections that the
engine's sender keeps, and a transaction for its mark, since each notice is a step of its own on the other sides.
"""

import asyncio
import hashlib
import json
import os
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import asyncpg

from activities.mail import MailSender, OutgoingMail
from activities.outward import Sent
from bench.peers.ledger import follow
from domain.employers import EmployerKind
from domain.findings import outcome_of
from domain.notices import Channel, NoticeKind, Recipient
from domain.premises import Site, SiteStanding
from domain.references import REFERENCE_BYTES, approval_number, reference_from
from domain.stages import Standing
from policy.pack import PackShelf
from policy.packs import load_rule_packs
from programmes.talent_permit.known import facts_of
from programmes.talent_permit.limits import RULES
from programmes.talent_permit.notice_facts import PermitNoticeFacts
from programmes.talent_permit.notices import PermitNotice
from programmes.talent_permit.programme import TALENT_PERMIT
from programmes.talent_permit.requests import RegistrationRequest
from programmes.talent_permit.rules import assess
from store.encryption import DataKey, WrappedKey, new_data_key, unwrap
from store.keyring import Keyring
from texts.notices import render

EMPLOYER_MAIL: Final = "hr@htri.example"
NOTICES_OF_A_CASE: Final = 16
# So many mails at once, each on a connection that is kept: one more waits for its turn instead of opening another.
MAILS_AT_ONCE: Final = 8
SCHEMA: Final = Path(__file__).with_name("schema.sql").read_text("utf-8")


@dataclass(frozen=True, slots=True)
class Order:
    """What is sent to the authority for one destination."""

    key: str
    entry: dict[str, Any]


@dataclass(slots=True)
class Register:
    """The steps of a case, each one transaction; each may run twice and then changes nothing."""

    pool: asyncpg.Pool
    keyring: Keyring
    mail: MailSender
    packs: PackShelf = field(default_factory=lambda: PackShelf(load_rule_packs(RULES)))
    mail_places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAILS_AT_ONCE))

    async def accept(self, subject: str, key: str, raw: bytes) -> str:
        """Take on a registration under an idempotency key and return its reference."""
        request = RegistrationRequest.model_validate_json(raw)
        at, body_hash = _now(), hashlib.sha256(raw).digest()
        async with self.pool.acquire() as connection, connection.transaction():
            known = await connection.fetchrow(
                "SELECT body_hash, answer FROM idempotency WHERE subject = $1 AND key = $2", subject, key
            )
            if known is not None:
                if known["body_hash"] != body_hash:
                    raise ValueError("idempotency_key_reused")
                return str(known["answer"].decode())
            reference = reference_from("HT", os.urandom(REFERENCE_BYTES))
            data_key, wrapped = new_data_key(self.keyring)
            await connection.execute(
                "INSERT INTO data_keys VALUES ($1, $2, $3)", wrapped.key_id, wrapped.kek_id, wrapped.wrapped
            )
            await connection.execute(
                "INSERT INTO cases VALUES ($1, 'emp-a', $2, $3, $4, 'received', 1, NULL, $5, $6, $6)",
                reference,
                self.keyring.lookup_hash("identity", request.person.identity_number),
                data_key.key_id,
                data_key.seal("applications", "body", reference, request.model_dump_json().encode()),
                self.packs.on(at.date()).version,
                at,
            )
            await connection.execute(
                "INSERT INTO commands VALUES ($1, $2, 'start', NULL, 'applied', $3, $3)", uuid4(), reference, at
            )
            await follow(connection, reference, at, [("submitted", {})])
            await self._notices(connection, reference, data_key, request, at, NoticeKind.REGISTRATION_RECEIVED, None)
            await connection.execute(
                "INSERT INTO idempotency VALUES ($1, $2, $3, $4, $5)", subject, key, body_hash, reference.encode(), at
            )
        return reference

    async def assess(self, reference: str) -> str:
        """Apply the rules in force, keep the findings and open the review."""
        at = _now()
        async with self.pool.acquire() as connection, connection.transaction():
            row, data_key, request = await self._locked(connection, reference)
            if row["stage"] != "received":
                return str(row["stage"])
            facts = facts_of(
                request,
                site=Site(standing=SiteStanding.IN_FORCE, code=request.employment.work_site),
                employer_kind=EmployerKind.RESEARCH_INSTITUTION,
                employer_standing=Standing.GOOD,
                employer_has_premises=True,
                other_live_registration=False,
            )
            findings = assess(facts, self.packs.version(row["policy_version"]), at.date())
            await connection.execute(
                "UPDATE cases SET stage = 'under_review', updated_at = $2 WHERE reference = $1", reference, at
            )
            await connection.execute(
                "INSERT INTO assessments VALUES ($1, $2, $3, $4, $5)",
                reference,
                outcome_of(findings).value,
                json.dumps([finding.model_dump(mode="json") for finding in findings]),
                data_key.seal("assessments", "facts", reference, facts.model_dump_json().encode()),
                at,
            )
            await connection.execute("INSERT INTO tasks VALUES ($1, $2, 'review', 'open', $3)", uuid4(), reference, at)
            await follow(connection, reference, at, [("started", {}), ("assessed", {})])
        return "under_review"

    async def store_decision(self, reference: str, key: str, body: bytes) -> UUID:
        """Store an officer's decision as a command, under an idempotency key."""
        at, command_id = _now(), uuid4()
        async with self.pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow("SELECT stage FROM cases WHERE reference = $1 FOR UPDATE", reference)
            if row is None or row["stage"] != "under_review":
                raise ValueError("wrong_stage")
            await connection.execute(
                "INSERT INTO commands VALUES ($1, $2, 'decide', $3, 'stored', $4)",
                command_id,
                reference,
                body.decode(),
                at,
            )
            await connection.execute(
                "INSERT INTO idempotency VALUES ('officer-1', $1, $2, $3, $4)",
                key,
                hashlib.sha256(body).digest(),
                str(command_id).encode(),
                at,
            )
        return command_id

    async def record_decision(self, reference: str, command_id: UUID) -> str:
        """Apply a stored approval: number, permits, task, ledger and notices."""
        at = _now()
        async with self.pool.acquire() as connection, connection.transaction():
            row, data_key, request = await self._locked(connection, reference)
            if row["stage"] != "under_review":
                return str(row["stage"])
            number = approval_number(
                TALENT_PERMIT.numbers_begin,
                at.year,
                await connection.fetchval("SELECT nextval('registration_numbers')"),
            )
            await connection.execute(
                "UPDATE cases SET stage = 'approved', number = $2, updated_at = $3 WHERE reference = $1",
                reference,
                number,
                at,
            )
            await connection.execute(
                "UPDATE tasks SET state = 'done', closed_at = $2 WHERE reference = $1 AND state = 'open'", reference, at
            )
            await connection.executemany(
                "INSERT INTO permits VALUES ($1, $2, 'eligible', NULL, NULL, NULL, NULL, $3)",
                [(reference, destination.value, at) for destination in request.destinations],
            )
            await connection.execute(
                "UPDATE commands SET state = 'applied', applied_at = $2 WHERE command_id = $1", command_id, at
            )
            acts = [("approved", {"number": number}), ("eligible", {"to": "HK"}), ("eligible", {"to": "MO"})]
            await follow(connection, reference, at, acts)
            await self._notices(
                connection, reference, data_key, request, at, NoticeKind.REGISTRATION_APPROVED, None, number=number
            )
        return "approved"

    async def order(self, reference: str, destination: str) -> Order:
        """Return what the authority is to be sent for a destination."""
        row: Any = await self.pool.fetchrow(_CASE, reference)
        _key, request = self._open(row)
        person = request.person
        entry = {
            "case": f"{reference}/{destination}",
            "destination": destination,
            "registration_number": row["number"],
            "registered_on": row["updated_at"].date().isoformat(),
            "employer": {"name_zh": "河套示例科学研究院", "uscc": "12440300MB2E48X1JF"},
            "person": {
                "name_zh": person.name_zh,
                "name_en": person.name_en,
                "identity_number": person.identity_number,
                "permit_card_number": person.permit_card_number,
            },
        }
        return Order(f"permit/{reference}/{destination}", entry)

    async def record_submitted(self, reference: str, destination: str) -> None:
        """Record that the authority's system took the list entry."""
        await self._move_permit(reference, destination, "eligible", "submitted", PermitNotice.PERMIT_SUBMITTED, {})

    async def store_answer(self, answer: dict[str, Any]) -> bool:
        """Keep an answer of the authority before anything is told of it; False when it was there already."""
        reference, destination = answer["case"].split("/")
        async with self.pool.acquire() as connection, connection.transaction():
            stored = await connection.execute(
                "INSERT INTO answers VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
                answer["outcome_id"],
                reference,
                destination,
                answer["outcome"],
                json.dumps(answer),
                _now(),
            )
        return bool(stored == "INSERT 0 1")

    async def record_answer(self, reference: str, destination: str, answer: dict[str, Any]) -> str:
        """Record an answer that was stored, with its ledger row and notices."""
        outcome = answer["outcome"]
        kind = PermitNotice.PERMIT_ACCEPTED if outcome == "accepted" else PermitNotice.PERMIT_ISSUED
        before = "submitted" if outcome == "accepted" else "accepted"
        await self._move_permit(reference, destination, before, outcome, kind, answer)
        return str(outcome)

    async def queued_notices(self, reference: str, kind: str, destination: str = "") -> list[str]:
        """Return the notices of one step that wait to be sent."""
        rows = await self.pool.fetch(
            "SELECT notice_id FROM notices WHERE reference = $1 AND kind = $2 AND destination = $3"
            " AND status = 'queued' ORDER BY recipient",
            reference,
            kind,
            destination,
        )
        return [str(row["notice_id"]) for row in rows]

    async def send_notice(self, notice_id: str) -> None:
        """Send one notice under its own id."""
        row: Any = await self.pool.fetchrow(
            "SELECT n.*, k.kek_id, k.wrapped FROM notices n JOIN data_keys k USING (key_id) WHERE notice_id = $1",
            UUID(notice_id),
        )
        key = unwrap(self.keyring, WrappedKey(row["key_id"], row["kek_id"], row["wrapped"]))
        text = json.loads(key.open("notices", "body", notice_id, row["body"]))
        mail = OutgoingMail(
            delivery_id=notice_id,
            to=key.open("employers", "contact", notice_id, row["address"]).decode(),
            subject=text["subject"],
            text=text["text"],
            html=text["html"],
            language="zh-Hans",
            at=_now(),
        )
        async with self.mail_places:
            result = await self.mail.send(mail)
        if not isinstance(result, Sent):
            raise ConnectionError(str(result))

    async def mark_sent(self, notice_id: str) -> None:
        """Record that a notice went out, in the notice's own chain and without the lock of any case."""
        at = _now()
        async with self.pool.acquire() as connection, connection.transaction():
            settled = await connection.execute(
                "UPDATE notices SET status = 'delivered', settled_at = $2 WHERE notice_id = $1 AND status = 'queued'",
                UUID(notice_id),
                at,
            )
            if settled == "UPDATE 1":
                await follow(connection, f"notice/{notice_id}", at, [("notice_delivered", {})])

    async def _move_permit(
        self, reference: str, destination: str, before: str, after: str, kind: str, answer: dict[str, Any]
    ) -> None:
        at = _now()
        async with self.pool.acquire() as connection, connection.transaction():
            row, data_key, request = await self._locked(connection, reference)
            moved = await connection.execute(
                "UPDATE permits SET stage = $4, authority_number = coalesce($5, authority_number), valid_from = $6,"
                " valid_until = $7, stay_days = $8, updated_at = $9"
                " WHERE reference = $1 AND destination = $2 AND stage = $3",
                reference,
                destination,
                before,
                after,
                answer.get("authority_number"),
                _day(answer.get("valid_from")),
                _day(answer.get("valid_until")),
                answer.get("stay_days"),
                at,
            )
            if moved != "UPDATE 1":
                return
            await follow(connection, reference, at, [(after, {"to": destination})])
            await self._notices(
                connection, reference, data_key, request, at, kind, destination, number=row["number"], answer=answer
            )

    async def _locked(self, connection: Any, reference: str) -> tuple[Any, DataKey, RegistrationRequest]:
        row = await connection.fetchrow(_CASE + " FOR UPDATE OF r", reference)
        return row, *self._open(row)

    def _open(self, row: Any) -> tuple[DataKey, RegistrationRequest]:
        key = unwrap(self.keyring, WrappedKey(row["key_id"], row["kek_id"], row["wrapped"]))
        body = key.open("applications", "body", row["reference"], row["body"])
        return key, RegistrationRequest.model_validate_json(body)

    async def _notices(
        self,
        connection: Any,
        reference: str,
        key: DataKey,
        request: RegistrationRequest,
        at: datetime,
        kind: str,
        destination: str | None,
        *,
        number: str | None = None,
        answer: dict[str, Any] | None = None,
    ) -> None:
        """Write the notices of a step, to employer and person, in the texts that they are sent with."""
        given = answer or {}
        facts = PermitNoticeFacts.model_validate(
            {
                "reference": reference,
                "registration_number": number,
                "destination": destination,
                "destinations": request.destinations,
                "employer_id": "emp-a",
                "occurred_at": at,
                "employer_name": "河套示例科学研究院",
                "person_name": request.person.name_zh,
                "state_worker": False,
                "due_on": at.date(),
                "answer_expected_on": at.date(),
                **{name: value for name, value in given.items() if name in PermitNoticeFacts.model_fields},
            }
        )
        rows = []
        for recipient, address in ((Recipient.EMPLOYER, EMPLOYER_MAIL), (Recipient.PERSON, str(request.person.email))):
            text = render(kind, recipient, Channel.MAIL, request.person.language, facts, TALENT_PERMIT.texts)
            notice_id = uuid4()
            body = json.dumps({"subject": text.subject, "text": text.text, "html": text.html}, ensure_ascii=False)
            rows.append(
                (
                    notice_id,
                    reference,
                    destination or "",
                    str(kind),
                    recipient.value,
                    key.key_id,
                    key.seal("employers", "contact", str(notice_id), address.encode()),
                    key.seal("notices", "body", str(notice_id), body.encode()),
                    "queued",
                    at,
                )
            )
        await connection.executemany("INSERT INTO notices VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", rows)


_CASE: Final = "SELECT r.*, k.kek_id, k.wrapped FROM cases r JOIN data_keys k USING (key_id) WHERE r.reference = $1"


def _now() -> datetime:
    return datetime.now(UTC)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
