"""How a case is answered: what the core shows of it, and where it stands among our addresses."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from api.answers import json_response
from cases.case.views import CaseView
from cases.shared.idempotency import Reply

# A case, or the members of one as they were kept with the key of its first answer.
Answered = CaseView | Mapping[str, Any]


def respond_with_case(reply: Reply, *, is_new: bool = False) -> Response:
    """Return the answer to an act on a case, or to the one that began it."""
    answer = case_answer(reply.body)
    headers = {**reply.headers, "Location": answer["links"]["self"]} if is_new else reply.headers
    return json_response(answer, reply.status, headers, in_china=True)


def case_answer(case: Answered) -> dict[str, Any]:
    """Return the members of a case with its links, which come after its permits."""
    members = vars(case) if isinstance(case, CaseView) else case
    answer: dict[str, Any] = {}
    for name, value in members.items():
        answer[name] = value
        if name == "permits":
            answer["links"] = {"self": f"/v1/registrations/{members['reference']}"}
    return answer
