"""Acts without a signed statement against the rows that they left in the register: of the API, and of deliveries."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, TypeVar

from domain.acts import HOLDING, Act
from domain.answers import AnswerState
from domain.case_facts import FactState
from domain.commands import CommandKind
from domain.lost_answers import LostAnswerState
from domain.notices import DeliveryStatus
from domain.tasks import TaskAction
from record.reconciliation import takeover_rows, transfer_rows
from record.reconciliation.evidence import Difference, Evidence, named_answer, row_place, signed_hash
from store.rows.record import LedgerRow
from store.rows.register import FactRow
from store.rows.work import TaskRow

_Row = TypeVar("_Row")

# What a row stands for in the register: two rows cannot stand for the same. None where nothing is there.
_Counterpart = Callable[[Evidence, LedgerRow], Hashable | None]
# A task is opened by the clock of the step, and claimed by that of the API.
_CLOCKS_APART: Final = timedelta(minutes=1)
_CALL_STATES: Final = {"taken": "done", "rejected": "rejected"}


def check_counterparts(evidence: Evidence) -> Iterator[Difference]:
    """Each of these rows has a row of the register of its own; and what the register says is done, the ledger tells."""
    seen: set[Hashable] = set()
    for row in evidence.record.ledger:
        against, find = _COUNTERPARTS.get(row.act, ("", None))
        if find is None:
            continue
        found = find(evidence, row)
        if found is None or (against, found) in seen:
            yield Difference("ledger_row_without_counterpart", row_place(row, against=against))
        seen.add((against, found))
    yield from _untold(evidence)


def _untold(evidence: Evidence) -> Iterator[Difference]:
    """Rows of the register that say what no row of the ledger tells: holds, conflicts of interest, ended calls."""
    told: set[tuple[str, Any]] = set()
    for row in evidence.record.ledger:
        detail = row.detail
        told |= {(row.act, detail.get("hold_id")), (row.act, detail.get("key"))}
        told.add((row.act, f"{row.actor_issuer} {row.actor_subject}"))
        if detail.get("after_end"):
            told.add((Act.CALL_ANSWERED, row.destination))
    for hold in evidence.beside.legal_holds:
        hold_id = str(hold.hold_id)
        is_told = (Act.LEGAL_HOLD_RELEASED, hold_id) in told or hold.released_at is None
        if (Act.LEGAL_HOLD_PLACED, hold_id) not in told or not is_told:
            yield Difference("register_row_untold", {"table": "legal_holds", "hold_id": hold_id})
    attached = {row.detail.get("lost_answer") for row in evidence.record.chain if row.act == Act.ANSWER_ATTACHED}
    for answer in evidence.beside.lost_answers:
        if answer.state == LostAnswerState.ATTACHED and str(answer.answer_id) not in attached:
            yield Difference("register_row_untold", {"table": "lost_answers", "answer_id": str(answer.answer_id)})
    for conflict in evidence.beside.conflicts:
        if (Act.CONFLICT_DECLARED, conflict.subject) not in told:
            yield Difference("register_row_untold", {"table": "conflicts", "subject": conflict.subject})
    yield from _untold_facts(evidence)
    yield from transfer_rows.untold(evidence)
    yield from takeover_rows.untold(evidence)
    for call in evidence.beside.calls:
        # A list entry whose answer was lost counts as taken once an answer about the permit proves it (P4).
        is_ended = call.state in _CALL_STATES.values() and call.reason != "proved_by_answer"
        if is_ended and not {(Act.CALL_ANSWERED, call.key), (Act.CALL_ANSWERED, call.destination)} & told:
            yield Difference("register_row_untold", {"table": "calls", "key": call.key})


def _untold_facts(evidence: Evidence) -> Iterator[Difference]:
    """Recorded facts that no row of the ledger tells of: that they were recorded, contested, set aside, or replaced."""
    chain = evidence.record.chain
    details = [row.detail for row in chain if row.act == Act.FACT_RECORDED]
    recorded = {detail.get("fact"): detail.get("field") for detail in details}
    told = [row for row in chain if row.act == Act.FACT_CONTESTED]
    contested = {(row.detail.get("fact"), row.actor_role) for row in told}
    answers = [row for row in chain if row.act == Act.TASK_ANSWERED and row.outcome == TaskAction.SET_ASIDE]
    ended = {number for row in answers for number in row.detail.get("facts", ())}
    for fact in evidence.beside.facts:
        number = fact.number
        later = [each for each, field in recorded.items() if field == fact.field and each is not None and each > number]
        is_told = {
            FactState.STANDS: not later and number not in ended,
            FactState.REPLACED: bool(later) and number not in ended,
            FactState.SET_ASIDE: number in ended,
        }[FactState(fact.state)]
        said = {(number, role) for role in fact.contested_by}
        is_told &= said <= contested and (fact.contest is not None) == bool(said)
        if number not in recorded or not is_told:
            yield Difference("register_row_untold", {"table": "case_facts", "number": number})


def _submitted(evidence: Evidence, row: LedgerRow) -> Hashable | None:
    for request in evidence.commands.values():
        actor = request.actor
        who = (actor["issuer"], actor["subject"], actor["role"], actor["employer_id"])
        told = (row.actor_issuer, row.actor_subject, row.actor_role, row.actor_tenant)
        if request.kind == CommandKind.START and (who, request.at) == (told, row.at):
            return CommandKind.START
    return None


def _claim(evidence: Evidence, row: LedgerRow) -> Hashable | None:
    """The last word on who holds a task is what the task says, unless somebody took it by deciding it since."""
    for task in evidence.beside.tasks:
        if not _is_about(task, row):
            continue
        claims = [each for each in evidence.record.chain if each.act in HOLDING and _is_about(task, each)]
        earlier = [each for each in claims if each.seq < row.seq]
        is_in_order = all(each.at <= row.at + _CLOCKS_APART for each in earlier)
        if is_in_order and (claims[-1].seq != row.seq or _agrees(task, row)):
            return str(task.task_id), row.act, str(row.at)
    return None


def _is_about(task: TaskRow, row: LedgerRow) -> bool:
    ended_at = task.closed_at or row.at
    is_same = (task.kind, task.destination) == (row.detail.get("kind"), row.destination)
    return bool(is_same and task.opened_at - _CLOCKS_APART <= row.at <= ended_at + _CLOCKS_APART)


def _agrees(task: TaskRow, row: LedgerRow) -> bool:
    since = task.held_since
    if row.act not in (Act.CLAIMED, Act.ASSIGNED):
        return since is None or since > row.at
    subject = row.actor_subject if row.act == Act.CLAIMED else row.detail.get("subject")
    is_held = (since, task.holder) == (row.at, f"{row.actor_issuer} {subject}")
    return is_held or (since is not None and since > row.at)


def _conflict(evidence: Evidence, row: LedgerRow) -> Hashable | None:
    holder = f"{row.actor_issuer} {row.actor_subject}"
    for each in evidence.beside.conflicts:
        if each.subject == holder and each.declared_at <= row.at:
            return holder, str(row.at)
    return None


def _erasure(evidence: Evidence, row: LedgerRow) -> Hashable | None:
    found = _find(evidence.beside.erasures, lambda each: each.erasure_id, row.detail.get("erasure_id"))
    if found is None or [found.reason] != row.reason_codes:
        return None
    if row.act == Act.ERASURE_PROPOSED:
        is_so = _is_signed(row, found.proposed_by, found.proposed_at)
    else:
        is_so = found.state == "rejected" and _is_signed(row, found.decided_by, found.decided_at)
    return (row.act, found.erasure_id) if is_so else None


def _joining(evidence: Evidence, row: LedgerRow) -> Hashable | None:
    """What is proposed about two persons is kept with its signers; the cases of both tell the same of it."""
    found = _find(evidence.beside.joinings, lambda each: each.joining_id, row.detail.get("joining_id"))
    if found is None or [found.reason] != row.reason_codes:
        return None
    if row.act == Act.JOINING_PROPOSED:
        is_so = _is_signed(row, found.proposed_by, found.proposed_at)
    elif row.act in (Act.PERSONS_JOINED, Act.PERSONS_PARTED):
        kind = "joining" if row.act == Act.PERSONS_JOINED else "parting"
        is_so = found.kind == kind and found.state in ("done", "undone")
        is_so = is_so and _is_signed(row, found.decided_by, found.decided_at)
    else:
        state = "rejected" if row.act == Act.JOINING_REJECTED else "withdrawn"
        is_so = found.state == state and _is_signed(row, found.decided_by, found.decided_at)
    return (row.act, found.joining_id) if is_so else None


def _destroyed(evidence: Evidence, row: LedgerRow) -> Hashable | None:
    if row.at != evidence.register.erased_at:
        return None
    if row.outcome == "erased_again":  # the erasure itself is younger than the backup that was restored
        return str(row.at)
    found = _find(evidence.beside.erasures, lambda each: each.erasure_id, row.detail.get("erasure_id"))
    if found is None or found.state != "done":
        return None
    return str(row.at) if _is_signed(row, found.decided_by or found.proposed_by, found.decided_at) else None


def _hold(evidence: Evidence, row: LedgerRow) -> Hashable | None:
    found = _find(evidence.beside.legal_holds, lambda each: each.hold_id, row.detail.get("hold_id"))
    if found is None:
        return None
    if row.act == Act.LEGAL_HOLD_PLACED:
        is_so = _is_signed(row, found.placed_by, found.placed_at) and [found.reason] == row.reason_codes
    else:
        is_so = _is_signed(row, found.released_by, found.released_at)
        is_so = is_so and [found.release_reason] == row.reason_codes
    return (row.act, found.hold_id) if is_so else None


def _attached(evidence: Evidence, row: LedgerRow) -> Hashable | None:
    found = _find(evidence.beside.lost_answers, lambda each: each.answer_id, row.detail.get("lost_answer"))
    if found is None or found.state != LostAnswerState.ATTACHED:
        return None
    return found.answer_id if _is_signed(row, found.decided_by, found.decided_at) else None


def _objection(evidence: Evidence, row: LedgerRow) -> Hashable | None:
    found = _find(evidence.beside.objections, lambda each: each.objection_id, row.detail.get("objection_id"))
    if found is None or row.chain != f"objection/{found.objection_id}":
        return None
    if row.act == Act.COMPLAINT_ANSWERED:
        is_so = _is_signed(row, found.answered_by, found.answered_at) and found.outcome == row.outcome
    else:
        kind = "complaint" if row.act == Act.COMPLAINT_RECEIVED else "dispute"
        is_so = (found.kind, found.at) == (kind, row.at)
    return (row.act, found.objection_id) if is_so else None


def _objected(evidence: Evidence, row: LedgerRow) -> Hashable | None:
    """An objection to a decision is kept as it came, and with what it came to."""
    found = _find(evidence.beside.objections, lambda each: each.objection_id, row.detail.get("objection_id"))
    if found is None or found.kind != "objection" or row.chain != found.reference:
        return None
    if row.act == Act.OBJECTION_RECEIVED:
        is_so = found.at == row.at
    else:
        outcome = "rejected" if row.act == Act.OBJECTION_REJECTED else "withdrawn"
        is_so = found.outcome == outcome and _is_signed(row, found.answered_by, found.answered_at)
    return (row.act, found.objection_id) if is_so else None


def _recorded(evidence: Evidence, row: LedgerRow) -> Hashable | None:
    """A recorded fact is kept as it was recorded, and once its content was sealed anew, as it was signed for."""
    found = _find_fact(evidence, row)
    if found is None or not _is_signed(row, found.seen_by, found.at):
        return None
    is_so = found.field == row.detail.get("field") and _is_kept(evidence, row, found)
    return (row.act, found.number) if is_so else None


def _is_kept(evidence: Evidence, row: LedgerRow, fact: FactRow) -> bool:
    """Whether the content of a fact is the recorded one; nothing can be said once the person's key was destroyed."""
    if evidence.facts is None:
        return True
    kept = evidence.facts[fact.number]
    if (None if kept is None else kept.hashed) == row.detail.get("content"):
        return True
    # A corrected identity number brought another key, under which the hash of the same content is another.
    request = evidence.signed_requests().get(signed_hash(row))
    if request is None or request.words is None or kept is None:
        return False
    return all(request.words.get(name) == kept.words[name] for name in ("value", "seen_in"))


