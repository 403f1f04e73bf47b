"""Reason codes are those of states.md, section 5, with its uses and standings."""

import pytest

from domain.errors import Refused
from domain.reasons import (
    DEPARTURE_REASONS,
    REASONS,
    ReasonCode,
    ReasonStanding,
    Use,
    checked_reasons,
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
    "V": "decided_in_error",
    "E": "resigned dismissed contract_ended moved_within_park moved_out_of_park deceased other employer_left_park "
    "revoked registration_ended not_eligible withdrawn cancelled",
    "H": "false_statement_suspected other_authority_asked legal_question",
    "C": "reason_not_supported return_instead facts_incomplete",
}


@pytest.mark.parametrize(("uses", "codes"), TABLE.items())
def test_each_reason_has_the_uses_of_the_table(uses: str, codes: str) -> None:
    for code in codes.split():
        assert REASONS[ReasonCode(code)].uses == {Use(use) for use in uses}


def test_the_table_is_whole() -> None:
    assert {code for codes in TABLE.values() for code in codes.split()} == set(ReasonCode) == set(REASONS)
    assert all(reason.source for reason in REASONS.values())


def test_no_ground_for_refusing_revoking_or_withholding_is_confirmed() -> None:
    for reason in REASONS.values():
        for use in reason.uses & {Use.REFUSE, Use.REVOKE, Use.WITHHOLD}:
            assert reason.standing(use) is ReasonStanding.UNCONFIRMED
    assert REASONS[ReasonCode.IDENTITY_NUMBER_WRONG].standing(Use.RETURN) is ReasonStanding.CONFIRMED
    assert REASONS[ReasonCode.NAME_DIFFERS].standing(Use.RETURN) is ReasonStanding.UNCONFIRMED


def test_reasons_are_taken_once_and_in_order() -> None:
    codes = ["work_site_unknown", "name_differs", "work_site_unknown"]
    assert checked_reasons(codes, Use.RETURN) == (ReasonCode.WORK_SITE_UNKNOWN, ReasonCode.NAME_DIFFERS)


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
        checked_reasons([code], use)
    assert refused.value.code == problem
    assert "unheard_of" not in refused.value.detail


def test_a_departure_is_reported_with_reasons_of_the_employment_only() -> None:
    assert departure_reason("resigned") is ReasonCode.RESIGNED
    assert len(DEPARTURE_REASONS) == 7
    with pytest.raises(Refused) as refused:
        departure_reason("revoked")
    assert refused.value.code == "reason_not_allowed"
