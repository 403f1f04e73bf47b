"""Where a case stood at a time: the rows of its ledger taken one after the other."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, Protocol

from domain.acts import Act
from domain.reasons import ReasonCode
from domain.renewals import RenewalProposal
from domain.stages import CLOSED, Holder, PendingAct, Stage


class ActRow(Protocol):
    """What is read here of a row of the ledger."""

    @property
    def act(self) -> str:
        """Code of the act."""

    @property
    def outcome(self) -> str | None:
        """What came of it."""

    @property
    def destination(self) -> str | None:
        """Which track it is about; None for the case."""

    @property
    def reason_codes(self) -> Sequence[str] | None:
        """Why it was done."""

    @property
    def detail(self) -> Mapping[str, Any]:
        """Codes that the act needs, `stage` and `round` after it among them."""


_WAITS_FOR: Final[dict[Stage, Holder]] = {
    Stage.RECEIVED: Holder.PARK,
    Stage.ASSESSING: Holder.PARK,
    Stage.UNDER_REVIEW: Holder.PARK,
    Stage.AWAITING_CONFIRMATION: Holder.PARK,
    Stage.CORRECTION_REQUESTED: Holder.EMPLOYER,
}
# What ends a proposal about a renewal, and no other one that waits.
_OF_RENEWALS: Final = frozenset({Act.RENEWAL_WITHDRAWN, Act.RENEWAL_CLOSED})
# In the detail of a decision that cools off: when it takes effect.
SETTLES_AT: Final = "settles_at"
_SETTLED: Final = (Act.SETTLED, Act.RECALLED)
OFFICER: Final = "officer"
STANDING: Final = ReasonCode.EMPLOYER_STANDING.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Folding:
    """How rows of the ledger tell where the tracks of a programme's cases stood, and what was proposed of a case.

    Attributes:
        stage_after: the stage of the row's track after a row; None where it stays.
        proposed: acts after which something of a track waits for a second signature, and what.
        settled: acts after which nothing of a track does.
        anew: acts after which a track has no stage, as if nothing had been made of it.
        brought: acts by which a track came from another case, with as many terms as its detail says (`terms`).
        waits_for: who acts next on a track, by its stage.
        case_proposed: acts after which something of the case waits for one, and what.
        case_settled: acts after which nothing of it does, beside those of any case.
    """

    stage_after: Callable[[ActRow], StrEnum | None]
    proposed: Mapping[str, str] = field(default_factory=dict)
    settled: frozenset[str] = frozenset()
    anew: frozenset[str] = frozenset()
    brought: frozenset[str] = frozenset()
    waits_for: Mapping[StrEnum, Holder] = field(default_factory=dict)
    case_proposed: Mapping[str, str] = field(default_factory=dict)
    case_settled: frozenset[str] = frozenset()


def _stays(row: ActRow) -> None:
    return None


# Of a programme whose cases have no tracks, and of which nothing is proposed beside the decisions of any case.
NO_TRACKS: Final = Folding(stage_after=_stays)


@dataclass(frozen=True, slots=True)
class Stood:
    """Where a case stood: stage, round, proposal, holds, number, and the stage of each track."""

    stage: Stage | None = None
    round: int = 1
    pending_act: str | None = None
    holds: frozenset[str] = frozenset()
    registration_number: str | None = None
    tracks: Mapping[str, StrEnum] = field(default_factory=dict)
    tracks_pending: Mapping[str, str] = field(default_factory=dict)

    @property
    def waits_for(self) -> Holder:
        """Who had to act next on the registration."""
        return _WAITS_FOR.get(self.stage, Holder.NONE) if self.stage is not None else Holder.NONE


def fold(rows: Iterable[ActRow], folding: Folding) -> Stood:
    """Return where a case stands after these rows of its chain, in their order."""
    stood = Stood()
    for row in rows:
        stood = after(stood, row, folding)
    return stood


def after(stood: Stood, row: ActRow, folding: Folding) -> Stood:
    """Return where a case stands after one more row."""
    detail = row.detail
    if "stage" not in detail:
        return stood
    stage, act = Stage(detail["stage"]), row.act
    moved = replace(stood, stage=stage, round=int(detail["round"]))
    moved = _track(moved, act, row, folding)
    moved = _proposal(moved, stood, act, row, folding)
    if act in (Act.DECIDED, Act.CONFIRMED) and detail.get("number"):
        moved = replace(moved, registration_number=detail["number"])
    if (act == Act.RECALLED and row.outcome is None) or act == Act.TRANSFER_NOT_CONFIRMED:
        moved = replace(moved, registration_number=None)
    return _holds(moved, act, row)


def _track(stood: Stood, act: str, row: ActRow, folding: Folding) -> Stood:
    track = row.destination
    if track is None:
        return stood
    # A decision that cools off waits as its proposal did.
    stage = None if SETTLES_AT in row.detail else folding.stage_after(row)
    pending = dict(stood.tracks_pending)
    if act in folding.proposed:
        pending[track] = folding.proposed[act]
    elif SETTLES_AT not in row.detail and (act in _SETTLED or act in folding.settled):
        pending.pop(track, None)
    if act in folding.anew:
        others = {key: at for key, at in stood.tracks.items() if key != track}
        return replace(stood, tracks=others, tracks_pending=pending)
    if stage is None:
        return replace(stood, tracks_pending=pending)
    return replace(stood, tracks={**stood.tracks, track: stage}, tracks_pending=pending)


def _proposal(moved: Stood, before: Stood, act: str, row: ActRow, folding: Folding) -> Stood:
    if row.destination is not None:
        return moved
    if act in folding.case_proposed:
        return replace(moved, pending_act=folding.case_proposed[act])
    if act == Act.DECIDED and moved.stage is Stage.AWAITING_CONFIRMATION:
        return replace(moved, pending_act=row.outcome)
    if act == Act.SET_ASIDE_PROPOSED:
        return replace(moved, pending_act=PendingAct.SET_ASIDE.value)
    if SETTLES_AT in row.detail:
        return moved
    if act in _OF_RENEWALS and moved.pending_act not in frozenset(RenewalProposal) and moved.stage is before.stage:
        return moved
    is_over = (
        act in (Act.REJECTED, Act.CONFIRMED, Act.SET_ASIDE, *_SETTLED, *_OF_RENEWALS) or act in folding.case_settled
    )
    if is_over or moved.stage is not before.stage:
        return replace(moved, pending_act=None)
    return moved


def _holds(stood: Stood, act: str, row: ActRow) -> Stood:
    if stood.stage in CLOSED:
        return replace(stood, holds=frozenset())
    kind = STANDING if list(row.reason_codes or ()) == [STANDING] else OFFICER
    if act == Act.HELD:
        return replace(stood, holds=stood.holds | {kind})
    if act == Act.HOLD_RELEASED:
        return replace(stood, holds=stood.holds - {kind})
    return stood
