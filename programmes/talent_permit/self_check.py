"""What anyone may ask of the talent permit: whether the rules of registration would find something amiss."""

from datetime import date
from typing import Annotated, Final

from pydantic import Field, StrictBool

from cases.shared.self_checks import (
    SelfCheck,
    SelfCheckAnswer,
    SelfCheckFound,
    SelfCheckOrigin,
    SelfCheckOutcome,
    body_rows,
    summed_up,
)
from domain.bodies import Body
from domain.employers import EmployerKind
from domain.fields import Day
from domain.findings import FindingOutcome
from domain.languages import Language
from domain.stages import Standing
from policy.pack import PackShelf
from programmes.talent_permit.known import PermitFacts
from programmes.talent_permit.rules import self_check
from texts.findings import finding_sentence

_OUTCOMES: Final = {
    FindingOutcome.PASS: SelfCheckOutcome.MET,
    FindingOutcome.FAIL: SelfCheckOutcome.NOT_MET,
    FindingOutcome.MISSING: SelfCheckOutcome.NOT_MET,
    FindingOutcome.NEEDS_PERSON: SelfCheckOutcome.UNSURE,
}


class TalentPermitSelfCheck(Body):
    """What is said of a job in the Park and of somebody who is not named; what is left out is not known."""

    employer_kind: EmployerKind | None = None
    employer_has_premises: Annotated[
        StrictBool | None, Field(description="Whether the employer has premises in the Park.")
    ] = None
    contract_start: Day | None = None
    contract_end: Day | None = None
    contract_is_open_ended: StrictBool | None = None
    state_worker: Annotated[
        StrictBool | None, Field(description="Whether the person is a state worker or a serviceman.")
    ] = None
    consent_letter_date: Annotated[Day | None, Field(description="Of the letter of consent of their unit.")] = None
    permit_card_valid_until: Annotated[Day | None, Field(description="The last day of the exit-entry permit.")] = None


def _answers(asked: TalentPermitSelfCheck, shelf: PackShelf, on: date, language: Language) -> SelfCheckAnswer:
    pack = shelf.on(on)
    standing = None if asked.employer_has_premises is None else Standing.GOOD
    facts = PermitFacts(**asked.model_dump(exclude_none=True), employer_standing=standing)
    found = [
        SelfCheckFound(
            code=each.code,
            outcome=_OUTCOMES[each.outcome],
            fact=_fact(each.fields),
            message=finding_sentence(each, language),
            parameters=each.parameters,
        )
        for each in self_check(facts, pack, on)
    ]
    return SelfCheckAnswer(outcome=summed_up(found), found=found, rule_version=pack.version)


_NAMED: Final = {"kind": "employer_kind", "premises": "employer_has_premises", "consent_letter": "consent_letter_date"}


def _fact(fields: tuple[str, ...]) -> str | None:
    """Return the field of the question that a finding is about, by the last of the fields of the form."""
    if not fields:
        return None
    last = fields[-1].rpartition(".")[2]
    return _NAMED.get(last, last)


SELF_CHECK: Final = SelfCheck(asks=TalentPermitSelfCheck, of=frozenset({SelfCheckOrigin.MAINLAND}), answers=_answers)
SELF_CHECK_BODIES: Final = body_rows(TalentPermitSelfCheck)
