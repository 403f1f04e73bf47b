"""The HTTP application: built from settings, or from what a test hands in."""

import asyncio
import math
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Final

import httpx
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from api import (
    anyone,
    audit_cases,
    audit_events,
    call_metrics,
    case_acts,
    check_codes,
    codec,
    drafts,
    employers,
    gateways,
    joinings,
    load,
    me,
    notices,
    objections,
    operators,
    policies,
    saved_views,
    seal,
    staff,
    supervisors,
    task_lists,
)
from api.access import BodyRefusal, is_write
from api.cursors import Cursors
from api.forgeries import Forgeries
from api.frame import Frame, Further, route_of
from api.limiting import Allowance, Limiter
from api.openapi import build_openapi
from api.patience import Patience
from api.problems import CODE_OF_STATUS, Answered, problem_response
from api.programmes import routes_of
from api.self_check import self_check_routes
from api.starts import Starts
from api.tokens import DocumentClaims, IssuerKeys, Tokens
from api.wiring import Wiring, wiring_of
from cases.health.process_metrics import tell_process
from cases.health.readiness import Readiness
from cases.incidents import defects
from cases.keys.register import KeyHolder, keep_announcing
from cases.keys.start import callback_secrets, key_holder, receipts_secrets
from cases.programme import programmes_of
from cases.shared import refusals
from cases.shared.build import Files, build_context, load_files, load_packs
from cases.shared.context import Context
from cases.shared.machine_secrets import MachineSecrets
from cases.shared.pack_shelf import keep_reading_packs
from domain.errors import FieldError, Refused, Unavailable
from domain.field_errors import field_errors
from domain.languages import Language
from domain.references import find_reference
from policy.pack import PackShelf
from programmes import PROGRAMMES
from settings import Settings
from temporal.api_key import keep_reading_api_key
from temporal.client import connect
from temporal.engine import Engine, TemporalEngine
from temporal.exposition import serve_metrics
from temporal.histories import Histories, TemporalHistories
from temporal.runtime import start_runtime
from temporal.telemetry import describe

ROUTERS = (
    employers.router,
    staff.router,
    task_lists.router,
    notices.router,
    supervisors.router,
    load.router,
    seal.router,
    policies.router,
    audit_cases.router,
    gateways.router,
    joinings.router,
    operators.router,
    audit_events.router,
    me.router,
    case_acts.router,
    objections.router,
    me.pages,
    check_codes.router,
    drafts.router,
    saved_views.router,
    anyone.router,
)
_log = structlog.get_logger("api.defects")
# The framework's own spans, metrics and logs hold the address of a call as it was sent, names that are searched for
# among it, and what an error said; the frame makes those that we want.
_UNTRACED: Final[TelemetryConfig] = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
# A crowd or an address of its making is no act, and its rows would be one.
_UNRECORDED = frozenset({"too_many_requests", "engine_unavailable", "token_missing", "token_invalid", "in_progress"})


