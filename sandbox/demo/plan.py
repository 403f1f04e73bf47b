"""What the demo does with each row of the sample rosters: who decides what, and how each case ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

EMPLOYERS: Final = {"employer-a": "roster.csv", "employer-b": "roster-b.csv"}
GUESTS: Final = "work-permits.csv"
# Each employer has its officer; the other one, or the supervisor, signs second.
OFFICERS: Final = {"emp-a": "officer-1", "emp-b": "officer-2"}
PERSONAS: Final = {"emp-a": "employer-a", "emp-b": "employer-b"}
LAST_DAY_AGO: Final = 1


@dataclass(frozen=True)
class Decision:
    """What an officer decides in a round, and what the second signer says where one is needed."""

    action: str
    reasons: tuple[str, ...] = ()
    second: str | None = None
    rejects: str | None = None


@dataclass(frozen=True)
class Eligibility:
    """What an officer makes of an eligibility that is not clear."""

    action: str
    reason: str
    second: str | None = None


@dataclass(frozen=True)
class Fate:
    """What is done with one row, and the stages in which its registration and permits end."""

    decisions: Mapping[int, Decision] = field(default_factory=lambda: {1: Decision("approve")})
    correction: Mapping[str, Any] | None = None
    contest: str | None = None
    # What the employer gives again under review, unasked, before anybody decides the first round.
    amendment: Mapping[str, Any] | None = None
    holds: bool = False
    withdraws: bool = False
    departs: bool = False
    eligibility: Mapping[str, Eligibility] = field(default_factory=dict)
    ends: str = "approved"
    permits: Mapping[str, str] = field(default_factory=dict)
    unreachable: bool = False

    def permits_of(self, destinations: list[str]) -> dict[str, str]:
        """The stage in which the permit of each destination ends; none where the registration was not approved."""
        if self.ends not in ("approved", "ended"):
            return {}
        return {destination: self.permits.get(destination, "issued") for destination in destinations}


APPROVE: Final = Decision("approve")
PLAIN: Final = Fate()
_THEN_APPROVE: Final = {2: APPROVE}
_CONSENT: Final = {"issuer": "示例局", "number": "示函〔2026〕7号", "date": "2026-01-20"}
_LETTER: Final = {"employment": {"consent_letter": _CONSENT}}
_REFUSED_BOTH: Final = {"HK": "refused", "MO": "refused"}


def _returned(code: str, correction: Mapping[str, Any]) -> Fate:
    return Fate(decisions={1: Decision("return", (code,)), **_THEN_APPROVE}, correction=correction)


def _refused(code: str, second: str) -> Fate:
    return Fate(decisions={1: Decision("refuse", (code,), second)}, ends="refused")


_BY_REFERENCE: Final[dict[str, Fate]] = {
    # Asked to correct by the rules, then clear.
    "HTRI-010": Fate(decisions=_THEN_APPROVE, correction=_LETTER),
    # An officer explains why a finding that needs a person does not stand in the way.
    "HTRI-012": Fate(decisions={1: Decision("approve", ("document_seen",))}),
    "HTRI-014": _returned("employment_dates_wrong", {"employment": {"contract_end": "2035-02-28"}}),
    # No permit card yet: approved with an override reason, which is not asked for again before the permit is sent for.
    "HTRI-015": Fate(decisions={1: Decision("approve", ("permit_card_missing",))}),
    "HTRI-020": _refused("not_mainland_resident", "officer-2"),
    "HTRI-021": Fate(permits=_REFUSED_BOTH),
    "HTRI-022": Fate(unreachable=True),
    "HTRI-024": Fate(holds=True),
    "HTRI-025": Fate(withdraws=True, ends="withdrawn"),
    "HTRI-026": Fate(departs=True, ends="ended", permits={"HK": "revoked"}),
    "HWX-005": Fate(permits=_REFUSED_BOTH),
    "HWX-006": Fate(permits={"MO": "refused"}),
    # Approved over a failed finding by two people, whose reason holds for the permit too.
    "HWX-011": Fate(decisions={1: Decision("approve", ("explained_by_employer",), "supervisor")}),
    # The employer contests, and two people approve over the missing letter.
    "HWX-012": Fate(
        decisions={2: Decision("approve", ("finding_mistaken",), "supervisor")},
        contest="The person left the public service before this employment began; no unit can give a letter.",
    ),
    # The second signer does not support the refusal: the officer returns the case instead.
    "HWX-013": Fate(
        decisions={
            1: Decision("refuse", ("employment_unproved",), "officer-1", rejects="return_instead"),
            2: Decision("return", ("employment_dates_wrong",)),
            3: APPROVE,
        },
        correction={"employment": {"contract_start": "2026-01-01"}},
    ),
    "HWX-014": _returned("work_site_unknown", {"employment": {"work_site": "SZP-101"}}),
    "HWX-018": _refused("not_mainland_resident", "supervisor"),
    "HWX-019": _returned("permit_card_wrong", {"person": {"permit_card_number": "C41204519"}}),
    # Approved without a word on the card, so that it is asked about, once for both permits: one is withheld by two
    # people, the other sent for.
    "HWX-022": Fate(
        eligibility={
            "HK": Eligibility("withhold", "permit_card_ends_early", "supervisor"),
            "MO": Eligibility("send", "permit_card_missing"),
        },
        permits={"HK": "ended"},
    ),
}


def fate_of(client_reference: str) -> Fate:
    """What is done with the row of a client reference."""
    return _BY_REFERENCE.get(client_reference, PLAIN)
