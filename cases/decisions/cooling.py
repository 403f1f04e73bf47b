"""Decisions against somebody, which cool off: signed, told to nobody outside, and taken back until they take effect.

A refusal, a revocation and a permit withheld are such (R14, R25, P3). Until then the case, or its track, keeps the
proposal under `pending` with `effect`, who gave the last signature and from when it holds, and stands as it stood while
the signature was waited for: so whoever reads a proposal as something that is not yet, reads the decision so too.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from cases.case.file import CaseFile
from cases.case.moves import At
from cases.case.signers import EFFECT, is_same, signature_of
from cases.deadlines import park_clock
from cases.decisions import proposals
from cases.decisions.proposals import Matter
from cases.decisions.settling import close_unregistered, letter, remedy_stated
from cases.moves.front_half import Event
from cases.moves.moving import move, need_move
from cases.programme import Cooling, Decided, programme_of
from domain.actors import Actor, Role
from domain.acts import Act
from domain.deadlines import DeadlineKind
from domain.errors import Refused
from domain.folding import SETTLES_AT
from domain.signatures import CoolingSignature
from domain.stages import PendingAct
from store.rows.work import DeadlineRow

_OVER: Final = "The time for taking it back is over; the decision stands."


def cooling_of(file: CaseFile, act: str) -> Cooling | None:
    """Return how what was proposed cools off once it is signed, or None for what takes effect at once."""
    return REFUSAL if act == PendingAct.REFUSE else programme_of(file).cooling.get(act)


def signed(kept: Mapping[str, Any] | None) -> CoolingSignature | None:
    """Return the signature from which a proposal cools off, or None while one is waited for."""
    found: CoolingSignature | None = None if kept is None else kept.get(EFFECT)
    return found


def need_not_signed(file: CaseFile) -> None:
    """Refuse what comes too late for a case whose decision is signed, though nobody outside knows yet."""
    if signed(file.row.pending) is not None:
        raise Refused("wrong_stage", "The decision is signed and cools off; it stands unless it is taken back.")


def sign(matter: Matter, cooling: Cooling, actor: Actor, at: datetime) -> None:
    """Let a decision cool off with its last signature; with no time to cool off it takes effect with it."""
    file = matter.file
    reasons, _ = proposals.read(matter)
    settles_at = at + file.context.limits.cooling
    need_move(file, cooling.signed, actor, matter.track)
    by = signature_of(actor)
    effect: CoolingSignature = {
        "issuer": by["issuer"], "subject": by["subject"], "role": by["role"],
        "at": at.isoformat(), "settles_at": settles_at.isoformat(),
    }  # fmt: skip
    if matter.track is None:
        since = file.row.clock_since
        effect["days_used"], effect["overdue"] = file.row.days_used, file.row.overdue
        effect["clock_since"] = since.isoformat() if since else None
    promised = park_clock.promised(file, at) if matter.track is None else {}
    matter.change(at, pending=matter.kept | {EFFECT: effect})
    move(file, cooling.signed, actor, at, track=matter.track)
    if settles_at <= at:
        # As ever where nothing cools off: one row of the ledger tells that it was decided, and what came of it.
        told = cooling.effect(file, actor, at, Decided(actor, at, reasons, matter.destination))
        _record(matter, cooling, actor, at, [reason.code for reason in reasons], **promised, **told)
        cooling.follows(file, actor, at, matter.destination)
        return
    codes = [reason.code for reason in reasons]
    _record(matter, cooling, actor, at, codes, **promised, **{SETTLES_AT: settles_at.isoformat()})
    file.set_deadline(DeadlineKind.TAKES_EFFECT, settles_at, destination=matter.destination or "")


def _record(matter: Matter, cooling: Cooling, actor: Actor, at: datetime, codes: list[str], **detail: object) -> None:
    file = matter.file
    remedy = remedy_stated(file)
    file.record(
        cooling.act, actor, at,
        outcome=cooling.outcome, destination=matter.destination, reasons=codes, remedy=remedy, **detail,
    )  # fmt: skip


def pass_deadline(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Let a decision take effect, once nobody can take it back any more."""
    take_effect(file, actor, at, deadline.destination or None)


def take_effect(file: CaseFile, actor: Actor, at: datetime, key: str | None = None) -> bool:
    """Let what is signed of the case, or of its track of a key, take effect now; return whether there was anything.

    What ends a case meanwhile does so too: the first recorded stands.
    """
    matter = _matter(file, key)
    effect = None if matter is None else signed(matter.row.pending)
    if matter is None or effect is None:
        return False
    act = matter.act
    reasons, _ = proposals.read(matter)
    cooling = _need_cooling(file, act)
    file.cancel_deadlines(DeadlineKind.TAKES_EFFECT, destination=key or "")
    by = Actor(issuer=effect["issuer"], subject=effect["subject"], role=Role(effect["role"]))
    decided = Decided(by, datetime.fromisoformat(effect["at"]), reasons, key)
    told = cooling.effect(file, actor, at, decided)
    file.record(Act.SETTLED, actor, at, outcome=act, destination=key, **told)
    cooling.follows(file, actor, at, key)
    return True


def refuses_recall(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse to take back a decision that has taken effect, or that is none."""
    matter = _matter(file, track.key if track else None)
    effect = None if matter is None else signed(matter.row.pending)
    if matter is None or effect is None:
        raise Refused("wrong_stage", "No decision cools off that could be taken back.")
    if datetime.fromisoformat(effect["settles_at"]) <= at:
        raise Refused("wrong_stage", _OVER)
    if not is_same(actor, effect):
        raise Refused("role_not_allowed", "Only the one who signed the decision last may take it back.")


def recall(file: CaseFile, actor: Actor, at: datetime, track: At | None = None) -> None:
    """Take a decision back before it took effect: nobody outside was told, and nobody is (R14a, R25a, P3a)."""
    refuses_recall(file, actor, track, at)
    key = track.key if track else None
    matter = _matter(file, key)
    assert matter is not None
    act, effect = matter.act, matter.kept[EFFECT]
    cooling = _need_cooling(file, act)
    need_move(file, cooling.recalled, actor, track)
    matter.change(at, pending_act=None, pending=None)
    file.cancel_deadlines(DeadlineKind.TAKES_EFFECT, destination=key or "")
    if track is None:
        file.row.round += 1
        park_clock.put_back(file, effect)
    move(file, cooling.recalled, actor, at, track=track)
    file.record(Act.RECALLED, actor, at, outcome=act, destination=key)
    cooling.taken_back(file, actor, at)


def _matter(file: CaseFile, key: str | None) -> Matter | None:
    """Return the case, or its track of a key, as what was proposed is about."""
    if not key:
        return proposals.of_case(file)
    for name, track in programme_of(file).tracks.items():
        if file.track(track.table, key) is not None:
            return proposals.of_track(file, At(name, key))
    return None


def _need_cooling(file: CaseFile, act: str) -> Cooling:
    found = cooling_of(file, act)
    if found is None:
        raise TypeError(f"{act} does not cool off")
    return found


def _refuse(file: CaseFile, actor: Actor, at: datetime, decided: Decided) -> Mapping[str, Any]:
    """Refuse by a letter that says why and what can be done (R14)."""
    close_unregistered(file)
    move(file, Event.REFUSED, actor, at, said=letter(file, decided.by, decided.at, decided.reasons))
    return {}


# Of any case.
REFUSAL: Final = Cooling(
    act=Act.CONFIRMED, outcome=PendingAct.REFUSE, signed=Event.CONFIRM_REFUSAL, recalled=Event.RECALL, effect=_refuse
)
