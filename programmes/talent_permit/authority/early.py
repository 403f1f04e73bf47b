"""Taking kept answers of the authority: by the stage of their permit, and early ones once their turn has come."""

from datetime import datetime
from typing import Final

from cases.case.file import CaseFile
from domain.actors import Actor
from domain.answers import AnswerState
from programmes.talent_permit.authority import applying, inbox
from programmes.talent_permit.permit_stages import Destination
from programmes.talent_permit.words import PermitDeadline
from store.rows.authority import AnswerRow


def take_answer(file: CaseFile, actor: Actor, at: datetime, kept: AnswerRow) -> None:
    """Do with a kept answer what the permit's stage now says."""
    answer = inbox.read_kept(file, kept)
    state = applying.judge(file, answer)
    file.change_answer(kept, state.value)
    _TAKEN[state](file, actor, at, answer, kept.answer_id)


def take_early(file: CaseFile, actor: Actor, at: datetime, destination: Destination, *, hold: bool = False) -> None:
    """Take the answers that came too early, once their turn has come (P25); hold: those too whose turn never came."""
    while True:
        early = _early(file, destination)
        ripe = [a for a in early if applying.judge(file, inbox.read_kept(file, a)) is not AnswerState.EARLY]
        if not ripe:
            break
        take_answer(file, actor, at, ripe[0])
    for kept in early if hold else []:
        file.change_answer(kept, AnswerState.HELD.value)
        applying.hold(file, actor, at, inbox.read_kept(file, kept), kept.answer_id)
    if not _early(file, destination):
        file.cancel_deadlines(PermitDeadline.EARLY_ANSWER, destination=destination.value)


def _early(file: CaseFile, destination: Destination) -> list[AnswerRow]:
    """Return the early answers about a permit in the order in which they were given.

    Answers about a further term were kept as `renewal` by versions of before, which opened none.
    """
    waiting = (AnswerState.EARLY, AnswerState.RENEWAL)
    kept = [a for a in file.answers if a.state in waiting and a.destination == destination]
    return sorted(kept, key=lambda a: a.occurred_at)


_TAKEN: Final = {
    AnswerState.APPLIED: applying.apply,
    AnswerState.RECORDED: applying.fill_in,
    AnswerState.EARLY: applying.keep_early,
    AnswerState.HELD: applying.hold,
}