def create_app(
    settings: Settings,
    *,
    files: Files | None = None,
    context: Context | None = None,
    engine: Engine | None = None,
    histories: Histories | None = None,
    tokens: Tokens | None = None,
    allowance: Allowance | None = None,
    patience: Patience | None = None,
) -> FastAPI:
    """Return the application; what is not handed in is read, or built from the settings, when it starts."""
    limiter = Limiter(
        allowance
        or Allowance(
            settings.api_caller_a_minute,
            settings.api_tenant_a_minute,
            at_once=settings.api_at_once,
            body_bytes=settings.api_bodies_mib * 1024 * 1024,
        )
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            app.state.wiring = await _wire(
                stack, settings, files, context, engine, histories, tokens, limiter, patience or Patience()
            )
            stack.push_async_callback(app.state.wiring.drain)
            stack.callback(app.state.wiring.starts.leave)
            stopping = asyncio.Event()
            background = [asyncio.create_task(keep_reading_packs(app.state.wiring.context, stopping))]
            if context is None:
                holder = key_holder(app.state.wiring.context, settings, "api", secrets=_secrets(app.state.wiring))
                is_announced = await _announce(holder)
                background.append(asyncio.create_task(_keep_announcing(holder, stopping, is_announced=is_announced)))
            try:
                yield
            finally:
                # Waited for, so that its connection goes back before the database is closed.
                stopping.set()
                await asyncio.gather(*background)

    app = FastAPI(
        title="Hetao permits",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        telemetry=_UNTRACED,
    )
    app.openapi = lambda: build_openapi(app)  # type: ignore[method-assign]
    declared = PROGRAMMES.values() if context is None else programmes_of(context)
    app.state.prefixes = frozenset(each.prefix for each in declared)
    app.router.routes.extend(routes_of(declared))
    app.router.routes.extend(self_check_routes(declared))
    for router in (*ROUTERS, codec.router):
        app.router.routes.extend(router.routes)
    app.state.explained_at = _explained_at(settings)
    app.add_middleware(
        Frame,
        limiter=limiter,
        refuse=lambda refused, language: _frame_answer(app, refused, language),
        report=lambda error, scope: _report(app, error, scope),
        further=_further_headers(settings),
        prefixes=app.state.prefixes,
    )
    app.add_exception_handler(Refused, _on_refused)
    app.add_exception_handler(Answered, _on_answered)
    app.add_exception_handler(Unavailable, _on_unavailable)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    return app


def _secrets(wiring: Wiring) -> tuple[MachineSecrets, ...]:
    return wiring.callbacks, wiring.receipts


async def _announce(holder: KeyHolder) -> bool:
    """Say which keys this process holds; while PostgreSQL is away there is nothing that they could be used on.

    Raises:
        KeysRefusedError: when the process must not start with them.
    """
    try:
        await holder.announce()
    except Unavailable as error:
        _log.warning("keys_not_announced", reason=error.reason)
        return False
    return True


async def _keep_announcing(holder: KeyHolder, stopping: asyncio.Event, *, is_announced: bool) -> None:
    """Say again and again which keys this process holds, and end it where it turns out that it must not use them."""
    refused = await keep_announcing(holder, stopping, is_announced=is_announced)
    if refused is not None:
        _log.critical("keys_refused", why=[finding.words for finding in refused.findings])
        signal.raise_signal(signal.SIGTERM)


async def _wire(
    stack: AsyncExitStack,
    settings: Settings,
    files: Files | None,
    context: Context | None,
    engine: Engine | None,
    histories: Histories | None,
    tokens: Tokens | None,
    limiter: Limiter,
    patience: Patience,
) -> Wiring:
    """Build what was not handed in; what is built here is closed with the stack."""
    if context is None:
        files = files or load_files(settings, PROGRAMMES)
        context = build_context(settings, "api", PROGRAMMES, files=files)
        stack.push_async_callback(context.database.close)
    core_url = None
    if engine is None or histories is None:
        runtime = start_runtime(counts=bool(settings.api_metrics_port))
        core_url = runtime.metrics_url
        key_file = settings.temporal_api_key_file
        temporal = await connect(context.keyring, api_key_file=key_file, lazy=True, runtime=runtime.runtime)
        stopping = asyncio.Event()
        reading = asyncio.create_task(keep_reading_api_key(temporal, key_file, stopping))
        stack.push_async_callback(asyncio.wait, [reading])
        stack.callback(stopping.set)
        engine, histories = (
            engine or TemporalEngine(temporal, context.case_types),
            histories or TemporalHistories(temporal),
        )
    if tokens is None:
        client = await stack.enter_async_context(httpx.AsyncClient(follow_redirects=False, trust_env=False))
        keys = IssuerKeys(settings.oidc_jwks_url, client)
        tokens = Tokens(
            keys,
            issuer=settings.oidc_issuer,
            audience=settings.oidc_audience,
            clock=context.clock,
            document_claims=_document_claims(settings),
        )
    limits = (files.packs if files is not None else load_packs(settings, PROGRAMMES)).limits_packs
    tell_process(context)
    serve_metrics(settings.api_metrics_port, settings.metrics_host, core_url=core_url)
    return Wiring(
        settings=settings,
        context=context,
        engine=engine,
        starts=Starts(engine),
        histories=histories,
        tokens=tokens,
        cursors=Cursors(context.keyring.cursor.writing, context.keyring.cursor.keys.values()),
        limiter=limiter,
        patience=patience,
        limits={name: PackShelf([pack]) for name, pack in limits.items()},
        inboxes={each.path: each.open(context) for one in programmes_of(context) for each in one.inboxes},
        forgeries=Forgeries(context),
        readiness=Readiness(context),
        callbacks=callback_secrets(context.keyring, settings),
        receipts=receipts_secrets(context.keyring, settings),
    )


def _explained_at(settings: Settings) -> str:
    base = settings.docs_url or f"{settings.public_url}/docs"
    return f"{base.rstrip('/')}/problems"


def _further_headers(settings: Settings) -> Further:
    told = settings.hsts_seconds if settings.public_url.startswith("https://") else 0
    tls_only = [(b"strict-transport-security", b"max-age=%d" % told)] if told else []
    for_the_ui = [*tls_only, *codec.cors_headers(settings)]
    return lambda path: for_the_ui if path.startswith(codec.PATH) else tls_only


def _frame_answer(app: FastAPI, refused: Refused | Unavailable, language: Language) -> Response:
    if isinstance(refused, Unavailable):
        return _unavailable(app, refused, language)
    call_metrics.REFUSED.labels(refused.code).inc()
    return problem_response(refused.code, explained_at=app.state.explained_at, language=language, detail=refused.detail)


def _unavailable(app: FastAPI, error: Unavailable, language: Language) -> Response:
    headers = _retry(error)
    call_metrics.REFUSED.labels(error.reason).inc()
    return problem_response(
        "engine_unavailable", explained_at=app.state.explained_at, language=language, headers=headers
    )


def _retry(error: Refused | Unavailable) -> dict[str, str] | None:
    return {"Retry-After": str(max(1, math.ceil(error.retry_after)))} if error.retry_after is not None else None


async def _report(app: FastAPI, error: Exception, scope: Scope) -> Response:
    """Put a defect before the operator and return the problem that names it; 503 where PostgreSQL is away."""
    state = scope["state"]
    reference = find_reference(str(scope.get("path_params", {}).get("reference", "")), app.state.prefixes)
    step = f"{scope['method']} {route_of(scope)}"
    incident: str | None
    try:
        incident = await defects.note(app.state.wiring.context, step, error, reference, state["correlation_id"])
    except Unavailable as unavailable:
        return _unavailable(app, unavailable, state["language"])
    except Exception as failed:  # noqa: BLE001 - the log has both, and the caller an answer
        _log.error("defect_not_noted", **describe(failed))
        incident = None
    call_metrics.REFUSED.labels(defects.KIND).inc()
    return problem_response(
        defects.KIND,
        explained_at=app.state.explained_at,
        language=state["language"],
        facts=None if incident is None else {"incident": incident},
    )


async def _on_refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return await _refuse(request, error)


async def _on_answered(request: Request, error: Exception) -> Response:
    assert isinstance(error, Answered)
    return await _refuse(request, error.refused, error.headers)


async def _on_unavailable(request: Request, error: Exception) -> Response:
    assert isinstance(error, Unavailable)
    return _unavailable(request.app, error, request.state.language)


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [_placed(found, entry["loc"]) for found, entry in zip(field_errors(error), error.errors(), strict=False)]
    return await _refuse(request, Refused("invalid", "The request does not have the right form.", errors))


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error, BodyRefusal):
        return await _refuse(request, error.refused)
    code = CODE_OF_STATUS.get(error.status_code, "malformed")
    return await _refuse(request, Refused(code), dict(error.headers or {}))


