"""What each published operation is called, and which problems it may answer with beyond those that its kind implies.

One table for all routes, so that what a route is called and refuses with is read, and kept apart, in one place. A route
that is made from a declaration brings the same itself: `operation_id` and `openapi_extra[PROBLEMS_KEY]`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from api.access import PROBLEMS_KEY, Credential, GuardedRoute
from domain.errors import PROBLEM_STATUS


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation: its name in generated clients, and the problem codes that its verb refuses with."""

    name: str
    problems: frozenset[str]


def _of(name: str, *problems: str) -> Operation:
    return Operation(name, frozenset(code for given in problems for code in given.split()))


# Whatever the verb is: the stage of the case, and a case whose person was erased.
_ON_CASE: Final = "wrong_stage case_closed facts_erased"
_ON_PERMIT: Final = "wrong_stage facts_erased"
_REASONS: Final = "reason_missing reason_unknown reason_not_allowed"
_ON_TASK: Final = "already_decided role_not_allowed facts_erased"
_PROPOSED: Final = "already_decided wrong_stage same_signer"
_PLACE: Final = "live_registration_exists client_reference_taken employer_not_in_good_standing facts_erased"

_CASE: Final = "/v1/registrations/{reference}"
_PERMIT: Final = f"{_CASE}/permits/{{destination}}"

