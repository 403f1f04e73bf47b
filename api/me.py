"""Calls of the person: signing in by a one-time link, and what they may read without an employer."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import HTMLResponse, Response

from api.access import GuardedRoute, IdempotencyKey, anyone, own, own_by_link
from api.answers import answer_page, json_response, respond
from api.callers import client_of
from api.me_page import HEADERS, me_page
from api.me_views import (
    AccessDays,
    AccessPage,
    LinkAskedView,
    OwnCasesView,
    OwnDataView,
    OwnObjectionsView,
    OwnOffersView,
    OwnReleasesView,
    OwnTransfersView,
)
from api.parameters import IdPath
from api.wiring import wiring_of
from domain.fields import Label
from domain.once_only import ReleaseBackRequest, ReleaseRequest
from domain.pages import PageQuery
from domain.person import ComplaintRequest, SessionRequest, SignInLinkRequest
from domain.references import find_reference
from domain.transfers import TakeBackRequest, TransferRequest
from privacy import access_days, access_log, objections, own_cases, own_data, releases, transfers
from privacy import sign_in as person_sign_in
from privacy.sign_in import Session
from privacy.views import ObjectionReceipt, OwnReleaseView, OwnTransferView, SessionView
from texts.person import plain

pages = APIRouter(route_class=GuardedRoute)
router = APIRouter(prefix="/v1/me", route_class=GuardedRoute, tags=["The person"])

_OWN, _BY_LINK = own(), own_by_link()


class DataQuery(BaseModel):
    """How the data is handed out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    download: bool = Field(default=False, description="As a file to keep.")


class OfferQuery(BaseModel):
    """For which case."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reference: Label = Field(description="The case that something would be taken over into.")


@pages.get("/me", include_in_schema=False)
async def show_page(request: Request, _caller: Annotated[None, anyone()]) -> HTMLResponse:
    """Show the page to which links lead."""
    return HTMLResponse(me_page(request.state.language), headers=HEADERS)


@router.post(
    "/sign-in-links",
    status_code=202,
    response_model=LinkAskedView,
    summary="Ask for a link to sign in",
)
async def ask_for_link(request: Request, body: SignInLinkRequest, _caller: Annotated[None, anyone()]) -> Response:
    """Say that a link is on its way if the case has the address, whether or not it does.

    The case is looked at after the answer, so that the time it takes tells nothing either.
    """
    wiring = wiring_of(request)
    address = person_sign_in.address_hash(wiring.context, body.address).hex()
    reference = find_reference(body.reference) or body.reference
    await wiring.limiter.count_stranger(client_of(request.scope), "link", reference, address)
    wiring.in_background(person_sign_in.send_link(wiring.context, body))
    said = plain("signing_in", "asked", request.state.language)
    return json_response({"status": "asked", "message": said}, 202)


@router.post(
    "/sessions",
    status_code=201,
    response_model=SessionView,
    summary="Sign in with a link",
)
async def sign_in(request: Request, body: SessionRequest, _caller: Annotated[None, anyone()]) -> Response:
    """Use up a link and open a session; every link that cannot be used gets the same answer."""
    wiring = wiring_of(request)
    await wiring.limiter.count_stranger(client_of(request.scope), "session")
    opened = await person_sign_in.redeem(wiring.context, body.link, request.state.correlation_id)
    return json_response(opened, 201)


@router.post("/sign-out", status_code=204, summary="Sign out")
async def sign_out(request: Request, session: Annotated[Session, _BY_LINK]) -> Response:
    """End the session; its token can be used no more."""
    await person_sign_in.sign_out(wiring_of(request).context, session)
    return Response(status_code=204)


@router.get("/registrations", response_model=OwnCasesView, summary="The person's own cases")
async def list_registrations(request: Request, session: Annotated[Session, _OWN]) -> Response:
    """List the person's cases at every employer, as far as the address stands on them that the link proved.

    A token with a document opens all cases of the person whose document it is.
    """
    actor, language = request.state.actor, request.state.language
    items = await own_cases.list_own(wiring_of(request).context, actor, session, language)
    return json_response({"items": items})


@router.get("/access-log", response_model=AccessPage, summary="Who read the person's data")
async def list_accesses(
    request: Request, query: Annotated[PageQuery, Query()], session: Annotated[Session, _OWN]
) -> Response:
    """List each reading of the person's data, the newest first: when, by which role and organisation, what for."""
    context, actor = wiring_of(request).context, request.state.actor
    read = partial(access_log.list_accesses, context, actor, session, language=request.state.language)
    return await answer_page(request, actor, f"me/access-log/{session.address_hash.hex()}", query, read)


@router.get("/access-log/days", response_model=AccessDays, summary="Who read the person's data, day by day")
async def list_access_days(
    request: Request, query: Annotated[PageQuery, Query()], session: Annotated[Session, _OWN]
) -> Response:
    """List the days on which the person's data was read, each reader once a day, and what was opened first."""
    context, actor = wiring_of(request).context, request.state.actor
    read = partial(access_days.list_days, context, actor, session, language=request.state.language)
    return await answer_page(request, actor, f"me/access-log/days/{session.address_hash.hex()}", query, read)


