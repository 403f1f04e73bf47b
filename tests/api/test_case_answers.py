"""How a case is answered: its links come after its permits, and an answer that was kept before stays as it is."""

import json
from typing import Any

from api.case_answers import case_answer, respond_with_case
from cases.programme import Programme
from cases.shared.idempotency import Progress, Reply
from programmes import PROGRAMMES

# As versions before kept it: with its links, and with the header of the answer.
_LINKS = {"self": "/v1/registrations/HT-7K2M-9QXA-3"}
_BEFORE: dict[str, Any] = {"reference": "HT-7K2M-9QXA-3", "permits": [], "links": _LINKS, "pending_act": None}


def _of(_reference: str) -> Programme:
    return PROGRAMMES["talent_permit"]


def test_links_stand_after_the_permits() -> None:
    kept = {name: value for name, value in _BEFORE.items() if name != "links"}
    assert list(case_answer(kept, _of).items()) == list(_BEFORE.items())


def test_an_answer_that_a_version_before_kept_is_given_as_it_was() -> None:
    answer = respond_with_case(Reply(Progress.STORED, _BEFORE), _of, is_new=True)
    assert list(json.loads(bytes(answer.body)).items()) == list(_BEFORE.items())
    assert (answer.status_code, answer.headers["location"]) == (202, _LINKS["self"])
