"""What a person asks of their own case has one path, and the body of the case's programme."""

from typing import Any

import pytest

from api.own_asks import own_routes
from domain.field_errors import path_of
from programmes import PROGRAMMES
from programmes.talent_permit.permit_requests import OwnChangeRequest
from tests.programmes.whole import WHOLE, OwnToyChange

PERMIT, TOY = "HT-7K2M-9QXA-J", "TY-7K2M-9QXA-H"


def _given(body: Any) -> tuple[Any, list[tuple[str, str]]]:
    """Return what a body is read as where both programmes take changes, and what is wrong with which field."""
    routes = {route.path: route for route in own_routes([*PROGRAMMES.values(), WHOLE])}  # type: ignore[attr-defined]
    field = routes["/v1/me/changes"].body_field  # type: ignore[attr-defined]
    value, wrong = field.validate(body, {}, loc=("body",))
    return value, [(path_of(each["loc"], "body"), each["type"]) for each in wrong or ()]


def test_a_body_is_read_as_that_of_the_programme_of_its_case() -> None:
    permit, _ = _given({"reference": PERMIT.lower(), "name_en": "Feng"})
    toy, _ = _given({"reference": TOY, "toy": "积木"})

    assert (type(permit), type(toy)) == (OwnChangeRequest, OwnToyChange)


@pytest.mark.parametrize("reference", [PERMIT, "nobody knows", "", None])
def test_what_the_case_does_not_take_is_named_and_of_no_case_the_first_programme_says_it(reference: Any) -> None:
    wrong = [("reference", "string_type")] if reference is None else []
    if reference == "":
        wrong = [("reference", "string_too_short")]
    _, found = _given({"reference": reference, "toy": "积木"})

    assert sorted(found) == sorted([*wrong, ("toy", "extra_forbidden")])


def test_what_another_programme_takes_alone_is_unknown_in_this_one() -> None:
    _, found = _given({"reference": TOY, "name_en": "Nana"})

    assert found == [("name_en", "extra_forbidden")]
    assert [wrong for _, wrong in _given([])[1]] == ["model_type"]
