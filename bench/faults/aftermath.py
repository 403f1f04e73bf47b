"""What a loss took away, parted from what the checker may find: nothing else may be missing, doubled or left behind."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

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
    "calls": "SELECT DISTINCT key FROM calls",
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

# Incidents that a loss makes rightly, beside those of workflows that were gone.
_OF_LOSS: Final = frozenset({("authority_answer", "case_unknown")})
_CONFLICT: Final = "authority_conflict"
_Kept = TypeVar("_Kept")


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
    """Return the evidence without what a restore took away, and how much that was.

    Taken away are the cases that the restored register does not have, and of other cases the calls and messages of
    which it forgot that it made them. The world has them for good: what it has of them is counted, and so is what is
    open for people to look at because of them.
    """
    forgotten, named = _Forgotten(found, before, restored), Counter[str]()
    kept = replace(
        found,
        authority={
            **found.authority,
            "entries": _without(found.authority["entries"], forgotten.is_entry, "entries at the authority", named),
            "answers": _without(found.authority["answers"], forgotten.is_answer, "answers of the authority", named),
        },
        workflows=_without(found.workflows, forgotten.is_workflow, "workflows that ended by themselves", named),
        mails=_without(found.mails, forgotten.is_message, "messages in the books of the sinks", named),
        texts=_without(found.texts, forgotten.is_text, "messages in the books of the sinks", named),
        hooks=_without(found.hooks, forgotten.is_message, "messages in the books of the sinks", named),
        register={
            **found.register,
            "answers": _without(found.register["answers"], forgotten.is_held, "answers held for an officer", named),
            "tasks": _without(found.register["tasks"], forgotten.is_conflict, "conflicts shown to an officer", named),
            "incidents": _without(found.register["incidents"], is_of_loss, "incidents that tell of the loss", named),
        },
    )
    return kept, {"cases": len(forgotten.cases), **named}


def is_of_loss(incident: Mapping[str, Any]) -> bool:
    """Whether an incident tells of the loss itself: workflows that were gone, answers for what is not there."""
    return (incident["kind"], incident["reason"]) in _OF_LOSS or incident["kind"] == "workflow_ended"


def _without(
    rows: Sequence[_Kept], is_forgotten: Callable[[_Kept], bool], name: str, named: Counter[str]
) -> list[_Kept]:
    kept = [row for row in rows if not is_forgotten(row)]
    named[name] += len(rows) - len(kept)
    return kept


class _Forgotten:
    """What the world has, and the register has not any more."""

    def __init__(self, found: Evidence, before: Snapshot, restored: Snapshot) -> None:
        self.cases = before.references - restored.references
        self._workflows = {registration_workflow_id(reference) for reference in self.cases}
        keys = {row["key"] for row in before.rows["calls"]} - {row["key"] for row in found.register["calls"]}
        entries = found.authority["entries"]
        known = {entry["case"] for entry in entries if entry["key"] not in keys}
        # Where the answer to the first call came before a second one was made, its entry is the one that holds.
        again = [entry for entry in entries if entry["key"] in keys and entry["case"] in known]
        self._keys = {entry["key"] for entry in again}
        self._places = {entry["case"] for entry in again}
        now = {_name(row) for row in found.register["deliveries"]}
        self._messages = {name for row in before.rows["deliveries"] if (name := _name(row)) not in now}

    def is_entry(self, entry: Mapping[str, Any]) -> bool:
        return entry["key"] in self._keys or _case(entry) in self.cases

    def is_answer(self, answer: Mapping[str, Any]) -> bool:
        # Where a call was made again, two entries have answers, and an officer says which holds.
        return answer["case"] in self._places or _case(answer) in self.cases

    def is_workflow(self, workflow: Mapping[str, Any]) -> bool:
        return workflow["id"] in self._workflows and not workflow["open"]

    def is_message(self, name: str) -> bool:
        return name in self._messages

    def is_text(self, text: Mapping[str, Any]) -> bool:
        return text["sms_id"] in self._messages

    def is_held(self, answer: Mapping[str, Any]) -> bool:
        return answer["state"] == "held" and f"{answer['reference']}/{answer['destination']}" in self._places

    def is_conflict(self, task: Mapping[str, Any]) -> bool:
        return task["kind"] == _CONFLICT and f"{task['reference']}/{task['destination']}" in self._places


def judge(found: Evidence, before: Snapshot, restored: Snapshot) -> dict[str, list[Finding]]:
    """Return what every check finds in evidence from which the loss was parted, and what the loss itself must show."""
    return {name: sorted(set(look(found))) for name, look in CHECKS.items()} | of_loss(found, before, restored)


def of_loss(found: Evidence, before: Snapshot, restored: Snapshot) -> dict[str, list[Finding]]:
    """Return whether what came back is still there as it was, and what stands twice in the authority's books."""
    return {
        "nothing was lost that was in the backup": sorted(_lost_of_backup(found, before, restored)),
        "nothing was done twice outside": sorted(_twice(found)),
    }


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


def _name(row: Mapping[str, Any]) -> str | None:
    name: str | None = row["provider_id"] if row["channel"] == "sms" else row["message_id"]
    return name