@router.get("/data", response_model=OwnDataView, summary="All that is held about the person")
async def read_data(
    request: Request, query: Annotated[DataQuery, Query()], session: Annotated[Session, _OWN]
) -> Response:
    """Return all that is held about the person, as a file where one is asked for; itself an act of the ledger."""
    actor, language = request.state.actor, request.state.language
    held = await own_data.read_own_data(wiring_of(request).context, actor, session, language)
    headers = {"Content-Disposition": 'attachment; filename="own-data.json"'} if query.download else None
    return json_response(held, headers=headers)


@router.get("/objections", response_model=OwnObjectionsView, summary="The person's complaints and disputes")
async def list_objections(request: Request, session: Annotated[Session, _OWN]) -> Response:
    """List what the person objected to in the cases that the session opens, and what became of it."""
    actor = request.state.actor
    return json_response({"items": await objections.list_own(wiring_of(request).context, actor, session)})


@router.post(
    "/complaints",
    status_code=202,
    response_model=ObjectionReceipt,
    summary="Complain to the park",
)
async def complain(
    request: Request, body: ComplaintRequest, idempotency: IdempotencyKey, session: Annotated[Session, _OWN]
) -> Response:
    """Take on a complaint about a case of the person's own; the employer is not told of it."""
    wiring, actor = wiring_of(request), request.state.actor
    await wiring.limiter.count_stranger(client_of(request.scope), "complaint", actor.subject)
    return respond(await objections.complain(wiring.context, actor, session, body, idempotency))


@router.get("/transfers", response_model=OwnTransfersView, summary="Changes of employer that the person agreed to")
async def list_transfers(request: Request, session: Annotated[Session, _OWN]) -> Response:
    """List what the person agreed to in the cases that the session opens, and what became of it."""
    actor, language = request.state.actor, request.state.language
    return json_response({"items": await transfers.list_own(wiring_of(request).context, actor, session, language)})


@router.post(
    "/transfers",
    status_code=202,
    response_model=OwnTransferView,
    summary="Agree to a change of employer",
)
async def agree_to_transfer(
    request: Request, body: TransferRequest, idempotency: IdempotencyKey, session: Annotated[Session, _OWN]
) -> Response:
    """Take on that another employer may register the person, whose case then follows the one that is named.

    The employer of that case is told nothing before the other has made use of it, and then not who it is.
    """
    wiring, actor = wiring_of(request), request.state.actor
    await wiring.limiter.count_stranger(client_of(request.scope), "transfer", actor.subject)
    language = request.state.language
    return respond(await transfers.agree(wiring.context, actor, session, body, idempotency, language))


@router.post(
    "/transfers/{transfer_id}/withdrawal",
    response_model=OwnTransferView,
    summary="Take back an agreement to a change of employer",
)
async def take_transfer_back(
    request: Request,
    transfer_id: IdPath,
    body: TakeBackRequest,
    idempotency: IdempotencyKey,
    session: Annotated[Session, _OWN],
) -> Response:
    """Take back what no employer has made use of yet; the employer of the case is told nothing of it."""
    context, actor, language = wiring_of(request).context, request.state.actor, request.state.language
    return respond(await transfers.take_back(context, actor, session, transfer_id, idempotency, language))


@router.get("/offers", response_model=OwnOffersView, summary="What was verified before and may be released")
async def list_offers(
    request: Request, query: Annotated[OfferQuery, Query()], session: Annotated[Session, _OWN]
) -> Response:
    """List what the person's other cases that the session opens vouch for, as proof in the case that is named."""
    context, actor = wiring_of(request).context, request.state.actor
    return json_response({"items": await releases.list_offers(context, actor, session, query.reference)})


@router.get("/releases", response_model=OwnReleasesView, summary="What was released, or taken over")
async def list_releases(request: Request, session: Annotated[Session, _OWN]) -> Response:
    """List what the person released in the cases that the session opens, what was taken over, and what became of it."""
    return json_response({"items": await releases.list_own(wiring_of(request).context, request.state.actor, session)})


@router.post(
    "/releases",
    status_code=202,
    response_model=OwnReleaseView,
    summary="Release a verified fact into a case of an employer",
)
async def release(
    request: Request, body: ReleaseRequest, idempotency: IdempotencyKey, session: Annotated[Session, _OWN]
) -> Response:
    """Take on that an employer may take over one fact into its case; it is not told which case it is from."""
    wiring, actor = wiring_of(request), request.state.actor
    await wiring.limiter.count_stranger(client_of(request.scope), "release", actor.subject)
    return respond(await releases.release(wiring.context, actor, session, body, idempotency))


@router.post(
    "/releases/{release_id}/withdrawal",
    response_model=OwnReleaseView,
    summary="Take back a release",
)
async def take_release_back(
    request: Request,
    release_id: IdPath,
    body: ReleaseBackRequest,
    idempotency: IdempotencyKey,
    session: Annotated[Session, _OWN],
) -> Response:
    """Take back what the employer has not made use of yet."""
    context, actor = wiring_of(request).context, request.state.actor
    return respond(await releases.take_back(context, actor, session, release_id, idempotency))
