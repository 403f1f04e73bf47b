"""What can be asked of the rules of work permits is declared with an example that has an answer."""

import json
from datetime import date

import pytest

from cases.programme import Calculator
from domain.actors import Role
from domain.languages import Language
from programmes.work_permit.questions import BODIES, QUESTIONS
from tests.programmes.work_permit.given import SHELF


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.path)
def test_the_published_example_is_answered_in_the_published_form(question: Calculator) -> None:
    (asked,) = question.body.model_json_schema()["examples"]
    told = question.answers(question.body.model_validate_json(json.dumps(asked)), SHELF, Language.EN)
    assert isinstance(told, question.view)
    said = told.model_dump(mode="json")
    assert set(said) == set(question.view.model_json_schema(mode="serialization")["properties"])
    assert said["pack"] == f"work_permit/{SHELF.on(date.fromisoformat(asked['on'])).version}"


def test_points_and_routes_are_for_whoever_is_signed_in_and_nothing_of_them_is_kept() -> None:
    assert [question.path for question in QUESTIONS] == ["points", "routes"]
    assert all({Role.EMPLOYER, Role.PERSON} <= question.by for question in QUESTIONS)
    assert len(BODIES) == sum(len(question.body.model_fields) for question in QUESTIONS)
