"""Running rules again on kept facts, and naming what came out otherwise."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from domain.findings import AssessmentScope, Finding, FindingOutcome
from domain.renewals import RENEWAL_SCOPE
from policy.facts import Facts
from policy.pack import Pack

REGISTRATION_SCOPE: Final = AssessmentScope.FORM.value


@dataclass(frozen=True, slots=True)
class Difference:
    """A rule that found something else than before; None where it then, or now, had nothing to say."""

    code: str
    before: FindingOutcome | None
    now: FindingOutcome | None

    def as_json(self) -> dict[str, str | None]:
        """Return the difference as reports and answers show it."""
        return {"code": self.code, "before": _value(self.before), "now": _value(self.now)}


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a programme, and the facts that they look at.

    Attributes:
        facts: the class of the facts.
        assess: finds what there is to find of a case.
        of_track: the same of a track, by its key.
        looked_at: the facts that a finding rests on, for those that an answer to the first may answer in the second.
        codes: what there is to find; a reason of the same name is about that finding alone.
        of_renewal: finds what there is to find of a renewal; None where cases are not renewed.
        about_answers: what is found when somebody outside answered, from the answer and not from the kept facts, so
            that no rule finds it again.
    """

    facts: type[Facts]
    assess: Callable[[Any, Pack, date], tuple[Finding, ...]]
    of_track: Callable[[Any, str, Pack, date], tuple[Finding, ...]]
    looked_at: Mapping[str, tuple[str, ...]]
    codes: frozenset[str] = frozenset()
    about_answers: frozenset[str] = frozenset()
    of_renewal: Callable[[Any, Pack, date], tuple[Finding, ...]] | None = None


def run_again(rules: Rules, scope: str, facts: Facts, pack: Pack, on: date) -> tuple[Finding, ...]:
    """Return what the rules of a scope find: those of the case, of a renewal, or those of one track."""
    if scope == RENEWAL_SCOPE and rules.of_renewal is not None:
        return rules.of_renewal(facts, pack, on)
    if scope == REGISTRATION_SCOPE:
        return rules.assess(facts, pack, on)
    return rules.of_track(facts, scope, pack, on)


def differences(before: Iterable[Finding], now: Iterable[Finding]) -> tuple[Difference, ...]:
    """Return the rules whose outcome differs, in the order of the rules that stand now."""
    earlier = {finding.code: finding.outcome for finding in before}
    later = {finding.code: finding.outcome for finding in now}
    codes = [*later, *(code for code in earlier if code not in later)]
    return tuple(
        Difference(code, earlier.get(code), later.get(code)) for code in codes if earlier.get(code) != later.get(code)
    )


def _value(outcome: FindingOutcome | None) -> str | None:
    return outcome.value if outcome is not None else None
