"""What each published operation is called, and which problems it may answer with beyond those that its kind implies.

One table for the routes that no programme declares, so that what a route is called and refuses with is read, and kept
apart, in one place. A route on cases brings the same itself: `operation_id` and `openapi_extra[PROBLEMS_KEY]`.
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


_REASONS: Final = "reason_missing reason_unknown reason_not_allowed"
_ON_TASK: Final = "already_decided role_not_allowed facts_erased"
_PROPOSED: Final = "already_decided wrong_stage same_signer"

OPERATIONS: Final[dict[str, Operation]] = {
    # Decisions.
    "POST /v1/decisions": _of("approveCases"),
    "GET /v1/reasons": _of("listReasons"),
    # Work lists.
    "GET /v1/tasks": _of("listTasks"),
    "GET /v1/tasks/counts": _of("countTasks"),
    "GET /v1/tasks/{task_id}": _of("readTask"),
    "POST /v1/tasks/next": _of("claimNextTask", "facts_erased"),
    "POST /v1/tasks/assign": _of("assignTasks"),
    "POST /v1/tasks/{task_id}/claim": _of("claimTask", _ON_TASK, "task_held same_signer"),
    "POST /v1/tasks/{task_id}/release": _of("releaseTask", _ON_TASK, "task_held"),
    "POST /v1/tasks/{task_id}/assign": _of("assignTask", _ON_TASK, "assignee_unknown same_signer"),
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
    # The register.
    "GET /v1/employers": _of("listEmployers"),
    "GET /v1/employers/{employer_id}": _of("readEmployer"),
    "PUT /v1/employers/{employer_id}": _of("recordEmployer"),
    "POST /v1/employers/{employer_id}/standing": _of(
        "proposeStanding", "already_decided wrong_stage reason_unknown reason_not_allowed"
    ),
    "POST /v1/employers/{employer_id}/standing/confirmation": _of("confirmStanding", _PROPOSED, _REASONS),
    "GET /v1/load": _of("readLoad", "not_found"),
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
    "GET /v1/me/registrations/{reference}/acts": _of("listOwnActs", "facts_erased"),
    "GET /v1/me/data": _of("readOwnData"),
    "GET /v1/me/access-log": _of("listReadings"),
    "GET /v1/me/access-log/days": _of("listReadingDays"),
    "GET /v1/me/objections": _of("listOwnObjections"),
    "POST /v1/me/complaints": _of("complain", "case_unknown facts_erased"),
    "GET /v1/me/transfers": _of("listOwnTransfers"),
    "POST /v1/me/transfers": _of(
        "agreeToTransfer",
        "case_unknown case_closed wrong_stage already_decided employer_not_in_good_standing facts_erased",
    ),
    "POST /v1/me/transfers/{transfer_id}/withdrawal": _of("takeTransferBack", "not_found already_decided facts_erased"),
    "GET /v1/me/offers": _of("listOwnOffers", "case_unknown facts_erased"),
    "GET /v1/me/releases": _of("listOwnReleases"),
    "POST /v1/me/releases": _of(
        "releaseFact", "case_unknown case_closed wrong_stage not_found already_decided facts_erased"
    ),
    "POST /v1/me/releases/{release_id}/withdrawal": _of("takeReleaseBack", "not_found already_decided facts_erased"),
    # Anyone.
    "POST /v1/drafts": _of("beginDraft", "wrong_stage not_found case_unknown"),
    "GET /v1/drafts": _of("listDrafts"),
    "GET /v1/drafts/{draft_id}": _of("readDraft", "facts_erased"),
    "PUT /v1/drafts/{draft_id}": _of("changeDraft", "draft_changed facts_erased"),
    "DELETE /v1/drafts/{draft_id}": _of("discardDraft"),
    "POST /v1/saved-views": _of("saveView", "wrong_stage"),
    "GET /v1/saved-views": _of("listSavedViews"),
    "DELETE /v1/saved-views/{view_id}": _of("discardSavedView"),
    "GET /v1/check/{code}": _of("checkCode", "not_found too_many_requests"),
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
