"""Receipts of the decisions on a case: signed files that prove, without us, what was decided, when and on what."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.shows import Told, views_in
from cases.case.view import moment
from cases.shared.context import Context
from cases.shared.epochs import origin_now
from cases.shared.views import document
from domain.actors import Actor
from domain.acts import Act
from domain.clock import day_of
from domain.errors import Refused
from domain.folding import SETTLES_AT
from domain.languages import Language
from domain.renewals import RENEWAL_SCOPE, RenewalProposal
from domain.stages import Stage
from policy.rerun import REGISTRATION_SCOPE
from proof import receipts
from proof.ledger_rows import content_of
from record.receipt_facts import facts_shown, findings_shown
from record.receipt_views import (
    CaseTold,
    DecisionTold,
    ReasonSaid,
    ReceiptContent,
    ReceiptsView,
    ReceiptView,
    Remedy,
    RowTold,
    SealTold,
)
from record.seal import log
from store.ledger import Entry, append
from store.rows.record import LedgerRow
from store.rows.register import AssessmentRow, CaseRow
from store.tables import assessments, cases, ledger
from texts.reasons import reason_sentence

# What is decided of any case. A decision that was set aside keeps its receipt, beside that of setting it aside; the
# answer to an objection is a letter to the side that objected, and no receipt of the other's.
_DECISIONS: Final = frozenset({Act.DECIDED, Act.CONFIRMED, Act.SET_ASIDE})


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision with its row of the ledger, the role that proposed it, whether outsiders may see it yet,
    and whether it is against the person.
    """

    row: LedgerRow
    outcome: str | None
    proposed_by: str | None
    recalled: bool = False
    is_out: bool = True
    is_against: bool = False


async def issue_receipts(context: Context, actor: Actor, reference: str) -> ReceiptsView:
    """Return a receipt for each decision on a case that the reader may see, and which are not sealed yet; a ledger act.

    Raises:
        Refused: `case_unknown` for another tenant's case.
    """
    at = context.clock()
    async with context.database.begin(actor.tenant) as connection:
        query = select(cases).where(cases.c.reference == reference)
        case = CaseRow.one_of(await connection.execute(query))
        if case is None:
            raise Refused("case_unknown", "There is no case of this reference.")
        chain = select(ledger).where(ledger.c.chain == reference).order_by(ledger.c.seq)
        rows = LedgerRow.all_of(await connection.execute(chain))
        of = views_in(context, case.programme).told
        decided = [each for each in decisions_of(rows, of) if actor.is_inside or each.is_out]
        places = [(each.row.chain, each.row.seq) for each in decided]
        sealed, proved = await log.prove_rows(connection, places)
        origin = await origin_now(connection, context.log_origin)
        items, pending, issued = [], [], []
        for decision, place in zip(decided, places, strict=True):
            if sealed is None or place not in proved:
                pending.append(_decision(decision))
                continue
            index, proof = proved[place]
            seal = SealTold(index=index, proof=proof, checkpoint=sealed.note)
            content = await _content(context, connection, actor, case, decision, seal, of, at)
            signed = receipts.sign(document(content), origin, context.keyring.sealing_key())
            items.append(ReceiptView(**signed))
            issued.append(decision)
        await _record(connection, actor, case, issued, at)
    return ReceiptsView(items=items, pending=pending)


def decisions_of(rows: Sequence[LedgerRow], of: Told) -> list[Decision]:
    """Return the decisions in the chain of a case: final ones and returns, not proposals, in their order."""
    found: list[Decision] = []
    proposer: str | None = None
    for row in rows:
        act = row.act
        if act in (Act.RECALLED, Act.SETTLED) and (place := _settled(found, row)) is not None:
            found[place] = replace(found[place], recalled=act == Act.RECALLED, is_out=act == Act.SETTLED)
        if act in (Act.RENEWAL_RECALLED, Act.RENEWAL_SETTLED):
            _settle_renewal(found, row)
        if _is_proposal(row, of):
            proposer = row.actor_role
        elif act == Act.RENEWAL_GRANTED or (act == Act.CONFIRMED and "renewal" in row.detail):
            against = row.outcome == RenewalProposal.REFUSE
            by = proposer if act == Act.CONFIRMED else None
            found.append(Decision(row, row.outcome, by, is_out=False, is_against=against))
        elif act == Act.RENEWAL_RETURNED:
            found.append(Decision(row, row.outcome, None))
        elif act in _DECISIONS or act in of.decisions:
            outcome = "decision_set_aside" if act == Act.SET_ASIDE else of.decisions.get(act, row.outcome)
            by = None if act == Act.DECIDED else proposer
            # An approval is out once it has settled, and so is what cools off (states.md, "What outsiders see").
            is_out, is_against = outcome != "approve" and SETTLES_AT not in row.detail, outcome == "refuse"
            found.append(Decision(row, outcome, by, is_out=is_out, is_against=is_against or act in of.decisions))
    return found