def _contested(evidence: Evidence, row: LedgerRow) -> Hashable | None:
    found = _find_fact(evidence, row)
    role = row.actor_role
    return (row.act, found.number, role) if found is not None and role in found.contested_by else None


def _delivery(evidence: Evidence, row: LedgerRow) -> Hashable | None:
    """A delivery moves forward only: it stands where its last row says, since the time of that row.

    A message that was told to have arrived may still bounce; the earlier row is then overtaken by a later one.
    """
    found = _find(evidence.beside.deliveries, lambda each: each.delivery.delivery_id, row.detail.get("delivery_id"))
    if found is None or row.chain != f"notice/{found.delivery.notice_id}":
        return None
    delivery = found.delivery
    said = [row.detail.get(name) for name in ("kind", "recipient", "channel", "text_hash")]
    if said != [found.kind, found.recipient, delivery.channel, found.text_hash]:
        return None
    if row.act == Act.NOTICE_SENT and not 0 < row.detail.get("attempts", 0) <= delivery.attempts:
        return None
    if row.outcome == DeliveryStatus.SENT:
        is_so = delivery.sent_at == row.at
    else:
        stands = (delivery.status, delivery.settled_at) == (row.outcome, row.at)
        is_so = stands or (row.outcome == DeliveryStatus.DELIVERED and _has_bounced(evidence, row))
    return (delivery.delivery_id, row.outcome) if is_so else None


