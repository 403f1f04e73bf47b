"""Running a case's assessments again: the kept rule version on the kept facts must find the same."""

import contextlib
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile, load_case
from cases.case.view import fact_view
from cases.case.views import AnyFactView
from cases.programme import programme_of
from cases.shared.accesses import note_access
from cases.shared.context import Context
from domain.actors import Actor
from domain.acts import Act
from domain.findings import Finding
from domain.languages import Language
from policy.pack import Pack, PackError
from policy.rerun import differences, run_again
from record.story_views import FindingThen
from store.ledger import Entry
from store.rows.register import AssessmentRow
from store.tables import assessments
from texts.findings import FINDINGS, finding_sentence


@dataclass(frozen=True, kw_only=True)
class RunAgain:
    """A kept assessment, run again: what was kept, and what its rules find now, where they are known still."""

    scope: str
    seq: int
    round: int
    at: datetime
    evaluated_on: date
    rule_version: str
    rule_hash: str
    kept: list[FindingThen]
    recorded_facts: list[AnyFactView]
    turned: list[str]
    rule_hash_now: str | None = None
    now: list[FindingThen] | None = None
    differences: list[dict[str, str | None]] = field(default_factory=list)
    same: bool = False


@dataclass(frozen=True, kw_only=True)
class ReEvaluated:
    """All assessments of a case, run again on the kept facts under the kept rule versions."""

    reference: str
    same: bool
    assessments: list[RunAgain]


async def evaluate_again(context: Context, actor: Actor, reference: str, language: Language) -> ReEvaluated:
    """Run every assessment of a case again, and say where what comes out is not what was kept.

    Raises:
        Refused: `case_unknown`; `facts_erased` once the person's key was destroyed.
    """
    at = context.clock()
    async with context.database.begin(actor.tenant) as connection:
        file = await load_case(context, connection, reference, lock=False)
        query = select(assessments).where(assessments.c.reference == reference).order_by(assessments.c.at)
        kept = AssessmentRow.all_of(await connection.execute(query))
        runs = [_run(context, file, row, language) for row in kept]
        is_same = all(run.same for run in runs)
        pack = _pack(file, file.row.policy_version)
        await _record(connection, actor, at, file, runs, pack, is_same)
    return ReEvaluated(reference=reference, same=is_same, assessments=runs)


def _run(context: Context, file: CaseFile, row: AssessmentRow, language: Language) -> RunAgain:
    place = f"{row.reference}/{row.scope}/{row.seq}"
    rules, on = programme_of(file).rules, row.evaluated_on or file.accepted_on
    found, readable = kept_findings(row.findings)
    before = [finding for finding in found if finding.code not in rules.about_answers]
    kept = RunAgain(
        scope=row.scope,
        seq=row.seq,
        round=row.round,
        at=row.at,
        evaluated_on=on,
        rule_version=row.policy_version,
        rule_hash=row.policy_hash,
        kept=[finding_view(finding, language) for finding in found],
        recorded_facts=_recorded(file, row),
        turned=(row.on_facts or {}).get("turned", []),
    )
    pack = _pack(file, row.policy_version)
    if pack is None:
        return kept
    facts = rules.facts.read(file.open("assessments", "facts", place, row.facts))
    now = run_again(rules, row.scope, facts, pack, on)
    return replace(
        kept,
        rule_hash_now=pack.content_hash,
        now=[finding_view(finding, language) for finding in now],
        differences=[difference.as_json() for difference in differences(before, now)],
        same=readable and list(now) == before and pack.content_hash == row.policy_hash,
    )


def _recorded(file: CaseFile, row: AssessmentRow) -> list[AnyFactView]:
    """Return the facts that officers had recorded and that an assessment rests on, as codes."""
    numbers = (row.on_facts or {}).get("facts", [])
    return [fact_view(fact) for fact in file.facts if fact.number in numbers]


def _pack(file: CaseFile, version: str) -> Pack | None:
    try:
        return file.shelf.version(version)
    except PackError:
        return None


def kept_findings(rows: list[Any]) -> tuple[list[Finding], bool]:
    """Return the kept findings that can be read, and whether all can: an altered one may be none of the rules' own."""
    found: list[Finding] = []
    for row in rows:
        with contextlib.suppress(ValidationError):
            finding = Finding.model_validate(row)
            found += [finding] if finding.code in FINDINGS else []
    return found, len(found) == len(rows)


def finding_view(finding: Finding, language: Language) -> FindingThen:
    """Return a finding with its sentence, which an outcome that no rule can have does not have."""
    known = finding.outcome in FINDINGS[finding.code]
    message = finding_sentence(finding, language) if known else ""
    return FindingThen(**finding.model_dump(mode="json"), message=message)


async def _record(
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    file: CaseFile,
    runs: list[RunAgain],
    pack: Pack | None,
    same: bool,
) -> None:
    entry = Entry(
        act=Act.EVALUATED_AGAIN,
        actor=actor,
        at=at,
        employer_id=file.employer_id,
        detail={"cases": [file.reference], "assessments": len(runs)},
        outcome="same" if same else "differs",
        rule_version=file.row.policy_version,
        rule_hash=bytes.fromhex(pack.content_hash) if pack is not None else None,
    )
    await note_access(connection, entry)
