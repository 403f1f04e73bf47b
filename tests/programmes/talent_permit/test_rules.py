"""The rules of the talent permit: a table of cases for each, both sides of each boundary."""

from datetime import date
from typing import Any

import pytest
from stdnum.cn import ric

from domain.ages import age_on
from domain.employers import EmployerKind
from domain.findings import Audience, Finding, FindingOutcome, outcome_of, seen_by, to_be_mended
from domain.premises import SiteStanding
from domain.stages import AssessmentOutcome, Standing
from policy.packs import load_rule_packs
from programmes.talent_permit.findings import FindingCode
from programmes.talent_permit.known import PermitFacts
from programmes.talent_permit.limits import RULES
from programmes.talent_permit.permit_stages import Destination
from programmes.talent_permit.rules import (
    PERMIT_RULES,
    REGISTRATION_RULES,
    assess,
    eligibility,
    last_day_of_term,
    term_differs,
)

ON = date(2026, 3, 2)
PACK = load_rule_packs(RULES)[0]
NEWEST = load_rule_packs(RULES)[-1]
GOOD = PermitFacts(
    identity_number="44030419900307123X",
    permit_card_number="C12345678",
    permit_card_valid_until=date(2036, 1, 1),
    work_site=SiteStanding.IN_FORCE,
    contract_start=date(2024, 1, 1),
    contract_end=date(2030, 12, 31),
    contract_is_open_ended=False,
    state_worker=False,
    destinations=(Destination.HK, Destination.MO),
    employer_kind=EmployerKind.RESEARCH_INSTITUTION,
    employer_standing=Standing.GOOD,
    employer_has_premises=True,
    other_live_registration=False,
    registration_in_force=True,
)

Case = tuple[dict[str, Any], str | None]


def born(day: str) -> str:
    """Return a right identity number with a birth date."""
    number = f"440304{day}1230"
    return number[:17] + ric.calc_check_digit(number)


