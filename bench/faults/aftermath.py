"""What a loss took away, parted from what the checker may find: nothing else may be missing, doubled or left behind."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from bench.faults.checker import CHECKS
from bench.faults.evidence import Evidence
from bench.faults.findings import Finding
from bench.faults.register import Register, Row
from domain.messages import registration_workflow_id

# What is read of the register before a loss and after it was laid back.
SNAPSHOT: Final[Mapping[str, str]] = {
    "registrations": "SELECT reference, client_reference, stage FROM registrations",
    "deliveries": """
        SELECT d.delivery_id::text, d.channel, d.provider_id, d.status, n.reference, n.kind, n.recipient, n.destination,
            coalesce(d.carried_by, d.delivery_id)::text AS message_id
        FROM deliveries d JOIN notices n USING (notice_id)""",
    "ledger": "SELECT chain, seq, hash FROM ledger",
    "checkpoints": "SELECT note FROM checkpoints ORDER BY tree_size DESC LIMIT 1",
}
# What somebody or something is waiting for, by name.
DUE: Final = """
    SELECT 'command ' || command_id AS name FROM commands WHERE state = 'stored'
    UNION ALL SELECT 'call ' || key || '#' || attempt FROM calls WHERE state = 'due'
    UNION ALL SELECT 'deadline ' || concat_ws('/', reference, kind, destination, step) FROM deadlines
        WHERE state = 'waiting' AND at <= clock_timestamp()
    UNION ALL SELECT 'delivery ' || delivery_id FROM deliveries
        WHERE status = 'queued' AND coalesce(next_attempt, clock_timestamp()) <= clock_timestamp()
"""


@dataclass(frozen=True)
class Snapshot:
    """The register at one moment."""

    rows: Mapping[str, Sequence[Row]]

    @property
    def references(self) -> set[str]:
        """The references of all cases."""
        return {row["reference"] for row in self.rows["registrations"]}

    def ledger(self) -> dict[tuple[str, int], bytes]:
        """The rows of the ledger by chain and number, each with its hash."""
        return {(row["chain"], row["seq"]): bytes(row["hash"]) for row in self.rows["ledger"]}


async def snapshot(register: Register) -> Snapshot:
    """Read the register as it is now."""
    return Snapshot({name: await register.rows(query) for name, query in SNAPSHOT.items()})


async def due(register: Register) -> set[str]:
    """Return the names of all that is due now and not done."""
    return {row["name"] for row in await register.rows(DUE)}


def parted(found: Evidence, before: Snapshot, restored: Snapshot) -> tuple[Evidence, dict[str, int]]:
    """Return the evidence without what a restore took away, and what that was.

    A case that the restored register does not have is lost, with its entries at the authority and its workflow where
    that has ended; so are messages that were sent of it, and those of other cases of which the register forgot that it
    sent them.
    """
    lost = before.references - restored.references
    named = {"cases that were taken away": len(lost)}
    entries = [entry for entry in found.authority["entries"] if _case(entry) not in lost]
    answers = [answer for answer in found.authority["answers"] if _case(answer) not in lost]
    named["entries at the authority of cases that were taken away"] = len(found.authority["entries"]) - len(entries)
    named["answers of the authority for such cases"] = len(found.authority["answers"]) - len(answers)
    ended = {registration_workflow_id(reference) for reference in lost}
    workflows = [each for each in found.workflows if each["id"] not in ended or each["open"]]
    named["workflows of such cases that ended by themselves"] = len(found.workflows) - len(workflows)
    forgotten = _forgotten(found, before)
    mails = [name for name in found.mails if name not in forgotten]
    texts = [each for each in found.texts if each["sms_id"] not in forgotten]
    hooks = [name for name in found.hooks if name not in forgotten]
    named["messages in the books of the sinks that were forgotten"] = sum(
        len(all_) - len(kept) for all_, kept in ((found.mails, mails), (found.texts, texts), (found.hooks, hooks))
    )
    kept = replace(
        found,
        authority={**found.authority, "entries": entries, "answers": answers},
        workflows=workflows,
        mails=mails,
        texts=texts,
        hooks=hooks,
    )
    return kept, named


def judge(found: Evidence, before: Snapshot, restored: Snapshot) -> dict[str, list[Finding]]:
    """Return what every check finds in evidence from which the loss was parted, and what the loss itself must show."""
    checks = {name: sorted(set(look(found))) for name, look in CHECKS.items()}
    checks["nothing was lost that was in the backup"] = sorted(_lost_of_backup(found, before, restored))
    checks["nothing was done twice outside"] = sorted(_twice(found))
    return checks


def _lost_of_backup(found: Evidence, before: Snapshot, restored: Snapshot) -> set[Finding]:
    """Return what the restored register had, or had not as it was, and what is gone at the end."""
    now = {row["reference"] for row in found.register["registrations"]}
    was, has = before.ledger(), restored.ledger()
    ends = {(row["chain"], row["seq"]): bytes(row["hash"]) for row in found.register["ledger"]}
    gone = {Finding("case_lost", reference) for reference in restored.references - now}
    for place, hash_ in has.items():
        # What a restore writes of itself was not there before.
        if was.get(place, hash_) != hash_:
            gone.add(Finding("ledger_altered", f"{place[0]} {place[1]}"))
        if ends.get(place) != hash_:
            gone.add(Finding("ledger_lost", f"{place[0]} {place[1]}"))
    return gone


def _twice(found: Evidence) -> set[Finding]:
    """Return what stands more than once in the authority's books: a key, or the entry of a case."""
    keys = Counter(entry["key"] for entry in found.authority["entries"])
    keys.update(report["key"] for report in found.authority.get("reports", ()))
    cases = Counter(entry["case"] for entry in found.authority["entries"])
    return {
        *(Finding("key_twice", key) for key, times in keys.items() if times > 1),
        *(Finding("entry_twice", case) for case, times in cases.items() if times > 1),
    }


def _case(entry: Mapping[str, Any]) -> str:
    return str(entry["case"]).partition("/")[0]


def _forgotten(found: Evidence, before: Snapshot) -> set[str]:
    """Return the names under which messages stand in the sinks that were known before the loss and are not now."""
    now = {_name(row) for row in found.register["deliveries"]}
    return {name for row in before.rows["deliveries"] if (name := _name(row)) not in now and name is not None}


def _name(row: Mapping[str, Any]) -> str | None:
    name: str | None = row["provider_id"] if row["channel"] == "sms" else row["message_id"]
    return name
