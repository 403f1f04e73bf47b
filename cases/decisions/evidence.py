"""Saying of a piece of evidence what it proves, and that what it proved has fallen; the rules run again each time."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import JsonValue
from pydantic_core import PydanticCustomError
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case import evidence
from cases.case.file import CaseFile
from cases.case.moves import At
from cases.case.signers import need_reasons, need_round, signature_of, signer
from cases.decisions import cooling
from cases.decisions.facts import run_again
from cases.moves.evidence import EvidenceEvent
from cases.moves.moving import Asked, Spoken, move, need_move
from cases.notices.compose import Said
from cases.programme import Evidence, programme_of
from domain.actors import Actor, Role
from domain.acts import Act
from domain.errors import FieldError, Refused, need
from domain.evidence import (
    EvidenceFallenRequest,
    EvidenceNotice,
    EvidenceReason,
    EvidenceResult,
    EvidenceSeenRequest,
    EvidenceState,
    EvidenceUse,
    SeenResult,
)
from domain.field_errors import FieldCode
from domain.spellings import Place
from domain.stages import CLOSED, Stage
from store.rows.evidence import EvidenceRow


async def see(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    evidence_id: int,
    asked: EvidenceSeenRequest,
) -> None:
    """Keep what an officer says of a piece that they saw, and let the rules run again (R70).

    Raises:
        Refused: `not_found`; `stale_round`; `wrong_stage` for a piece that does not count, or on which a decision
            rests; `invalid` for a value that is none of the item.
    """
    need_move(file, EvidenceEvent.SEE_EVIDENCE, actor)
    row = _need_piece(file, evidence_id)
    if row.state != EvidenceState.GIVEN:
        raise Refused("wrong_stage", words="evidence_left_out")
    need_round(file, asked.round)
    if not _is_open(file, row):
        raise Refused("wrong_stage", words="evidence_decided_on")
    value = _need_value(_declared(file), row, asked)
    body = {"value": value, "seen_in": asked.seen_in, "note": asked.note}
    content = _sealed(file, row, evidence.SEEN, body)
    row.change(
        result=asked.result.value,
        seen_at=at,
        seen=content,
        seen_by=_signed(row, actor),
        fallen_at=None,
        fallen_for=[],
        fallen=None,
    )
    move(file, EvidenceEvent.SEE_EVIDENCE, actor, at)
    hashed = file.person_key.ledger_hash(_plain(body))
    file.record(
        Act.EVIDENCE_SEEN,
        actor,
        at,
        outcome=asked.result.value,
        evidence=row.evidence_id,
        item=row.item,
        content=hashed,
    )
    await look_again(file, connection, at)


async def let_fall(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    evidence_id: int,
    asked: EvidenceFallenRequest,
) -> None:
    """Let what a piece proved count no more: the case is assessed again, or what stands on it is looked at (R71, R72).

    A proposal that waits for its signature rests on what was proved, so that the case goes back to review. A decision
    that was made is kept; what becomes of it is another one's to say.

    Raises:
        Refused: `not_found`; `wrong_stage` for what was not proved; `reason_missing` and so on.
    """
    event = _fall_of(file)
    need_move(file, event, actor)
    row = _need_piece(file, evidence_id)
    if row.result != EvidenceResult.PROVED:
        raise Refused("wrong_stage", words="evidence_not_proved")
    codes = need_reasons(asked.reasons, EvidenceUse.FALL, file.forms, file.words.reasons)
    body = {"notes": [reason.note for reason in asked.reasons], "note": asked.note}
    row.change(seen_by=_signed(row, actor))
    await _fall(file, connection, actor, at, row, codes, body)


async def fall_with_source(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, row: EvidenceRow
) -> None:
    """Let a piece that was taken over fall with what vouched for it, as one falls of which an officer says so.

    A case that is on its way to its first assessment counts it no more from there on.
    """
    codes, body = [EvidenceReason.SOURCE_FELL.value], {"notes": [None], "note": None}
    await _fall(file, connection, actor, at, row, codes, body)


async def _fall(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    row: EvidenceRow,
    codes: Sequence[str],
    body: dict[str, Any],
) -> None:
    event = _fall_of(file)
    row.change(
        result=EvidenceResult.FALLEN.value,
        fallen_at=at,
        fallen_for=list(codes),
        fallen=_sealed(file, row, evidence.FALLEN, body),
    )
    _go_back(file, event, actor, at, row)
    file.record(Act.EVIDENCE_FALLEN, actor, at, reasons=codes, evidence=row.evidence_id, item=row.item)
    await look_again(file, connection, at)
    declared = _declared(file)
    if event is EvidenceEvent.EVIDENCE_FALLS_LATE and declared.falls is not None:
        await declared.falls(file, connection, actor, at, row)


def refuses_seeing(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse where no piece is there of which something could be said."""
    need_move(file, EvidenceEvent.SEE_EVIDENCE, actor)
    counting = [row for row in evidence.evidence_of(file) if row.state == EvidenceState.GIVEN]
    if not counting:
        raise Refused("not_found", words="evidence_unknown")
    if not any(_is_open(file, row) for row in counting):
        raise Refused("wrong_stage", words="evidence_decided_on")


