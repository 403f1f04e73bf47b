"""Reading what stands of a case beside its ledger and its histories: one statement."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Uuid

from store.case_tables import OwnRows, OwnTables, read_own, select_own
from store.encryption import WrappedKey
from store.joined_keys import key_id_of
from store.rows.authority import AnswerRow, CallRow, LostAnswerRow
from store.rows.base import TableRow
from store.rows.notices import DeliveryRow
from store.rows.people import ErasureRow, JoiningRow, LegalHoldRow, ObjectionRow, TransferRow
from store.rows.register import CaseRow, FactRow
from store.rows.takeovers import TakeoverRow
from store.rows.work import CommandRow, ConflictRow, TaskRow

_Row = TypeVar("_Row", bound=TableRow)

# Erasures, objections and joinings are looked up by the ids that the ledger names: they are a person's, not a case's.
_EVIDENCE: Final = (
    "SELECT to_jsonb(r) AS register, r.programme, k.key_id, k.kek_id, k.wrapped,"
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
    " (SELECT jsonb_agg(to_jsonb(x)) FROM person_joinings x WHERE x.joining_id = ANY(:joinings)) AS joinings,"
    " (SELECT jsonb_agg(to_jsonb(x)) FROM objections x WHERE x.objection_id = ANY(:objections)"
    "  AND x.reference = r.reference) AS objections,"
    " (SELECT jsonb_agg(to_jsonb(x)) FROM transfers x WHERE r.reference IN (x.from_reference, x.to_reference))"
    "  AS transfers,"
    " (SELECT jsonb_agg(to_jsonb(x)) FROM takeovers x WHERE x.to_reference = r.reference) AS takeovers"
)
_OF: Final = (
    f" FROM cases r JOIN persons p USING (person_id) JOIN data_keys k ON k.key_id = {key_id_of('r')}"
    " WHERE r.reference = :reference"
)


class NoticeSent(NamedTuple):
    """A delivery with what is compared of its notice."""

    delivery: DeliveryRow
    kind: str
    recipient: str
    text_hash: str


@dataclass(frozen=True, slots=True)
class Beside:
    """Rows of further tables that are a case's, with the erasures, objections and joinings that the ledger names."""

    tasks: Sequence[TaskRow] = ()
    conflicts: Sequence[ConflictRow] = ()
    calls: Sequence[CallRow] = ()
    deliveries: Sequence[NoticeSent] = ()
    legal_holds: Sequence[LegalHoldRow] = ()
    lost_answers: Sequence[LostAnswerRow] = ()
    facts: Sequence[FactRow] = ()
    erasures: Sequence[ErasureRow] = ()
    joinings: Sequence[JoiningRow] = ()
    objections: Sequence[ObjectionRow] = ()
    # Of which the case is the one that ends, or the one that follows.
    transfers: Sequence[TransferRow] = ()
    # Of which the case is the one that takes over.
    takeovers: Sequence[TakeoverRow] = ()


@dataclass(frozen=True, slots=True)
class EvidenceRows:
    """The rows of a case, with its person's key; `leaves` has the hash of each that is of its chain, by its number."""

    register: CaseRow
    own: OwnRows
    key: WrappedKey
    answers: Sequence[AnswerRow]
    commands: Sequence[CommandRow]
    leaves: Mapping[int, str]
    beside: Beside


async def read_evidence(
    connection: AsyncConnection,
    reference: str,
    erasures: Sequence[UUID],
    objections: Sequence[UUID],
    joinings: Sequence[UUID],
    *,
    own: OwnTables,
) -> EvidenceRows | None:
    """Return the rows of a case, with erasures, objections and joinings of these ids; None where there is no case."""
    named = {"reference": reference, "erasures": erasures, "objections": objections, "joinings": joinings}
    found = (await connection.execute(_query(own), named)).mappings().one_or_none()
    return None if found is None else _read(dict(found), own)


@cache
def _query(own: OwnTables) -> TextClause:
    named = [bindparam(each, type_=ARRAY(Uuid)) for each in ("erasures", "objections", "joinings")]
    return text(_EVIDENCE + select_own(own) + _OF).bindparams(*named)


def _read(found: Mapping[str, Any], own: OwnTables) -> EvidenceRows:
    return EvidenceRows(
        register=CaseRow.from_json(found["register"]),
        own=read_own(own, found),
        key=WrappedKey(found["key_id"], found["kek_id"], found["wrapped"]),
        answers=_rows(AnswerRow, found["answers"]),
        commands=_rows(CommandRow, found["commands"]),
        leaves={int(seq): hashed for seq, hashed in (found["leaves"] or {}).items()},
        beside=_beside(found),
    )


def _beside(found: Mapping[str, Any]) -> Beside:
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
        joinings=_rows(JoiningRow, found["joinings"]),
        objections=_rows(ObjectionRow, found["objections"]),
        transfers=_rows(TransferRow, found["transfers"]),
        takeovers=_rows(TakeoverRow, found["takeovers"]),
    )


def _rows(row: type[_Row], found: Iterable[Mapping[str, Any]] | None) -> list[_Row]:
    return [row.from_json(values) for values in found or ()]
