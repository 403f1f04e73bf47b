"""The examples in the published schemas are bodies that are taken."""

from typing import Any

import pytest

from domain.bodies import Body
from domain.case_requests import ContestRequest, WithdrawalRequest
from domain.employers import EmployerRequest, PremisesRequest, StandingRequest
from programmes.talent_permit.requests import ChangeRequest, CorrectionRequest, DepartureRequest, RegistrationRequest

BODIES: list[type[Body]] = [
    RegistrationRequest,
    CorrectionRequest,
    ContestRequest,
    WithdrawalRequest,
    DepartureRequest,
    ChangeRequest,
    EmployerRequest,
    StandingRequest,
    PremisesRequest,
]


@pytest.mark.parametrize("body", BODIES)
def test_the_example_of_a_body_is_taken(body: type[Body]) -> None:
    schema: dict[str, Any] = body.model_json_schema()
    (shown,) = schema["examples"]
    assert isinstance(body.model_validate(shown), body)
    assert schema["additionalProperties"] is False