OPERATIONS: Final[dict[str, Operation]] = {
    # Cases, as employers and staff ask for them.
    "POST /v1/registrations": _of("submitRegistration", _PLACE),
    "POST /v1/registrations/check": _of("checkRegistration", "employer_not_in_good_standing"),
    "GET /v1/registrations": _of("listCases"),
    "GET /v1/registrations/export.csv": _of("exportCases"),
    f"GET {_CASE}": _of("readCase"),
    f"POST {_CASE}/correction": _of("correctRegistration", _ON_CASE, "live_registration_exists client_reference_taken"),
    f"POST {_CASE}/contest": _of("contestFindings", _ON_CASE),
    f"POST {_CASE}/withdrawal": _of("withdrawRegistration", _ON_CASE),
    f"POST {_CASE}/departure": _of("reportDeparture", _ON_CASE, "already_decided reason_unknown reason_not_allowed"),
    f"POST {_CASE}/change": _of("changeRegistration", _ON_CASE),
    f"POST {_PERMIT}/lost": _of("reportLostCard", _ON_PERMIT),
    f"GET {_CASE}/person": _of("openPerson", "purpose_missing facts_erased"),
    f"GET {_CASE}/notices": _of("listCaseNotices", "not_found"),
    f"GET {_CASE}/requests": _of("listCaseRequests", "purpose_missing facts_erased"),
    f"GET {_CASE}/receipts": _of("readReceipts"),
    f"POST {_CASE}/facts": _of("recordFact", _ON_CASE, "stale_round task_held"),
    f"GET {_CASE}/facts": _of("listFacts", "purpose_missing facts_erased"),
    f"POST {_CASE}/facts/{{number}}/contest": _of("contestFact", _ON_CASE, "already_decided"),
    # Decisions.
    f"POST {_CASE}/decision": _of(
        "decideCase", _ON_CASE, _REASONS, "already_decided stale_round on_hold task_held return_not_allowed"
    ),
    f"POST {_CASE}/confirmation": _of(
        "confirmProposal", _ON_CASE, _REASONS, "already_decided stale_round same_signer on_hold task_held"
    ),
    "POST /v1/decisions": _of("approveCases"),
    f"POST {_CASE}/recall": _of("recallApproval", _ON_CASE),
    f"POST {_CASE}/hold": _of("holdCase", _ON_CASE, "on_hold reason_unknown reason_not_allowed"),
    f"POST {_CASE}/revocation": _of("proposeRevocation", _ON_CASE, _REASONS, "already_decided"),
    f"POST {_PERMIT}/eligibility": _of("settleEligibility", _ON_PERMIT, _REASONS, "already_decided task_held"),
    f"POST {_PERMIT}/outcome": _of("enterOutcome", _ON_PERMIT, "already_decided task_held"),
    f"POST {_PERMIT}/confirmation": _of("confirmPermitProposal", _ON_PERMIT, _REASONS, "same_signer task_held"),
    "GET /v1/reasons": _of("listReasons"),
    # Work lists.
    "GET /v1/tasks": _of("listTasks"),
    "GET /v1/tasks/counts": _of("countTasks"),
    "POST /v1/tasks/next": _of("claimNextTask", "facts_erased"),
    "POST /v1/tasks/assign": _of("assignTasks"),
    "POST /v1/tasks/{task_id}/claim": _of("claimTask", _ON_TASK, "task_held same_signer"),
    "POST /v1/tasks/{task_id}/release": _of("releaseTask", _ON_TASK, "task_held"),
    "POST /v1/tasks/{task_id}/assign": _of("assignTask", _ON_TASK, "assignee_unknown same_signer"),
    "POST /v1/tasks/{task_id}/answer": _of("answerTask", _ON_CASE, "already_decided same_signer task_held"),
    "GET /v1/lost-answers": _of("listLostAnswers"),
    "POST /v1/lost-answers/{answer_id}/attachment": _of(
        "proposeAttachment", "case_unknown wrong_stage already_decided facts_erased"
    ),
    "POST /v1/lost-answers/{answer_id}/attachment/confirmation": _of(
        "confirmAttachment", _PROPOSED, "case_unknown facts_erased"
    ),
    "GET /v1/objections": _of("listObjections"),
    "POST /v1/objections/{objection_id}/answer": _of("answerComplaint", "already_decided wrong_stage facts_erased"),
    # Rosters, contact, webhooks, notices.
    "POST /v1/rosters": _of("submitRoster", "employer_not_in_good_standing"),
    "GET /v1/rosters/template": _of("readRosterTemplate"),
    "GET /v1/rosters/{roster_id}": _of("readRoster"),
    "GET /v1/rosters/{roster_id}/rows": _of("listRosterRows"),
    "GET /v1/rosters/{roster_id}/annotated": _of("readAnnotatedRoster", "facts_erased"),
    "GET /v1/employers/me/contact": _of("readContact", "not_found"),
    "PUT /v1/employers/me/contact": _of("setContact", "not_found"),
    "GET /v1/webhooks": _of("listWebhooks"),
    "PUT /v1/webhooks": _of("subscribeWebhook"),
    "POST /v1/webhooks/{webhook_id}/test": _of("testWebhook", "wrong_stage"),
    "POST /v1/webhooks/{webhook_id}/secret": _of("rotateWebhookSecret"),
    "GET /v1/webhooks/{webhook_id}/deliveries": _of("listWebhookDeliveries"),
    "GET /v1/notices": _of("listNotices", "case_unknown"),
    "POST /v1/notices/{notice_id}/read": _of("markNoticeRead"),
    "GET /v1/deliveries/failed": _of("listFailedDeliveries"),
    # Legal holds and erasure.
    f"GET {_CASE}/legal-holds": _of("listLegalHolds"),
    f"POST {_CASE}/legal-holds": _of("placeLegalHold", "facts_erased"),
    f"POST {_CASE}/legal-holds/{{hold_id}}/release": _of("releaseLegalHold", "already_decided facts_erased"),
    f"GET {_CASE}/erasure": _of("listErasures"),
    f"POST {_CASE}/erasure": _of("proposeErasure", "wrong_stage legal_hold case_not_at_rest facts_erased"),
    f"POST {_CASE}/erasure/confirmation": _of(
        "confirmErasure", "wrong_stage same_signer legal_hold case_not_at_rest facts_erased"
    ),
    # The register.
    "GET /v1/employers": _of("listEmployers"),
    "GET /v1/employers/{employer_id}": _of("readEmployer"),
    "PUT /v1/employers/{employer_id}": _of("recordEmployer"),
    "POST /v1/employers/{employer_id}/standing": _of(
        "proposeStanding", "already_decided wrong_stage reason_unknown reason_not_allowed"
    ),
    "POST /v1/employers/{employer_id}/standing/confirmation": _of("confirmStanding", _PROPOSED, _REASONS),
    "GET /v1/premises": _of("listPremises"),
    "PUT /v1/premises": _of("recordPremises"),
    # Rule packs.
    "GET /v1/policies/{pack}": _of("readPack"),
    "POST /v1/policies/{pack}": _of("proposePack", "already_decided"),
    "GET /v1/policies/{pack}/versions": _of("listPackVersions"),
    "POST /v1/policies/{pack}/versions/{version}/confirmation": _of("confirmPack", _PROPOSED, _REASONS),
    "GET /v1/policies/{pack}/trials/{report_hash}": _of("readTrial"),
    # The ledger, its seal, and audits of cases.
    "GET /v1/audit/events": _of("searchEvents", "case_unknown"),
    "GET /v1/audit/counts": _of("countEvents", "case_unknown"),
    "GET /v1/audit/export": _of("exportEvents", "purpose_missing cursor_invalid case_unknown"),
    "GET /v1/audit/samples": _of("sampleCases"),
    "GET /v1/audit/conflicts": _of("listConflicts"),
    "GET /v1/audit/differences": _of("listDifferences"),
    "GET /v1/audit/cases/{reference}/history": _of("readStory"),
    "GET /v1/audit/cases/{reference}/reconciliation": _of("reconcileCase"),
    "GET /v1/audit/cases/{reference}/re-evaluation": _of("evaluateAgain", "facts_erased"),
    "GET /v1/audit/checkpoint": _of("readCheckpoint", "not_found too_many_requests"),
    "GET /v1/audit/consistency": _of("readConsistency", "not_found too_many_requests"),
    "GET /v1/audit/keys": _of("readLogKeys"),
    "GET /v1/audit/proofs": _of("readProof", "not_found not_sealed_yet"),
    "POST /v1/audit/checkpoint/cosignatures": _of("cosignCheckpoint", "not_found"),
    # Machines.
    "POST /v1/authority/outcomes": _of("sendOutcome", "case_unknown facts_erased"),
    "POST /v1/receipts": _of("sendDeliveryReport"),
    # Operators.
    "GET /v1/incidents": _of("listIncidents"),
    "GET /v1/incidents/{incident_id}": _of("readIncident"),
    "POST /v1/incidents/{incident_id}/resume": _of("resumeIncident", "already_decided still_broken"),
    "GET /v1/incident-causes": _of("listIncidentCauses"),
    "GET /v1/incident-causes/{cause_id}": _of("readIncidentCause"),
    "GET /v1/incident-causes/{cause_id}/incidents": _of("listIncidentsOfCause"),
    "POST /v1/incident-causes/{cause_id}/resume": _of("resumeIncidentCause"),
    "GET /v1/health/channels": _of("readChannelHealth"),
    # The person.
    "POST /v1/me/sign-in-links": _of("askForSignInLink", "too_many_requests"),
    "POST /v1/me/sessions": _of("openSession", "link_invalid too_many_requests"),
    "POST /v1/me/sign-out": _of("endSession"),
    "GET /v1/me/registrations": _of("listOwnCases"),
    "GET /v1/me/data": _of("readOwnData"),
    "GET /v1/me/access-log": _of("listReadings"),
    "GET /v1/me/access-log/days": _of("listReadingDays"),
    "GET /v1/me/objections": _of("listOwnObjections"),
    "POST /v1/me/complaints": _of("complain", "case_unknown facts_erased"),
    "POST /v1/me/contests": _of("contestOwnFact", "case_unknown not_found already_decided", _ON_CASE),
    "POST /v1/me/disputes": _of("disputeDeparture", "case_unknown already_decided", _ON_CASE),
    "POST /v1/me/lost-cards": _of("reportOwnLostCard", "case_unknown", _ON_PERMIT),
    # Anyone.
    "GET /health/live": _of("readLiveness"),
    "GET /health/ready": _of("readReadiness"),
}

