"""Whether anything was lost, doubled or left behind: every finding has a kind and says what it is about."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from bench.faults.evidence import Evidence
from bench.faults.findings import Finding
from bench.faults.ledger import broken_chains
from bench.faults.notices import notices
from domain.stages import CLOSED, Stage
from programmes import CASE_TYPES
from programmes.talent_permit.permit_stages import PERMIT_FINAL, PermitStage
from programmes.talent_permit.words import WORDS
from workflows.notification import CHANNELS, notification_workflow_id

# The round of a case whose employer gave parts of it again once: an amendment that is lost or taken twice shows here.
_ONCE_AMENDED: Final = 2
# Of what was given, where it was changed after the approval: one change, or one destination given up and added again.
_VERSIONS: Final = {"changed": 2, "asked_anew": 3}
_SENT_TO_AUTHORITY: Final = frozenset({"submitted", "accepted", "issued", "refused", "expired", "revoked"})


def check(found: Evidence) -> list[Finding]:
    """Return everything that is not as it should be; none when all holds."""
    return sorted({finding for look in CHECKS.values() for finding in look(found)})


def _requests(found: Evidence) -> Iterator[Finding]:
    """Every accepted request has its case, a cut one has one or none, nobody has two, and nobody was left unheard."""
    by_name: dict[str, list[str]] = defaultdict(list)
    for row in found.register["registrations"]:
        by_name[row["client_reference"]].append(row["reference"])
    answered = {row["key"]: row["reference"] for row in found.register["keys"]}
    known = set()
    for asked in found.asked:
        name, cases = asked["client_reference"], by_name.get(asked["client_reference"], [])
        known.add(name)
        if asked["reference"] and asked["reference"] not in cases:
            yield Finding("case_lost", f"{name}: {asked['reference']} was answered with 202")
        if asked["code"]:
            yield Finding("request_refused", f"{name}: {asked['code']}")
        if not (asked["reference"] or asked["code"] or asked["is_cut"]):
            yield Finding("never_answered", name)
        if asked["code"] and cases:
            yield Finding("case_after_refusal", f"{name}: {asked['code']}")
        if len(cases) > 1:
            yield Finding("case_doubled", f"{name}: {', '.join(cases)}")
        if bool(cases) != (name in answered) or (cases and answered.get(name) not in cases):
            yield Finding("key_without_case", f"{name}: key {answered.get(name)}, cases {cases}")
    yield from (Finding("never_asked", name) for name in set(found.wanted) - known)
    yield from (Finding("case_unasked", name) for name in by_name.keys() - known)
    persons = Counter(row["person_id"] for row in found.register["registrations"])
    yield from (Finding("person_doubled", str(person)) for person, number in persons.items() if number > 1)


def _ends(found: Evidence) -> Iterator[Finding]:
    """Each case is in the end that its fate allows."""
    fates = {asked["client_reference"]: asked for asked in found.asked}
    permits = _permits(found)
    for row in found.register["registrations"]:
        fate = fates.get(row["client_reference"])
        if fate is None:
            continue
        if row["stage"] != fate["ends"]:
            yield Finding("wrong_end", f"{row['reference']} ({fate['kind']}) is {row['stage']}, not {fate['ends']}")
        if fate["amended"] and row["round"] != _ONCE_AMENDED:
            yield Finding("amended_wrongly", f"{row['reference']} is in round {row['round']}, not {_ONCE_AMENDED}")
        stood = {destination: permit["stage"] for destination, permit in permits[row["reference"]].items()}
        if stood != fate["permits"]:
            yield Finding("wrong_permits", f"{row['reference']} ({fate['kind']}) has {stood}, not {fate['permits']}")
        if (row["registration_number"] is not None) != (row["stage"] in ("approved", "ended")):
            yield Finding("wrong_number", f"{row['reference']} is {row['stage']}")
    numbers = Counter(row["registration_number"] for row in found.register["registrations"])
    yield from (Finding("number_doubled", n) for n, times in numbers.items() if n is not None and times > 1)


def _authority(found: Evidence) -> Iterator[Finding]:
    """One list entry under one key for each person and destination, and the register shows what the authority gave."""
    entries: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    people: Counter[tuple[str, str]] = Counter()
    allowed: dict[tuple[str, str], int] = {}
    wanted = {
        f"{asked['reference']}/{destination}": number
        for asked in found.asked
        for destination, number in asked.get("entries", {}).items()
    }
    for entry in found.authority["entries"]:
        entries[entry["case"]].append(entry)
        who = entry["body"]["person"]["identity_number"], entry["body"]["destination"]
        people[who] += 1
        allowed[who] = wanted.get(entry["case"], 1)
    doubled = sum(number > allowed[who] for who, number in people.items())
    if doubled:
        yield Finding("permit_doubled", f"{doubled} persons have more than one entry for one destination")
    given: dict[str, Mapping[str, Any]] = {}
    for answer in found.authority["answers"]:
        if answer["body"]["outcome"] == "issued":
            given[answer["case"]] = answer["body"]
    for reference, permits in _permits(found).items():
        for destination, permit in permits.items():
            # After a restore the entry of a case that was lost may stand for that of the one submitted anew.
            place = permit.get("entry_case") or f"{reference}/{destination}"
            yield from _permit(place, permit, entries.pop(place, []), given.get(place), wanted.get(place, 1))
    yield from (Finding("entry_without_permit", place) for place in entries)


def _permit(
    place: str,
    permit: Mapping[str, Any],
    entries: list[Mapping[str, Any]],
    given: Mapping[str, Any] | None,
    times: int,
) -> Iterator[Finding]:
    expected = times if permit["stage"] in _SENT_TO_AUTHORITY else 0
    if len(entries) < expected:
        yield Finding("entry_lost", f"{place} is {permit['stage']}")
    if len(entries) > times:
        yield Finding("entry_doubled", f"{place}: {[entry['key'] for entry in entries]}")
    for entry in entries[-1:]:
        if expected and entry["state"] != permit["stage"]:
            yield Finding("permit_differs", f"{place} is {permit['stage']}, and {entry['state']} in the books")
    if given is not None and permit["stage"] in ("issued", "revoked", "expired"):
        shown = (permit["authority_number"], permit["valid_until"])
        if shown != (given["authority_number"], given["valid_until"]):
            yield Finding("permit_differs", f"{place} shows other dates or another number than the authority gave")


def _lives(found: Evidence) -> Iterator[Finding]:
    """What was done after the approval was done once, and each term is as the authority gave it."""
    given: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for answer in found.authority["answers"]:
        if answer["body"]["outcome"] == "issued":
            given[answer["case"]].add((answer["body"]["authority_number"], answer["body"]["valid_until"]))
    terms: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for row in found.register["terms"]:
        if row["valid_until"] is not None:
            terms[f"{row['reference']}/{row['destination']}"].add((row["authority_number"], row["valid_until"]))
    for reference, permits in _permits(found).items():
        for destination, permit in permits.items():
            place = f"{reference}/{destination}"
            if terms[place] != given[permit.get("entry_case") or place]:
                yield Finding("terms_differ", f"{place} shows other terms than the authority gave")
    renewed = Counter(row["reference"] for row in found.register["renewals"])
    fates = {asked["client_reference"]: asked for asked in found.asked}
    for row in found.register["registrations"]:
        kind = fates.get(row["client_reference"], {}).get("kind", "")
        if kind in _VERSIONS and row["facts_version"] != _VERSIONS[kind]:
            yield Finding("changed_wrongly", f"{row['reference']} ({kind}) is in version {row['facts_version']}")
        if renewed[row["reference"]] != (kind == "renewed"):
            yield Finding(
                "renewed_wrongly", f"{row['reference']} ({kind}) was renewed {renewed[row['reference']]} times"
            )


def _left_behind(found: Evidence) -> Iterator[Finding]:
    """No row waits for something that will not come, points at nothing, or is pointed at by nothing."""
    for row in found.register["orphans"]:
        yield Finding("orphan_rows", f"{row['rows']} {row['what']}")
    stages = {row["reference"]: Stage(row["stage"]) for row in found.register["registrations"]}
    for row in found.register["commands"]:
        yield Finding("command_unapplied", f"{row['kind']} of {row['reference']} is {row['state']}")
    for row in found.register["calls"]:
        if row["state"] == "due":
            yield Finding("call_left", f"{row['key']} is {row['state']}")
    for row in found.register["answers"]:
        if row["state"] in ("stored", "early", "held"):
            yield Finding(
                "answer_left", f"{row['outcome']} for {row['reference']}/{row['destination']}: {row['state']}"
            )
    for row in found.register["tasks"]:
        yield Finding("task_left", f"{row['kind']} of {row['reference']} ({stages.get(row['reference'])})")
    for row in found.register["deadlines"]:
        stage = stages.get(row["reference"])
        if stage is None or (stage in CLOSED and not WORDS.deadlines[row["kind"]].outlives):
            yield Finding("deadline_left", f"{row['kind']} of {row['reference']} ({stage})")
    for row in found.register["incidents"]:
        yield Finding("incident_left", f"{row['kind']} at {row['step']} of {row['reference']}: {row['reason']}")


def _workflows(found: Evidence) -> Iterator[Finding]:
    """A case that goes on has its workflow, one that is over has none, each channel has its own, and none is stuck."""
    workflows = {each["id"]: each for each in found.workflows}
    permits = _permits(found)
    for row in found.register["registrations"]:
        workflow = workflows.pop(CASE_TYPES.id_of(row["reference"]), None)
        finished = row["stage"] in CLOSED and all(
            permit["answered_for"] or PermitStage(permit["stage"]) in PERMIT_FINAL
            for permit in permits[row["reference"]].values()
        )
        if workflow is None:
            if not (finished and found.forgot):
                yield Finding("workflow_missing", row["reference"])
        elif workflow["open"] and finished:
            yield Finding("workflow_left_open", f"{row['reference']} is {row['stage']}")
        elif not workflow["open"] and not finished:
            yield Finding("workflow_ended", f"{row['reference']} is {row['stage']}, its workflow {workflow['status']}")
    yield from (Finding("workflow_stuck", name) for name in found.problems)
    for name in map(notification_workflow_id, CHANNELS):
        if name not in found.channels:
            yield Finding("channel_without_workflow", name)
    yield from (Finding("workflow_without_case", name) for name in workflows)


def _ledger(found: Evidence) -> Iterator[Finding]:
    """The chain of every case holds, and its last row shows the stage that the register has."""
    rows = found.register["ledger"]
    yield from (Finding("ledger_broken", f"{chain}: {why}") for chain, why in broken_chains(rows))
    last = {row["chain"]: row for row in rows if "stage" in row["detail"]}
    for row in found.register["registrations"]:
        end = last.get(row["reference"])
        if end is None:
            yield Finding("ledger_missing", row["reference"])
        elif end["detail"]["stage"] != row["stage"]:
            yield Finding("ledger_differs", f"{row['reference']} is {row['stage']}, {end['detail']['stage']} there")


def _permits(found: Evidence) -> dict[str, dict[str, Mapping[str, Any]]]:
    permits: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for row in found.register["permits"]:
        permits[row["reference"]][row["destination"]] = row
    return permits


CHECKS: Final[Mapping[str, Callable[[Evidence], Iterator[Finding]]]] = {
    "every accepted request has its case": _requests,
    "each case is in an end it may be in": _ends,
    "one permit for each person and destination": _authority,
    "what came after the approval was done once, and the terms are the authority's": _lives,
    "each notice delivered, under one id": notices,
    "no orphan rows": _left_behind,
    "no stuck workflow": _workflows,
    "the ledger's chains hold": _ledger,
}
