"""Made-up people pass the checks that real ones pass."""

from itertools import islice

from bench.people import identity_number, numbers, registration
from programmes.talent_permit.requests import RegistrationRequest


def test_each_number_gives_a_person_of_its_own() -> None:
    assert len({identity_number(number) for number in range(50_000)}) == 50_000


def test_registrations_hold_together() -> None:
    for number in islice(numbers(), 300):
        RegistrationRequest.model_validate(registration(number))


def test_cards_that_the_stand_in_authority_refuses_are_left_out() -> None:
    drawn = list(islice(numbers(400), 10))
    assert 404 not in drawn
    assert 405 not in drawn
