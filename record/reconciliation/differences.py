"""Comparing what is kept of a case: each function looks at two records and names every difference with its place.

None of them reads a clock or a database. Who can change one table cannot change all: the chain hashes itself, the
histories hold the end of the chain after each step, the register's state is hashed under the person's key, and acts
of people carry the hash of what they signed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

from cases.case.state import form_of
from domain.acts import Act
from domain.case_types import reference_of
from domain.folding import OFFICER, Stood, after, fold
from proof.ledger_rows import GENESIS, counted_hash
from record.case import KeptRun, Record
from record.history import Kind, Witness, commands_named, happened, witnesses
from record.reconciliation.counterparts import check_counterparts
from record.reconciliation.evidence import Difference, Evidence, Place, named_answer, row_place, seq_place
from record.reconciliation.signed_words import check_words
from record.reconciliation.vouching import check_signatures, check_statements
from store.case_tables import TermTable
from store.rows.authority import AnswerRow
from store.rows.record import LedgerRow
from store.rows.terms import TermRow

# What a step writes is in its history a moment later; a row that is younger may be of a step under way.
UNDER_WAY: Final = timedelta(minutes=10)
_ANSWERED: Final = frozenset({Act.ANSWER_RECEIVED, Act.ANSWER_APPLIED, Act.ANSWER_HELD})


def compare(evidence: Evidence) -> list[Difference]:
    """Return every difference, each once."""
    found = [difference for check in _CHECKS for difference in check(evidence)]
    unique = {(each.code, tuple(sorted(each.place.items()))): each for each in reversed(found)}
    return list(reversed(unique.values()))


def check_chain(evidence: Evidence) -> Iterator[Difference]:
    """The chain by itself: no gap, every row with its hash, every row after the one before."""
    chain = evidence.record.chain
    if not chain:
        yield Difference("ledger_missing", seq_place(evidence, 1))
        return
    expected, previous = 1, GENESIS
    for row in chain:
        is_after_gap = expected < row.seq
        for seq in range(expected, row.seq):
            yield Difference("ledger_row_missing", seq_place(evidence, seq))
        place = seq_place(evidence, row.seq, act=row.act)
        if (altered := _altered(row, place)) is not None:
            yield altered
        elif not is_after_gap and row.previous != previous:
            yield Difference("ledger_chain_broken", place, previous.hex(), row.previous.hex())
        expected, previous = row.seq + 1, row.hash


def _altered(row: LedgerRow, place: Place) -> Difference | None:
    counted, said = counted_hash(row.document()), row.hash
    if counted == said:
        return None
    return Difference("ledger_row_altered", place, said.hex(), counted.hex() if counted else None)


def check_beside(evidence: Evidence) -> Iterator[Difference]:
    """Rows about the case in other chains: every row with its hash, and after the one before where that is there."""
    previous: dict[tuple[str, int], bytes] = {}
    for row in evidence.record.ledger:
        chain, seq = row.chain, row.seq
        before = GENESIS if seq == 1 else previous.get((chain, seq - 1))
        previous[chain, seq] = row.hash
        if chain == evidence.record.reference:
            continue
        if (altered := _altered(row, row_place(row))) is not None:
            yield altered
        elif before is not None and row.previous != before:
            yield Difference("ledger_chain_broken", row_place(row), before.hex(), row.previous.hex())
        elif before is None and chain.startswith("notice/"):
            # All rows of a notice are about its case; other chains may be about several.
            yield Difference("ledger_row_missing", {"table": "ledger", "chain": chain, "seq": seq - 1})


def check_witnesses(evidence: Evidence) -> Iterator[Difference]:
    """The histories against the chain: the rows that were its end then, and where the case stood."""
    rows = {row.seq: row for row in evidence.record.chain}
    stood, by_seq = Stood(), dict[int, Stood]()
    for seq, row in rows.items():
        stood = by_seq[seq] = after(stood, row, evidence.record.folding)
    last = max(rows, default=0)
    for witness in _witnesses(evidence.record.runs):
        if witness.recorded is None:
            continue
        seq, hashed = witness.recorded
        place = {**seq_place(evidence, seq), "run_id": witness.run_id, "event_id": witness.event_id}
        if seq not in rows:
            if seq > last:
                yield Difference("ledger_tail_missing", seq_place(evidence, seq), hashed)
            continue
        if rows[seq].hash.hex() != hashed:
            yield Difference("ledger_row_differs_from_history", place, hashed, rows[seq].hash.hex())
        then, course = by_seq[seq], witness.course
        said = f"{course.get('stage')}/{course.get('round', 1)}"
        folded = f"{then.stage.value if then.stage else None}/{then.round}"
        if said != folded:
            yield Difference("history_differs_from_ledger", place, said, folded)


def check_origins(evidence: Evidence) -> Iterator[Difference]:
    """Rows that steps of a workflow wrote: their run is known, and a later step bears witness to them."""
    record = evidence.record
    runs = {kept.run.run_id: kept for kept in record.runs}
    seen = list(_witnesses(record.runs))
    witnessed = max((each.recorded[0] for each in seen if each.recorded), default=0)
    for row in record.chain:
        run_id = _own_run(record, row)
        if run_id is None or row.seq <= witnessed:
            continue
        kept = runs.get(run_id)
        place = seq_place(evidence, row.seq, act=row.act)
        if kept is None or kept.problem:
            continue  # told by the check of the runs
        is_answered = any(each.run_id == run_id and each.event_id > (row.event_id or 0) for each in seen)
        is_settled = row.recorded_at + UNDER_WAY < evidence.at
        if kept.run.status in ("completed", "continued_as_new") or (is_answered and is_settled):
            yield Difference("ledger_row_unwitnessed", {**place, "run_id": run_id})


def check_seal(evidence: Evidence) -> Iterator[Difference]:
    """The leaves of the signed tree against the chain: whatever was sealed is there, and as it was."""
    rows = {row.seq: row.hash.hex() for row in evidence.record.chain}
    for seq, hashed in sorted(evidence.leaves.items()):
        place = seq_place(evidence, seq)
        if seq not in rows:
            yield Difference("sealed_row_missing", place, hashed)
        elif rows[seq] != hashed:
            yield Difference("ledger_row_differs_from_seal", place, hashed, rows[seq])


def check_register(evidence: Evidence) -> Iterator[Difference]:
    """The register against the chain: what the rows add up to, and the state that the last one hashed."""
    chain = evidence.record.chain
    stood, row = fold(chain, evidence.record.folding), evidence.register
    compared: list[tuple[str, str, Any, Any]] = [
        ("stage", "", stood.stage.value if stood.stage else None, row.stage),
        ("round", "", stood.round, row.round),
        ("pending_act", "", stood.pending_act, row.pending_act),
        ("registration_number", "", stood.registration_number, row.registration_number),
        ("hold", "", OFFICER in stood.holds, row.hold is not None),
    ]
    for destination, (_, track) in sorted(evidence.tracks.items()):
        stage = stood.tracks.get(destination)
        compared.append(("stage", destination, stage.value if stage else None, track.stage))
        pending = stood.tracks_pending.get(destination)
        compared.append(("pending_act", destination, pending, track.pending_act))
    is_same = True
    for column, destination, expected, found in compared:
        if expected != found:
            is_same = False
            place: dict[str, str | int] = {
                "table": evidence.tracks[destination].table.name if destination else "registrations",
                "column": column,
            }
            if destination:
                place["destination"] = destination
            yield Difference("register_differs_from_ledger", place, _text(expected), _text(found))
    last = next(((row, row.after_hash) for row in reversed(chain) if row.after_hash is not None), None)
    if is_same and last is not None and evidence.state_hashes is not None:
        yield from _state(evidence, *last, evidence.state_hashes)


def _state(evidence: Evidence, last: LedgerRow, hashed: bytes, stored: Mapping[int, bytes]) -> Iterator[Difference]:
    """The state that is stored against the last hash of one, in the form that its row names."""
    form = form_of(last.detail)
    if form is None:
        yield Difference("state_form_unknown", seq_place(evidence, last.seq, column="detail"))
    elif hashed != stored[form]:
        yield Difference("register_state_altered", {"table": "registrations"}, hashed.hex(), stored[form].hex())


def check_answers(evidence: Evidence) -> Iterator[Difference]:
    """The authority's answers against the rows that tell of them, their own content, and the permits."""
    told: dict[UUID, list[LedgerRow]] = {}
    kept = evidence.kept_answers()
    for row in evidence.record.chain:
        name = named_answer(row)
        if row.act not in _ANSWERED or name is None:
            continue
        if name in kept:
            told.setdefault(kept[name].answer_id, []).append(row)
        else:
            place = {"table": "answers", "outcome_id": row.detail["outcome_id"], "seq": row.seq}
            yield Difference("answer_missing", place)
    for answer in evidence.answers:
        rows = told.get(answer.answer_id, ())
        if not rows and answer.source != "paper":
            yield Difference("answer_unrecorded", {"table": "answers", "outcome_id": answer.outcome_id})
        for row in rows:
            yield from _answer_as_told(answer, row)
        yield from _answer_as_sealed(evidence, answer)
    yield from _tracks_as_answered(evidence, told)


