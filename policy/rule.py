"""What a rule is: a small function with a code, a source, an audience and the fields and parameters that it reads."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from domain.findings import Audience, Finding, FindingOutcome
from policy.facts import Facts
from policy.pack import Pack

# Judges facts of the class that its programme names.
Judge = Callable[[Any, Pack, date], FindingOutcome | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule; its judge returns None where another rule already speaks for the same fact."""

    code: str
    source: str
    audience: Audience
    fields: tuple[str, ...]
    parameters: tuple[str, ...]
    later: tuple[str, ...]
    judge: Judge

    def apply(self, facts: Facts, pack: Pack, on: date) -> Finding | None:
        """Return what the rule finds on a day, with the parameters it used."""
        outcome = self.judge(facts, pack, on)
        if outcome is None:
            return None
        return Finding(
            code=str(self.code),
            outcome=outcome,
            source=self.source,
            audience=self.audience,
            fields=self.fields,
            parameters=pack.used(*self.parameters, *(name for name in self.later if name in pack.parameters)),
        )


def rule(
    code: str,
    *,
    source: str,
    audience: Audience,
    fields: tuple[str, ...] = (),
    parameters: tuple[str, ...] = (),
    later: tuple[str, ...] = (),
) -> Callable[[Judge], Rule]:
    """Return a decorator that makes a rule of the function that judges.

    `later` names parameters that packs of earlier forms do not have, so that their findings stay as they were.
    """

    def made(judge: Judge) -> Rule:
        return Rule(code, source, audience, fields, parameters, later, judge)

    return made
