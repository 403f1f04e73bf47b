"""What the demo reads back in the end, and whether the API, the sinks and the authority's books agree."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.demo.plan import PLAIN, fate_of

Row = dict[str, Any]
_GONE_OUT: Final = frozenset({"sent", "delivered"})
_LISTED: Final = frozenset({"submitted", "accepted", "issued", "refused", "expired", "revoked"})
_GIVEN: Final = ("authority_number", "valid_from", "valid_until", "stay_days", "entries")
# A straight approval tells employer and person that it came and was approved, and of each permit three times.
_NOTICES_STRAIGHT: Final = 4
_NOTICES_OF_PERMIT: Final = 6
_REFERENCE: Final = re.compile(r"HT-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]")


@dataclass(frozen=True)
class ReadBack:
    """What the API, the sinks and the authority say in the end."""

    rows: Mapping[str, str]
    cases: Mapping[str, Row]
    notices: Mapping[str, list[Row]]
    books: Row
    mails: list[Row]
    texts: list[Row]
    hooks: list[Row]
    incidents: list[Row]

    def deliveries(self, channel: str) -> Iterator[Row]:
        """Every delivery of a channel that the API shows."""
        for notices in self.notices.values():
            for notice in notices:
                yield from (each for each in notice["deliveries"] if each["channel"] == channel)


def differences(found: ReadBack) -> list[str]:
    """Everything that is not as it should be, a sentence each; none when all agree."""
    return [
        *_plans(found),
        *_books(found),
        *_reports(found),
        *_notices(found),
        *_arrivals("mail", found, [(mail["message_id"].partition("@")[0], mail["text"]) for mail in found.mails]),
        *_texts(found),
        *_arrivals("webhook", found, [(hook["message_id"], hook["body"]) for hook in found.hooks]),
        *(f"incident {each['kind']} at {each['step']} of {each['reference']}" for each in found.incidents),
    ]


def stages(found: ReadBack) -> dict[str, int]:
    """How many registrations stand in each stage."""
    return dict(sorted(Counter(case["stage"] for case in found.cases.values()).items()))


def permits(found: ReadBack) -> dict[str, dict[str, int]]:
    """How many permits stand in each stage, by destination."""
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for case in found.cases.values():
        for permit in case["permits"]:
            counted[permit["stage"] or "not_eligible_yet"][permit["destination"]] += 1
    return {stage: dict(sorted(by.items())) for stage, by in sorted(counted.items())}


def notices(found: ReadBack) -> dict[str, int]:
    """How many notices have each status."""
    statuses = (notice["status"] for notices in found.notices.values() for notice in notices)
    return dict(sorted(Counter(statuses).items()))


def _plans(found: ReadBack) -> Iterator[str]:
    for reference, row in found.rows.items():
        fate, case = fate_of(row), found.cases.get(reference)
        if case is None:
            yield f"{row} ({reference}) is not in the register"
            continue
        if case["stage"] != fate.ends:
            yield f"{row} is {case['stage']} and should be {fate.ends}"
        stood = {permit["destination"]: permit["stage"] for permit in case["permits"]}
        if stood != fate.permits_of(case["destinations"]):
            yield f"{row} has permits {stood} and should have {fate.permits_of(case['destinations'])}"


def _books(found: ReadBack) -> Iterator[str]:
    entries, issued = defaultdict(list), {}
    people: Counter[tuple[str, str]] = Counter()
    for entry in _ours(found, found.books["entries"]):
        entries[entry["case"]].append(entry)
        people[entry["body"]["person"]["identity_number"], entry["body"]["destination"]] += 1
    for answer in found.books["answers"]:
        if answer["body"]["outcome"] in ("issued", "replaced"):
            issued[answer["case"]] = answer["body"]
    if any(number > 1 for number in people.values()):
        yield "the authority has more than one list entry for one person and destination"
    for reference, case in found.cases.items():
        for permit in case["permits"]:
            place = f"{reference}/{permit['destination']}"
            yield from _permit(place, case, permit, entries.pop(place, []), issued.get(place))
    yield from (f"the authority has an entry for {place}, the API no permit" for place in entries)


def _permit(place: str, case: Row, permit: Row, entries: list[Row], issued: Row | None) -> Iterator[str]:
    expected = 1 if permit["stage"] in _LISTED or permit["sent_at"] else 0
    if len(entries) != expected:
        yield f"{place} is {permit['stage']} and has {len(entries)} list entries"
        return
    for entry in entries:
        if entry["state"] != permit["stage"]:
            yield f"{place} is {permit['stage']} in the API and {entry['state']} in the authority's books"
        if entry["body"]["registration_number"] != case["registration_number"]:
            yield f"{place} was sent with another registration number"
    shown = {name: permit[name] for name in _GIVEN} if permit["valid_until"] else None
    if shown != ({name: issued[name] for name in _GIVEN} if issued else None):
        yield f"{place} has another number or other dates in the API than in the authority's books"


# What is told of a registration that goes on.
_OF_CHANGES: Final = frozenset({"entry_changed", "destination_given_up"})


def _reports(found: ReadBack) -> Iterator[str]:
    ends = [report for report in found.books["reports"] if report["what"] not in _OF_CHANGES]
    reported = Counter(case for report in ends for case in report["cases"])
    for reference, case in found.cases.items():
        for permit in case["permits"]:
            place = f"{reference}/{permit['destination']}"
            if reported[place] != (1 if permit["reported_at"] else 0):
                yield f"{place} was reported {reported[place]} times to the authority"


def _notices(found: ReadBack) -> Iterator[str]:
    for reference, notices in found.notices.items():
        row = found.rows[reference]
        fate, destinations = fate_of(row), found.cases[reference]["destinations"]
        for notice in notices:
            unreachable = fate.unreachable and notice["recipient"] == "person"
            if notice["status"] != ("failed" if unreachable else "delivered"):
                yield f"{row}: {notice['kind']} to {notice['recipient']} is {notice['status']}"
        straight = _NOTICES_STRAIGHT + _NOTICES_OF_PERMIT * len(destinations)
        if fate == PLAIN and len(notices) != straight:
            yield f"{row} has {len(notices)} notices and should have {straight}"


def _arrivals(channel: str, found: ReadBack, arrived: Iterable[tuple[str, str | None]]) -> Iterator[str]:
    """Compare what went out, by the ids of messages, with what arrived about the demo's cases."""
    sent = {each["message_id"] for each in found.deliveries(channel) if each["status"] in _GONE_OUT}
    times = Counter(name for name, text in arrived if name in sent or _is_about(found, text or ""))
    yield from (f"a {channel} of the API never arrived: {name}" for name in sent - times.keys())
    yield from (f"a {channel} arrived of which the API knows nothing: {name}" for name in times.keys() - sent)
    yield from (f"a {channel} arrived {number} times: {name}" for name, number in times.items() if number > 1)


def _texts(found: ReadBack) -> Iterator[str]:
    sent = len({each["message_id"] for each in found.deliveries("sms") if each["status"] in _GONE_OUT})
    arrived = [text for text in found.texts if _is_about(found, text["text"])]
    if sent != len(arrived):
        yield f"{sent} SMS went out and {len(arrived)} arrived"
    yield from (
        f"an SMS was handed in {text['times']} times: {text['sms_id']}" for text in arrived if text["times"] > 1
    )


def _ours(found: ReadBack, rows: Iterable[Row]) -> Iterator[Row]:
    return (row for row in rows if row["case"].partition("/")[0] in found.rows)


def _is_about(found: ReadBack, text: str) -> bool:
    return any(reference in found.rows for reference in _REFERENCE.findall(text))
