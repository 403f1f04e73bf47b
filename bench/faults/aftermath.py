"""What a loss took away, parted from what the checker may find: nothing else may be missing, doubled or left behind."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final, TypeVar

from bench.faults.checker import CHECKS
from bench.faults.evidence import Evidence
from bench.faults.findings import Finding
from bench.faults.register import Register, Row
from programmes import CASE_TYPES
from programmes.talent_permit.authority.list_entries import OVER

# What is read of the register before a loss and after it was laid back.
SNAPSHOT: Final[Mapping[str, str]] = {
    "registrations": "SELECT reference, client_reference, stage FROM cases",
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

    Taken away are the cases that the restored register does not have, and of other cases the messages of which it
    forgot that it sent them. The world has them for good: what it has of them is counted. The entry of a case that is
    gone is none of it where it stands for the call of another one, and no call of a case that came back was forgotten:
    the authority says what it has.
    """
    forgotten, named = _Forgotten(found, before, restored), Counter[str]()
    kept = replace(
        found,
        authority={
            **found.authority,
            "entries": _without(found.authority["entries"], forgotten.is_entry, "entries at the authority", named),
            "answers": _without(found.authority["answers"], forgotten.is_entry, "answers of the authority", named),
        },
        workflows=_without(found.workflows, forgotten.is_workflow, "workflows that ended by themselves", named),
        mails=_without(found.mails, forgotten.is_message, "messages in the books of the sinks", named),
        texts=_without(found.texts, forgotten.is_text, "messages in the books of the sinks", named),
        hooks=_without(found.hooks, forgotten.is_message, "messages in the books of the sinks", named),
        register={
            **found.register,
            "incidents": _without(found.register["incidents"], is_of_loss, "incidents that tell of the loss", named),
        },
    )
    told = Counter((case, report["what"]) for report in found.authority["reports"] for case in report["cases"])
    named["facts reported again"] = sum(times - 1 for times in told.values())
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
        self._workflows = {CASE_TYPES.id_of(reference) for reference in self.cases}
        self._taken_over = {row["entry_case"] for row in found.register.get("permits", ()) if row.get("entry_case")}
        now = {_name(row) for row in found.register["deliveries"]}
        self._messages = {name for row in before.rows["deliveries"] if (name := _name(row)) not in now}

    def is_entry(self, entry: Mapping[str, Any]) -> bool:
        """Whether an entry, or an answer about one, is of a case that is gone and stands for no other."""
        return _case(entry) in self.cases and entry["case"] not in self._taken_over

    def is_workflow(self, workflow: Mapping[str, Any]) -> bool:
        return workflow["id"] in self._workflows and not workflow["open"]

    def is_message(self, name: str) -> bool:
        return name in self._messages

    def is_text(self, text: Mapping[str, Any]) -> bool:
        return text["sms_id"] in self._messages


def judge(found: Evidence, before: Snapshot, restored: Snapshot) -> dict[str, list[Finding]]:
    """Return what every check finds in evidence from which the loss was parted, and what the loss itself must show."""
    kept, _ = parted(found, before, restored)
    return {name: sorted(set(look(kept))) for name, look in CHECKS.items()} | of_loss(found, before, restored)


def of_loss(found: Evidence, before: Snapshot, restored: Snapshot) -> dict[str, list[Finding]]:
    """Return whether what came back is still there as it was, and what stands twice in the authority's books.

    For the latter nothing is parted: who was on the list of before a restore must not be on it a second time.
    """
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
    """Return what stands more than once in the authority's books: a key, a case's entry, a person, a report."""
    entries, reports = found.authority["entries"], found.authority.get("reports", ())
    keys = Counter(each["key"] for each in (*entries, *reports))
    cases = Counter(entry["case"] for entry in entries)
    return {
        *(Finding("key_twice", key) for key, times in keys.items() if times > 1),
        *(Finding("entry_twice", case) for case, times in cases.items() if times > 1),
        *(Finding("person_twice", f"{first} and {second}") for first, second in _people_twice(found)),
    }


def _people_twice(found: Evidence) -> Iterator[tuple[str, str]]:
    """Yield the cases of a person's entries for one destination of which the second came while the first one stood."""
    over: dict[str, str] = {}
    for answer in found.authority["answers"]:
        if answer["body"].get("outcome") in OVER:
            over.setdefault(answer["case"], answer["given_at"])
    by_person: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for entry in found.authority["entries"]:
        by_person[entry["body"]["person"]["identity_number"], entry["body"]["destination"]].append(entry)
    for entries in by_person.values():
        for first, second in pairwise(entries):
            ended = over.get(first["case"])
            if first["case"] != second["case"] and (ended is None or ended > second["received_at"]):
                yield first["case"], second["case"]


def _case(entry: Mapping[str, Any]) -> str:
    return str(entry["case"]).partition("/")[0]


def _name(row: Mapping[str, Any]) -> str | None:
    name: str | None = row["provider_id"] if row["channel"] == "sms" else row["message_id"]
    return name
