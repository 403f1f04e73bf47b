"""The answer to a task as it is asked for: one call for the tasks of all programmes, with what each takes."""

from typing import TYPE_CHECKING, Any, Final

from pydantic import create_model

from api.published_words import TaskAction
from domain import decisions
from domain.bodies import Body
from domain.commands import CommandKind
from domain.errors import need
from programmes import PROGRAMMES


def _published() -> type[Body]:
    """Return the core's body with what programmes ask beside it, in the order in which it is published."""
    core = dict(decisions.TaskAnswerRequest.model_fields)
    bodies = [need(each.commands[CommandKind.ANSWER_TASK].body, "body") for each in PROGRAMMES.values()]
    own = {name: of for body in bodies for name, of in body.model_fields.items() if name not in core}
    action = core.pop("action")
    rest: dict[str, Any] = {name: (of.annotation, of) for name, of in {**own, **core}.items()}
    return create_model(
        decisions.TaskAnswerRequest.__name__,
        __base__=Body,
        __doc__="The answer to a task that is neither `review` nor `confirm`.",
        __module__=__name__,
        action=(TaskAction, action),
        **rest,
    )


if TYPE_CHECKING:
    TaskAnswerRequest = decisions.TaskAnswerRequest
else:
    TaskAnswerRequest: Final = _published()
