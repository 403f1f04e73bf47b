"""Gathering what is compared of a case: all that stands beside the ledger and the histories, by one statement."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.facts import place_of
from cases.case.state import case_state, state_hash
from cases.keys.register import wait_for_signer
from cases.programme import Programme, programme
from cases.shared.context import Context
from domain.answers import OutsideAnswer
from domain.commands import CommandState
from domain.errors import Defect, Refused, need
from domain.spellings import STATE_FORMS
from proof.statements import ActorStatement, StatementKeyUnknown, is_about, said_of
from record.case import Record
from record.reconciliation.evidence import Evidence, FactContent, StoredRequest, Track
from store.case_tables import TermTable, tracks_among
from store.encryption import DataKey, WrappedKey, unwrap
from store.evidence_reads import EvidenceRows, read_evidence
from store.rows.authority import AnswerRow
from store.rows.record import LedgerRow
from store.rows.register import FactRow
from store.rows.terms import TermRow
from store.rows.tracks import TrackRow
from store.rows.work import CommandRow


async def gather_evidence(context: Context, connection: AsyncConnection, record: Record, at: datetime) -> Evidence:
    """Return all records of a case, read in the transaction that its ledger rows were read in.

    Raises:
        Refused: `case_unknown`.
    """
    named = [_ids(record.ledger, each) for each in ("erasure_id", "objection_id", "joining_id")]
    found = await read_evidence(connection, record.reference, *named, own=context.own_tables)
    if found is None:
        raise Refused("case_unknown", "There is no case of this reference.")
    unknown: list[StatementKeyUnknown] = []
    evidence = _evidence(context, found, record, at, unknown)
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
    context: Context, found: EvidenceRows, record: Record, at: datetime, unknown: list[StatementKeyUnknown]
) -> Evidence:
    of = programme(context, found.register.programme)
    tracks = {
        need(each.key_of(row), "key"): Track(each, row)
        for each in tracks_among(tuple((found.register.programme, table) for table in of.tables))
        for row in found.own[each.name]
        if isinstance(row, TrackRow)
    }
    key = _key(context, found.key)
    read = {} if key is None else {str(row.answer_id): _content(context, of, key, row) for row in found.answers}
    states = {form: case_state(found.register, of.tables, found.own, form) for form in STATE_FORMS}
    return Evidence(
        programme=of,
        record=record,
        register=found.register,
        tracks=tracks,
        terms=[
            (each, [row for row in found.own[each.name] if isinstance(row, TermRow)])
            for each in of.tables
            if isinstance(each, TermTable)
        ],
        answers=found.answers,
        commands=_requests(context, key, found.commands, unknown),
        leaves=found.leaves,
        state_hashes=None if key is None else {form: state_hash(key, state) for form, state in states.items()},
        contents=None if key is None else {each: content for each, (content, _) in read.items()},
        facts=None if key is None else {row.number: _fact(key, row) for row in found.beside.facts},
        hashes={each: hashes for each, (_, hashes) in read.items()},
        beside=found.beside,
        at=at,
    )


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
        kind=row.kind,
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


def _key(context: Context, wrapped: WrappedKey) -> DataKey | None:
    """Return the person's key, or None where it was destroyed: what it hashed can be compared no more."""
    try:
        return unwrap(context.keyring, wrapped)
    except Refused:
        return None


def _content(
    context: Context, of: Programme, key: DataKey, row: AnswerRow
) -> tuple[OutsideAnswer | None, frozenset[bytes]]:
    """Return what an answer said when it was sealed, with what it may hash to; None where that was altered."""
    try:
        plain = key.open("answers", "body", str(row.answer_id), row.body)
        return need(of.hears, "hears").read_hashed(context, plain)
    except (Defect, ValidationError):
        return None, frozenset()
