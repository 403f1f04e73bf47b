"""What the record says of registrations: the facts on receipts, decisions on permits, and where each permit stood."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from cases.case.shows import FactSource, Told
from cases.decisions import renewals
from domain.acts import Act
from domain.case_facts import short_of
from domain.folding import ActRow, Folding
from domain.stages import Holder
from programmes.talent_permit.permit_stages import PermitStage
from programmes.talent_permit.requests import FactField
from programmes.talent_permit.words import PermitAct, PermitProposal

_APPLICATION: Final = "application"
_EMPLOYERS: Final = "register of employers"
_PREMISES: Final = "register of premises"
_REGISTRATIONS: Final = "register of registrations"
# What the rules look at (`policy.facts`).
_FACTS: Final[Mapping[str, FactSource]] = {
    "identity_number": FactSource(_APPLICATION, masked=True),
    "permit_card_number": FactSource(_APPLICATION, masked=True),
    "permit_card_valid_until": FactSource(_APPLICATION, inside=False),
    "work_site": FactSource(_PREMISES),
    "work_site_code": FactSource(_PREMISES),
    "employment_kind": FactSource(_APPLICATION),
    "contract_start": FactSource(_APPLICATION),
    "contract_end": FactSource(_APPLICATION),
    "contract_is_open_ended": FactSource(_APPLICATION),
    "state_worker": FactSource(_APPLICATION),
    "consent_letter_date": FactSource(_APPLICATION),
    "destinations": FactSource(_APPLICATION),
    "employer_kind": FactSource(_EMPLOYERS, outside=False),
    "employer_standing": FactSource(_EMPLOYERS, outside=False),
    "employer_has_premises": FactSource(_EMPLOYERS, outside=False),
    "other_live_registration": FactSource(_REGISTRATIONS, outside=False),
    "registration_in_force": FactSource(_REGISTRATIONS),
}
_FROM_FIELD: Final[Mapping[str, tuple[str, ...]]] = {
    short_of(FactField.CONTRACT_END): ("contract_end", "contract_is_open_ended"),
    short_of(FactField.CONSENT_LETTER): ("consent_letter_date",),
}
# What a list entry holds of the person (`programmes/talent_permit/authority/calls.py`).
_PASSED_ON: Final = ("name_zh", "name_en", "identity_number", "permit_card_number")
_BY_ANSWER: Final[Mapping[str, PermitStage]] = {
    "accepted": PermitStage.ACCEPTED,
    "issued": PermitStage.ISSUED,
    "refused": PermitStage.REFUSED,
    "withdrawn": PermitStage.ENDED,
    "cancelled": PermitStage.ENDED,
    "kept": PermitStage.ISSUED,
    "replaced": PermitStage.ISSUED,
    "revoked": PermitStage.REVOKED,
}
_BY_ACT: Final[Mapping[str, PermitStage]] = {
    PermitAct.PERMIT_ELIGIBLE: PermitStage.ELIGIBLE,
    PermitAct.PERMIT_SENT: PermitStage.SUBMITTED,
    PermitAct.PERMIT_WITHHELD: PermitStage.ENDED,
    # Of a permit, that it is withheld: nothing else of one cools off.
    Act.SETTLED: PermitStage.ENDED,
    PermitAct.PERMIT_CLOSED: PermitStage.ENDED,
    PermitAct.PERMIT_EXPIRED: PermitStage.EXPIRED,
    PermitAct.PERMIT_MOVED_AWAY: PermitStage.ENDED,
}
_WAITS_FOR: Final[Mapping[StrEnum, Holder]] = {
    PermitStage.ELIGIBLE: Holder.PARK,
    PermitStage.SUBMITTED: Holder.PERSON,
    PermitStage.ACCEPTED: Holder.AUTHORITY,
}


def _stage_after(row: ActRow) -> PermitStage | None:
    """Return where a permit stands after a row; what is said of one of its terms leaves it where it was."""
    if row.act == Act.ANSWER_APPLIED:
        if row.detail.get("goes_on"):
            return None
        return _BY_ANSWER.get(row.outcome or "")
    if row.act == PermitAct.PERMIT_SENT and (row.detail.get("after_end") or "term" in row.detail):
        return None
    if row.act == PermitAct.PERMIT_TAKEN_OVER:
        return PermitStage(row.outcome or "")
    return _BY_ACT.get(row.act)


FOLDING: Final = Folding(
    stage_after=_stage_after,
    proposed={
        PermitAct.PERMIT_WITHHOLD_PROPOSED: PermitProposal.WITHHOLD.value,
        Act.ANSWER_PROPOSED: PermitProposal.OUTCOME.value,
    },
    anew=frozenset({PermitAct.PERMIT_REOPENED, PermitAct.PERMIT_ASKED_ANEW}),
    settled=frozenset({Act.REJECTED, PermitAct.PERMIT_WITHHELD, PermitAct.PERMIT_CLOSED, Act.ANSWER_APPLIED}),
    waits_for=_WAITS_FOR,
    brought=frozenset({PermitAct.PERMIT_TAKEN_OVER}),
    case_proposed={
        PermitAct.REVOCATION_PROPOSED: PermitProposal.REVOKE.value,
        PermitAct.DEPARTURE_PROPOSED: PermitProposal.DEPARTURE.value,
        **renewals.PROPOSED,
    },
    case_settled=frozenset({PermitAct.REVOKED}),
)
TOLD: Final = Told(
    facts=_FACTS,
    from_field=_FROM_FIELD,
    decisions={PermitAct.REVOKED: "revoke", PermitAct.PERMIT_WITHHELD: "withhold"},
    proposals=frozenset(
        {
            PermitAct.REVOCATION_PROPOSED,
            PermitAct.DEPARTURE_PROPOSED,
            PermitAct.PERMIT_WITHHOLD_PROPOSED,
            *renewals.PROPOSED,
        }
    ),
    folding=FOLDING,
    passed_on={"list_entry": _PASSED_ON, "entry_changed": _PASSED_ON},
)
