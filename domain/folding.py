"""Where a case stood at a time: the rows of its ledger taken one after the other."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from domain.acts import Act, ActMeaning
from domain.reasons import ReasonCode
from domain.stages import CLOSED, Holder, PermitStage, Stage
from domain.words import Words


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
        """Whose permit it is about; None for the registration."""

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
_PERMIT_WAITS_FOR: Final[dict[str, Holder]] = {
    PermitStage.ELIGIBLE: Holder.PARK,
    PermitStage.SUBMITTED: Holder.PERSON,
    PermitStage.ACCEPTED: Holder.AUTHORITY,
}
OFFICER: Final = "officer"
STANDING: Final = ReasonCode.EMPLOYER_STANDING.value


@dataclass(frozen=True, slots=True)
class Stood:
    """Where a case stood: stage, round, proposal, holds, number, and the stage of each permit."""

    stage: Stage | None = None
    round: int = 1
    pending_act: str | None = None
    holds: frozenset[str] = frozenset()
    registration_number: str | None = None
    permits: Mapping[str, str] = field(default_factory=dict)
    permits_pending: Mapping[str, str] = field(default_factory=dict)

    @property
    def waits_for(self) -> Holder:
        """Who had to act next on the registration."""
        return _WAITS_FOR.get(self.stage, Holder.NONE) if self.stage is not None else Holder.NONE

    def permit_waits_for(self, destination: str) -> Holder:
        """Who had to act next on a permit."""
        stage = self.permits.get(destination)
        return _PERMIT_WAITS_FOR.get(stage, Holder.NONE) if stage is not None else Holder.NONE


def fold(words: Words, rows: Iterable[ActRow]) -> Stood:
    """Return where a case stands after these rows of its chain, in their order."""
    stood = Stood()
    for row in rows:
        stood = after(words, stood, row)
    return stood


def after(words: Words, stood: Stood, row: ActRow) -> Stood:
    """Return where a case stands after one more row."""
    detail = row.detail
    if "stage" not in detail:
        return stood
    stage, act = Stage(detail["stage"]), row.act
    moved = replace(stood, stage=stage, round=int(detail["round"]))
    moved = _track(moved, words.act(act), row)
    moved = _proposal(moved, stood, words.act(act), row)
    if act in (Act.DECIDED, Act.CONFIRMED) and detail.get("number"):
        moved = replace(moved, registration_number=detail["number"])
    if act == Act.RECALLED:
        moved = replace(moved, registration_number=None)
    return _holds(moved, act, row)


def _track(stood: Stood, meaning: ActMeaning, row: ActRow) -> Stood:
    destination = row.destination
    if destination is None:
        return stood
    stage = meaning.track_stages.get(row.outcome or "", meaning.track_stage)
    if row.detail.get("after_end"):
        stage = None
    pending = dict(stood.permits_pending)
    if meaning.pending is not None:
        pending[destination] = str(meaning.pending)
    elif meaning.ends_pending:
        pending.pop(destination, None)
    if stage is None:
        return replace(stood, permits_pending=pending)
    return replace(stood, permits={**stood.permits, destination: stage}, permits_pending=pending)


def _proposal(moved: Stood, before: Stood, meaning: ActMeaning, row: ActRow) -> Stood:
    if row.destination is not None:
        return moved
    if meaning.pending is not None:
        return replace(moved, pending_act=str(meaning.pending))
    if row.act == Act.DECIDED and moved.stage is Stage.AWAITING_CONFIRMATION:
        return replace(moved, pending_act=row.outcome)
    if meaning.ends_pending or moved.stage is not before.stage:
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
