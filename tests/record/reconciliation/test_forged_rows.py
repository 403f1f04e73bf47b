"""Rows of the ledger that nobody caused are named, whichever act they pretend; honest ones are not."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cases.notices.due import lease, settle
from cases.notices.receipts import receive
from cases.shared import sign_ins
from cases.tasks import inbox
from domain.commands import CommandKind
from domain.erasure import (
    HoldReason,
    LegalHoldRelease,
    LegalHoldRequest,
    ReleaseReason,
)
from domain.notices import Channel
from domain.webhooks import ReceiptRequest, ReceiptStatus
from privacy import legal_holds
from programmes.talent_permit.words import PermitCommand
from record.reconciliation.reconcile import reconcile_case
from sandbox.stack.postgres import PostgresServer
from store.tables import metadata
from tests.api.engines import NoHistories
from tests.cases.contexts import EMPLOYER_A, OFFICER, SUPERVISOR, SUPERVISOR_2, key
from tests.cases.driver import OFFICER_2, Case, Park, china, open_park
from tests.cases.notices.telling import sent
from tests.record.reconciliation.tampering import Row, as_owner, forge, open_cluster, rewrite, rows_of

Found = set[tuple[str, tuple[tuple[str, Any], ...]]]
Forgery = Callable[[dict[str, Row]], Row]


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


@pytest_asyncio.fixture
async def cluster(postgres: PostgresServer, database_name: str) -> AsyncIterator[AsyncEngine]:
    async with open_cluster(postgres, database_name) as engine:
        yield engine


async def _hold_lawfully(case: Case) -> None:
    """Let a supervisor place a legal hold and another release it, and reject the erasure that waited."""
    context, reference = case.park.context, case.reference
    asked = LegalHoldRequest(reason=HoldReason.LITIGATION, paper="2026-0042")
    hold = (await legal_holds.place(context, SUPERVISOR, reference, asked, key())).body
    ends = LegalHoldRelease(reason=ReleaseReason.MATTER_CLOSED)
    await legal_holds.release(context, SUPERVISOR_2, reference, UUID(hold["id"]), ends, key())


async def _deliver(case: Case) -> None:
    """Let one mail go out and arrive, and leave all else to be sent."""
    context = case.park.context
    (due, *_) = await lease(context, Channel.MAIL, case.park.clock.at, 1)
    await settle(context, sent([due], "mail_1"), case.park.clock.at)
    receipt = ReceiptRequest(id="mail_1", status=ReceiptStatus.DELIVERED, at=case.park.clock.at)
    await receive(context, "msg_1", receipt)


async def _walked(park: Park) -> Case:
    """Bring a case through most kinds of acts, and end with one that employer and chain are quiet after."""
    case = await park.review(employment={"state_worker": True})
    letter = {"employment": {"consent_letter": {"issuer": "示例局", "number": "1", "date": "2025-10-20"}}}
    await case.do(EMPLOYER_A, CommandKind.CORRECT, **letter)
    await case.claim("review")
    await case.after(minutes=1)
    await inbox.release(park.context, OFFICER, await case.task_id("review"), False, key())
    await case.after(minutes=1)
    await sign_ins.record(park.context, OFFICER, b"token")
    await inbox.assign(park.context, SUPERVISOR, await case.task_id("review"), OFFICER.subject, key())
    await case.after(minutes=1)
    await case.do(OFFICER, CommandKind.HOLD, action="place", reason="legal_question")
    await case.after(minutes=1)
    await case.do(OFFICER, CommandKind.HOLD, action="release", reason="legal_question")
    await case.approve()
    await case.make_calls()
    await _deliver(case)
    await case.answer("accepted")
    await case.after(days=1)
    await case.answer("issued")
    await case.after(minutes=1)
    await _hold_lawfully(case)
    await case.do(EMPLOYER_A, CommandKind.CHANGE, contract_end="2029-12-31")
    await case.claim("change", OFFICER_2)
    await inbox.release(park.context, OFFICER_2, await case.task_id("change"), True, key())
    await case.after(minutes=1)
    await case.do(OFFICER, CommandKind.ANSWER_TASK, task_id=await case.task_id("change"), action="take")
    await case.after(minutes=1)
    await case.do(EMPLOYER_A, CommandKind.CHANGE, email="new@example.com")
    return case


async def _found(case: Case) -> Found:
    _, found = await reconcile_case(case.park.context, NoHistories(), case.reference)
    # There is no Temporal here.
    told = [each for each in found if each.code != "history_missing"]
    return {(each.code, tuple(sorted(each.place.items()))) for each in told}


def _as_officer(act: str, **more: Any) -> Forgery:
    return lambda rows: {**rows["held"], "act": act, "statement_hash": None, **more}


def _like(row: str, **more: Any) -> Forgery:
    return lambda rows: {**rows[row], **more}


def _elsewhere(chain: str, act: str, **more: Any) -> Forgery:
    """Begin a chain of its own with a row."""
    return lambda rows: {**rows["held"], "statement_hash": None, **more, "act": act, "chain": chain, "seq": 1}


def _of_delivery(act: str, outcome: str) -> Forgery:
    """Go on with the chain of a notice that has arrived."""
    return lambda rows: {**rows["receipt_recorded"], "act": act, "outcome": outcome, "seq": 3}


UNSIGNED: dict[str, Forgery] = {
    **{
        f"{act} by an officer": _as_officer(act)
        for act in ("held", "hold_released", "changed", "change_declined", "task_answered", "answer_applied",
                    "answer_proposed", "permit_eligible", "decided", "ended", "request_refused", "assessed",
                    "fact_recorded", "fact_contested")
    },
    "withdrawn by the employer": _like("changed", act="withdrawn", statement_hash=None),
    "departure_disputed by the person": _as_officer("departure_disputed", actor_role="person", actor_subject="p"),
    "an answer by the authority that is none": _as_officer("settled", actor_role="authority"),
    "the statement of another row": _like("held"),
    "its statement for another act": _like("changed", act="decided"),
    "its statement once more": _like("changed"),
    "its statement for another permit": _like("changed", destination="HK"),
    "its statement for another's act": _like("changed", act="change_asked", actor_subject="somebody-else"),
    "its statement for another role": _like("changed", act="change_asked", actor_role="officer"),
    "its statement at another time": _like("changed", act="change_asked", at=china("2026-03-04")),
    "its statement in another chain": lambda rows: {**rows["changed"], "chain": "change/1", "seq": 1},
    "a statement that nobody has": _like("changed", act="change_asked", statement_hash=bytes(32)),
    "a decision in another chain": _elsewhere("decision/1", "decided"),
}  # fmt: skip
_NOBODY = {"issuer": "test", "subject": "nobody", "role": "officer"}
WITHOUT_COUNTERPART: dict[str, tuple[Forgery, str]] = {
    "submitted again": (_like("submitted"), "commands"),
    "claimed again": (_like("claimed"), "tasks"),
    "claimed now": (_like("claimed", at=china("2026-03-04")), "tasks"),
    "claimed by another": (_like("assigned", act="claimed", actor_subject="nobody"), "tasks"),
    "assigned to another": (lambda r: {**r["assigned"], "detail": r["assigned"]["detail"] | {"subject": "x"}}, "tasks"),
    "released": (_like("assigned", act="released"), "tasks"),
    "a conflict": (_like("conflict_declared", actor_subject="nobody"), "conflicts"),
    "a legal hold placed": (_like("legal_hold_placed"), "legal_holds"),
    "a legal hold placed by another": (_like("legal_hold_placed", actor_subject="nobody"), "legal_holds"),
    "a legal hold released by another": (_like("legal_hold_released", actor_subject="nobody"), "legal_holds"),
    "an erasure proposed": (_as_officer("erasure_proposed", detail={"erasure_id": str(uuid4())}), "erasures"),
    "an erasure rejected": (_as_officer("erasure_rejected", detail={"erasure_id": "no id"}), "erasures"),
    "a key destroyed": (_as_officer("key_destroyed", outcome="erased"), "registrations"),
    "a key destroyed again": (_as_officer("key_destroyed", outcome="erased_again"), "registrations"),
    "a complaint": (_elsewhere("objection/1", "complaint_received", detail={"objection_id": "1"}), "objections"),
    "an answer to it": (_elsewhere("objection/2", "complaint_answered", detail={}), "objections"),
    "a fact that was never recorded": (
        lambda rows: {**rows["held"], "act": "fact_recorded", "detail": rows["held"]["detail"] | {"fact": 1}},
        "case_facts",
    ),
    "a dispute": (_elsewhere("objection/3", "dispute_received", detail={}), "objections"),
    "a notice sent again": (_of_delivery("notice_sent", "sent"), "deliveries"),
    "a notice that failed": (_of_delivery("notice_failed", "failed"), "deliveries"),
    "a receipt that nobody sent": (_of_delivery("receipt_recorded", "failed"), "deliveries"),
    "a receipt twice": (_of_delivery("receipt_recorded", "delivered"), "deliveries"),
    "a receipt in the case's chain": (
        lambda rows: {**rows["receipt_recorded"], "chain": rows["held"]["chain"], "seq": rows["changed"]["seq"] + 1},
        "deliveries",
    ),
    "a call answered twice": (_like("call_answered"), "calls"),
    "a call answered otherwise": (_like("call_answered", outcome="rejected"), "calls"),
    "a call answered that was never due": (
        lambda r: {**r["call_answered"], "detail": r["call_answered"]["detail"] | {"key": "permit/x"}},
        "calls",
    ),
    "a call made that was never due": (_elsewhere("call/1", "call_made", detail={"key": "permit/x"}), "calls"),
    "an answer applied twice": (
        lambda r: {**r["answer_applied"], "statement_hash": None, "actor_role": "authority"},
        "answers",
    ),
}


async def test_an_honest_case_differs_nowhere(park: Park) -> None:
    case = await _walked(park)
    assert await _found(case) == set()
    acts = set(await case.ledger())
    assert {"corrected", "claimed", "released", "assigned", "conflict_declared", "held", "hold_released"} < acts
    assert {"changed", "change_asked", "legal_hold_placed", "legal_hold_released", "call_answered"} < acts
    assert {"answer_received", "answer_applied"} < acts


async def test_a_row_that_nobody_signed_for_is_named(park: Park, cluster: AsyncEngine) -> None:
    case, missed = await _walked(park), []
    for name, forgery in UNSIGNED.items():
        row, found = await _told_of(case, cluster, forgery)
        if ("ledger_row_unsigned", _place(row)) not in found:
            missed.append(name)
    assert missed == []
    assert await _found(case) == set()


async def test_a_row_of_which_the_register_knows_nothing_is_named(park: Park, cluster: AsyncEngine) -> None:
    case, missed = await _walked(park), []
    for name, (forgery, against) in WITHOUT_COUNTERPART.items():
        row, found = await _told_of(case, cluster, forgery)
        if ("ledger_row_without_counterpart", _place(row, against=against)) not in found:
            missed.append(name)
    assert missed == []
    assert await _found(case) == set()


TOLD_OTHERWISE: dict[str, tuple[str, dict[str, Any]]] = {
    "an approval as a refusal": ("decided", {"outcome": "refuse"}),
    "an approval for a reason": ("decided", {"reason_codes": ["identity_number_wrong"]}),
    "an approval as a hold": ("decided", {"act": "held"}),
    "a hold for another reason": ("held", {"reason_codes": ["other_authority_asked"]}),
    "a hold as a release": ("held", {"act": "hold_released", "reason_codes": []}),
    "a release as of a destination": ("hold_released", {"destination": "HK"}),
}


@pytest.mark.parametrize("name", TOLD_OTHERWISE)
async def test_a_row_that_tells_other_than_was_signed_is_named(park: Park, cluster: AsyncEngine, name: str) -> None:
    case, (act, change) = await _walked(park), TOLD_OTHERWISE[name]
    async with as_owner(cluster) as connection:
        row = await rewrite(connection, case.reference, act, **change)
    assert ("ledger_row_not_as_signed", _place(row)) in await _found(case)


async def test_second_signatures_are_compared_with_what_was_signed(park: Park, cluster: AsyncEngine) -> None:
    case = await park.review()
    await case.do(OFFICER, CommandKind.DECIDE, action="refuse", round=1, reasons=[{"code": "not_employed_there"}])
    await case.do(OFFICER_2, CommandKind.CONFIRM, action="reject", round=1, reasons=[{"code": "reason_not_supported"}])
    assert await _found(case) == set()
    async with as_owner(cluster) as connection:
        row = await rewrite(connection, case.reference, "rejected", act="confirmed", outcome="refuse", reason_codes=[])
    assert ("ledger_row_not_as_signed", _place(row)) in await _found(case)


CHANGED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a statement taken away": (
        "UPDATE commands SET statement = NULL WHERE reference = :r AND kind = 'hold'",
        "command_altered",
        {"table": "commands"},
    ),
    "a statement of another command": (
        """UPDATE commands SET statement = (SELECT statement FROM commands WHERE reference = :r AND kind = 'decide')
        WHERE reference = :r AND kind = 'correct'""",
        "command_altered",
        {"table": "commands"},
    ),
    "a body replaced": (
        "UPDATE commands SET body = 'x' WHERE reference = :r AND kind = 'decide'",
        "command_altered",
        {"table": "commands"},
    ),
    "an actor replaced": (
        "UPDATE commands SET actor = actor || '{\"subject\": \"x\"}' WHERE reference = :r AND kind = 'decide'",
        "ledger_row_unsigned",
        {"act": "decided"},
    ),
    "a call ended": (
        "UPDATE calls SET state = 'done', done_at = now() WHERE reference = :r AND state = 'due'",
        "register_row_untold",
        {"table": "calls"},
    ),
    "a call due once more": (
        "UPDATE calls SET state = 'due', done_at = NULL WHERE reference = :r AND destination = 'HK'",
        "ledger_row_without_counterpart",
        {"act": "call_answered", "against": "calls"},
    ),
    "a legal hold taken away": (
        "DELETE FROM legal_holds WHERE reference = :r",
        "ledger_row_without_counterpart",
        {"act": "legal_hold_placed", "against": "legal_holds"},
    ),
    "a legal hold released": (
        "UPDATE legal_holds SET released_at = NULL WHERE reference = :r",
        "ledger_row_without_counterpart",
        {"act": "legal_hold_released", "against": "legal_holds"},
    ),
    "a conflict of interest added": (
        """INSERT INTO conflicts SELECT reference, 'test x', employer_id, accepted_at FROM cases
        WHERE reference = :r""",
        "register_row_untold",
        {"table": "conflicts", "subject": "test x"},
    ),
    "a delivery moved": (
        "UPDATE deliveries SET status = 'failed' WHERE provider_id = 'mail_1' AND :r <> ''",
        "ledger_row_without_counterpart",
        {"act": "receipt_recorded", "against": "deliveries"},
    ),
    "a notice's row altered": (
        "UPDATE ledger SET outcome = 'failed' WHERE reference = :r AND act = 'notice_sent'",
        "ledger_row_altered",
        {"act": "notice_sent", "seq": 1},
    ),
    "a notice's row deleted": (
        "DELETE FROM ledger WHERE reference = :r AND act = 'notice_sent'",
        "ledger_row_missing",
        {"seq": 1},
    ),
}


async def test_a_change_to_requests_or_to_what_acts_left_is_named(park: Park, cluster: AsyncEngine) -> None:
    case, missed = await _walked(park), []
    await case.do(EMPLOYER_A, PermitCommand.CARD_LOST, destination="HK", lost_on="2026-03-03")
    assert await _found(case) == set()
    for name, (change, code, place) in CHANGED.items():
        found = await _found_after(case, cluster, change)
        if not any(code == each and place.items() <= dict(at).items() for each, at in found):
            missed.append((name, found))
    assert missed == []
    assert await _found(case) == set()


_TABLES = ("commands", "calls", "legal_holds", "conflicts", "deliveries", "ledger")


async def _found_after(case: Case, cluster: AsyncEngine, change: str) -> Found:
    """Change a table, compare, and put everything back."""
    async with as_owner(cluster) as connection:
        for table in _TABLES:
            await connection.execute(text(f"CREATE TABLE kept_{table} AS TABLE {table}"))
        assert (await connection.execute(text(change), {"r": case.reference})).rowcount > 0
    try:
        return await _found(case)
    finally:
        async with as_owner(cluster) as connection:
            for table in _TABLES:
                await connection.execute(text(f"DELETE FROM {table}"))
                columns = ", ".join(f'"{column.name}"' for column in metadata.tables[table].c)
                given = f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM kept_{table}"
                await connection.execute(text(given))
                await connection.execute(text(f"DROP TABLE kept_{table}"))


async def _told_of(case: Case, cluster: AsyncEngine, forgery: Forgery) -> tuple[Row, Found]:
    """Add a row, compare, and take it away again."""
    row = await _forged(case, cluster, forgery)
    found = await _found(case)
    async with as_owner(cluster) as connection:
        one = text("DELETE FROM ledger WHERE chain = :chain AND seq = :seq")
        await connection.execute(one, {"chain": row["chain"], "seq": row["seq"]})
    return row, found


async def _forged(case: Case, cluster: AsyncEngine, forgery: Forgery) -> Row:
    """Add a row to the end of its chain, with the right number and hash."""
    async with as_owner(cluster) as connection:
        rows = await rows_of(connection, case.reference)
        row = forgery({each["act"]: each for each in rows})
        chain = [each for each in rows if each["chain"] == row["chain"]]
        if chain:
            row |= {"seq": chain[-1]["seq"] + 1, "previous": chain[-1]["hash"]}
        else:
            row |= {"previous": bytes(32)}
        await forge(connection, row)
    return row


def _place(row: Row, **more: Any) -> tuple[tuple[str, Any], ...]:
    place = {"table": "ledger", "chain": row["chain"], "seq": row["seq"], "act": row["act"], **more}
    return tuple(sorted(place.items()))
