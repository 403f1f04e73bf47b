"""What is compared of a case, and what is told where two records do not agree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from cases.programme import Programme
from domain.answers import OutsideAnswer
from domain.commands import CommandState
from proof.statements import ActorStatement
from record.case import Record
from store.case_tables import TermTable, TrackTable
from store.evidence_reads import Beside
from store.rows.authority import AnswerRow
from store.rows.record import LedgerRow
from store.rows.register import CaseRow
from store.rows.terms import TermRow
from store.rows.tracks import TrackRow

Place = dict[str, str | int]


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two records do not agree: its code, where it is, and what either says, as codes."""

    code: str
    place: Mapping[str, str | int]
    expected: str | None = None
    found: str | None = None


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """A stored command: who asked what and when, the hash of its statement, and what that says where it verifies.

    `words` is the body that the statement is about, opened; None without one, or where the person's key was destroyed.
    """

    kind: str
    state: CommandState
    at: datetime
    actor: Mapping[str, Any]
    hashed: str | None = None
    said: ActorStatement | None = None
    words: Mapping[str, Any] | None = field(default=None, repr=False)


class FactContent(NamedTuple):
    """What a recorded fact says, opened, and its hash as the ledger has it."""

    words: Mapping[str, Any]
    hashed: str


class Track(NamedTuple):
    """A track of a case as it is stored, with its table."""

    table: TrackTable
    row: TrackRow


@dataclass(frozen=True, slots=True)
class Evidence:
    """All records of one case; what needs the person's key is None where that was destroyed.

    `programme` is what the case is of, as it is declared. `state_hashes` has the hash of the state that is stored, in
    each form that is known. `contents` has what the authority's answers say, by their ids, and `facts` what the
    recorded facts say, by their numbers, None for what was altered. `hashes` has what an answer's content may hash to.
    `at` is the time by PostgreSQL's clock before the histories were read.
    """

    programme: Programme
    record: Record
    register: CaseRow
    # By what they are called.
    tracks: Mapping[str, Track]
    terms: Sequence[tuple[TermTable, Sequence[TermRow]]]
    answers: Sequence[AnswerRow]
    commands: Mapping[str, StoredRequest]
    leaves: Mapping[int, str]
    state_hashes: Mapping[int, bytes] | None
    contents: Mapping[str, OutsideAnswer | None] | None
    facts: Mapping[int, FactContent | None] | None
    at: datetime
    hashes: Mapping[str, frozenset[bytes]] = field(default_factory=dict)
    beside: Beside = field(default_factory=Beside)

    def kept_answers(self) -> dict[str, AnswerRow]:
        """Return the answers of the authority as rows of the ledger name them: `named_answer`."""
        by_outcome: dict[str, AnswerRow] = {}
        for row in self.answers:
            by_outcome.setdefault(row.outcome_id, row)
        return by_outcome | {str(row.answer_id): row for row in self.answers}

    def signed_requests(self) -> dict[str | None, StoredRequest]:
        """Return the requests whose statements verify, by the hash that the rows they caused carry."""
        return {each.hashed: each for each in self.commands.values() if each.said is not None}


def named_answer(row: LedgerRow) -> str | None:
    """Return which answer a row of the ledger is about; older rows name the outcome, whose ids were unique."""
    detail = row.detail
    name: str | None = detail.get("answer_id") or detail.get("outcome_id")
    return name


def signed_hash(row: LedgerRow) -> str | None:
    """Return the hash of the statement that a row of the ledger names, if it names one."""
    return None if row.statement_hash is None else row.statement_hash.hex()


def seq_place(evidence: Evidence, seq: int, **more: str) -> Place:
    """Return the place of a number in the case's own chain."""
    return {"table": "ledger", "chain": evidence.record.reference, "seq": seq, **more}


def row_place(row: LedgerRow, **more: str) -> Place:
    """Return the place of a row of the ledger, in whatever chain it stands."""
    return {"table": "ledger", "chain": row.chain, "seq": row.seq, "act": row.act, **more}
