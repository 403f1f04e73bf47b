"""The people of a run: what each one's employer asks for, what is done with the case, and where it may end."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from bench.people import numbers, registration
from sandbox.demo.plan import APPROVE, PLAIN, Decision, Fate
from sandbox.standins.authority_book import SHORT_TERM

# Shares in a thousand.
_KINDS: Final[Mapping[str, int]] = {
    "straight": 490,
    "returned": 80,
    "amended": 40,
    "incomplete": 60,
    "refused": 60,
    "withdrawn": 40,
    "held": 30,
    "departed": 40,
    "changed": 40,
    "renewed": 50,
    "objected": 30,
    "asked_anew": 40,
}
# Those of which something is done after their approval or refusal (`bench.faults.later`).
LATER: Final = frozenset({"changed", "renewed", "objected", "asked_anew"})
_LETTER: Final = {"employment": {"consent_letter": {"issuer": "示例局", "number": "示字1号", "date": "2025-10-20"}}}
_FATES: Final[Mapping[str, Fate]] = {
    "straight": PLAIN,
    "returned": Fate(
        decisions={1: Decision("return", ("employment_dates_wrong",)), 2: APPROVE},
        correction={"employment": {"contract_start": "2025-02-01"}},
    ),
    "amended": Fate(decisions={2: APPROVE}, amendment={"employment": {"contract_start": "2025-02-01"}}),
    "incomplete": Fate(decisions={2: APPROVE}, correction=_LETTER),
    "refused": Fate(decisions={1: Decision("refuse", ("employment_unproved",), "supervisor")}, ends="refused"),
    "withdrawn": Fate(withdraws=True, ends="withdrawn"),
    "held": Fate(holds=True),
    "departed": Fate(departs=True, ends="ended", permits={"HK": "revoked", "MO": "revoked"}),
    "changed": PLAIN,
    "renewed": PLAIN,
    "objected": Fate(decisions={1: Decision("refuse", ("employment_unproved",), "officer-2")}),
    "asked_anew": PLAIN,
}
_DESTINATIONS: Final = (("HK",), ("MO",), ("HK", "MO"))
_EMPLOYERS: Final = {"employer-a": "SZP-001", "employer-b": "SZP-101"}
# So many in a hundred have no mail address and are told by SMS; so many employers' programs never ask twice.
_BY_SMS: Final = 6
_IMPATIENT: Final = 8


@dataclass(frozen=True)
class Person:
    """One person: who registers them, with what, and what is done with the case."""

    number: int
    kind: str
    employer: str
    body: Mapping[str, Any]
    asks_once: bool

    @property
    def client_reference(self) -> str:
        """The name under which the employer knows the person, and the key of its request."""
        return str(self.body["client_reference"])

    @property
    def fate(self) -> Fate:
        """What is done with the case, and where it ends."""
        return _FATES[self.kind]


def people(seed: int, cases: int, *, later: bool = True) -> list[Person]:
    """Draw the people of a run, with or without those of whom something is done after their approval or refusal."""
    draw = random.Random(f"people/{seed}")
    shares = {kind: share for kind, share in _KINDS.items() if later or kind not in LATER}
    # One of each kind first, so that a short run has all of them.
    kinds = [*shares, *draw.choices(list(shares), list(shares.values()), k=cases)]
    return [_person(draw, number, kind) for number, kind in zip(islice(numbers(), cases), kinds, strict=False)]


def plain_person(number: int, client_reference: str) -> Person:
    """Return one whose case goes straight through, for a fault that needs a case of its own."""
    body = registration(number) | {"client_reference": client_reference, "destinations": ["HK"]}
    return Person(number, "straight", "employer-a", body, asks_once=False)


def _person(draw: random.Random, number: int, kind: str) -> Person:
    # Who decides an objection has not decided before: the other officer has signed its refusal.
    employer = "employer-a" if kind == "objected" else draw.choice(list(_EMPLOYERS))
    by_sms = draw.randrange(100) < _BY_SMS
    body = registration(number, email=not by_sms, work_site=_EMPLOYERS[employer], state_worker=kind == "incomplete")
    if by_sms:
        body["person"]["phone"] = f"+86138{number:08d}"
    body |= {"client_reference": f"faults-{number}", "destinations": list(draw.choice(_DESTINATIONS))}
    if kind == "asked_anew":
        body["destinations"] = ["HK", "MO"]
    if kind == "renewed":
        body["person"]["permit_card_number"] = f"C{number % 10_000:04d}{SHORT_TERM}"
    return Person(number, kind, employer, body, asks_once=draw.randrange(100) < _IMPATIENT)
