"""Trying a draft of a rule pack on past cases: who would flip, and by which rule."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, Final

import rfc8785
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.context import Context
from domain.actors import Actor
from domain.acts import Act
from domain.clock import CHINA, day_of
from domain.errors import Refused
from domain.findings import Finding, outcome_of
from policy.facts import Facts
from policy.pack import Pack
from policy.rerun import REGISTRATION_SCOPE, differences, run_again
from store.encryption import WrappedKey, unwrap
from store.ledger import Entry, append
from store.tables import rule_trials

_PAGE: Final = 500
# The newest assessment of each registration, with the key under which its facts are sealed.
_ASSESSED: Final = text(
    "SELECT r.reference, r.stage, r.accepted_at, a.seq, a.findings, a.facts, a.policy_version,"
    " p.key_id, k.kek_id, k.wrapped"
    " FROM registrations r"
    " JOIN persons p ON p.person_id = r.person_id JOIN data_keys k ON k.key_id = p.key_id"
    " JOIN LATERAL (SELECT seq, findings, facts, policy_version FROM assessments"
    "   WHERE reference = r.reference AND scope = CAST(:scope AS text) ORDER BY seq DESC LIMIT 1) a ON true"
    " WHERE r.accepted_at >= CAST(:since AS timestamptz) AND r.reference > CAST(:after AS text)"
    " ORDER BY r.reference LIMIT CAST(:page AS integer)"
)


@dataclass(slots=True)
class _Tally:
    """What a trial has counted so far."""

    cases: int = 0
    erased: int = 0
    moves: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    flips: list[dict[str, Any]] = field(default_factory=list)


async def try_pack(
    context: Context, actor: Actor, pack: Pack, since: date, said: Callable[[int], None] | None = None
) -> dict[str, Any]:
    """Run a draft over every case accepted since a day, on the facts kept of each, and keep the report.

    The cases stay as they are. A case whose facts were erased is counted apart. `report_hash` is the SHA-256 of the
    rest of the report in canonical JSON (RFC 8785); a pack can be proposed only with a report of its own content.

    Args:
        said: is told how many cases were looked at, after each page.
    """
    at, tally, after = context.clock(), _Tally(), ""
    while True:
        async with context.database.begin(actor.tenant) as connection:
            rows = await _page(connection, since, after)
        for row in rows:
            _try(context, pack, row, tally)
        if said is not None:
            said(tally.cases)
        if len(rows) < _PAGE:
            break
        after = rows[-1].reference
    report = _report(pack, since, at, tally)
    report_hash = hashlib.sha256(rfc8785.dumps(report)).hexdigest()
    async with context.database.begin(actor.tenant) as connection:
        await _keep(connection, actor, report, report_hash, at)
    return {**report, "report_hash": report_hash}


async def read_trial(context: Context, actor: Actor, name: str, report_hash: str) -> dict[str, Any]:
    """Return the report of a trial.

    Raises:
        Refused: `not_found`.
    """
    query = select(rule_trials.c.report).where(rule_trials.c.name == name, rule_trials.c.report_hash == report_hash)
    async with context.database.begin(actor.tenant) as connection:
        report = (await connection.execute(query)).scalar_one_or_none()
    if report is None:
        raise Refused("not_found", "There is no trial of this pack with a report of this hash.")
    return {**report, "report_hash": report_hash}


def policy_chain(name: str) -> str:
    """Return the chain of the ledger that holds what happens to a rule pack."""
    return f"policy/{name}"


async def lock_policy(connection: AsyncConnection, name: str) -> None:
    """Hold a pack's chain and versions until the transaction ends."""
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:chain, 0))")
    await connection.execute(lock, {"chain": f"hetao.{policy_chain(name)}"})


async def _page(connection: AsyncConnection, since: date, after: str) -> list[Any]:
    begun = datetime.combine(since, time.min, CHINA)
    given = {"scope": REGISTRATION_SCOPE, "since": begun, "after": after, "page": _PAGE}
    return list((await connection.execute(_ASSESSED, given)).all())


def _try(context: Context, pack: Pack, row: Any, tally: _Tally) -> None:
    tally.cases += 1
    try:
        key = unwrap(context.keyring, WrappedKey(row.key_id, row.kek_id, row.wrapped))
    except Refused:
        tally.erased += 1
        return
    place = f"{row.reference}/{REGISTRATION_SCOPE}/{row.seq}"
    facts = Facts.read(json.loads(key.open("assessments", "facts", place, row.facts)))
    before = [Finding.model_validate(finding) for finding in row.findings]
    now = run_again(REGISTRATION_SCOPE, facts, pack, day_of(row.accepted_at))
    found = differences(before, now)
    if not found:
        return
    was, would_be = outcome_of(before).value, outcome_of(now).value
    tally.moves[f"{was} -> {would_be}"] += 1
    tally.rules.update(difference.code.value for difference in found)
    tally.flips.append(
        {
            "reference": row.reference,
            "stage": row.stage,
            "accepted_on": day_of(row.accepted_at).isoformat(),
            "rule_version": row.policy_version,
            "before": was,
            "now": would_be,
            "rules": [difference.as_json() for difference in found],
        }
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
        "flipped": len(tally.flips),
        "outcome_changes": sum(flip["before"] != flip["now"] for flip in tally.flips),
        "by_outcome": dict(sorted(tally.moves.items())),
        "by_rule": dict(sorted(tally.rules.items())),
        "flips": tally.flips,
    }


async def _keep(
    connection: AsyncConnection, actor: Actor, report: dict[str, Any], report_hash: str, at: datetime
) -> None:
    await lock_policy(connection, report["pack"])
    row = {
        "report_hash": report_hash,
        "name": report["pack"],
        "version": report["version"],
        "content_hash": report["content_hash"],
        "since": date.fromisoformat(report["since"]),
        "cases": report["cases"],
        "flipped": report["flipped"],
        "report": report,
        "at": at,
    }
    kept = await connection.execute(insert(rule_trials).values(row).on_conflict_do_nothing().returning(text("1")))
    if kept.first() is None:
        return  # the same trial in the same second
    entry = Entry(
        Act.RULE_TRIED,
        actor,
        at,
        detail={"report_hash": report_hash, **{name: report[name] for name in ("since", "cases", "flipped")}},
        rule_version=report["version"],
        rule_hash=bytes.fromhex(report["content_hash"]),
    )
    await append(connection, policy_chain(report["pack"]), [entry])
