"""The line of a case: the stages of its way, with the days on which they were reached and what is promised."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from cases.acts.views import LineStepView, StepState, TrackStepView
from cases.case.file import CaseFile
from cases.case.moves import At
from cases.case.view import shown_at
from cases.case.views import AnyCaseView
from cases.moves.moving import stage_of
from cases.programme import programme_of
from domain.languages import Language
from domain.stages import CLOSED, Stage
from store.rows.record import LedgerRow
from texts.acts import stage_word, track_stage_word

# The way of a case to its approval; what else there is stands in the place of the stage that it leaves.
_WAY: Final = (Stage.RECEIVED, Stage.ASSESSING, Stage.UNDER_REVIEW, Stage.APPROVED)
# What is on the way only while the case is in it, and after which stage.
_ASIDE: Final = {Stage.CORRECTION_REQUESTED: Stage.ASSESSING, Stage.AWAITING_CONFIRMATION: Stage.UNDER_REVIEW}


def reached(chain: Iterable[LedgerRow]) -> Mapping[Stage, datetime]:
    """Return since when each stage was reached, the last time that it was, by the rows of the ledger of a case."""
    found: dict[Stage, datetime] = {}
    before: Stage | None = None
    for row in chain:
        if "stage" not in (row.detail or {}):
            continue
        stage = Stage(row.detail["stage"])
        if stage is not before:
            found[stage] = row.at
        before = stage
    return found


def line_of(file: CaseFile, seen: AnyCaseView, chain: Sequence[LedgerRow], language: Language) -> list[LineStepView]:
    """Return the line as the reader of the case as it is seen may see it.

    A decision that is hidden is not on it: of what is hidden the stage that is seen stands in the place.
    """
    since, room = reached(chain), programme_of(file).texts
    steps: list[LineStepView] = []
    for stage, state in _steps(seen.stage, since):
        is_now = state is StepState.NOW
        at = None if state is StepState.AHEAD else since.get(stage)
        steps.append(
            LineStepView(
                stage=stage,
                label=stage_word(stage, language, room),
                state=state,
                at=None if at is None else shown_at(at),
                due_at=seen.due_at if is_now else None,
                due_kind=seen.due_kind if is_now else None,
                due_provisional=seen.due_provisional if is_now else False,
            )
        )
    return steps


def _steps(now: Stage, since: Mapping[Stage, datetime]) -> Iterator[tuple[Stage, StepState]]:
    """Yield the steps: what was passed, what it is in, and what is ahead; a case that closed has nothing ahead."""
    if now in CLOSED:
        # One that ended had been approved; none of the others had.
        way = _WAY if now is Stage.ENDED else _WAY[:-1]
        yield from ((stage, StepState.DONE) for stage in way if stage in since)
        yield now, StepState.NOW
        return
    place = _WAY.index(_ASIDE.get(now, now))
    yield from ((stage, StepState.DONE) for stage in _WAY[:place])
    if now in _ASIDE:
        yield _WAY[place], StepState.DONE
    yield now, StepState.NOW
    yield from ((stage, StepState.AHEAD) for stage in _WAY[place + 1 :])


def tracks_of(file: CaseFile, seen: AnyCaseView, language: Language) -> list[TrackStepView]:
    """Return where the tracks of a case stand that have a stage; none while the decision they rest on is hidden."""
    if seen.stage != file.stage:
        return []
    programme = programme_of(file)
    return [
        TrackStepView(
            track=name, key=str(key), stage=stage, label=track_stage_word(name, stage, language, programme.texts)
        )
        for name, track in programme.tracks.items()
        for key in track.keys(file)
        if (stage := stage_of(file, At(name, key))) is not None
    ]
