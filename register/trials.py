"""Trying a draft of a rule pack on past cases: who would flip, and by which rule."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time
from itertools import groupby
from typing import Any, Final, NamedTuple
from uuid import UUID

import rfc8785
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.programme import programme
from cases.shared.accesses import note_access
from cases.shared.context import Context, code_of_pack
from domain.actors import Actor
from domain.acts import Act
from domain.clock import CHINA, day_of
from domain.errors import Refused, need
from domain.findings import Finding, outcome_of
from domain.spellings import POLICY_CHAIN, POLICY_LOCK
from policy.pack import Pack
from policy.rerun import REGISTRATION_SCOPE, Rules, differences, run_again
from store.encryption import WrappedKey, unwrap
from store.joined_keys import key_id_of
from store.ledger import Entry, append
from store.rows.rules import TrialRow
from store.tables import rule_trials

_PAGE: Final = 500
# The newest assessment of each scope of a page of cases, with the key under which the facts are sealed.
_ASSESSED: Final = text(f"""
    WITH chosen AS (
        SELECT r.reference, r.person_id, r.joined_key, r.employer_id, r.stage, r.accepted_at FROM cases r
        WHERE r.programme = CAST(:programme AS text) AND r.accepted_at >= CAST(:since AS timestamptz)
        AND r.reference > CAST(:after AS text)
        AND EXISTS (SELECT 1 FROM assessments a WHERE a.reference = r.reference)
        ORDER BY r.reference LIMIT CAST(:page AS integer))
    SELECT c.reference, c.employer_id, c.stage, c.accepted_at, a.scope, a.seq, a.findings, a.facts,
        a.policy_version, a.evaluated_on, k.key_id, k.kek_id, k.wrapped
    FROM chosen c
    JOIN persons p ON p.person_id = c.person_id JOIN data_keys k ON k.key_id = {key_id_of("c")}
    JOIN LATERAL (SELECT DISTINCT ON (scope) scope, seq, findings, facts, policy_version, evaluated_on
        FROM assessments
        WHERE reference = c.reference ORDER BY scope, seq DESC) a ON true
    ORDER BY c.reference, a.scope <> CAST(:first AS text), a.scope
""")  # noqa: S608 - made of words of this file and the store's


class AssessedRow(NamedTuple):
    """The newest assessment of one scope of a case, with the key under which its facts are sealed."""

    reference: str
    employer_id: str
    stage: str
    accepted_at: datetime
    scope: str
    seq: int
    findings: list[dict[str, Any]]
    facts: bytes
    policy_version: str
    evaluated_on: date | None
    key_id: UUID
    kek_id: str
    wrapped: bytes | None


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial of a draft: its report, which is stored as it was hashed, and the hash."""

    report: dict[str, Any]
    report_hash: str

    def document(self) -> dict[str, Any]:
        """Return the report with its hash, as it is shown."""
        return {**self.report, "report_hash": self.report_hash}


@dataclass(slots=True)
class _Scope:
    """What a trial has counted of the rules of registration, or of those of one destination's permit."""

    assessments: int = 0
    flipped: int = 0
    outcome_changes: int = 0


@dataclass(frozen=True, slots=True)
class _Flip:
    """A past case in which a rule of the draft finds something else, in one scope of rules, as the report has it."""

    reference: str
    scope: str
    stage: str
    accepted_on: str
    rule_version: str
    before: str
    now: str
    rules: list[dict[str, Any]]


@dataclass(slots=True)
class _Tally:
    """What a trial has counted so far."""

    cases: int = 0
    erased: int = 0
    flipped: int = 0
    changed: int = 0
    scopes: defaultdict[str, _Scope] = field(default_factory=lambda: defaultdict(_Scope))
    moves: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    flips: list[_Flip] = field(default_factory=list)


async def try_pack(
    context: Context,
    actor: Actor,
    pack: Pack,
    since: date,
    *,
    tried_by: Mapping[str, str] | None = None,
    said: Callable[[int], None] | None = None,
) -> Trial:
    """Run a draft over every case of its programme accepted since a day, on the facts kept of each; keep the report.

    Each case is run through every scope of rules that it went through: registration, and eligibility for each
    destination. The cases stay as they are, and each page of them is a ledger row that lists those whose facts were
    opened. A case whose facts were erased is counted apart. `report_hash` is the SHA-256 of the rest of the report in
    canonical JSON (RFC 8785); a pack can be proposed only with a report of its own content.

    Args:
        tried_by: codes that say for whom the actor runs it, kept in the rows.
        said: is told how many cases were looked at, after each page.
    """
    at, tally, after = context.clock(), _Tally(), ""
    code = need(code_of_pack(context, pack.name), "programme")
    known, rules = dict(tried_by or {}), programme(context, code).rules
    while True:
        async with context.database.begin(actor.tenant) as connection:
            rows = await _page(connection, code, since, after)
            await _note_opened(connection, actor, pack, rows, known, at)
        cases = [list(of_case) for _, of_case in groupby(rows, key=lambda row: row.reference)]
        for of_case in cases:
            _try(context, rules, pack, of_case, tally)
        if said is not None:
            said(tally.cases)
        if len(cases) < _PAGE:
            break
        after = rows[-1].reference
    report = _report(pack, since, at, tally)
    report_hash = hashlib.sha256(rfc8785.dumps(report)).hexdigest()
    async with context.database.begin(actor.tenant) as connection:
        await _keep(connection, actor, pack, since, tally, Trial(report, report_hash), known, at)
    return Trial(report, report_hash)


