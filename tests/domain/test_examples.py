"""The examples are what their README says, row by row."""

import csv
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
import yaml

from domain.employers import EmployerRequest, RegisterFile
from domain.findings import FindingOutcome
from domain.premises import locate
from domain.stages import Standing
from policy.addresses import fold_address
from policy.packs import load_rule_packs
from programmes.talent_permit.known import facts_of
from programmes.talent_permit.limits import RULES
from programmes.talent_permit.requests import RegistrationRequest
from programmes.talent_permit.rosters import registration_of
from programmes.talent_permit.rules import assess
from register.rosters.columns import columns_of
from tests.register.rosters.reading import REGISTER as OF_PEOPLE

EXAMPLES = Path(__file__).parents[2] / "examples"
ON = date(2026, 11, 23)
PACK = load_rule_packs(RULES)[-1]
REGISTER = RegisterFile.model_validate(yaml.safe_load((EXAMPLES / "employers.yaml").read_text("utf-8")))


def rows_of(name: str) -> list[dict[str, str]]:
    """Return the rows of a sample roster by column."""
    with (EXAMPLES / name).open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    columns = columns_of(header, OF_PEOPLE)
    return [dict(zip([str(each.column) for each in columns], row, strict=True)) for row in rows]


ROWS = [("emp-a", row) for row in rows_of("roster.csv")] + [("emp-b", row) for row in rows_of("roster-b.csv")]
REFUSED = {
    "HTRI-006": ("identity_number", "check_digit"),
    "HWX-010": ("contract_start", "impossible_date"),
    "HWX-020": ("phone", "bad_phone"),
    "HWX-023": ("contract_end", "date_order"),
}
FOUND = {
    "HTRI-010": {("consent_letter_missing", "missing")},
    "HTRI-012": {("work_site_unknown", "needs_person")},
    "HTRI-014": {("employment_dates_wrong", "fail")},
    "HTRI-015": {("permit_card_missing", "needs_person")},
    "HTRI-020": {("not_mainland_resident", "fail")},
    "HWX-011": {("permit_card_ends_early", "fail")},
    "HWX-012": {("consent_letter_missing", "missing")},
    "HWX-013": {("employment_dates_wrong", "fail")},
    "HWX-014": {("work_site_unknown", "fail")},
    "HWX-018": {("not_mainland_resident", "fail")},
    "HWX-019": {("permit_card_wrong", "fail")},
    "HWX-022": {("permit_card_missing", "needs_person")},
}


@pytest.mark.parametrize(("employer_id", "row"), ROWS, ids=[row["client_reference"] for _, row in ROWS])
def test_each_row_is_refused_found_or_clear_as_described(employer_id: str, row: dict[str, str]) -> None:
    request = registration_of(row)
    expected = REFUSED.get(row["client_reference"])
    if not isinstance(request, RegistrationRequest):
        assert [(error.field, error.code) for error in request] == [expected]
        return
    assert expected is None
    assert found_in(employer_id, request) == FOUND.get(row["client_reference"], set())


def found_in(employer_id: str, request: RegistrationRequest) -> set[tuple[str, str]]:
    """Return what the rules find against a row."""
    employer: EmployerRequest = next(e for e in REGISTER.employers if e.employer_id == employer_id)
    facts = facts_of(
        request,
        site=locate(request.employment.work_site, REGISTER.premises, ON, fold_address),
        employer_kind=employer.kind,
        employer_standing=Standing.GOOD,
        employer_has_premises=True,
        other_live_registration=False,
    )
    return {(f.code, f.outcome.value) for f in assess(facts, PACK, ON) if f.outcome is not FindingOutcome.PASS}


def test_every_person_is_another_but_for_the_one_duplicate() -> None:
    numbers = Counter(row["identity_number"] for _, row in ROWS)
    assert [number for number, count in numbers.items() if count > 1] == [ROWS[1][1]["identity_number"]]
    references = [row["client_reference"] for _, row in ROWS]
    assert len(set(references)) == len(references)
    cards = [row["permit_card_number"] for at, (_, row) in enumerate(ROWS) if row["permit_card_number"] and at != 18]
    assert len(set(cards)) == len(cards)


def test_fifty_people_can_be_registered_in_all_languages_and_destinations() -> None:
    requests = [registration_of(row) for _, row in ROWS]
    taken = [request for request in requests if isinstance(request, RegistrationRequest)]
    assert len({request.person.identity_number for request in taken}) == 50
    assert {request.person.language.value for request in taken} == {"zh-Hans", "zh-Hant", "en"}
    assert {"+".join(request.destinations) for request in taken} == {"HK", "MO", "HK+MO"}


def test_the_authority_is_told_whom_to_refuse_by_the_end_of_a_card_number() -> None:
    ends = Counter(row["permit_card_number"][-4:] for _, row in ROWS)
    assert (ends["0404"], ends["0405"]) == (2, 1)


def test_every_row_of_the_readme_is_there() -> None:
    text = (EXAMPLES / "README.md").read_text("utf-8")
    assert all(f"| {reference} |" in text for reference in (*REFUSED, *FOUND))


def test_the_sample_employers_use_premises_of_the_file() -> None:
    assert [employer.employer_id for employer in REGISTER.employers] == ["emp-a", "emp-b"]