def _has_bounced(evidence: Evidence, row: LedgerRow) -> bool:
    """Whether a receipt after a row says that the message came back."""
    return any(
        (each.act, each.outcome) == (Act.RECEIPT_RECORDED, DeliveryStatus.FAILED)
        and each.detail.get("delivery_id") == row.detail.get("delivery_id")
        and (each.chain, each.seq > row.seq) == (row.chain, True)
        for each in evidence.record.ledger
    )


def _answered_call(evidence: Evidence, row: LedgerRow) -> Hashable | None:
    detail = row.detail
    for call in evidence.beside.calls:
        told = (detail.get("key"), detail.get("what"), row.destination, _CALL_STATES.get(row.outcome or ""), row.at)
        if told == (call.key, call.what, call.destination, call.state, call.done_at):
            return str(call.key)
    return None


def _made_call(evidence: Evidence, row: LedgerRow) -> Hashable | None:
    told = (row.detail.get("key"), row.detail.get("what"), row.destination)
    known = {(call.key, call.what, call.destination) for call in evidence.beside.calls}
    return str(row.chain) if told in known else None


def _applied(evidence: Evidence, row: LedgerRow) -> Hashable | None:
    name = named_answer(row)
    kept = evidence.kept_answers().get(str(name))
    # One that is missing is told by the comparison of the answers.
    is_so = kept is None or kept.state == AnswerState.APPLIED
    return str(name) if is_so else None


