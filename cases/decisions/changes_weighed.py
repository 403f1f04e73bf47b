"""What the rules find of a case, and would find with a change: before a decision its own rules, after it the day's."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case import facts as case_facts
from cases.case.change_views import RuleWeighedView
from cases.case.file import CaseFile
from cases.decisions import assessing
from cases.programme import Changing, programme_of
from domain.case_facts import short_of
from domain.findings import STANDING_IN_THE_WAY, Finding
from domain.forms import Form
from domain.stages import Stage
from policy.facts import Facts
from policy.rerun import REGISTRATION_SCOPE, run_again


async def rules_on(
    file: CaseFile, connection: AsyncConnection, at: datetime, changing: Changing, whole: Form, fields: Collection[str]
) -> list[RuleWeighedView]:
    """Return what each rule that looks at a changed field finds before and after, of the case and of each track."""
    before, after = await _facts(file, connection, at, whole)
    by, rules = await by_of(file, connection, at), programme_of(file).rules
    scopes = [REGISTRATION_SCOPE]
    if file.stage is Stage.APPROVED:
        scopes += changing.scopes(file, whole)
    found: list[RuleWeighedView] = []
    for scope in scopes:
        now, then = (
            {finding.code: finding for finding in run_again(rules, scope, facts, by.pack, by.on)}
            for facts in (before, after)
        )
        for code in now | then:
            looked = (then.get(code) or now[code]).fields
            if {short_of(name) or name for name in looked} & set(fields):
                found.append(
                    RuleWeighedView(
                        scope=scope,
                        code=code,
                        fields=looked,
                        now=now[code].outcome if code in now else None,
                        then=then[code].outcome if code in then else None,
                    )
                )
    return found


async def would_fail(file: CaseFile, connection: AsyncConnection, at: datetime, whole: Form) -> list[Finding]:
    """Return what would stand in the way once a change is taken and does not now, by the rules that it is judged by."""
    by, assess = await by_of(file, connection, at), programme_of(file).rules.assess
    before, after = (assess(facts, by.pack, by.on) for facts in await _facts(file, connection, at, whole))
    stood = {finding.code for finding in before if finding.outcome in STANDING_IN_THE_WAY}
    return [each for each in after if each.outcome in STANDING_IN_THE_WAY and each.code not in stood]


async def by_of(file: CaseFile, connection: AsyncConnection, at: datetime) -> assessing.By:
    """Return the rules that a change is judged by: before a decision those of the case, after it those of the day."""
    is_decided = file.stage is Stage.APPROVED
    return await assessing.of_day(file, connection, at) if is_decided else assessing.of_acceptance(file)


async def _facts(file: CaseFile, connection: AsyncConnection, at: datetime, whole: Form) -> tuple[Facts, Facts]:
    """Return what the rules look at: as it is known, and as it would be with a change."""
    on, in_force = (await by_of(file, connection, at)).on, assessing.is_in_force(file, at)
    known_now = await assessing.known_facts(file, connection, at, in_force=in_force, on=on)
    would_be = case_facts.known(file, whole)
    return known_now.facts, await programme_of(file).gather(file, connection, would_be, at, in_force, on)
