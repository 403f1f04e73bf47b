"""Whether each notice was made that a case must make, went out, and arrived under the one id that it was sent with."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bench.faults.evidence import Evidence
from bench.faults.findings import Finding

_GONE_OUT: Final = frozenset({"sent", "delivered"})
_OUTSIDE: Final = ("employer", "person")
_ACCEPTED: Final = "permit_accepted"
# Of states.md section 4, by the fate of a case: to employer and person, or to one of them.
_RECEIVED: Final = {"registration_received": _OUTSIDE}
_STRAIGHT: Final = _RECEIVED | {"registration_approved": _OUTSIDE}
_MENDED: Final = _STRAIGHT | {"correction_requested": ("employer",), "correction_received": ("employer",)}
_OF_CASE: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "straight": _STRAIGHT,
    "held": _STRAIGHT,
    "returned": _MENDED,
    "incomplete": _MENDED,
    "refused": _RECEIVED | {"registration_refused": _OUTSIDE},
    "withdrawn": _RECEIVED | {"registration_withdrawn": _OUTSIDE},
    "departed": _STRAIGHT | {"departure_recorded": _OUTSIDE, "registration_ended": _OUTSIDE},
}
_OF_PERMIT: Final = {"permit_submitted": _OUTSIDE, _ACCEPTED: _OUTSIDE, "permit_issued": _OUTSIDE}
_OF_PERMIT_REPORTED: Final = _OF_PERMIT | {"permit_reported": ("person",), "permit_revoked": _OUTSIDE}


def notices(found: Evidence) -> Iterator[Finding]:
    """Each notice was delivered, at least once and under one id, and nothing arrived that was not sent."""
    made: dict[str, Counter[tuple[str, str, str]]] = defaultdict(Counter)
    occasions: Counter[tuple[str, ...]] = Counter()
    for row in found.register["notices"]:
        named = f"{row['kind']} to {row['recipient']} of {row['reference']}"
        if row["status"] not in _GONE_OUT | {"suppressed"}:
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
    yield from _arrivals(found)


def _about(finding: str, reference: str, which: tuple[str, str, str]) -> Finding:
    kind, recipient, destination = which
    return Finding(finding, f"{kind} to {recipient} of {reference}{'/' * bool(destination)}{destination}")


def _due(fate: Mapping[str, Any], overtaken: set[str]) -> Counter[tuple[str, str, str]]:
    """Return which notices a case of this fate makes, by kind, recipient and destination."""
    of_permit = _OF_PERMIT_REPORTED if fate["kind"] == "departed" else _OF_PERMIT
    due = Counter((kind, recipient, "") for kind, told in _OF_CASE[fate["kind"]].items() for recipient in told)
    for destination in fate["permits"]:
        for kind, told in of_permit.items():
            if kind != _ACCEPTED or destination not in overtaken:
                due.update((kind, recipient, destination) for recipient in told)
    return due


def _overtaken(found: Evidence) -> dict[str, set[str]]:
    """Return for which destinations of a case `accepted` came after `issued`: it is kept, and tells nobody (P24)."""
    states: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in found.register["answers"]:
        if row["outcome"] == "accepted":
            states[row["reference"], row["destination"]].add(row["state"])
    late: dict[str, set[str]] = defaultdict(set)
    for (reference, destination), seen in states.items():
        if seen == {"recorded"}:
            late[reference].add(destination)
    return late


def _arrivals(found: Evidence) -> Iterator[Finding]:
    arrived = {"mail": set(found.mails), "webhook": set(found.hooks), "sms": {each["sms_id"] for each in found.texts}}
    known: dict[str, set[str]] = defaultdict(set)
    # What an inbox shows stands in the register and goes nowhere.
    for row in (row for row in found.register["deliveries"] if row["channel"] in arrived):
        name = row["provider_id"] if row["channel"] == "sms" else row["delivery_id"]
        if name is not None:
            known[row["channel"]].add(name)
        if row["status"] in _GONE_OUT and name not in arrived[row["channel"]]:
            yield Finding("delivery_lost", f"{row['channel']} {row['delivery_id']} is {row['status']}, never arrived")
        if row["status"] == "queued" or row["leased"]:
            yield Finding("delivery_left", f"{row['channel']} {row['delivery_id']} is {row['status']}")
    for channel, ids in arrived.items():
        yield from (Finding("delivery_unknown", f"{channel} {name}") for name in ids - known[channel])