TABLES: dict[FindingCode, list[Case]] = {
    FindingCode.EMPLOYER_KIND_NOT_LISTED: [
        ({"employer_kind": EmployerKind.RESEARCH_INSTITUTION}, "pass"),
        ({"employer_kind": EmployerKind.TECH_ENTERPRISE}, "pass"),
        ({"employer_kind": EmployerKind.OTHER}, "needs_person"),
        ({"employer_kind": None}, "needs_person"),
    ],
    FindingCode.EMPLOYER_STANDING: [
        ({"employer_standing": Standing.GOOD}, "pass"),
        ({"employer_standing": Standing.SUSPENDED}, "fail"),
        ({"employer_standing": Standing.LEFT_PARK}, "fail"),
        ({"employer_standing": None}, "needs_person"),
    ],
    FindingCode.EMPLOYER_NOT_IN_PARK: [
        ({"employer_has_premises": True}, "pass"),
        ({"employer_has_premises": False}, "fail"),
        ({"employer_has_premises": True, "employer_standing": Standing.SUSPENDED}, "pass"),
        ({"employer_has_premises": True, "employer_standing": Standing.LEFT_PARK}, "fail"),
        ({"employer_has_premises": True, "employer_standing": None}, "needs_person"),
        ({"employer_has_premises": None}, "needs_person"),
    ],
    FindingCode.WORK_SITE_UNKNOWN: [
        ({"work_site": SiteStanding.IN_FORCE}, "pass"),
        ({"work_site": SiteStanding.NOT_IN_FORCE}, "fail"),
        ({"work_site": SiteStanding.NO_SINGLE_MATCH}, "needs_person"),
        ({"work_site": None}, "needs_person"),
    ],
    FindingCode.IDENTITY_NUMBER_WRONG: [
        ({"identity_number": "11010519491231002X"}, "pass"),
        ({"identity_number": "810000199408230021"}, "pass"),
        ({"identity_number": "440304199003071239"}, "fail"),
        ({"identity_number": "130503670401001"}, "fail"),
        ({"identity_number": "160304199003071232"}, "needs_person"),
        ({"identity_number": None}, "needs_person"),
    ],
    FindingCode.NOT_MAINLAND_RESIDENT: [
        ({"identity_number": "44030419900307123X"}, "pass"),
        ({"identity_number": "810000199408230021"}, "fail"),
        ({"identity_number": "911840199001010018"}, "fail"),
        ({"identity_number": "160304199003071232"}, "needs_person"),
        ({"identity_number": "440304199003071239"}, "needs_person"),
        ({"identity_number": None}, "needs_person"),
    ],
    FindingCode.BIRTH_DATE_IMPLAUSIBLE: [
        ({"identity_number": born("20260302")}, "needs_person"),
        ({"identity_number": born("20260303")}, "fail"),
        ({"identity_number": born("20100302")}, "pass"),  # sixteen on the day
        ({"identity_number": born("20100303")}, "needs_person"),
        ({"identity_number": born("19250303")}, "pass"),  # a hundred, and 101 tomorrow
        ({"identity_number": born("19250302")}, "needs_person"),
        ({"identity_number": None}, "needs_person"),
    ],
    FindingCode.EMPLOYMENT_DATES_WRONG: [
        ({"contract_start": ON}, "pass"),
        ({"contract_start": date(2026, 3, 3)}, "fail"),
        ({"contract_end": ON}, "pass"),
        ({"contract_end": date(2026, 3, 1)}, "fail"),
        ({"contract_end": None, "contract_is_open_ended": True}, "pass"),
        ({"contract_end": None, "contract_is_open_ended": None}, "needs_person"),
        ({"contract_start": None}, "needs_person"),
        ({"contract_start": None, "contract_end": date(2026, 3, 1)}, "fail"),
        ({"contract_end": None, "contract_is_open_ended": True, "ill_typed": ("contract_end",)}, "needs_person"),
    ],
    FindingCode.LIVE_REGISTRATION_EXISTS: [
        ({"other_live_registration": False}, "pass"),
        ({"other_live_registration": True}, "fail"),
        ({"other_live_registration": None}, "needs_person"),
    ],
    FindingCode.CONSENT_LETTER_MISSING: [
        ({"state_worker": False}, "pass"),
        ({"state_worker": True}, "missing"),
        ({"state_worker": True, "consent_letter_date": ON}, "pass"),
        ({"state_worker": True, "consent_letter_date": date(2026, 3, 3)}, "needs_person"),
        ({"state_worker": True, "ill_typed": ("consent_letter_date",)}, "needs_person"),
        ({"state_worker": None, "consent_letter_date": ON}, "needs_person"),
    ],
    FindingCode.PERMIT_CARD_MISSING: [
        ({"permit_card_number": "C12345678"}, "pass"),
        ({"permit_card_number": None}, "needs_person"),
    ],
    FindingCode.PERMIT_CARD_WRONG: [
        ({"permit_card_number": "C12345678"}, "pass"),
        ({"permit_card_number": "CA1234567"}, "pass"),
        ({"permit_card_number": "CI1234567"}, "fail"),
        ({"permit_card_number": "H12345678"}, "fail"),
        ({"permit_card_number": "W12345678"}, "needs_person"),
        ({"permit_card_number": None}, None),
    ],
    FindingCode.PERMIT_CARD_ENDS_EARLY: [
        ({"permit_card_valid_until": date(2029, 3, 1)}, "pass"),
        ({"permit_card_valid_until": date(2029, 2, 28)}, "fail"),
        ({"permit_card_valid_until": None}, "needs_person"),
        ({"permit_card_valid_until": None, "permit_card_number": None}, None),
        (
            {"permit_card_valid_until": None, "permit_card_number": None, "ill_typed": ("permit_card_valid_until",)},
            "needs_person",
        ),
    ],
}


def outcome_in(findings: tuple[Finding, ...], code: FindingCode) -> str | None:
    """Return the outcome that findings have for a code."""
    return next((finding.outcome.value for finding in findings if finding.code == code), None)


def test_every_rule_has_a_table() -> None:
    assert {rule.code for rule in REGISTRATION_RULES} == set(TABLES)


@pytest.mark.parametrize(
    ("code", "change", "expected"),
    [(code, change, expected) for code, cases in TABLES.items() for change, expected in cases],
    ids=[f"{code}-{n}" for code, cases in TABLES.items() for n, _ in enumerate(cases)],
)
def test_each_rule_finds_what_its_table_says(code: FindingCode, change: dict[str, Any], expected: str | None) -> None:
    facts = GOOD.model_copy(update=change)
    assert outcome_in(assess(facts, PACK, ON), code) == expected


