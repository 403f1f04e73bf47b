"""Whether each notice was made that a case must make, went out, and arrived under the one id that it was sent with."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bench.faults.evidence import Evidence
from bench.faults.findings import Finding
from sandbox.standins.issuer import PERSONAS

_GONE_OUT: Final = frozenset({"sent", "delivered"})
_OUTSIDE: Final = ("employer", "person")
# One employer is told of these by webhook as well.
HOOKED: Final = "employer-b"
HOOK_KINDS: Final = ("registration_received", "registration_approved", "permit_issued")
_HOOKED_ID: Final = PERSONAS[HOOKED].employer_id
_ACCEPTED: Final = "permit_accepted"
# Of states.md section 4, by the fate of a case: to employer and person, or to one of them.
_RECEIVED: Final = {"registration_received": _OUTSIDE}
_STRAIGHT: Final = _RECEIVED | {"registration_approved": _OUTSIDE}
_MENDED: Final = _STRAIGHT | {"correction_requested": ("employer",), "correction_received": ("employer",)}
_OF_CASE: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "straight": _STRAIGHT,
    "held": _STRAIGHT,
    "amended": _STRAIGHT | {"correction_received": ("employer",)},
    "returned": _MENDED,
    "incomplete": _MENDED,
    "refused": _RECEIVED | {"registration_refused": _OUTSIDE},
    "withdrawn": _RECEIVED | {"registration_withdrawn": _OUTSIDE},
    "changed": _STRAIGHT | {"change_taken": _OUTSIDE},
    "renewed": _STRAIGHT | {"renewal_received": _OUTSIDE, "renewal_granted": _OUTSIDE},
    "objected": _STRAIGHT
    | {"registration_refused": _OUTSIDE, "objection_received": ("employer",), "decision_set_aside": _OUTSIDE},
    "asked_anew": _STRAIGHT | {"change_taken": (*_OUTSIDE, *_OUTSIDE)},
    "departed": _STRAIGHT | {"departure_recorded": _OUTSIDE, "registration_ended": _OUTSIDE},
}
_OF_PERMIT: Final = {"permit_submitted": _OUTSIDE, _ACCEPTED: _OUTSIDE, "permit_issued": _OUTSIDE}
_OF_PERMIT_REPORTED: Final = _OF_PERMIT | {"permit_reported": ("person",), "permit_revoked": _OUTSIDE}


def notices(found: Evidence) -> Iterator[Finding]:
    """Each notice went out and arrived, by webhook too where it must, and nothing arrived that was not sent."""
    made: dict[str, Counter[tuple[str, str, str]]] = defaultdict(Counter)
    occasions: Counter[tuple[str, ...]] = Counter()
    for row in found.register["notices"]:
        named = f"{row['kind']} to {row['recipient']} of {row['reference']}"
        if row["status"] not in _GONE_OUT:
            yield Finding("notice_not_out", f"{named}: {row['status']}")
        if row["recipient"] in _OUTSIDE:
            made[row["reference"]][row["kind"], row["recipient"], row["destination"] or ""] += 1
            occasions[row["reference"], row["destination"] or "", row["kind"], row["recipient"], row["occasion"]] += 1
    yield from (Finding("notice_doubled", str(which)) for which, number in occasions.items() if number > 1)
    overtaken, fates = _overtaken(found), {asked["client_reference"]: asked for asked in found.asked}
    for case in found.register["registrations"]:
        fate, reference = fates.get(case["client_reference"]), case["reference"]
        if fate is not None:
            due = _due(fate, overtaken[reference])
            yield from (_about("notice_missing", reference, which) for which in due - made[reference])
            yield from (_about("notice_uncalled", reference, which) for which in made[reference] - due)
    yield from _deliveries(found)
    yield from _arrivals(found)


def _about(finding: str, reference: str, which: tuple[str, str, str]) -> Finding:
    kind, recipient, destination = which
    return Finding(finding, f"{kind} to {recipient} of {reference}{'/' * bool(destination)}{destination}")


def _due(fate: Mapping[str, Any], overtaken: Mapping[str, int]) -> Counter[tuple[str, str, str]]:
    """Return which notices a case of this fate makes, by kind, recipient and destination."""
    of_permit = _OF_PERMIT_REPORTED if fate["kind"] == "departed" else _OF_PERMIT
    entries = fate.get("entries", {})
    due = Counter((kind, recipient, "") for kind, told in _OF_CASE[fate["kind"]].items() for recipient in told)
    for destination in fate["permits"]:
        for kind, told in of_permit.items():
            times = entries.get(destination, 1)
            if kind == _ACCEPTED:
                times -= overtaken.get(destination, 0)
            due.update((kind, recipient, destination) for recipient in told for _ in range(times))
        if fate["kind"] == "asked_anew" and entries.get(destination, 1) > 1:
            due.update(("permit_closed", recipient, destination) for recipient in _OUTSIDE)
    return due


def _overtaken(found: Evidence) -> dict[str, Counter[str]]:
    """Return how often for a destination of a case `accepted` came after `issued`: it is kept, and tells nobody (P24).

    Each is counted by its time, since one that is repeated may be kept more than once.
    """
    states: dict[tuple[str, str, str | None], set[str]] = defaultdict(set)
    for row in found.register["answers"]:
        if row["outcome"] == "accepted":
            states[row["reference"], row["destination"], row.get("occurred_at")].add(row["state"])
    late: dict[str, Counter[str]] = defaultdict(Counter)
    for (reference, destination, _), seen in states.items():
        late[reference][destination] += seen == {"recorded"}
    return late


def _arrived(found: Evidence) -> dict[str, set[str]]:
    """Return the names under which messages stand in the books of the sinks."""
    return {"mail": set(found.mails), "webhook": set(found.hooks), "sms": {each["sms_id"] for each in found.texts}}


def _name(delivery: Mapping[str, Any]) -> str | None:
    """Return the name under which a sink keeps a delivery: its message's id, or that which the gateway gave it."""
    name: str | None = delivery["provider_id"] if delivery["channel"] == "sms" else delivery["message_id"]
    return name


