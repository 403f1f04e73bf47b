"""Taking over what another case vouches for, and letting it fall with that (R71 to R73).

Each verb is a step of one case. The other case is read, and changed by nothing but steps of its own.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case import evidence
from cases.case.file import CaseFile, load_case
from cases.decisions.evidence import fall_with_source, look_again
from cases.moves.evidence import EvidenceEvent
from cases.moves.moving import move, need_move
from cases.once_only import standing
from cases.once_only.facts import Fact, find_fact, vouches
from cases.once_only.offers import is_taken, taking
from cases.programme import Body, programme_of
from domain.actors import Actor, Role
from domain.acts import Act
from domain.errors import Defect, Refused, need
from domain.evidence import EvidenceResult, EvidenceState
from domain.once_only import Consent


async def take_over(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    """Keep a fact that another case vouches for as a piece of evidence that is proved, and run the rules again (R73).

    Raises:
        Refused: `not_found` for what is not on offer; `wrong_stage` after the decision, for what is not vouched for
            any more and for a release that was taken back; `already_decided` for what was taken over before.
    """
    need_move(file, EvidenceEvent.TAKE_OVER, actor)
    source = body.get("source")
    if source is None:
        raise Refused("not_found", words="offer_unknown")
    if file.previewed:
        return
    item, fact = body["item"], await _vouched(file, connection, source)
    found = None if fact is None else taking(file, fact, item)
    if fact is None or found is None:
        raise Refused("wrong_stage", words="offer_gone")
    if is_taken(file, fact, item):
        raise Refused("already_decided", words="taken_over_before")
    taken, value = found
    given: dict[str, Any] = {"item": item, "kind": taken.kind, "issuer": fact.issuer, "date": fact.on}
    given |= {"number": fact.paper, "value": value}
    piece = need(programme_of(file).evidence, "evidence").of.model_validate(given)
    row = evidence.add(file, piece, at, taken_from=(fact.reference, fact.number))
    seen = {"value": value, "seen_in": None, "note": None}
    row.change(
        result=EvidenceResult.PROVED.value,
        seen_at=fact.seen_at,
        seen=file.seal(*evidence.SEEN, evidence.place_of(row), seen),
        # Whoever saw it there proved it here as well, and is kept apart from the decision.
        seen_by=list(fact.seen_by),
    )
    await _keep(file, connection, actor, at, fact, row.evidence_id, body)
    move(file, EvidenceEvent.TAKE_OVER, actor, at)
    file.record(Act.EVIDENCE_TAKEN_OVER, actor, at, evidence=row.evidence_id, item=item, programme=fact.programme)
    await look_again(file, connection, at)


async def vouch(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    """Keep that something was taken over from the case, and tell of what it does not vouch for any more."""
    file.record(Act.EVIDENCE_VOUCHED, actor, at)
    if not file.previewed:
        await standing.look_again(file, connection, at)


async def source_fell(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Body) -> None:
    """Let what the case had taken over fall with what vouched for it; what fell or was left out before stays so."""
    if file.previewed:
        return
    for each in await standing.fallen_of(file, connection):
        row = evidence.find_piece(file, each.to_evidence or 0)
        if row is not None and row.result == EvidenceResult.PROVED and row.state == EvidenceState.GIVEN:
            await fall_with_source(file, connection, actor, at, row)


async def _vouched(file: CaseFile, connection: AsyncConnection, source: dict[str, Any]) -> Fact | None:
    """Return what the other case vouches for as it stands now, or None where it does not, or is another person's."""
    try:
        other = await load_case(file.context, connection, source["reference"])
        if other.row.person_id != file.row.person_id or not vouches(other):
            return None
        return find_fact(other, source["item"], source["number"])
    except (Refused, Defect):
        return None


async def _keep(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    fact: Fact,
    to_evidence: int,
    body: Body,
) -> None:
    if body["release"] is not None:
        release = UUID(body["release"])
        await standing.take_by_release(file, connection, fact, body["item"], to_evidence, at, release)
        return
    by = Consent.PERSON if actor.role is Role.PERSON else Consent.EMPLOYER
    if by is Consent.EMPLOYER and fact.owner != file.employer_id:
        raise Refused("wrong_stage", words="offer_gone")
    await standing.take(file, connection, fact, body["item"], to_evidence, at, by=by)
