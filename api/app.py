"""The HTTP application: built from settings, or from what a test hands in."""

import asyncio
import math
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import httpx
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from api import (
    anyone,
    audit_cases,
    audit_events,
    authority,
    codec,
    employers,
    erasure,
    exports,
    facts,
    lost_answers,
    me,
    notices,
    objections,
    operators,
    policies,
    receipts,
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
from api.starts import Starts
from api.tokens import IssuerKeys, Tokens
from api.wiring import Wiring, wiring_of
from cases import defects, refusals
from cases.answers_gathered import Gathering
from cases.build import build_context
from cases.context import Context
from cases.pack_shelf import keep_reading_packs
from domain.errors import FieldError, Refused, Unavailable
from domain.field_errors import field_errors
from domain.languages import Language
from domain.references import find_reference
from policy.pack import PackShelf
from policy.packs import LIMITS, TALENT_PERMIT, load_limits
from settings import Settings
from temporal.client import connect
from temporal.engine import Engine, TemporalEngine
from temporal.histories import Histories, TemporalHistories
from temporal.telemetry import configure_logging, configure_tracing, describe, serve_metrics

ROUTERS = (
    exports.router,
    employers.router,
    staff.router,
    task_lists.router,
    notices.router,
    facts.router,
    erasure.router,
    supervisors.router,
    seal.router,
    policies.router,
    audit_cases.router,
    receipts.router,
    authority.router,
    lost_answers.router,
    operators.router,
    audit_events.router,
    me.router,
    objections.router,
    me.pages,
    anyone.router,
)
_log = structlog.get_logger("api.defects")
# A crowd or an address of its making is no act, and its rows would be one.
_UNRECORDED = frozenset({"too_many_requests", "engine_unavailable", "token_missing", "token_invalid", "in_progress"})


def create_app(
    settings: Settings | None = None,
    *,
    context: Context | None = None,
    engine: Engine | None = None,
    histories: Histories | None = None,
    tokens: Tokens | None = None,
    allowance: Allowance | None = None,
    patience: Patience | None = None,
) -> FastAPI:
    """Return the application; what is not handed in is built from the settings when it starts."""
    if settings is None:  # a process of its own, started by the server's factory
        settings = Settings()
        configure_logging("api", settings.log_level)
        configure_tracing("api", os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"))
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
                stack, settings, context, engine, histories, tokens, limiter, patience or Patience()
            )
            stack.push_async_callback(app.state.wiring.drain)
            stack.callback(app.state.wiring.starts.leave)
            stopping = asyncio.Event()
            reading = asyncio.create_task(keep_reading_packs(app.state.wiring.context, stopping))
            try:
                yield
            finally:
                # Waited for, so that its connection goes back before the database is closed.
                stopping.set()
                await reading

    app = FastAPI(
        title="Hetao permits",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.openapi = lambda: build_openapi(app)  # type: ignore[method-assign]
    for router in (*ROUTERS, codec.router):
        app.router.routes.extend(router.routes)
    app.state.explained_at = _explained_at(settings)
    app.add_middleware(
        Frame,
        limiter=limiter,
        refuse=lambda refused, language: _frame_answer(app, refused, language),
        report=lambda error, scope: _report(app, error, scope),
        further=_further_headers(settings),
    )
    app.add_exception_handler(Refused, _on_refused)
    app.add_exception_handler(Answered, _on_answered)
    app.add_exception_handler(Unavailable, _on_unavailable)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    return app


async def _wire(
    stack: AsyncExitStack,
    settings: Settings,
    context: Context | None,
    engine: Engine | None,
    histories: Histories | None,
    tokens: Tokens | None,
    limiter: Limiter,
    patience: Patience,
) -> Wiring:
    """Build what was not handed in; what is built here is closed with the stack."""
    if context is None:
        context = build_context(settings, "api")
        stack.push_async_callback(context.database.close)
    if engine is None or histories is None:
        temporal = await connect(context.keyring, lazy=True)
        engine, histories = engine or TemporalEngine(temporal), histories or TemporalHistories(temporal)
    if tokens is None:
        client = await stack.enter_async_context(httpx.AsyncClient(follow_redirects=False, trust_env=False))
        keys = IssuerKeys(settings.oidc_jwks_url, client)
        tokens = Tokens(keys, issuer=settings.oidc_issuer, audience=settings.oidc_audience, clock=context.clock)
    limits = PackShelf([load_limits(settings.parameters, settings.policy_dir)])
    serve_metrics(settings.api_metrics_port, settings.metrics_host)
    return Wiring(
        settings=settings,
        context=context,
        engine=engine,
        starts=Starts(engine),
        histories=histories,
        tokens=tokens,
        cursors=Cursors(context.keyring.cursor),
        limiter=limiter,
        patience=patience,
        packs={TALENT_PERMIT: context.packs, LIMITS: limits},
        answers=Gathering(context),
        forgeries=Forgeries(context),
    )


def _explained_at(settings: Settings) -> str:
    base = settings.docs_url or f"{settings.public_url.rstrip('/')}/docs"
    return f"{base.rstrip('/')}/problems"


def _further_headers(settings: Settings) -> Further:
    told = settings.hsts_seconds if settings.public_url.startswith("https://") else 0
    tls_only = [(b"strict-transport-security", b"max-age=%d" % told)] if told else []
    for_the_ui = [*tls_only, *codec.cors_headers(settings)]
    return lambda path: for_the_ui if path.startswith(codec.PATH) else tls_only


def _frame_answer(app: FastAPI, refused: Refused | Unavailable, language: Language) -> Response:
    if isinstance(refused, Unavailable):
        return _unavailable(app, refused, language)
    return problem_response(refused.code, explained_at=app.state.explained_at, language=language, detail=refused.detail)


def _unavailable(app: FastAPI, error: Unavailable, language: Language) -> Response:
    headers = _retry(error)
    return problem_response(
        "engine_unavailable", explained_at=app.state.explained_at, language=language, headers=headers
    )


def _retry(error: Refused | Unavailable) -> dict[str, str] | None:
    return {"Retry-After": str(max(1, math.ceil(error.retry_after)))} if error.retry_after is not None else None


async def _report(app: FastAPI, error: Exception, scope: Scope) -> Response:
    """Put a defect before the operator and return the problem that names it; 503 where PostgreSQL is away."""
    state = scope["state"]
    reference = find_reference(str(scope.get("path_params", {}).get("reference", "")))
    step = f"{scope['method']} {route_of(scope)}"
    incident: str | None
    try:
        incident = await defects.note(app.state.wiring.context, step, error, reference, state["correlation_id"])
    except Unavailable as unavailable:
        return _unavailable(app, unavailable, state["language"])
    except Exception as failed:  # noqa: BLE001 - the log has both, and the caller an answer
        _log.error("defect_not_noted", **describe(failed))
        incident = None
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
    reference = find_reference(str(request.path_params.get("reference", "")))
    # A reading of a case that is not the caller's own is answered as one of a case that there is not.
    is_reach = reference is not None and refused.code == "case_unknown"
    is_act = is_write(request) or is_reach or refused.code in ("role_not_allowed", "purpose_missing")
    if actor is not None and is_act and refused.code not in _UNRECORDED:
        route = f"{request.method} {route_of(request.scope)}"
        await refusals.record(wiring_of(request).context, actor, route, refused.code, reference)
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
