"""What must hold when the story of years is told, whatever came in between."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.demo.life import OUTSIDE, WATCHER, Life, Row

# Whoever else reads one of the addresses must not agree in the person's name unseen.
_TO_EACH_ADDRESS: Final = frozenset({"transfer_agreed"})
_SHOWN: Final = frozenset({"delivered", "suppressed"})


async def differences(life: Life) -> list[str]:
    """Return everything that is not as it should be, a sentence each."""
    books = await life.callers.aside("authority", "GET", "/sandbox/books")
    cases = {reference: await life.case(reference) for reference in life.notices}
    wrong = [*_notices(life), *_entries(books, cases)]
    for reference in life.notices:
        compared = await life.callers.get(WATCHER, f"/v1/audit/cases/{reference}/reconciliation")
        if not compared["complete"]:
            wrong.append(f"{reference}: its records cannot be compared")
        wrong += [f"{reference}: {each['code']}: {each['says']}" for each in compared["differences"]]
    for incident in await life.callers.pages("operator", "/v1/incidents"):
        wrong.append(f"incident {incident['kind']} at {incident['step']}")
    mails = Counter(mail["message_id"] for mail in await life.callers.aside("mail", "GET", "/messages"))
    wrong += [f"a mail arrived {times} times: {name}" for name, times in mails.items() if times > 1]
    return wrong


def _notices(life: Life) -> Iterator[str]:
    """Each notice was delivered, and nobody was told one thing twice on one day."""
    for reference, rows in life.notices.items():
        outside = [row for row in rows if row["recipient"] in OUTSIDE]
        for row in outside:
            if row["status"] not in _SHOWN:
                yield f"{reference}: {row['kind']} to {row['recipient']} is {row['status']}"
        for (day, kind, recipient, place), number in Counter(map(_telling, outside)).items():
            if number > 1 and kind not in _TO_EACH_ADDRESS:
                yield f"{reference}: {recipient} was told {kind} {place} {number} times on {day}"


def _telling(row: Row) -> tuple[str, str, str, str]:
    return row["at"][:10], row["kind"], row["recipient"], str(row["destination"] or "")


def _entries(books: Mapping[str, Any], cases: Mapping[str, Row]) -> Iterator[str]:
    """The authority has one entry for each term of a permit, and the register shows each number that it gave.

    A permit that moved to the next registration goes on under the entry of the one before, so that a destination of the
    one person is looked at over all registrations.
    """
    keys = Counter(entry["key"] for entry in books["entries"])
    yield from (f"the authority has {number} entries under {key}" for key, number in keys.items() if number > 1)
    entries = Counter(entry["case"].rpartition("/")[2] for entry in books["entries"])
    given: dict[str, set[str]] = {}
    for answer in books["answers"]:
        if answer["body"]["outcome"] == "issued":
            destination = answer["case"].rpartition("/")[2]
            given.setdefault(destination, set()).add(answer["body"]["authority_number"])
    shown: dict[str, set[str]] = {}
    for case in cases.values():
        for permit in case["permits"]:
            numbers = {term["authority_number"] for term in permit.get("terms") or [permit]}
            shown.setdefault(permit["destination"], set()).update(numbers)
    for destination, numbers in shown.items():
        # A further term may be the authority's own doing, and needs no entry.
        if not 1 <= entries[destination] <= len(numbers):
            yield f"{destination} has {len(numbers)} terms, and the authority {entries[destination]} entries"
        gave = given.get(destination, set())
        if numbers != gave:
            yield f"{destination} shows {sorted(numbers)}, and the authority gave {sorted(gave)}"
