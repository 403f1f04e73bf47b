"""How what can be asked of a badge stands in the API."""

from typing import Final

from domain.actors import Role
from domain.routes import Operation, Route

_EMPLOYER: Final = frozenset({Role.EMPLOYER})

PATH: Final = "badges"
PART: Final = "employment"
SUBMIT: Final = Operation(
    name="askForBadge",
    summary="Ask for a badge",
    says="Take on a badge of the person who asks.",
    problems=frozenset({"live_registration_exists", "client_reference_taken"}),
)
LIST: Final = Operation(name="listEmployments", summary="Employments to confirm", says="List what you are asked about.")
READ: Final = Operation(
    name="readEmployment",
    summary="An employment to confirm",
    says="Return what you are asked about.",
    problems=frozenset({"case_unknown"}),
)
CORRECT: Final = Route(
    verb="correction",
    by=frozenset({Role.PERSON}),
    name="correctBadge",
    summary="Correct",
    says="Give the parts that change.",
)
CONFIRM: Final = Route(
    verb="confirmed", by=_EMPLOYER, name="confirmEmployment", summary="Confirm", says="Say that it is so."
)
DENY: Final = Route(verb="denied", by=_EMPLOYER, name="denyEmployment", summary="Deny", says="Say that it is not so.")
