"""How what can be asked of an appraisal stands in the API."""

from dataclasses import replace
from typing import Final

from cases.commands import renewals
from domain.actors import STAFF, Role
from domain.routes import REASONS, Operation, Route

_EMPLOYER: Final = frozenset({Role.EMPLOYER})
_PERSON: Final = frozenset({Role.PERSON})

PATH: Final = "appraisals"
EMPLOYMENT: Final = "employment"
SUBMIT: Final = Operation(
    name="applyForAppraisal",
    summary="Apply for appraisal",
    says="Take on the application of the person who asks; the employer that it names is asked to confirm.",
    problems=frozenset({"live_registration_exists", "client_reference_taken", "wrong_programme"}),
)
LIST: Final = Operation(
    name="listEmployments",
    summary="Employments to confirm",
    says="List the employments that you are asked about, or were.",
)
READ: Final = Operation(
    name="readEmployment",
    summary="An employment to confirm",
    says="Return what you are asked about, and nothing else of the case.",
    problems=frozenset({"case_unknown"}),
)
CORRECT: Final = Route(
    verb="correction",
    by=_PERSON,
    name="correctAppraisal",
    summary="Correct",
    says="Give the parts of an application that change: what it was sent back for, or, with its round, under review.",
    problems=frozenset({"stale_round", "amendment_not_allowed"}),
)
CONFIRM: Final = Route(
    verb="confirmed",
    by=_EMPLOYER,
    name="confirmEmployment",
    summary="Confirm an employment",
    says="Say that the person works for you as it is said.",
)
DENY: Final = Route(
    verb="denied",
    by=_EMPLOYER,
    name="denyEmployment",
    summary="Deny an employment",
    says="Say that the person does not work for you as it is said.",
)
LEAVE: Final = Route(
    verb="left",
    by=_EMPLOYER,
    name="reportLeaving",
    summary="Report that a person leaves",
    says="Say the last day of work of a person whose employment you confirmed, past or to come.",
)
SUSPEND: Final = Route(
    verb="suspension",
    by=STAFF,
    name="suspendRecognition",
    summary="Suspend a recognition",
    says="Suspend a recognition at once, with reasons; the decision by which it was given stands.",
    problems=REASONS,
)
RESTORE: Final = Route(
    verb="restoration",
    by=STAFF,
    name="restoreRecognition",
    summary="Restore a recognition",
    says="Let a recognition be valid again where nothing that suspended it is left but an officer's own reasons.",
)
REVOKE: Final = Route(
    verb="revocation",
    by=STAFF,
    name="proposeRevocation",
    summary="Propose to withdraw a recognition",
    says="Propose to withdraw a recognition; it takes effect with a second signature, once that has cooled off.",
    problems=REASONS | {"already_decided"},
)
RENEW: Final = replace(
    renewals.RENEW,
    summary="Ask to be appraised again",
    says="Ask to be appraised again before a recognition ends, or shortly after; an officer looks at it by the rules "
    "of the day and by what is still proved.",
)