def _answer_as_told(answer: AnswerRow, row: LedgerRow) -> Iterator[Difference]:
    said = row.detail.get("occurred_at")
    compared: list[tuple[str, object, object]] = [
        ("outcome", row.outcome, answer.outcome),
        ("destination", row.destination, answer.destination),
    ]
    if said is not None:
        compared.append(("occurred_at", datetime.fromisoformat(said), answer.occurred_at))
    for column, expected, found in compared:
        if expected != found:
            place: Place = {"table": "answers", "outcome_id": answer.outcome_id, "column": column, "seq": row.seq}
            yield Difference("answer_altered", place, _text(expected), _text(found))


def _answer_as_sealed(evidence: Evidence, answer: AnswerRow) -> Iterator[Difference]:
    if evidence.contents is None:
        return
    outcome_id, answer_id = answer.outcome_id, str(answer.answer_id)
    content = evidence.contents.get(answer_id)
    if content is None:
        yield Difference("answer_altered", {"table": "answers", "outcome_id": outcome_id, "column": "body"})
        return
    compared = [
        ("outcome", str(content.outcome), answer.outcome),
        ("destination", content.destination, answer.destination),
        ("occurred_at", content.occurred_at, answer.occurred_at),
    ]
    hashed, hashes = answer.content_hash, evidence.hashes[answer_id]
    if hashed not in hashes:
        compared.append(("content_hash", min(hashes).hex(), hashed.hex()))
    for column, expected, found in compared:
        if expected != found:
            place = {"table": "answers", "outcome_id": outcome_id, "column": column}
            yield Difference("answer_altered", place, _text(expected), _text(found))


