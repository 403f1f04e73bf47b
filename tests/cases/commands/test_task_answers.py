"""The answer to a task is read as its case's programme takes it, though one call serves all of them."""

from types import SimpleNamespace
from typing import cast

import pytest

from api import task_answers
from cases.case.file import CaseFile
from cases.commands.verbs import answer_given
from domain.errors import Refused
from programmes import PROGRAMMES
from programmes.talent_permit.programme import TALENT_PERMIT
from tests.programmes.toy.programme import TOY

BODY = {"task_id": "1", "action": "departed", "last_day": "2026-03-31"}


def _of(code: str) -> CaseFile:
    context = SimpleNamespace(programmes={**PROGRAMMES, TOY.code: TOY})
    return cast("CaseFile", SimpleNamespace(context=context, row=SimpleNamespace(programme=code)))


def test_a_programme_takes_what_it_declares_and_another_names_what_it_does_not() -> None:
    assert answer_given(_of(TALENT_PERMIT.code), BODY).model_dump(exclude_none=True)["action"] == "departed"
    with pytest.raises(Refused) as refused:
        answer_given(_of(TOY.code), BODY)
    assert [(error.field, error.code) for error in refused.value.errors] == [("last_day", "unknown_field")]


def test_the_published_body_has_the_members_of_all_in_their_order() -> None:
    members = ["action", "reasons", "fields", "contract_end", "last_day", "reason", "note", "facts"]
    assert list(task_answers.TaskAnswerRequest.model_fields) == members
