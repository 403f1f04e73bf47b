"""Proposals that take effect with a second signature, of a case or of a track of it: kept, asked about, given back.

Whoever proposes keeps one under `pending`, and what became of it under `rejected`: by whom, when, codes in clear, notes
sealed at the place of the one or the other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from cases.case.file import CaseFile
from cases.case.moves import At
from cases.case.signers import (
    given,
    need_last_missing,
    need_reasons,
    notes_of,
    signature_of,
    signer,
    signers_of,
    with_notes,
    with_signature,
)
from cases.decisions.second_signature import SecondSignature, Verdict
from cases.moves.apart import need_apart
from cases.moves.front_half import Event
from cases.moves.moving import Asked, move
from cases.notices.compose import Said
from cases.programme import programme_of
from cases.tasks.review import give_back
from domain.actors import Actor
from domain.acts import Act
from domain.decisions import ConfirmationAction, ConfirmationRequest, GivenReason, PermitConfirmationRequest
from domain.errors import need
from domain.reasons import Use
from domain.signatures import Signature
from domain.tasks import TaskKind

_OF_CASE = SecondSignature(one_waits="already_decided")


class Place(NamedTuple):
    """What the notes of a proposal are sealed for: the place of the column, and the row."""

    table: str
    row: str


class Proposed(Protocol):
    """The columns of a row that keeps a proposal."""

    pending_act: str | None
    pending: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """What a proposal is about: a case, or a track of it.

    Attributes:
        file: the case.
        row: what keeps the proposal.
        change: sets columns of the row at a time.
        pending: the place of the proposal's notes.
        rejected: the place of those of its rejection.
        track: the track; None for the case.
        rule: what a proposal asks of its signatures.
    """

    file: CaseFile
    row: Proposed
    change: Callable[..., None]
    pending: Place
    rejected: Place
    track: At | None = None
    rule: SecondSignature = _OF_CASE

    @property
    def destination(self) -> str | None:
        """The key of the track."""
        return self.track.key if self.track else None

    @property
    def act(self) -> str:
        """What was proposed."""
        return need(self.row.pending_act, "pending_act")

    @property
    def kept(self) -> dict[str, Any]:
        """What is kept of the proposal that waits."""
        return need(self.row.pending, "pending")


def of_case(file: CaseFile) -> Matter:
    """Return a case as what a proposal of this round is about."""

    def change(_at: datetime, **values: Any) -> None:
        file.row.change(**values)

    return Matter(
        file=file,
        row=file.row,
        change=change,
        pending=Place("registrations", f"{file.reference}/{file.round}"),
        rejected=Place("registrations", f"{file.reference}/rejected"),
    )


def of_track(file: CaseFile, track: At, rule: SecondSignature = _OF_CASE) -> Matter:
    """Return a track of a case, whose row is there, as what a proposal is about."""
    table = programme_of(file).tracks[track.track].table
    row = need(file.track(table, track.key), "track")

    def change(at: datetime, **values: Any) -> None:
        file.set_track(table, track.key, at, **values)

    place = f"{file.reference}/{track.key}"
    return Matter(
        file=file,
        row=row,
        change=change,
        pending=Place(table.name, place),
        rejected=Place(table.name, f"{place}/rejected"),
        track=track,
        rule=rule,
    )


def need_no_proposal(file: CaseFile) -> None:
    """Refuse a proposal on a case while another one waits."""
    _OF_CASE.need_none(file.row.pending_act)


def propose(
    matter: Matter,
    actor: Actor,
    at: datetime,
    act: str,
    reasons: Sequence[GivenReason],
    note: str | None,
    **more: Any,
) -> None:
    """Keep a proposal; `more` stands with it."""
    kept = _kept(matter.file, actor, at, matter.pending, reasons, note, **more)
    matter.change(at, pending_act=str(act), pending=kept)


def read(matter: Matter) -> tuple[tuple[GivenReason, ...], str | None]:
    """Return reasons with their notes, and the staff note, of the proposal that waits."""
    place, kept = matter.pending, matter.kept
    notes = matter.file.open(place.table, "note", place.row, bytes.fromhex(kept["notes"]))
    return with_notes(kept["reasons"], notes["reasons"]), notes["note"]


def sign(matter: Matter, actor: Actor, action: ConfirmationAction) -> Verdict:
    """Return what the actor's signature on the proposal that waits comes to.

    Raises:
        Refused: `wrong_stage` where nothing waits; `already_decided` after the last one; `role_not_allowed`;
            `same_signer`; `evidence_seen_by_decider`.
    """
    kept = matter.rule.need_waiting(matter.row.pending)
    need_last_missing(kept)
    need_apart(matter.file, actor)
    wanted = programme_of(matter.file).signers.get(matter.act, matter.rule.signers)
    return matter.rule.of(wanted).sign(actor, signers_of(kept), action)


def add_signature(matter: Matter, actor: Actor, at: datetime, occasion: str, due: Mapping[str, Any]) -> None:
    """Keep a signature after which another one is still missing, and ask the next person for it."""
    file, act = matter.file, matter.act
    signed = with_signature(matter.kept, actor)
    matter.change(at, pending=signed)
    file.record(Act.SIGNED, actor, at, destination=matter.destination, outcome=act)
    task = file.find_task(TaskKind.CONFIRM, matter.destination)
    if task is not None:
        give_back(file, task)
    said = Said(occasion=f"{occasion}/{len(signers_of(signed))}", facts={"pending_act": act, **due})
    move(file, Event.SIGN, actor, at, track=matter.track, said=said)


def reject(
    matter: Matter,
    event: str,
    actor: Actor,
    at: datetime,
    asked: ConfirmationRequest | PermitConfirmationRequest,
    *,
    occasion: str | None = None,
    **facts: Any,
) -> None:
    """Clear a proposal whose signature is withheld, keep why, and let the case go where its rejection takes it.

    The row of the ledger comes last, since it says where the case stands after it.

    Raises:
        Refused: where no reason is given, or one is of another use.
    """
    need_reasons(asked.reasons, Use.REJECT, matter.file.forms, matter.file.words.reasons)
    act = matter.act
    proposed_by: Signature = matter.kept["by"]
    why = _kept(matter.file, actor, at, matter.rejected, asked.reasons, asked.note, act=act)
    matter.change(at, pending_act=None, pending=None, rejected=why)
    said = said_of(act, proposed_by, asked, occasion=occasion, **facts)
    holder = signer(proposed_by)
    move(matter.file, event, actor, at, track=matter.track, asked=Asked(holder=holder), said=said)
    codes = [reason.code for reason in asked.reasons]
    matter.file.record(Act.REJECTED, actor, at, destination=matter.destination, outcome=act, reasons=codes)


def said_of(
    act: str,
    proposed_by: Signature,
    asked: ConfirmationRequest | PermitConfirmationRequest,
    *,
    occasion: str | None = None,
    **facts: Any,
) -> Said:
    """Return what is said to who proposed, of why the second signature was not given."""
    holder, about = signer(proposed_by), {"pending_act": act, "note": asked.note, **facts}
    return Said(occasion=occasion, facts=about, reasons=asked.reasons, holder=holder)


def _kept(
    file: CaseFile,
    actor: Actor,
    at: datetime,
    place: Place,
    reasons: Sequence[GivenReason],
    note: str | None,
    **more: Any,
) -> dict[str, Any]:
    """Return what is kept of a proposal, or of its rejection; `more` stands with it."""
    notes = {"note": note, "reasons": [reason.note for reason in reasons]}
    return {
        "by": signature_of(actor),
        "at": at.isoformat(),
        "reasons": given(reasons),
        "notes": notes_of(file, place.table, place.row, notes),
        **more,
    }
