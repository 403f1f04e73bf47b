"""The letter of a decision as its reader would get it, before anything is decided or stored."""

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from cases.case.bundles import Foretold
from cases.case.file import CaseFile, load_case
from cases.case.reads import record_read
from cases.case.signers import need_no_conflict
from cases.decisions import cooling, review, settling
from cases.programme import Decided
from cases.shared.context import Context
from domain.actors import Actor
from domain.decisions import DecisionAction, DecisionRequest
from domain.errors import Refused
from domain.languages import Language
from domain.notices import Recipient
from domain.purposes import Purpose
from domain.stages import PendingAct

# In the place of a number that is given only with the approval.
NO_NUMBER: Final = "……"
_NAMES: Final = ("name_zh", "name_en")


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterView:
    """What one reader would get."""

    kind: str
    to: Recipient
    language: Language
    subject: str
    text: Annotated[str, Field(description="The exact words, but for a number that is given only with the approval.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class LettersView:
    """What those outside would get of a decision, once it takes effect."""

    letters: list[LetterView]
    needs_second_signature: bool


async def foretell_decision(
    context: Context, actor: Actor, reference: str, asked: DecisionRequest, purpose: Purpose | None
) -> LettersView:
    """Return the letters that would go out if an officer decided so and it took effect now.

    The letters name the person, so that reading them is a ledger act with a purpose.

    Raises:
        Refused: `purpose_missing`; else as the decision itself would be.
    """
    if purpose is None:
        raise Refused("purpose_missing", "Say in the header Purpose what the letter is read for.")
    at = context.clock()
    async with context.database.begin(actor.tenant, case=reference) as connection:
        file = await load_case(context, connection, reference)
        need_no_conflict(file, actor)
        file.previewed, file.foretold = True, []
        await review.decide(file, connection, actor, at, asked)
        waits = file.row.pending_act
        if waits == PendingAct.REFUSE:
            cooling.REFUSAL.effect(file, actor, at, Decided(actor, at, asked.reasons, None))
        elif waits == PendingAct.APPROVE:
            codes = [reason.code for reason in asked.reasons]
            await settling.approve(file, connection, actor, at, codes, note=asked.note, confirmed=True)
        letters = [_letter(file, each, asked.action) for each in file.foretold]
        # A file of its own: the one that was tried stands where no case does.
        read = await load_case(context, connection, reference)
        await record_read(connection, actor, [read], _NAMES, purpose, at)
    return LettersView(letters=letters, needs_second_signature=waits is not None)


def _letter(file: CaseFile, each: Foretold, action: DecisionAction) -> LetterView:
    number = file.row.registration_number if action is DecisionAction.APPROVE else None

    def said(text: str) -> str:
        return text if number is None else text.replace(number, NO_NUMBER)

    return LetterView(
        kind=each.kind,
        to=each.recipient,
        language=each.language,
        subject=said(each.text.subject),
        text=said(each.text.text),
    )
