"""Calls about rule packs: in force, proposed and published, tried on past cases; and running one case again."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api.access import GuardedRoute, IdempotencyKey, allow
from api.answers import json_response, respond
from api.parameters import CasePath, CodePath
from api.policy_views import PackVersions, PolicyView, ReEvaluationView, TrialView
from api.wiring import wiring_of
from cases.shared.context import pack_names
from domain.actors import Actor, Role
from domain.clock import day_of
from domain.errors import Refused
from domain.rule_packs import PackConfirmation, PackProposal
from record import re_evaluation
from register import packs, trials
from register.pack_views import PackVersionView

router = APIRouter(prefix="/v1", route_class=GuardedRoute, tags=["Rules"])

_SIGNED_IN = allow(*(role for role in Role if role not in (Role.SYSTEM, Role.AUTHORITY)))
_SUPERVISOR = allow(Role.SUPERVISOR)
_INSIDE = allow(Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR)
_AUDITOR = allow(Role.AUDITOR)
ReportPath = Annotated[str, Path(description="Hash of the report.", pattern="^[0-9a-f]{64}$")]


@router.get("/policies/{pack}", response_model=PolicyView, summary="Rules in force")
async def get_policy(request: Request, pack: CodePath, actor: Annotated[Actor, _SIGNED_IN]) -> Response:
    """Return the parameters of a pack in force today, each with its reference and standing."""
    wiring = wiring_of(request)
    context = wiring.context
    shelf = context.packs.of(pack) if pack in pack_names(context) else wiring.limits.get(pack)
    if shelf is None:
        raise Refused("not_found", "There is no rule pack of this name.")
    in_force = shelf.on(day_of(context.clock()))
    return json_response(in_force.model_dump(mode="json", exclude={"reads"}))


@router.get("/policies/{pack}/versions", response_model=PackVersions, summary="Versions of a rule pack")
async def list_versions(request: Request, pack: CodePath, actor: Annotated[Actor, _INSIDE]) -> Response:
    """List every version, proposed, rejected and published ones, by the day from which it holds."""
    return json_response({"items": await packs.list_packs(wiring_of(request).context, actor, pack)})


@router.post("/policies/{pack}", response_model=PackVersionView, status_code=201, summary="Propose a rule pack")
async def propose_pack(
    request: Request,
    pack: CodePath,
    body: PackProposal,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _SUPERVISOR],
) -> Response:
    """Propose a version with the report of its trial on past cases; a second supervisor signs it."""
    return respond(await packs.propose_pack(wiring_of(request).context, actor, pack, body, idempotency))


@router.post(
    "/policies/{pack}/versions/{version}/confirmation",
    response_model=PackVersionView,
    summary="Sign, or reject, a rule pack",
)
async def confirm_pack(
    request: Request,
    pack: CodePath,
    version: CodePath,
    body: PackConfirmation,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _SUPERVISOR],
) -> Response:
    """Give or refuse the second signature; a signed version holds for cases accepted from its first day on."""
    context = wiring_of(request).context
    return respond(await packs.confirm_pack(context, actor, pack, version, body, idempotency))


@router.get("/policies/{pack}/trials/{report_hash}", response_model=TrialView, summary="Report of a trial")
async def get_trial(
    request: Request, pack: CodePath, report_hash: ReportPath, actor: Annotated[Actor, _INSIDE]
) -> Response:
    """Return which past cases would flip under a draft, and by which rule."""
    trial = await trials.read_trial(wiring_of(request).context, actor, pack, report_hash)
    return json_response(trial.document())


@router.get(
    "/audit/cases/{reference}/re-evaluation", response_model=ReEvaluationView, summary="Run a case's rules again"
)
async def evaluate_again(request: Request, reference: CasePath, actor: Annotated[Actor, _AUDITOR]) -> Response:
    """Run the kept rule version on the kept facts and compare; a ledger act."""
    context, language = wiring_of(request).context, request.state.language
    return json_response(await re_evaluation.evaluate_again(context, actor, reference, language))
