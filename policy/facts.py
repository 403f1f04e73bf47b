"""The facts that the rules of the talent permit look at, each optional and each of one type."""

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, StrictBool, StrictStr, ValidationError

from domain.employers import EmployerKind
from domain.fields import Day
from domain.premises import Site, SiteStanding
from domain.registration import EmploymentKind, RegistrationRequest
from domain.stages import Destination, Standing


class Facts(BaseModel):
    """What is known of a person, the employment and the employer on a day; None is a fact that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

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
    ill_typed: tuple[str, ...] = ()

    @classmethod
    def read(cls, given: Mapping[str, object]) -> Self:
        """Return the facts of a mapping; those of the wrong type are left out and named, unknown names dropped."""
        kept = {name: value for name, value in given.items() if name in cls.model_fields and name != "ill_typed"}
        earlier = given.get("ill_typed", ())
        ill_typed = {str(name) for name in earlier} if isinstance(earlier, list | tuple) else set()
        while True:
            try:
                return cls(**kept, ill_typed=tuple(sorted(ill_typed)))  # type: ignore[arg-type]  # checked by the model
            except ValidationError as error:
                wrong = {str(entry["loc"][0]) for entry in error.errors()}
                ill_typed |= wrong
                kept = {name: value for name, value in kept.items() if name not in wrong}

    def is_ill_typed(self, *names: str) -> bool:
        """Whether one of these facts was given in a form that cannot be read."""
        return not set(names).isdisjoint(self.ill_typed)


def facts_of(
    request: RegistrationRequest,
    *,
    site: Site | None,
    employer_kind: EmployerKind | None,
    employer_standing: Standing | None,
    employer_has_premises: bool | None,
    other_live_registration: bool | None,
    registration_in_force: bool | None = None,
) -> Facts:
    """Return the facts of a registration together with what the park's own registers say on the day."""
    person, employment = request.person, request.employment
    letter = employment.consent_letter
    return Facts(
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