def _tracks_as_answered(evidence: Evidence, told: Mapping[UUID, Sequence[LedgerRow]]) -> Iterator[Difference]:
    """What a track has from outside is what the last answer said that was applied and says it."""
    if evidence.contents is None:
        return
    applied = [
        (row.seq, row.outcome, answer)
        for answer in evidence.answers
        for row in told.get(answer.answer_id, ())
        if row.act == Act.ANSWER_APPLIED
    ]
    applied.sort(key=itemgetter(0))
    for destination, (table, track) in evidence.tracks.items():
        if table.answered is None:
            continue
        said = [
            answer
            for _, outcome, answer in applied
            if answer.destination == destination and outcome in table.answered.outcomes
        ]
        content = evidence.contents.get(str(said[-1].answer_id)) if said else None
        if content is None:
            continue
        for column in table.answered.columns:
            if getattr(content, column) != getattr(track, column):
                place = {"table": table.name, "destination": destination, "column": column}
                yield Difference("register_differs_from_answer", {**place, "outcome_id": said[-1].outcome_id})
    by_order = [(outcome, answer) for _, outcome, answer in applied]
    for terms, rows in evidence.terms:
        for row in rows:
            yield from _term_as_answered(evidence, terms, row, by_order)


def _brought(evidence: Evidence, track: str) -> int:
    """Return the number of the last term that a track came with from another case; 0 where it began here."""
    acts = evidence.record.folding.brought
    rows = [row for row in evidence.record.chain if row.act in acts and row.destination == track]
    return max((int(row.detail["terms"]) for row in rows), default=0)


