"""The facts that a finding rests on are all that its rule looks at."""

from datetime import date
from typing import Any

import pytest

from domain.employers import EmployerKind
from domain.premises import SiteStanding
from domain.stages import Standing
from policy.looked_at import looked_at
from policy.packs import load_rule_packs
from programmes.talent_permit.findings import FindingCode
from programmes.talent_permit.known import LOOKED_AT, PermitFacts
from programmes.talent_permit.limits import RULES
from programmes.talent_permit.permit_stages import Destination
from programmes.talent_permit.rules import PERMIT_RULES, eligibility

ON = date(2026, 3, 2)
# Of each fact values that rules tell apart.
VALUES: dict[str, tuple[Any, ...]] = {
    "identity_number": (None, "44030419900307123X", "11", "440304203003071231"),
    "permit_card_number": (None, "C12345678", "W12345678", "12"),
    "permit_card_valid_until": (None, date(2036, 1, 1), date(2026, 4, 1)),
    "work_site": (None, SiteStanding.IN_FORCE, SiteStanding.NO_SINGLE_MATCH),
    "contract_start": (None, date(2024, 1, 1), date(2027, 1, 1)),
    "contract_end": (None, date(2030, 1, 1), date(2026, 1, 1)),
    "contract_is_open_ended": (None, True, False),
    "state_worker": (None, True, False),
    "consent_letter_date": (None, date(2026, 1, 1)),
    "destinations": (None, (Destination.HK,), (Destination.HK, Destination.MO)),
    "employer_kind": (None, EmployerKind.OTHER),
    "employer_standing": (None, Standing.GOOD, Standing.LEFT_PARK),
    "employer_has_premises": (None, True, False),
    "other_live_registration": (None, True, False),
    "registration_in_force": (None, True, False),
}
BASES = [PermitFacts(), *(PermitFacts(**{name: value}) for name, values in VALUES.items() for value in values)]


def test_every_finding_of_a_permit_has_its_facts() -> None:
    assert set(LOOKED_AT) == {rule.code for rule in PERMIT_RULES} | {FindingCode.DESTINATION_NOT_ASKED}


@pytest.mark.parametrize("pack", load_rule_packs(RULES), ids=lambda pack: pack.version)
@pytest.mark.parametrize("name", VALUES)
def test_a_fact_that_is_not_looked_at_changes_no_outcome(pack: Any, name: str) -> None:
    for base in BASES:
        before = {f.code: f for f in eligibility(base, Destination.MO, pack, ON)}
        for value in VALUES[name]:
            changed = base.model_copy(update={name: value})
            now = {f.code: f for f in eligibility(changed, Destination.MO, pack, ON)}
            for code, names in LOOKED_AT.items():
                if name not in names:
                    assert now.get(code) == before.get(code), (code, name, value)
                    assert looked_at(LOOKED_AT[code], changed) == looked_at(LOOKED_AT[code], base)


def test_a_fact_in_a_form_that_cannot_be_read_is_another_than_none() -> None:
    unread = PermitFacts(ill_typed=("permit_card_valid_until",))
    code = FindingCode.PERMIT_CARD_ENDS_EARLY
    assert looked_at(LOOKED_AT[code], unread) != looked_at(LOOKED_AT[code], PermitFacts())
    assert looked_at(LOOKED_AT[FindingCode.PERMIT_CARD_MISSING], unread) == looked_at(
        LOOKED_AT[FindingCode.PERMIT_CARD_MISSING], PermitFacts()
    )
