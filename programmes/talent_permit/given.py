"""What was given to register a person, and what is known of it, in the form of this programme."""

from cases.case import facts
from cases.case.file import CaseFile
from domain.forms import need_form
from programmes.talent_permit.requests import RegistrationRequest
from programmes.talent_permit.tables import destinations_of


def given(file: CaseFile) -> RegistrationRequest:
    """Return what the employer gave.

    Raises:
        Defect: when it cannot be opened.
    """
    return need_form(file.application, RegistrationRequest)


def known(file: CaseFile) -> RegistrationRequest:
    """Return what is known: what was given, with what officers saw in its place."""
    return need_form(facts.known(file), RegistrationRequest)


def told(file: CaseFile, destination: str | None) -> dict[str, object]:
    """Return what notices say of a registration, or of one of its permits, beside what they say of any case."""
    permit = None if destination is None else file.tracks.get(destination)
    return {
        "destinations": destinations_of(file),
        "state_worker": known(file).employment.state_worker,
        "permit_stage": None if permit is None else permit.stage,
    }
