"""Pages that are one form, or the confirmation of one act; what is special to a page has a template of its own."""

from collections.abc import Mapping, Sequence

from fastapi import Request
from starlette.responses import HTMLResponse

from console.calling import ProblemError
from console.forms import Field, placed
from console.rendering import render


def form_page(
    request: Request,
    *,
    heading: str,
    fields: Sequence[Field],
    action: str,
    act: str,
    key: str,
    lead: str | None = None,
    leave: str | None = None,
    problem: ProblemError | None = None,
    carried: Mapping[str, object] | None = None,
    is_grave: bool = False,
) -> HTMLResponse:
    """Return the page of a form; after a refusal with what was typed, each error at its field.

    Args:
        request: the call of the page.
        heading: what it is called.
        fields: what is filled in, as it stands now.
        action: where it is sent.
        act: what its button says.
        key: its idempotency key (`console.routes.new_key`, or that of the form that was refused).
        lead: a sentence below its heading.
        leave: the way out without it.
        problem: why it was refused.
        carried: what goes with it unseen, such as the round and the task that it was rendered for.
        is_grave: whether the act takes something away.
    """
    return render(
        request,
        "form",
        status=200 if problem is None else problem.status,
        heading=heading,
        lead=lead,
        asked=fields,
        action=action,
        act=act,
        key=key,
        leave=leave,
        problem=placed(problem, fields),
        carried=carried or {},
        tint="stop" if is_grave else None,
    )


def confirm_page(
    request: Request,
    *,
    heading: str,
    effects: Sequence[str],
    action: str,
    act: str,
    key: str,
    leave: str,
    problem: ProblemError | None = None,
    carried: Mapping[str, object] | None = None,
    is_grave: bool = False,
) -> HTMLResponse:
    """Return the page that asks once more before an act, and names its effects and what it is done to."""
    return render(
        request,
        "confirm",
        status=200 if problem is None else problem.status,
        heading=heading,
        effects=effects,
        action=action,
        act=act,
        key=key,
        leave=leave,
        problem=problem,
        carried=carried or {},
        tint="stop" if is_grave else None,
    )