def test_a_card_without_its_last_day_is_the_employers_to_give_from_the_version_on_that_says_so() -> None:
    code, unknown = FindingCode.PERMIT_CARD_ENDS_EARLY, {"permit_card_valid_until": None}
    facts = GOOD.model_copy(update=unknown)
    assert outcome_in(assess(facts, NEWEST, ON), code) == "missing"
    assert [finding.code for finding in to_be_mended(assess(facts, NEWEST, ON))] == [code]
    assert outcome_in(eligibility(facts, Destination.HK, NEWEST, ON), code) == "missing"
    no_card = facts.model_copy(update={"permit_card_number": None})
    assert outcome_in(assess(no_card, NEWEST, ON), code) is None
    unread = facts.model_copy(update={"ill_typed": ("permit_card_valid_until",)})
    assert outcome_in(assess(unread, NEWEST, ON), code) == "needs_person"
    assert outcome_in(assess(facts, PACK, ON), code) == "needs_person"


def test_every_other_outcome_is_the_same_under_the_newest_version() -> None:
    for code, cases in TABLES.items():
        for change, _ in cases:
            facts = GOOD.model_copy(update=change)
            before, now = (outcome_in(assess(facts, pack, ON), code) for pack in (PACK, NEWEST))
            assert before == now or now == "missing", (code, change)


def test_good_facts_are_clear_under_every_rule() -> None:
    findings = assess(GOOD, PACK, ON)
    assert {finding.code for finding in findings} == set(TABLES)
    assert outcome_of(findings) is AssessmentOutcome.CLEAR


def test_no_rule_passes_when_nothing_is_known() -> None:
    for findings in (assess(PermitFacts(), PACK, ON), eligibility(PermitFacts(), Destination.HK, PACK, ON)):
        assert {finding.outcome for finding in findings} == {FindingOutcome.NEEDS_PERSON}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("identity_number", 440304199003071),
        ("permit_card_number", ["C12345678"]),
        ("permit_card_valid_until", 20360101),
        ("permit_card_valid_until", "01/01/2036"),
        ("work_site", "somewhere"),
        ("contract_start", True),
        ("contract_end", "2030-02-30"),
        ("state_worker", "no"),
        ("destinations", "HK"),
        ("employer_kind", 1),
        ("employer_standing", "excellent"),
        ("employer_has_premises", "yes"),
        ("other_live_registration", 0),
    ],
)
def test_an_ill_typed_fact_asks_for_a_person(name: str, value: object) -> None:
    facts = PermitFacts.read({**GOOD.model_dump(mode="json"), name: value})
    assert facts.ill_typed == (name,)
    findings = [*assess(facts, PACK, ON), *eligibility(facts, Destination.HK, PACK, ON)]
    assert FindingOutcome.NEEDS_PERSON in {finding.outcome for finding in findings}
    assert outcome_of(findings) is AssessmentOutcome.NEEDS_OFFICER


def test_facts_survive_being_stored_and_read_again() -> None:
    assert PermitFacts.read(GOOD.model_dump(mode="json")) == GOOD
    spoiled = PermitFacts.read({**GOOD.model_dump(mode="json"), "contract_end": 5, "unheard_of": 1})
    assert PermitFacts.read(spoiled.model_dump(mode="json")) == spoiled


def test_a_state_worker_without_letter_makes_the_registration_incomplete() -> None:
    findings = assess(GOOD.model_copy(update={"state_worker": True}), PACK, ON)
    assert outcome_of(findings) is AssessmentOutcome.INCOMPLETE
    assert [finding.code for finding in to_be_mended(findings)] == [FindingCode.CONSENT_LETTER_MISSING]


def test_the_list_to_mend_has_what_the_employer_can_see_and_fails_in() -> None:
    facts = GOOD.model_copy(
        update={
            "state_worker": True,
            "contract_end": date(2025, 1, 1),
            "other_live_registration": True,
            "permit_card_number": None,
        }
    )
    assert {finding.code for finding in to_be_mended(assess(facts, PACK, ON))} == {
        FindingCode.CONSENT_LETTER_MISSING,
        FindingCode.EMPLOYMENT_DATES_WRONG,
    }


def test_an_employer_never_sees_a_finding_for_staff() -> None:
    findings = assess(GOOD, PACK, ON)
    seen = seen_by(findings, Audience.EMPLOYER)
    assert {finding.audience for finding in seen} == {Audience.EMPLOYER}
    assert FindingCode.LIVE_REGISTRATION_EXISTS not in {finding.code for finding in seen}
    assert seen_by(findings, Audience.STAFF) == findings