def _settle_renewal(found: list[Decision], row: LedgerRow) -> None:
    """Let the newest decision on a renewal be recalled, or out, as a row says."""
    for place in reversed(range(len(found))):
        last = found[place]
        if last.row.detail.get("renewal") == row.detail.get("renewal") and not last.recalled:
            is_recalled = row.act == Act.RENEWAL_RECALLED
            found[place] = replace(last, recalled=is_recalled, is_out=not is_recalled)
            return


def _settled(found: Sequence[Decision], row: LedgerRow) -> int | None:
    """Return the place of the decision that a row says to have settled, or to be taken back; None where it is none."""
    outcome = row.outcome or "approve"  # rows of approvals name none
    same = [
        place
        for place, each in enumerate(found)
        if each.outcome == outcome and each.row.destination == row.destination and not each.is_out
    ]
    return same[-1] if same else None


def _is_proposal(row: LedgerRow, of: Told) -> bool:
    """Whether a row only proposes what a second signature gives effect to."""
    if row.act == Act.DECIDED:
        return bool(row.detail["stage"] == Stage.AWAITING_CONFIRMATION)
    return row.act == Act.SET_ASIDE_PROPOSED or row.act in of.proposals


async def _content(
    context: Context,
    connection: AsyncConnection,
    actor: Actor,
    case: CaseRow,
    decision: Decision,
    seal: SealTold,
    of: Told,
    at: datetime,
) -> ReceiptContent:
    row = decision.row
    a = assessments.c
    query = (
        select(assessments)
        .where(a.reference == row.reference, a.scope == _scope(row), a.at <= row.at)
        .order_by(a.seq.desc())
        .limit(1)
    )
    assessment = AssessmentRow.one_of(await connection.execute(query))
    # It names the officer, which an outsider's receipt does not.
    shown = content_of(row.document()) if actor.is_inside else None
    return ReceiptContent(
        issued_at=moment(at),
        issued_to=actor.role.value,
        case=CaseTold(
            reference=row.reference, employer_id=row.employer_id, registration_number=row.detail.get("number")
        ),
        decision=_decision(decision),
        facts=await facts_shown(context, connection, case, assessment, actor, of),
        findings=findings_shown(assessment, actor),
        assessed_at=moment(assessment.at) if assessment else None,
        remedy=remedy_of(context, decision),
        ledger=RowTold(chain=row.chain, seq=row.seq, hash=row.hash.hex(), content=shown),
        seal=seal,
    )


def _scope(row: LedgerRow) -> str:
    """Return the rules by which a decision was made: those of the case, of a track of it, or of a renewal."""
    return RENEWAL_SCOPE if "renewal" in row.detail else row.destination or REGISTRATION_SCOPE


def _decision(decision: Decision) -> DecisionTold:
    row, hashed = decision.row, content_of(decision.row.document())
    return DecisionTold(
        act=row.act,
        outcome=decision.outcome,
        at=hashed["at"],
        round=row.detail["round"],
        destination=row.destination,
        role=row.actor_role,
        proposed_by_role=decision.proposed_by,
        recalled=decision.recalled,
        reason_codes=row.reason_codes,
        reasons=[
            ReasonSaid(code=code, says={each.value: reason_sentence(code, each) for each in Language})
            for code in row.reason_codes
        ],
        rule_version=row.rule_version,
        rule_hash=hashed["rule_hash"],
    )


def remedy_of(context: Context, decision: Decision) -> Remedy | None:
    """Return what one who disagrees can do, as the letter says it; no rule says yet that it holds for this.

    A row from before rows kept it is told by the limits of today, and `as_stated` is false.
    """
    if not decision.is_against:
        return None
    limits, stated = context.limits, decision.row.detail.get("remedy")
    held = stated or {
        "reconsideration_calendar_days": limits.reconsideration_calendar_days,
        "lawsuit_months": limits.lawsuit_months,
        "limits_version": limits.version,
    }
    earliest = day_of(decision.row.at) + timedelta(days=held["reconsideration_calendar_days"])
    return Remedy(
        reconsideration_calendar_days=held["reconsideration_calendar_days"],
        reconsideration_not_before=earliest.isoformat(),
        lawsuit_months=held["lawsuit_months"],
        counted_from="receipt of the letter",
        limits_version=held["limits_version"],
        as_stated=stated is not None,
        status="unconfirmed",
    )


async def _record(
    connection: AsyncConnection, actor: Actor, case: CaseRow, issued: Sequence[Decision], at: datetime
) -> None:
    # In a chain of its own, so that reading locks no case; the row names the case for those who look for it.
    ruled = next((each.row for each in reversed(issued) if each.row.rule_hash is not None), None)
    entry = Entry(
        act=Act.RECEIPT_ISSUED,
        actor=actor,
        at=at,
        reference=case.reference,
        employer_id=case.employer_id,
        detail={"decisions": [each.row.seq for each in issued]},
        rule_version=ruled.rule_version if ruled else None,
        rule_hash=ruled.rule_hash if ruled else None,
    )
    await append(connection, f"receipt/{uuid4()}", [entry])