def _archived(evidence: Evidence, row: LedgerRow) -> Hashable | None:
    return str(row.detail.get("run"))


def _is_signed(row: LedgerRow, by: Mapping[str, Any] | None, at: object) -> bool:
    signature = {"issuer": row.actor_issuer, "subject": row.actor_subject, "role": row.actor_role}
    return (by, at) == (signature, row.at)


def _find_fact(evidence: Evidence, row: LedgerRow) -> FactRow | None:
    return _find(evidence.beside.facts, lambda each: each.number, row.detail.get("fact"))


def _find(rows: Sequence[_Row], id_of: Callable[[_Row], object], wanted: object) -> _Row | None:
    """Return the row that has the id which the ledger names."""
    return next((each for each in rows if str(id_of(each)) == str(wanted)), None)


_COUNTERPARTS: Final[Mapping[str, tuple[str, _Counterpart]]] = {
    Act.SUBMITTED: ("commands", _submitted),
    Act.CLAIMED: ("tasks", _claim),
    Act.RELEASED: ("tasks", _claim),
    Act.ASSIGNED: ("tasks", _claim),
    Act.CONFLICT_DECLARED: ("conflicts", _conflict),
    Act.ERASURE_PROPOSED: ("erasures", _erasure),
    Act.ERASURE_REJECTED: ("erasures", _erasure),
    Act.JOINING_PROPOSED: ("person_joinings", _joining),
    Act.JOINING_REJECTED: ("person_joinings", _joining),
    Act.JOINING_WITHDRAWN: ("person_joinings", _joining),
    Act.PERSONS_JOINED: ("person_joinings", _joining),
    Act.PERSONS_PARTED: ("person_joinings", _joining),
    Act.TRANSFER_AGREED: ("transfers", transfer_rows.agreed),
    Act.TRANSFER_TAKEN_BACK: ("transfers", transfer_rows.taken_back),
    Act.TRANSFER_BEGUN: ("transfers", transfer_rows.begun),
    Act.TRANSFER_ENDED: ("transfers", transfer_rows.ended),
    Act.TRANSFER_NOT_CONFIRMED: ("transfers", transfer_rows.not_confirmed),
    Act.TRANSFER_DONE: ("transfers", transfer_rows.done),
    Act.EVIDENCE_TAKEN_OVER: ("takeovers", takeover_rows.taken_over),
    Act.EVIDENCE_RELEASED: ("takeovers", takeover_rows.released),
    Act.EVIDENCE_RELEASE_TAKEN_BACK: ("takeovers", takeover_rows.taken_back),
    Act.KEY_DESTROYED: ("registrations", _destroyed),
    Act.LEGAL_HOLD_PLACED: ("legal_holds", _hold),
    Act.LEGAL_HOLD_RELEASED: ("legal_holds", _hold),
    Act.ANSWER_ATTACHED: ("lost_answers", _attached),
    Act.FACT_RECORDED: ("case_facts", _recorded),
    Act.FACT_CONTESTED: ("case_facts", _contested),
    Act.COMPLAINT_RECEIVED: ("objections", _objection),
    Act.COMPLAINT_ANSWERED: ("objections", _objection),
    Act.DISPUTE_RECEIVED: ("objections", _objection),
    Act.OBJECTION_RECEIVED: ("objections", _objected),
    Act.OBJECTION_WITHDRAWN: ("objections", _objected),
    Act.OBJECTION_REJECTED: ("objections", _objected),
    Act.NOTICE_SENT: ("deliveries", _delivery),
    Act.NOTICE_FAILED: ("deliveries", _delivery),
    Act.RECEIPT_RECORDED: ("deliveries", _delivery),
    Act.CALL_ANSWERED: ("calls", _answered_call),
    Act.CALL_MADE: ("calls", _made_call),
    Act.ANSWER_APPLIED: ("answers", _applied),
    Act.HISTORY_ARCHIVED: ("archived_histories", _archived),
}