_EVERYWHERE: Final = frozenset({"malformed", "invalid", "defect", "engine_unavailable"})
_OF_CREDENTIAL: Final = {
    Credential.TOKEN: frozenset({"token_missing", "token_invalid", "role_not_allowed", "too_many_requests"}),
    Credential.SIGNATURE: frozenset({"signature_invalid", "too_many_requests"}),
}
_OF_KEY: Final = frozenset({"idempotency_key_missing", "idempotency_key_reused", "in_progress"})
_OF_BODY: Final = frozenset({"body_late", "body_too_large"})


def operation_of(route: GuardedRoute, method: str) -> Operation:
    """Return what a route is called and refuses with: by its declaration, or else by the table.

    Raises:
        LookupError: where neither names it.
    """
    declared = frozenset((route.openapi_extra or {}).get(PROBLEMS_KEY, ()))
    if route.operation_id:
        return Operation(route.operation_id, declared)
    operation = OPERATIONS[f"{method} {route.path_format}"]
    return Operation(operation.name, operation.problems | declared)


def problems_of(
    route: GuardedRoute, operation: Operation, parameters: Iterable[tuple[str, str]], *, takes_body: bool
) -> dict[int, list[str]]:
    """Return the problem codes that an operation may answer with, by status, sorted.

    Args:
        route: says what a call shows.
        operation: what its verb refuses with.
        parameters: where each stands and its name.
        takes_body: whether the call has a body.
    """
    codes = {*_EVERYWHERE, *_OF_CREDENTIAL.get(route.access.credential, ()), *operation.problems}
    for place, name in parameters:
        codes.update(_of_parameter(place, name))
    if takes_body:
        codes |= _OF_BODY | {"media_type_unknown"}
    by_status: dict[int, list[str]] = {}
    for code in sorted(codes, key=lambda code: (PROBLEM_STATUS[code], code)):
        by_status.setdefault(PROBLEM_STATUS[code], []).append(code)
    return by_status


def _of_parameter(place: str, name: str) -> Iterator[str]:
    if place == "path":
        yield "case_unknown" if name == "reference" else "not_found"
    elif name == "cursor":
        yield "cursor_invalid"
    elif name == "Idempotency-Key":
        yield from _OF_KEY | _OF_BODY  # the key stands for the body, which is read even where there should be none