async def _refuse(request: Request, refused: Refused, headers: Mapping[str, str] | None = None) -> Response:
    actor = getattr(request.state, "actor", None)
    reference = find_reference(str(request.path_params.get("reference", "")), request.app.state.prefixes)
    # A reading of a case that is not the caller's own is answered as one of a case that there is not.
    is_reach = reference is not None and refused.code == "case_unknown"
    is_act = is_write(request) or is_reach or refused.code in ("role_not_allowed", "purpose_missing")
    if actor is not None and is_act and refused.code not in _UNRECORDED:
        route = f"{request.method} {route_of(request.scope)}"
        await refusals.record(wiring_of(request).context, actor, route, refused.code, reference)
    call_metrics.REFUSED.labels(refused.code).inc()
    return problem_response(
        refused.code,
        explained_at=request.app.state.explained_at,
        language=request.state.language,
        detail=refused.detail,
        errors=refused.errors,
        headers=headers or _retry(refused),
        facts=refused.facts,
        words=refused.words,
    )


def _placed(error: FieldError, location: Sequence[str | int]) -> FieldError:
    """Leave out of a path the part of the request, which the framework puts first."""
    if location[0] == "header":
        return replace(error, field=str(location[1]))
    field = error.field.removeprefix(str(location[0])).removeprefix(".")
    return replace(error, field=field)


def _document_claims(settings: Settings) -> DocumentClaims | None:
    kind, number = settings.oidc_document_kind_claim, settings.oidc_document_number_claim
    if kind is None or number is None:
        return None
    return DocumentClaims(kind, number, settings.oidc_document_place_claim)
