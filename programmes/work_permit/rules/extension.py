"""Whether an extension is asked for in time [S69]; what is asked later is for an officer, and never refused by it."""

from datetime import date

from domain.findings import Audience, Finding, FindingOutcome
from policy.pack import Pack
from policy.rule import rule
from policy.standing import ParameterStatus
from programmes.work_permit.findings import WorkPermitFinding
from programmes.work_permit.rules.conditions import WorkPermitFacts, assess


@rule(
    WorkPermitFinding.EXTENSION_LATE,
    source="S69: 30 to 90 days before the end",
    audience=Audience.EMPLOYER,
    fields=("work_permit.valid_until",),
    parameters=("extension_closes_days",),
)
def in_time(facts: WorkPermitFacts, pack: Pack, on: date) -> FindingOutcome | None:
    """Find so many days left on the day, the last of them in; a bound that nobody confirmed makes no failure."""
    if facts.work_permit_until is None:
        return None
    bound = pack.parameter("extension_closes_days")
    if (facts.work_permit_until - on).days >= pack.integer("extension_closes_days"):
        return FindingOutcome.PASS
    return FindingOutcome.FAIL if bound.status is ParameterStatus.CONFIRMED else FindingOutcome.NEEDS_PERSON


def of_renewal(facts: WorkPermitFacts, pack: Pack, on: date) -> tuple[Finding, ...]:
    """Return what the rules of a day find of a permit that is to be extended, and whether it was asked in time."""
    late = in_time.apply(facts, pack, on)
    return assess(facts, pack, on) + (() if late is None else (late,))
