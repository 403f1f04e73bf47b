"""Gathering what is compared of a case: all that stands beside the ledger and the histories, by one statement."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Uuid

from cases.case.facts import place_of
from cases.case.state import case_state, state_hash
from cases.keys.register import wait_for_signer
from cases.shared.context import Context
from domain.answers import AuthorityAnswer
from domain.commands import CommandKind, CommandState
from domain.errors import Defect, Refused
from domain.spellings import STATE_FORMS
from domain.stages import Destination
from programmes.talent_permit.authority import inbox
from proof.statements import ActorStatement, StatementKeyUnknown, is_about, said_of
from record.case import Record
from record.reconciliation.evidence import Beside, Evidence, FactContent, NoticeSent, StoredRequest
from store.encryption import DataKey, WrappedKey, unwrap
from store.rows.authority import AnswerRow, CallRow, LostAnswerRow
from store.rows.base import TableRow
from store.rows.notices import DeliveryRow
from store.rows.people import ErasureRow, LegalHoldRow, ObjectionRow
from store.rows.record import LedgerRow
from store.rows.register import FactRow, PermitRow, RegistrationRow
from store.rows.work import CommandRow, ConflictRow, TaskRow

_Row = TypeVar("_Row", bound=TableRow)
_Found = Mapping[str, Any]

# Erasures and objections are looked up by the ids that the ledger names: they are a person's, not a case's.
_EVIDENCE: Final = text(
    "SELECT to_jsonb(r) AS register, k.key_id, k.kek_id, k.wrapped,"
    " (SELECT jsonb_agg(to_jsonb(x)) FROM permits x WHERE x.reference = r.reference) AS permits,"
    " (SELECT jsonb_agg(to_jsonb(x) ORDER BY x.received_at, x.answer_id) FROM answers x"
    "  WHERE x.reference = r.reference) AS answers,"
    " (SELECT jsonb_object_agg(x.seq, encode(x.hash, 'hex')) FROM seal_leaves x WHERE x.chain = r.reference) AS leaves,"
    " (SELECT jsonb_agg(to_jsonb(x)) FROM commands x WHERE x.reference = r.reference) AS commands,"
    " (SELECT jsonb_agg(to_jsonb(x)) FROM case_facts x WHERE x.reference = r.reference) AS case_facts,"
    " (SELECT jsonb_agg(to_jsonb(x)) FROM tasks x WHERE x.reference = r.reference) AS tasks,"
    " (SELECT jsonb_agg(to_jsonb(x)) FROM conflicts x WHERE x.reference = r.reference) AS conflicts,"
    " (SELECT jsonb_agg(to_jsonb(x)) FROM calls x WHERE x.reference = r.reference) AS calls,"
    " (SELECT jsonb_agg(to_jsonb(x)) FROM legal_holds x WHERE x.reference = r.reference) AS legal_holds,"
    " (SELECT jsonb_agg(to_jsonb(x)) FROM lost_answers x WHERE x.attached_to = r.reference) AS lost_answers,"
    " (SELECT jsonb_agg(to_jsonb(x) || jsonb_build_object('kind', n.kind, 'recipient', n.recipient,"
    "  'text_hash', n.text_hash)) FROM notices n JOIN deliveries x USING (notice_id)"
    "  WHERE n.reference = r.reference) AS deliveries,"
    " (SELECT jsonb_agg(to_jsonb(x)) FROM erasures x WHERE x.erasure_id = ANY(:erasures)) AS erasures,"
    " (SELECT jsonb_agg(to_jsonb(x)) FROM objections x WHERE x.objection_id = ANY(:objections)"
    "  AND x.reference = r.reference) AS objections"
    " FROM registrations r JOIN persons p USING (person_id) JOIN data_keys k ON k.key_id = p.key_id"
    " WHERE r.reference = :reference"
).bindparams(bindparam("erasures", type_=ARRAY(Uuid)), bindparam("objections", type_=ARRAY(Uuid)))


async def gather_evidence(context: Context, connection: AsyncConnection, record: Record, at: datetime) -> Evidence:
    """Return all records of a case, read in the transaction that its ledger rows were read in.

    Raises:
        Refused: `case_unknown`.
    """
    named = {
        "reference": record.reference,
        "erasures": _ids(record.ledger, "erasure_id"),
        "objections": _ids(record.ledger, "objection_id"),
    }
    found = (await connection.execute(_EVIDENCE, named)).mappings().one_or_none()
    if found is None:
        raise Refused("case_unknown", "There is no case of this reference.")
    unknown: list[StatementKeyUnknown] = []
    evidence = _evidence(context, dict(found), record, at, unknown)
    for each in unknown:
        # A key that others have is no difference: the comparison is made once it is here.
        await wait_for_signer(context, connection, each)
    return evidence


def _ids(ledger: Iterable[LedgerRow], name: str) -> list[UUID]:
    """Return the ids that rows name, but for what is no id."""
    ids = set()
    for row in ledger:
        try:
            ids.add(UUID(str(row.detail.get(name))))
        except ValueError:
            continue
    return sorted(ids)


def _evidence(
    context: Context, found: _Found, record: Record, at: datetime, unknown: list[StatementKeyUnknown]
) -> Evidence:
    register = RegistrationRow.from_json(found["register"])
    permits = {row.destination: row for row in _rows(PermitRow, found["permits"])}
    answers = _rows(AnswerRow, found["answers"])
    beside = _beside(found)
    key = _key(context, found)
    contents = None if key is None else {str(row.answer_id): _content(key, row) for row in answers}
    hashes = {
        answer_id: inbox.accepted_hashes(context, content)
        for answer_id, content in (contents or {}).items()
        if content is not None
    }
    tracks = {Destination(destination): row for destination, row in permits.items()}
    states = {form: case_state(register, tracks, form) for form in STATE_FORMS}
    return Evidence(
        record=record,
        register=register,
        permits=permits,
        answers=answers,
        commands=_requests(context, key, _rows(CommandRow, found["commands"]), unknown),
        leaves={int(seq): hashed for seq, hashed in (found["leaves"] or {}).items()},
        state_hashes=None if key is None else {form: state_hash(key, state) for form, state in states.items()},
        contents=contents,
        facts=None if key is None else {row.number: _fact(key, row) for row in beside.facts},
        hashes=hashes,
        beside=beside,
        at=at,
    )


def _beside(found: _Found) -> Beside:
    return Beside(
        tasks=_rows(TaskRow, found["tasks"]),
        conflicts=_rows(ConflictRow, found["conflicts"]),
        calls=_rows(CallRow, found["calls"]),
        deliveries=[
            NoticeSent(DeliveryRow.from_json(row), row["kind"], row["recipient"], row["text_hash"])
            for row in found["deliveries"] or ()
        ],
        legal_holds=_rows(LegalHoldRow, found["legal_holds"]),
        lost_answers=_rows(LostAnswerRow, found["lost_answers"]),
        facts=_rows(FactRow, found["case_facts"]),
        erasures=_rows(ErasureRow, found["erasures"]),
        objections=_rows(ObjectionRow, found["objections"]),
    )


def _rows(row: type[_Row], found: Iterable[_Found] | None) -> list[_Row]:
    return [row.from_json(values) for values in found or ()]


def _fact(key: DataKey, row: FactRow) -> FactContent | None:
    """Return the content of a recorded fact in clear and its hash, or None where it was altered."""
    try:
        plain = key.open("case_facts", "body", place_of(row.reference, row.number), row.body)
    except Defect:
        return None
    return FactContent(json.loads(plain), key.ledger_hash(plain))


def _requests(
    context: Context, key: DataKey | None, stored: Iterable[CommandRow], unknown: list[StatementKeyUnknown]
) -> dict[str, StoredRequest]:
    keys = context.keyring.statement_keys()
    return {str(row.command_id): _request(row, keys, key, unknown) for row in stored}


def _request(
    row: CommandRow, keys: Mapping[str, Ed25519PublicKey], key: DataKey | None, unknown: list[StatementKeyUnknown]
) -> StoredRequest:
    statement = row.statement
    said = None if statement is None else _said(row, keys, unknown)
    return StoredRequest(
        kind=CommandKind(row.kind),
        state=CommandState(row.state),
        at=row.at,
        actor=row.actor,
        hashed=None if statement is None else hashlib.sha256(statement.encode()).hexdigest(),
        said=said,
        words=None if key is None or said is None else _words(key, row),
    )


def _words(key: DataKey, row: CommandRow) -> Mapping[str, Any] | None:
    """Return the body of a command in clear, or None without one or under another key than the person's."""
    if row.body is None:
        return None
    try:
        words: Mapping[str, Any] = json.loads(key.open("commands", "body", str(row.command_id), row.body))
    except (Defect, ValueError):
        return None
    return words


def _said(
    row: CommandRow, keys: Mapping[str, Ed25519PublicKey], unknown: list[StatementKeyUnknown]
) -> ActorStatement | None:
    """Return what a statement says, where it is about just this command of just this actor."""
    try:
        said = said_of(row.document(), keys)
    except StatementKeyUnknown as error:
        unknown.append(error)
        return None
    except Refused:
        return None
    return said if is_about(said, row.document()) and said.at == row.at else None


def _key(context: Context, found: _Found) -> DataKey | None:
    """Return the person's key, or None where it was destroyed: what it hashed can be compared no more."""
    try:
        return unwrap(context.keyring, WrappedKey(found["key_id"], found["kek_id"], found["wrapped"]))
    except Refused:
        return None


def _content(key: DataKey, row: AnswerRow) -> AuthorityAnswer | None:
    """Return what an answer said when it was sealed, or None where that was altered."""
    try:
        plain = key.open("answers", "body", str(row.answer_id), row.body)
        return AuthorityAnswer.model_validate_json(plain)
    except (Defect, ValidationError):
        return None