def test_findings_hold_no_fact_of_the_person() -> None:
    kept = "".join(finding.model_dump_json() for finding in assess(GOOD, PACK, ON))
    assert "44030419900307123X" not in kept
    assert "C12345678" not in kept
    assert "2030-12-31" not in kept


def test_a_finding_names_the_values_that_it_used() -> None:
    finding = next(f for f in assess(GOOD, PACK, ON) if f.code == FindingCode.PERMIT_CARD_ENDS_EARLY)
    assert [(used.name, used.value, used.status) for used in finding.parameters] == [
        ("permit_term_years", 3, "confirmed"),
        ("card_must_outlive_term", True, "unconfirmed"),
    ]


@pytest.mark.parametrize(
    ("change", "destination", "code", "expected"),
    [
        ({}, Destination.HK, FindingCode.DESTINATION_NOT_ASKED, "pass"),
        ({"destinations": (Destination.MO,)}, Destination.HK, FindingCode.DESTINATION_NOT_ASKED, "fail"),
        ({"destinations": None}, Destination.HK, FindingCode.DESTINATION_NOT_ASKED, "needs_person"),
        ({"registration_in_force": True}, Destination.MO, FindingCode.REGISTRATION_NOT_IN_FORCE, "pass"),
        ({"registration_in_force": False}, Destination.MO, FindingCode.REGISTRATION_NOT_IN_FORCE, "fail"),
        ({"registration_in_force": None}, Destination.MO, FindingCode.REGISTRATION_NOT_IN_FORCE, "needs_person"),
        ({"permit_card_number": None}, Destination.MO, FindingCode.PERMIT_CARD_MISSING, "needs_person"),
        ({"contract_end": date(2026, 3, 1)}, Destination.MO, FindingCode.EMPLOYMENT_DATES_WRONG, "fail"),
        ({"employer_standing": Standing.SUSPENDED}, Destination.MO, FindingCode.EMPLOYER_STANDING, None),
    ],
)
def test_eligibility_looks_at_the_permit(
    change: dict[str, Any], destination: Destination, code: FindingCode, expected: str | None
) -> None:
    findings = eligibility(GOOD.model_copy(update=change), destination, PACK, ON)
    assert outcome_in(findings, code) == expected
    assert len(findings) <= len(PERMIT_RULES) + 1


def test_good_facts_are_eligible_for_both_destinations() -> None:
    for destination in Destination:
        assert outcome_of(eligibility(GOOD, destination, PACK, ON)) is AssessmentOutcome.CLEAR


@pytest.mark.parametrize(
    ("answer", "differs"),
    [
        (
            {"valid_from": date(2026, 3, 2), "valid_until": date(2029, 3, 1), "stay_days": 30, "entries": "multiple"},
            False,
        ),
        (
            {"valid_from": date(2026, 3, 2), "valid_until": date(2029, 3, 2), "stay_days": 30, "entries": "multiple"},
            True,
        ),
        (
            {"valid_from": date(2026, 3, 2), "valid_until": date(2029, 2, 28), "stay_days": 30, "entries": "multiple"},
            True,
        ),
        ({"valid_from": date(2028, 2, 29), "valid_until": date(2031, 2, 28)}, False),
        ({"valid_from": date(2026, 3, 2), "valid_until": date(2029, 3, 1), "stay_days": 14}, True),
        ({"valid_from": date(2026, 3, 2), "valid_until": date(2029, 3, 1), "entries": "single"}, True),
        ({"valid_from": None, "valid_until": date(2029, 3, 1)}, False),
        ({"valid_from": None, "valid_until": None}, False),
    ],
)
def test_a_term_other_than_the_packs_is_shown_as_a_finding(answer: dict[str, Any], differs: bool) -> None:
    finding = term_differs(PACK, **answer)
    assert (finding is not None) is differs
    if finding is not None:
        assert finding.code == FindingCode.AUTHORITY_TERM_DIFFERS
        assert finding.outcome is FindingOutcome.NEEDS_PERSON


def test_the_term_ends_the_day_before_so_many_years_later() -> None:
    assert last_day_of_term(date(2026, 3, 2), PACK) == date(2029, 3, 1)
    assert last_day_of_term(date(2028, 2, 29), PACK) == date(2031, 2, 28)
    assert last_day_of_term(date(2026, 1, 1), PACK) == date(2028, 12, 31)


def test_age_counts_full_years() -> None:
    assert age_on(date(2000, 2, 29), date(2026, 2, 28)) == 25
    assert age_on(date(2000, 2, 29), date(2026, 3, 1)) == 26
