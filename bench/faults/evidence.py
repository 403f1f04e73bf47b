"""What the register, Temporal, the stand-ins' books and the driver say when all is over."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from temporalio.client import Client

from bench.faults.driver import Asked, Drive
from bench.faults.later import entries_of
from bench.faults.orphans import orphans_query
from bench.faults.poison import PROBLEMS
from bench.faults.register import Row
from bench.faults.scene import Scene
from domain import spellings
from domain.messages import NOTIFICATION_WORKFLOW
from workflows.notification import CHANNELS

_LOOKS: Final = 5
QUERIES: Final[Mapping[str, str]] = {
    "registrations": """
        SELECT r.reference, r.client_reference, r.employer_id, r.person_id, r.stage, r.round, r.settled,
            r.facts_version, r.registration_number,
            (SELECT o.destinations FROM talent_permits o WHERE o.reference = r.reference) AS destinations,
            r.started_at IS NOT NULL AS started FROM cases r""",
    "permits": """
        SELECT reference, destination, stage, authority_number, valid_from::text, valid_until::text, answered_for,
            entry_case
        FROM permits""",
    "terms": "SELECT reference, destination, number, stage, authority_number, valid_until::text FROM permit_terms",
    "renewals": "SELECT reference, number, stage, settled FROM renewals",
    "commands": "SELECT reference, kind, state FROM commands WHERE state <> 'applied'",
    "calls": "SELECT key, reference, destination, what, state FROM calls",
    "tasks": "SELECT reference, kind, destination FROM tasks WHERE state = 'open'",
    "deadlines": "SELECT reference, kind, destination FROM deadlines WHERE state = 'waiting'",
    "incidents": "SELECT reference, kind, step, reason FROM incidents WHERE state = 'open'",
    "answers": "SELECT reference, destination, outcome, state, occurred_at FROM answers",
    "notices": "SELECT notice_id::text, reference, destination, kind, recipient, occasion, status FROM notices",
    "deliveries": """
        SELECT delivery_id::text, notice_id::text, channel, webhook_id::text, status, provider_id,
            coalesce(carried_by, delivery_id)::text AS message_id, lease_until > clock_timestamp() AS leased
        FROM deliveries""",
    "keys": "SELECT key, reference, status FROM idempotency WHERE route LIKE 'POST /v1/registrations%'",
    "ledger": "SELECT * FROM ledger ORDER BY chain, seq",
    "orphans": orphans_query(),
}


_STUCK: Final = f"{PROBLEMS} IS NOT NULL AND ExecutionStatus = 'Running'"


@dataclass(frozen=True)
class Evidence:
    """All that the checker looks at, as plain rows."""

    asked: Sequence[Mapping[str, Any]]
    register: Mapping[str, Sequence[Row]]
    workflows: Sequence[Mapping[str, Any]]
    authority: Mapping[str, Any]
    wanted: Sequence[str] = field(default_factory=list)
    problems: Sequence[str] = field(default_factory=list)
    channels: Sequence[str] = field(default_factory=list)
    mails: Sequence[str] = field(default_factory=list)
    texts: Sequence[Mapping[str, Any]] = field(default_factory=list)
    hooks: Sequence[str] = field(default_factory=list)
    # Temporal was lost on the way: it need not know cases that were over by then.
    forgot: bool = False


async def gather(scene: Scene, drive: Drive) -> Evidence:
    """Read everything once."""
    register = {name: await scene.register.rows(query) for name, query in QUERIES.items()}
    mails = await _all(scene, "/messages")
    hooks = await _all(scene, "/hooks")
    client = await Client.connect(scene.stack.temporal_address)
    return Evidence(
        asked=[_asked(each) for each in drive.asked.values()],
        register=register,
        workflows=await _workflows(client),
        wanted=[person.client_reference for person in drive.people],
        problems=[run.id async for run in client.list_workflows(_STUCK)],
        channels=await _channels(client),
        authority=await scene.aside("authority", "GET", "/sandbox/books"),
        mails=[mail["message_id"].partition("@")[0] for mail in mails],
        texts=await _all(scene, "/sms"),
        hooks=[str(hook["message_id"]) for hook in hooks],
    )


def _asked(each: Asked) -> dict[str, Any]:
    fate = each.person.fate
    return {
        "client_reference": each.person.client_reference,
        "reference": each.reference,
        "code": each.code,
        "is_cut": each.is_cut,
        "kind": each.person.kind,
        "ends": fate.ends,
        "amended": fate.amendment is not None,
        "permits": fate.permits_of(list(each.person.body["destinations"])),
        "entries": {place: entries_of(each.person.kind, place) for place in each.person.body["destinations"]},
    }


async def _workflows(client: Client) -> list[dict[str, Any]]:
    """Return the newest run of each case's workflow, and whether it is open."""
    newest: dict[str, dict[str, Any]] = {}
    async for run in client.list_workflows(f"WorkflowType = '{spellings.REGISTRATION_WORKFLOW}'"):
        known = newest.get(run.id)
        if known is None or run.start_time > known["at"]:
            newest[run.id] = {
                "id": run.id,
                "at": run.start_time,
                "open": run.status is not None and run.status.name == "RUNNING",
                "status": run.status.name if run.status else "",
            }
    return list(newest.values())


async def _channels(client: Client) -> list[str]:
    """Return which channels have their workflow running; one that continues as new is looked for again."""
    query = f"WorkflowType = '{NOTIFICATION_WORKFLOW}' AND ExecutionStatus = 'Running'"
    found: set[str] = set()
    for _ in range(_LOOKS):
        found |= {run.id async for run in client.list_workflows(query)}
        if len(found) == len(CHANNELS):
            break
        await asyncio.sleep(1)
    return sorted(found)


async def _all(scene: Scene, path: str) -> list[dict[str, Any]]:
    """Read a whole book of the sinks, a thousand at a time."""
    found: list[dict[str, Any]] = []
    while True:
        after = found[-1]["id"] if found else 0
        page = await scene.aside("mail", "GET", path, params={"after": after, "limit": 1000})
        found += page
        if len(page) < 1000:
            return found
