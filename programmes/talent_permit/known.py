"""The facts of a registration that its rules look at, and which of them each finding about a permit rests on."""

from collections.abc import Mapping
from typing import Final

from pydantic import StrictBool, StrictStr

from domain.employers import EmployerKind
from domain.fields import Day
from domain.premises import Site, SiteStanding
from domain.stages import Standing
from policy.facts import Facts
from programmes.talent_permit.findings import FindingCode
from programmes.talent_permit.permit_stages import Destination
from programmes.talent_permit.requests import EmploymentKind, RegistrationRequest


class PermitFacts(Facts):
    """What is known of a person, the employment and the employer on a day; None is a fact that is not known."""

    identity_number: StrictStr | None = None
    permit_card_number: StrictStr | None = None
    permit_card_valid_until: Day | None = None
    work_site: SiteStanding | None = None
    work_site_code: StrictStr | None = None
    employment_kind: EmploymentKind | None = None
    contract_start: Day | None = None
    contract_end: Day | None = None
    contract_is_open_ended: StrictBool | None = None
    state_worker: StrictBool | None = None
    consent_letter_date: Day | None = None
    destinations: tuple[Destination, ...] | None = None
    employer_kind: EmployerKind | None = None
    employer_standing: Standing | None = None
    employer_has_premises: StrictBool | None = None
    other_live_registration: StrictBool | None = None
    registration_in_force: StrictBool | None = None


# Of the findings that are asked about again when the rules of a permit run.
LOOKED_AT: Final[Mapping[str, tuple[str, ...]]] = {
    FindingCode.DESTINATION_NOT_ASKED: ("destinations",),
    FindingCode.REGISTRATION_NOT_IN_FORCE: ("registration_in_force",),
    FindingCode.NOT_MAINLAND_RESIDENT: ("identity_number",),
    FindingCode.EMPLOYMENT_DATES_WRONG: ("contract_start", "contract_end", "contract_is_open_ended"),
    FindingCode.PERMIT_CARD_MISSING: ("permit_card_number",),
    FindingCode.PERMIT_CARD_WRONG: ("permit_card_number",),
    FindingCode.PERMIT_CARD_ENDS_EARLY: ("permit_card_number", "permit_card_valid_until"),
}


def facts_of(
    request: RegistrationRequest,
    *,
    site: Site | None,
    employer_kind: EmployerKind | None,
    employer_standing: Standing | None,
    employer_has_premises: bool | None,
    other_live_registration: bool | None,
    registration_in_force: bool | None = None,
) -> PermitFacts:
    """Return the facts of a registration together with what the park's own registers say on the day."""
    person, employment = request.person, request.employment
    letter = employment.consent_letter
    return PermitFacts(
        identity_number=person.identity_number,
        permit_card_number=person.permit_card_number,
        permit_card_valid_until=person.permit_card_valid_until,
        work_site=site.standing if site else None,
        work_site_code=site.code if site else None,
        employment_kind=employment.employment_kind,
        contract_start=employment.contract_start,
        contract_end=employment.contract_end,
        contract_is_open_ended=employment.contract_end is None,
        state_worker=employment.state_worker,
        consent_letter_date=letter.date if letter else None,
        destinations=request.destinations,
        employer_kind=employer_kind,
        employer_standing=employer_standing,
        employer_has_premises=employer_has_premises,
        other_live_registration=other_live_registration,
        registration_in_force=registration_in_force,
    )
