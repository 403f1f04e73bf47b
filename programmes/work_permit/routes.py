"""How what can be asked of a work permit stands in the API."""

from dataclasses import replace
from typing import Final

from cases.commands import routes
from domain.actors import STAFF, Role
from domain.routes import Operation, Route

PATH: Final = "work-permits"
_EMPLOYER: Final = frozenset({Role.EMPLOYER})
_AWAY: Final = frozenset({"wrong_programme"})
_LIVE: Final = frozenset({"live_registration_exists", "client_reference_taken"})
SUBMIT: Final = Operation(
    name="applyForWorkPermit",
    summary="Apply for a work permit",
    says="Take on an application for a foreigner; people of Hong Kong, Macao, Taiwan and the mainland are told which "
    "way to go, and nothing of them is kept.",
    problems=_LIVE | _AWAY | {"employer_not_in_good_standing", "facts_erased"},
)
CHECK: Final = Operation(
    name="checkWorkPermit",
    summary="Try an application for a work permit without storing it",
    says="Say what the rules would find today of what is declared; nothing is stored.",
    problems=_AWAY | {"employer_not_in_good_standing"},
)
CORRECT: Final = Route(
    verb="correction",
    by=_EMPLOYER,
    name="correct",
    summary="Correct",
    says="Give the parts that change: what it was sent back for, or, with its round, under review.",
    problems=_LIVE | _AWAY | {"stale_round", "amendment_not_allowed"},
)
OUTCOME: Final = Route(
    verb="outcome",
    by=STAFF,
    name="enterOutcome",
    summary="Enter the authority's answer",
    says="Enter from a numbered paper what the authority answered; it takes effect with a second signature.",
    problems=frozenset({"already_decided"}),
)
ENTERED: Final = Route(
    verb="entry",
    by=_EMPLOYER | STAFF,
    name="reportEntry",
    summary="Report the entry",
    says="Report the day on which the person entered the mainland, from which the residence permit is due.",
)
APPLIED: Final = Route(
    verb="residence-application",
    by=_EMPLOYER | STAFF,
    name="reportResidence",
    summary="Report the application for the residence permit",
    says="Report the day on which the person applied for the residence permit.",
)
RESIDENCE_OUTCOME: Final = Route(
    verb="residence-outcome",
    by=STAFF,
    name="enterResidence",
    summary="Enter the answer about the residence permit",
    says="Enter what the authority answered about the residence permit.",
)
CONFIRM: Final = replace(routes.CONFIRM)
