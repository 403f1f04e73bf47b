"""Calls of employers: registrations and what is said of them later, rosters, webhooks."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.access import BODY_LIMIT_KEY, GuardedRoute, IdempotencyKey, allow
from api.answers import answer_page, json_response, respond, status_of
from api.employer_views import (
    ContactView,
    DeliveryPage,
    NewWebhookView,
    RosterRowPage,
    RosterView,
    SubscribedWebhookView,
    WebhookList,
    WebhookTestView,
    roster_links,
)
from api.parameters import IdPath
from api.uploads import ROSTER_LIMIT, RosterQuery, TemplateQuery, WorkbookResponse, read_roster, roster_body
from api.webhook_bodies import WebhookRequest
from api.wiring import wiring_of
from cases.notices import employer_contact, webhooks
from cases.notices.views import WebhookView
from domain.actors import Actor, Role
from domain.employers import EmployerContact
from domain.pages import PageQuery
from domain.webhooks import SecretRequest
from register.rosters import intake, reads, workbooks

router = APIRouter(prefix="/v1", route_class=GuardedRoute, tags=["Employers"])

_EMPLOYER = allow(Role.EMPLOYER)
_READERS = allow(Role.EMPLOYER, Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR)
_ON_PROOF = allow(Role.EMPLOYER, Role.OFFICER, Role.SUPERVISOR)


@router.post(
    "/rosters",
    status_code=202,
    response_model=RosterView,
    summary="Hand in a roster",
    openapi_extra={BODY_LIMIT_KEY: ROSTER_LIMIT, "requestBody": roster_body()},
)
async def receive_roster(
    request: Request,
    query: Annotated[RosterQuery, Query()],
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _EMPLOYER],
) -> Response:
    """Take on a CSV or XLSX file; its rows are checked and done in the background."""
    file, named = await read_roster(request, query, idempotency)
    reply = await intake.receive(wiring_of(request).context, actor, file, named)
    links = roster_links(reply.body["id"])
    return json_response(reply.body | {"links": links}, status_of(reply), {"Location": links["self"]})


@router.get(
    "/rosters/template",
    response_class=WorkbookResponse,
    summary="Get an empty roster",
    responses={200: {"description": "A workbook with drop-downs and explanations."}},
)
async def get_roster_template(
    request: Request, query: Annotated[TemplateQuery, Query()], actor: Annotated[Actor, _EMPLOYER]
) -> Response:
    """Return an empty roster to fill in, in one of the three languages."""
    language = query.language or request.state.language
    content = await workbooks.template(wiring_of(request).context, actor, query.act, language)
    return WorkbookResponse.file(content, f"{query.act}-{language}.xlsx")


@router.get(
    "/rosters/{roster_id}/annotated",
    response_class=WorkbookResponse,
    summary="Get a roster with what became of its rows",
    responses={200: {"description": "A workbook with the employer's own rows whole, and what to mend in each."}},
)
async def get_annotated_roster(request: Request, roster_id: IdPath, actor: Annotated[Actor, _EMPLOYER]) -> Response:
    """Return a roster as it was sent, with result, reference and what to mend beside each row; a ledger act."""
    context = wiring_of(request).context
    content = await workbooks.annotated(context, actor, roster_id, request.state.language)
    return WorkbookResponse.file(content, f"roster-{roster_id}.xlsx")


@router.get("/rosters/{roster_id}", response_model=RosterView, summary="Read a roster")
async def get_roster(request: Request, roster_id: IdPath, actor: Annotated[Actor, _EMPLOYER]) -> Response:
    """Return a roster with its totals."""
    roster = await reads.get_roster(wiring_of(request).context, actor, roster_id)
    return json_response(RosterView(**roster.model_dump(), links=roster_links(roster.id)))


@router.get("/rosters/{roster_id}/rows", response_model=RosterRowPage, summary="Rows of a roster")
async def list_roster_rows(
    request: Request, roster_id: IdPath, query: Annotated[PageQuery, Query()], actor: Annotated[Actor, _EMPLOYER]
) -> Response:
    """List what became of each row, by number."""
    context = wiring_of(request).context
    read = partial(reads.get_rows, context, actor, roster_id, language=request.state.language)
    return await answer_page(request, actor, f"rosters/{roster_id}/rows", query, read)


@router.get("/employers/me/contact", response_model=ContactView, summary="Read your contact")
async def get_contact(request: Request, actor: Annotated[Actor, _EMPLOYER]) -> Response:
    """Return where the caller's notices go, and whether those that can wait come as one mail a day."""
    return json_response(await employer_contact.get_contact(wiring_of(request).context, actor))


@router.put("/employers/me/contact", response_model=ContactView, summary="Set your contact")
async def put_contact(
    request: Request, body: EmployerContact, idempotency: IdempotencyKey, actor: Annotated[Actor, _EMPLOYER]
) -> Response:
    """Set where the caller's notices go, at once; an address that gets no more of them is told."""
    return respond(await employer_contact.put_contact(wiring_of(request).context, actor, body, idempotency))


@router.get("/webhooks", response_model=WebhookList, summary="List webhooks")
async def list_webhooks(request: Request, actor: Annotated[Actor, _EMPLOYER]) -> Response:
    """List the caller's subscriptions, oldest first."""
    items = await webhooks.list_webhooks(wiring_of(request).context, actor)
    return json_response({"items": items, "next_cursor": None})


@router.put(
    "/webhooks",
    response_model=WebhookView,
    summary="Subscribe a URL, or change its kinds",
    responses={201: {"model": SubscribedWebhookView, "description": "A new subscription, with its key."}},
)
async def put_webhook(
    request: Request, body: WebhookRequest, idempotency: IdempotencyKey, actor: Annotated[Actor, _EMPLOYER]
) -> Response:
    """Record a subscription; the URL names it, and no kinds turn it off."""
    return respond(await webhooks.put_webhook(wiring_of(request).context, actor, body, idempotency))


@router.post("/webhooks/{webhook_id}/test", status_code=202, response_model=WebhookTestView, summary="Send a test")
async def try_webhook(
    request: Request, webhook_id: IdPath, idempotency: IdempotencyKey, actor: Annotated[Actor, _EMPLOYER]
) -> Response:
    """Queue a real, signed delivery of the kind `webhook_test`."""
    return respond(await webhooks.test_webhook(wiring_of(request).context, actor, webhook_id, idempotency))


@router.post("/webhooks/{webhook_id}/secret", response_model=NewWebhookView, summary="Get a new key")
async def rotate_secret(
    request: Request,
    webhook_id: IdPath,
    idempotency: IdempotencyKey,
    actor: Annotated[Actor, _EMPLOYER],
    body: SecretRequest | None = None,
) -> Response:
    """Give a subscription a new key; the earlier one signs beside it for a day."""
    wanted = body or SecretRequest()
    return respond(await webhooks.rotate_secret(wiring_of(request).context, actor, webhook_id, wanted, idempotency))


@router.get("/webhooks/{webhook_id}/deliveries", response_model=DeliveryPage, summary="Deliveries of a webhook")
async def list_deliveries(
    request: Request, webhook_id: IdPath, query: Annotated[PageQuery, Query()], actor: Annotated[Actor, _EMPLOYER]
) -> Response:
    """List the deliveries of a subscription, newest first."""
    context = wiring_of(request).context
    read = partial(webhooks.list_deliveries, context, actor, webhook_id)
    return await answer_page(request, actor, f"webhooks/{webhook_id}/deliveries", query, read)