def _term_as_answered(
    evidence: Evidence, table: TermTable, term: TermRow, applied: Sequence[tuple[str | None, AnswerRow]]
) -> Iterator[Difference]:
    """What a term has from outside is what the last answer of its number said that was applied and says it."""
    if table.answered is None or table.numbered is None or evidence.contents is None:
        return
    track, number = getattr(term, table.key), getattr(term, table.numbered)
    said = None
    for outcome, answer in applied:
        content = evidence.contents.get(str(answer.answer_id))
        is_about = answer.destination == track and outcome in table.answered.outcomes and content is not None
        if is_about and getattr(content, table.numbered) == number:
            said = (answer, content)
    if said is None:
        # A number that no answer gave, though one gave the term its days, was put there by no answer.
        # One that the track brought from another case was given by answers that are kept there.
        is_given = number is not None and term.stage in table.holds and term.number > _brought(evidence, track)
        if is_given and any(answer.destination == track for _, answer in applied):
            place = {"table": table.name, "destination": track, "number": term.number, "column": table.numbered}
            yield Difference("register_differs_from_answer", place)
        return
    for column in table.answered.columns:
        if getattr(said[1], column) != getattr(term, column):
            place = {"table": table.name, "destination": track, "number": term.number, "column": column}
            yield Difference("register_differs_from_answer", {**place, "outcome_id": said[0].outcome_id})


def check_archive(evidence: Evidence) -> Iterator[Difference]:
    """The archive against the chain: every run with the hash that the ledger has, and no run between missing."""
    record = evidence.record
    recorded = {
        str(row.detail.get("run")): row
        for row in record.chain
        if row.act == Act.HISTORY_ARCHIVED and row.recorded_at <= evidence.at
    }
    kept = {each.run.run_id: each for each in record.runs}
    for run_id, row in recorded.items():
        found = kept.get(run_id)
        if (found is None or found.archived is None) and (found is not None or record.is_live_known):
            yield Difference("history_missing", {"run_id": run_id, "seq": row.seq}, row.detail["sha256"])
        elif found is not None and found.archived is not None:
            expected = (row.detail["sha256"], row.detail["events"])
            if expected != (found.archived.sha256.hex(), found.archived.events):
                place: dict[str, str | int] = {"run_id": run_id, "seq": row.seq}
                yield Difference(
                    "archived_history_differs_from_ledger", place, expected[0], found.archived.sha256.hex()
                )
    for run_id, each in kept.items():
        if each.problem:
            yield Difference("archived_history_altered", {"run_id": run_id}, found=each.problem)
        if each.archived is not None and run_id not in recorded:
            yield Difference("archived_history_unrecorded", {"run_id": run_id})
    if record.is_live_known:
        yield from _missing_runs(record, kept)
        if not kept and evidence.register.started_at is not None:
            yield Difference("history_missing", {"workflow_id": evidence.programme.workflow.id_of(record.reference)})


def _missing_runs(record: Record, kept: Mapping[str, KeptRun]) -> Iterator[Difference]:
    """Runs that others go on from or as, runs that wrote rows of the ledger, and the run of a case that was started."""
    for each in kept.values():
        for told in happened(each.run.run_id, each.events):
            other = told.facts.get("as_run" if told.kind is Kind.RUN_TO_BE_CONTINUED else "from_run")
            if other is not None and other not in kept:
                yield Difference("history_missing", {"run_id": other, "named_by_run": each.run.run_id})
    for row in record.chain:
        run_id = _own_run(record, row)
        if run_id is not None and run_id not in kept:
            yield Difference("history_missing", {"run_id": run_id, "named_by_seq": row.seq})


def _own_run(record: Record, row: LedgerRow) -> str | None:
    """Return the run of the case's own workflow that wrote a row; those of deliveries or the archive tell no case."""
    is_own = reference_of(row.workflow_id or "") == record.reference
    return str(row.run_id) if is_own and row.run_id is not None else None


def check_commands(evidence: Evidence) -> Iterator[Difference]:
    """What the workflow was told of against what was stored."""
    for kept in evidence.record.runs:
        for command_id, event_id in commands_named(kept.events).items():
            if command_id not in evidence.commands:
                place: dict[str, str | int] = {"command_id": command_id, "run_id": kept.run.run_id}
                yield Difference("command_missing", {**place, "event_id": event_id})


_CHECKS: Final = (
    check_chain,
    check_witnesses,
    check_beside,
    check_origins,
    check_signatures,
    check_statements,
    check_words,
    check_counterparts,
    check_seal,
    check_register,
    check_answers,
    check_archive,
    check_commands,
)


def _witnesses(runs: Iterable[KeptRun]) -> Iterator[Witness]:
    for kept in runs:
        yield from witnesses(kept.run.run_id, kept.events)


def _text(value: Any) -> str | None:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return None if value is None else str(value)
