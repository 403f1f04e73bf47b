"""Reason codes are those of states.md, section 5, with its uses and standings."""

import pytest

from domain.errors import Refused
from domain.reasons import REASONS as OF_ANY_CASE
from domain.reasons import ReasonCode, ReasonStanding, Use, checked_reasons
from domain.words import CORE_WORDS, Words, joined
from programmes.talent_permit.reasons import (
    DEPARTURE_REASONS,
    REASONS,
    USES,
    PermitReason,
    PermitUse,
    departure_reason,
)

# Copied from the table, use by use, so that a change of the code is seen.
TABLE = {
    "RF": "identity_number_wrong employment_unproved consent_letter_missing",
    "R": "birth_date_implausible name_differs document_unreadable contact_unusable undertaking_missing "
    "permit_card_wrong employment_dates_wrong work_site_unknown",
    "FW": "not_mainland_resident",
    "O": "permit_card_missing document_seen register_outdated explained_by_employer finding_mistaken",
    "RW": "permit_card_ends_early",
    "FV": "not_employed_there work_site_outside_park employer_not_in_park false_statement",
    "F": "employer_kind_not_listed not_mended",
    "FH": "employer_standing live_registration_exists",
    "VS": "decided_in_error",
    "S": "new_proof not_told",
    "N": "decision_stands grounds_unproved no_effect_left",
    "E": "resigned dismissed contract_ended moved_within_park moved_out_of_park deceased other employer_left_park "
    "revoked registration_ended not_eligible withdrawn cancelled",
    "H": "false_statement_suspected other_authority_asked legal_question",
    "C": "reason_not_supported return_instead facts_incomplete",
}


@pytest.mark.parametrize(("uses", "codes"), TABLE.items())
def test_each_reason_has_the_uses_of_the_table(uses: str, codes: str) -> None:
    for code in codes.split():
        assert REASONS[code].uses == set(uses)


def test_the_table_is_whole() -> None:
    assert {code for codes in TABLE.values() for code in codes.split()} == {*ReasonCode, *PermitReason} == set(REASONS)
    assert set(OF_ANY_CASE) == set(ReasonCode)
    assert {use for reason in REASONS.values() for use in reason.uses} == set(USES)
    assert all(reason.source for reason in REASONS.values())


def test_no_ground_for_refusing_revoking_or_withholding_is_confirmed() -> None:
    for reason in REASONS.values():
        for use in reason.uses & {Use.REFUSE, PermitUse.REVOKE, PermitUse.WITHHOLD}:
            assert reason.standings[use] is ReasonStanding.UNCONFIRMED
    assert REASONS[ReasonCode.IDENTITY_NUMBER_WRONG].standings[Use.RETURN] is ReasonStanding.CONFIRMED
    assert REASONS[ReasonCode.NAME_DIFFERS].standings[Use.RETURN] is ReasonStanding.UNCONFIRMED


def test_reasons_are_taken_once_and_in_order() -> None:
    codes = ["work_site_unknown", "name_differs", "work_site_unknown"]
    assert checked_reasons(codes, Use.RETURN, REASONS) == (PermitReason.WORK_SITE_UNKNOWN, ReasonCode.NAME_DIFFERS)


@pytest.mark.parametrize(
    ("code", "use", "problem"),
    [
        ("unheard_of", Use.RETURN, "reason_unknown"),
        ("name_differs", Use.REFUSE, "reason_not_allowed"),
        ("", Use.HOLD, "reason_unknown"),
    ],
)
def test_another_reason_is_refused_without_being_quoted(code: str, use: Use, problem: str) -> None:
    with pytest.raises(Refused) as refused:
        checked_reasons([code], use, REASONS)
    assert refused.value.code == problem
    assert "unheard_of" not in refused.value.detail


def test_a_departure_is_reported_with_reasons_of_the_employment_only() -> None:
    assert departure_reason("resigned") == PermitReason.RESIGNED
    assert len(DEPARTURE_REASONS) == 7
    with pytest.raises(Refused) as refused:
        departure_reason("revoked")
    assert refused.value.code == "reason_not_allowed"


def test_a_reason_of_any_case_has_the_uses_that_programmes_add_and_no_case_has_those_of_another() -> None:
    code = ReasonCode.FALSE_STATEMENT
    assert CORE_WORDS.reasons[code].uses == {"F"}
    other = CORE_WORDS | Words(reasons={"toy_broken": REASONS["decided_in_error"]})
    both = joined([other, CORE_WORDS | Words(reasons=REASONS, uses=USES)])
    assert both.reasons[code].uses == {"F", "V"}
    assert other.reasons[code].uses == {"F"}
    assert set(both.reasons) == {*REASONS, "toy_broken"}
    with pytest.raises(Refused) as refused:
        checked_reasons(["resigned"], Use.REFUSE, other.reasons)
    assert refused.value.code == "reason_unknown"