def refuses_fall(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse where nothing is proved that could fall."""
    need_move(file, _fall_of(file), actor)
    if not any(row.result == EvidenceResult.PROVED for row in evidence.evidence_of(file)):
        raise Refused("wrong_stage", words="evidence_not_proved")


def _go_back(file: CaseFile, event: EvidenceEvent, actor: Actor, at: datetime, row: EvidenceRow) -> None:
    if event is EvidenceEvent.PROPOSAL_FALLS:
        holder = signer(need(file.row.pending, "pending")["by"])
        file.row.change(pending_act=None, pending=None)
        file.row.round += 1
        move(file, event, actor, at, asked=Asked(holder=holder), said=_said(file, actor, row))
        return
    moved = move(file, event, actor, at, said=_said(file, actor, row))
    if moved.tasks:
        seen = moved.task.detail.get("evidence", ())
        file.change_task(moved.task, detail={"evidence": sorted({*seen, row.evidence_id})})


def _said(file: CaseFile, actor: Actor, row: EvidenceRow) -> Spoken:
    """Return what is told of what fell elsewhere; nothing of a case that has closed, on which nobody builds."""
    if actor.role is not Role.SYSTEM or file.stage in CLOSED:
        return ()
    return ((EvidenceNotice.SOURCE_FELL, Said(occasion=f"evidence/{row.evidence_id}")),)


async def look_again(file: CaseFile, connection: AsyncConnection, at: datetime) -> None:
    """Let all that rests on what is proved be looked at anew: rules of a case that is decided on, and what follows."""
    programme_of(file).known_anew(file, at)
    if file.stage is not Stage.CORRECTION_REQUESTED and file.stage not in CLOSED:
        await run_again(file, connection, at)


def _fall_of(file: CaseFile) -> EvidenceEvent:
    """Return which row the fall of a piece is where the case stands."""
    if file.stage is Stage.APPROVED or file.stage in CLOSED:
        return EvidenceEvent.EVIDENCE_FALLS_LATE
    # A decision that is signed and cools off stands unless it is taken back.
    waits = file.stage is Stage.AWAITING_CONFIRMATION and cooling.signed(file.row.pending) is None
    return EvidenceEvent.PROPOSAL_FALLS if waits else EvidenceEvent.EVIDENCE_FALLS


def _is_open(file: CaseFile, row: EvidenceRow) -> bool:
    """Whether what a piece proves can still be said: a decision that was made rests on what was said before."""
    return file.stage is Stage.UNDER_REVIEW or row.result is None


def _need_piece(file: CaseFile, evidence_id: int) -> EvidenceRow:
    row = evidence.find_piece(file, evidence_id)
    if row is None:
        raise Refused("not_found", words="evidence_unknown")
    return row


def _need_value(declared: Evidence, row: EvidenceRow, asked: EvidenceSeenRequest) -> JsonValue:
    """Return the value that is proved, as it is kept; None of an item that has none, and of what is not proved."""
    if asked.result is SeenResult.NOT_PROVED:
        return None
    if asked.value is None:
        if row.item in declared.of.values:
            missing = FieldError("value", FieldCode.REQUIRED, "Say what it proves.", words="proved_value")
            raise Refused("invalid", "This item has a value: say what was proved.", [missing])
        return None
    try:
        return declared.of.read_value(row.item, asked.value)
    except PydanticCustomError as error:
        allowed = tuple((error.context or {}).get("allowed", ()))
        wrong = FieldError("value", error.type, error.message(), allowed=allowed)
        raise Refused("invalid", "The value is none that this item has.", [wrong]) from None


def _declared(file: CaseFile) -> Evidence:
    return need(programme_of(file).evidence, "evidence")


def _signed(row: EvidenceRow, actor: Actor) -> list[Any]:
    """Return who said something of a piece, the actor among them."""
    mine = signature_of(actor)
    return [*(each for each in row.seen_by if signer(each) != signer(mine)), mine]


def _plain(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False, sort_keys=True).encode()


def _sealed(file: CaseFile, row: EvidenceRow, place: Place, body: object) -> bytes:
    return file.seal(*place, evidence.place_of(row), body)
