"""How a case is answered: what the core shows of it, and where it stands among our addresses."""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import Response

from api.answers import json_response, status_of
from cases.case.views import AnyCaseView
from cases.programme import Programme
from cases.shared.idempotency import Progress, Reply

# A case, or the members of one as they were kept with the key of its first answer.
Answered = AnyCaseView | Mapping[str, Any]
# The programme of a case, by its reference.
Of = Callable[[str], Programme]


def respond_with_case(reply: Reply, of: Of, *, is_new: bool = False) -> Response:
    """Return the answer to an act on a case, or to the one that began it."""
    answer = act_answer(reply, of)
    headers = {"Location": answer["links"]["self"]} if is_new else None
    return json_response(answer, status_of(reply), headers, in_china=True)


def act_answer(reply: Reply, of: Of) -> dict[str, Any]:
    """Return the members of a case after an act, and whether that is pending and why."""
    answer = case_answer(reply.body, of)
    if reply.progress is Progress.PENDING:
        answer["pending"] = True
        if reply.because:
            answer["pending_because"] = reply.because
    return answer


def case_answer(case: Answered, of: Of) -> dict[str, Any]:
    """Return the members of a case with its links, which come after what all its readers see."""
    members = vars(case) if isinstance(case, AnyCaseView) else case
    programme = of(members["reference"])
    answer: dict[str, Any] = {}
    for name, value in members.items():
        answer[name] = value
        if name == programme.views.last:
            answer["links"] = {"self": f"/v1/{programme.path}/{members['reference']}"}
    return answer