async def read_trial(context: Context, actor: Actor, name: str, report_hash: str) -> Trial:
    """Return a trial of a pack.

    Raises:
        Refused: `not_found`.
    """
    query = select(rule_trials.c.report).where(rule_trials.c.name == name, rule_trials.c.report_hash == report_hash)
    async with context.database.begin(actor.tenant) as connection:
        report = (await connection.execute(query)).scalar_one_or_none()
    if report is None:
        raise Refused("not_found", "There is no trial of this pack with a report of this hash.")
    return Trial(report, report_hash)


def policy_chain(name: str) -> str:
    """Return the chain of the ledger that holds what happens to a rule pack."""
    return f"{POLICY_CHAIN}{name}"


async def lock_policy(connection: AsyncConnection, name: str) -> None:
    """Hold a pack's chain and versions until the transaction ends."""
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:chain, 0))")
    await connection.execute(lock, {"chain": f"{POLICY_LOCK}{policy_chain(name)}"})


async def _page(connection: AsyncConnection, code: str, since: date, after: str) -> list[AssessedRow]:
    begun = datetime.combine(since, time.min, CHINA)
    given = {"programme": code, "since": begun, "after": after, "page": _PAGE, "first": REGISTRATION_SCOPE}
    return [AssessedRow(*row) for row in await connection.execute(_ASSESSED, given)]


async def _note_opened(
    connection: AsyncConnection,
    actor: Actor,
    pack: Pack,
    rows: list[AssessedRow],
    tried_by: Mapping[str, str],
    at: datetime,
) -> None:
    """Record, before any of it is opened, whose facts a page opens: the persons read it in their access logs."""
    opened = sorted({row.reference for row in rows if row.wrapped is not None})
    if not opened:
        return
    entry = Entry(
        Act.CASE_READ,
        actor,
        at,
        detail={"what": "rule_trial", "cases": opened, **tried_by},
        rule_version=pack.version,
        rule_hash=bytes.fromhex(pack.content_hash),
    )
    await note_access(connection, entry)


def _try(context: Context, rules: Rules, pack: Pack, rows: list[AssessedRow], tally: _Tally) -> None:
    """Run one case through the scopes of rules that it went through."""
    tally.cases += 1
    case, begun = rows[0], len(tally.flips)
    try:
        key = unwrap(context.keyring, WrappedKey(case.key_id, case.kek_id, case.wrapped))
    except Refused:
        tally.erased += 1
        return
    for row in rows:
        place = f"{row.reference}/{row.scope}/{row.seq}"
        facts = rules.facts.read(json.loads(key.open("assessments", "facts", place, row.facts)))
        found = [Finding.model_validate(each) for each in row.findings]
        before = [finding for finding in found if finding.code not in rules.about_answers]
        now = run_again(rules, row.scope, facts, pack, row.evaluated_on or day_of(row.accepted_at))
        _compare(row, before, now, tally)
    flips = tally.flips[begun:]
    tally.flipped += bool(flips)
    tally.changed += any(flip.before != flip.now for flip in flips)


def _compare(row: AssessedRow, before: Sequence[Finding], now: Sequence[Finding], tally: _Tally) -> None:
    scope = tally.scopes[row.scope]
    scope.assessments += 1
    found = differences(before, now)
    if not found:
        return
    was, would_be = outcome_of(before).value, outcome_of(now).value
    scope.flipped += 1
    scope.outcome_changes += was != would_be
    tally.moves[f"{was} -> {would_be}"] += 1
    tally.rules.update(difference.code for difference in found)
    tally.flips.append(
        _Flip(
            reference=row.reference,
            scope=row.scope,
            stage=row.stage,
            accepted_on=day_of(row.accepted_at).isoformat(),
            rule_version=row.policy_version,
            before=was,
            now=would_be,
            rules=[difference.as_json() for difference in found],
        )
    )


def _report(pack: Pack, since: date, at: datetime, tally: _Tally) -> dict[str, Any]:
    return {
        "pack": pack.name,
        "version": pack.version,
        "content_hash": pack.content_hash,
        "effective_from": pack.effective_from.isoformat(),
        "since": since.isoformat(),
        "at": at.astimezone(CHINA).isoformat(),
        "cases": tally.cases,
        "facts_erased": tally.erased,
        "flipped": tally.flipped,
        "outcome_changes": tally.changed,
        "by_scope": {name: asdict(scope) for name, scope in sorted(tally.scopes.items())},
        "by_outcome": dict(sorted(tally.moves.items())),
        "by_rule": dict(sorted(tally.rules.items())),
        "flips": [asdict(flip) for flip in tally.flips],
    }


async def _keep(
    connection: AsyncConnection,
    actor: Actor,
    pack: Pack,
    since: date,
    tally: _Tally,
    trial: Trial,
    tried_by: Mapping[str, str],
    at: datetime,
) -> None:
    await lock_policy(connection, pack.name)
    row = TrialRow(
        report_hash=trial.report_hash,
        name=pack.name,
        version=pack.version,
        content_hash=pack.content_hash,
        since=since,
        cases=tally.cases,
        flipped=tally.flipped,
        report=trial.report,
        at=at,
    )
    statement = insert(rule_trials).values(row.filled())
    kept = await connection.execute(statement.on_conflict_do_nothing().returning(text("1")))
    if kept.first() is None:
        return  # the same trial in the same second
    counted = {"since": since.isoformat(), "cases": tally.cases, "flipped": tally.flipped}
    entry = Entry(
        Act.RULE_TRIED,
        actor,
        at,
        detail={"report_hash": trial.report_hash, **counted, **tried_by},
        rule_version=pack.version,
        rule_hash=bytes.fromhex(pack.content_hash),
    )
    await append(connection, policy_chain(pack.name), [entry])
