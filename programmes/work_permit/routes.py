"""How what can be asked of a work permit stands in the API."""

from dataclasses import replace
from typing import Final

from pydantic import BaseModel, Field

from cases.commands import renewals
from domain.actors import STAFF, Role
from domain.routes import Operation, OwnRoute, Route
from programmes.work_permit.life_requests import OwnWorkPermitCancellationRequest

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
EXTEND: Final = replace(
    renewals.RENEW,
    summary="Ask for an extension",
    says="Confirm what still holds 30 to 90 days before the permit ends, with what changes; an officer looks at it. "
    "What is asked later goes to an officer as late, and what is asked earlier is told from when it can be.",
)
REPORT_END: Final = Route(
    verb="end",
    by=_EMPLOYER | STAFF,
    name="reportEnd",
    summary="Report the end of the contract",
    says="Report the last day of the contract; both are told until when the permit is to be cancelled.",
    problems=frozenset({"already_decided"}),
)
CANCEL: Final = Route(
    verb="cancellation",
    by=_EMPLOYER,
    name="cancel",
    summary="Ask for the cancellation",
    says="Ask for the cancellation of the permit within ten working days after the last day of the contract; what is "
    "asked later is taken, and shown to be late.",
    problems=frozenset({"already_decided"}),
)


class WorkPermitCancellationView(BaseModel):
    """A cancellation that was taken on."""

    reference: str
    status: str = Field(examples=["received"])


def _asked(asked: OwnWorkPermitCancellationRequest) -> dict[str, object]:
    return asked.model_dump(mode="json", exclude={"reference"}, exclude_unset=True)


def _nothing(_asked: OwnWorkPermitCancellationRequest) -> dict[str, object]:
    return {}


CANCEL_OWN: Final = OwnRoute(
    verb="work-permit-cancellations",
    name="cancelOwnWorkPermit",
    summary="Have one's own work permit cancelled",
    says="Take on that a work permit is to be cancelled whose employer has left the Park, is suspended, or did not ask "
    "in time.",
    problems=frozenset({"case_unknown", "already_decided", "wrong_stage", "case_closed", "facts_erased"}),
    body=OwnWorkPermitCancellationRequest,
    view=WorkPermitCancellationView,
    asks=_asked,
    tells=_nothing,
)