def _arrivals(found: Evidence) -> Iterator[Finding]:
    """Each notice to somebody outside stands in the book of a sink, and in that of webhooks where it must."""
    arrived, by_notice = _arrived(found), defaultdict(set)
    for row in found.register["deliveries"]:
        if _name(row) in arrived.get(row["channel"], ()):
            by_notice[row["notice_id"]].add(row["channel"])
    hooked = {row["reference"] for row in found.register["registrations"] if row["employer_id"] == _HOOKED_ID}
    for row in (row for row in found.register["notices"] if row["recipient"] in _OUTSIDE):
        named, channels = f"{row['kind']} to {row['recipient']} of {row['reference']}", by_notice[row["notice_id"]]
        if not channels:
            yield Finding("notice_not_arrived", named)
        wants_hook = row["recipient"] == "employer" and row["kind"] in HOOK_KINDS and row["reference"] in hooked
        if wants_hook and "webhook" not in channels:
            yield Finding("hook_missing", named)


def _deliveries(found: Evidence) -> Iterator[Finding]:
    """Each delivery went out and arrived, and each arrival is a delivery's; none may fail, since no sink refuses."""
    arrived = _arrived(found)
    known: dict[str, set[str]] = defaultdict(set)
    # What an inbox shows stands in the register and goes nowhere.
    for row in (row for row in found.register["deliveries"] if row["channel"] in arrived):
        name = _name(row)
        if name is not None:
            known[row["channel"]].add(name)
        if row["status"] in _GONE_OUT and name not in arrived[row["channel"]]:
            yield Finding("delivery_lost", f"{row['channel']} {row['delivery_id']} is {row['status']}, never arrived")
        if row["status"] == "failed":
            yield Finding("delivery_failed", f"{row['channel']} {row['delivery_id']}")
        if row["status"] == "queued" or row["leased"]:
            yield Finding("delivery_left", f"{row['channel']} {row['delivery_id']} is {row['status']}")
    for channel, ids in arrived.items():
        yield from (Finding("delivery_unknown", f"{channel} {name}") for name in ids - known[channel])
