"""The facts that a finding rests on, for the findings that are asked about again when a permit's rules run."""

from collections.abc import Mapping
from typing import Final

from domain.findings import FindingCode
from policy.facts import Facts

LOOKED_AT: Final[Mapping[FindingCode, tuple[str, ...]]] = {
    FindingCode.DESTINATION_NOT_ASKED: ("destinations",),
    FindingCode.REGISTRATION_NOT_IN_FORCE: ("registration_in_force",),
    FindingCode.NOT_MAINLAND_RESIDENT: ("identity_number",),
    FindingCode.EMPLOYMENT_DATES_WRONG: ("contract_start", "contract_end", "contract_is_open_ended"),
    FindingCode.PERMIT_CARD_MISSING: ("permit_card_number",),
    FindingCode.PERMIT_CARD_WRONG: ("permit_card_number",),
    FindingCode.PERMIT_CARD_ENDS_EARLY: ("permit_card_number", "permit_card_valid_until"),
}


def looked_at(code: FindingCode, facts: Facts) -> dict[str, object]:
    """Return the facts that the rule of a code looks at, those that are not known left out."""
    names = LOOKED_AT[code]
    seen: dict[str, object] = facts.model_dump(mode="json", include=set(names), exclude_none=True)
    unread = [name for name in facts.ill_typed if name in names]
    return seen | {"ill_typed": unread} if unread else seen
