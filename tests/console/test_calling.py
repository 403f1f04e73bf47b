"""Calls of the API by pages: as the reader, with their rights, in their language; refusals with all that they say."""

from datetime import timedelta
from typing import Annotated, Any

import pytest
from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from console.calling import ProblemError
from console.front import of_the_api
from console.routes import Calls, signed_in
from domain.actors import Role
from domain.browser_sessions import Session
from programmes.talent_permit.requests import RegistrationRequest
from tests.api.conftest import Stage
from tests.console.conftest import Door

_tried = APIRouter()


class Listed(BaseModel):
    """As much of a list as a page of the tests reads."""

    items: list[dict[str, Any]]


@_tried.get("/listed")
async def listed(session: Annotated[Session, signed_in()], api: Calls) -> Response:
    """Read a list of the API."""
    found = await api.read("/v1/registrations", Listed, limit=5, status=None)
    return JSONResponse([session.role, len(found.items)])


@_tried.post("/registered")
async def registered(session: Annotated[Session, signed_in(Role.EMPLOYER)], api: Calls) -> Response:
    """Ask for a registration, twice with one key."""
    body = RegistrationRequest.model_json_schema()["examples"][0]
    first = await api.ask("/v1/registrations", body, key="0123456789abcdef0123456789abcdef")
    again = await api.ask("/v1/registrations", body, key="0123456789abcdef0123456789abcdef")
    return JSONResponse([first["reference"], again["reference"]])


@_tried.post("/refused")
async def refused(session: Annotated[Session, signed_in(Role.EMPLOYER)], api: Calls) -> Response:
    """Ask for what is refused."""
    try:
        await api.ask("/v1/registrations", {"person": {}}, key="0123456789abcdef0123456789abcdef")
    except ProblemError as problem:
        errors = [[each.field, each.code, each.message] for each in problem.errors]
        return JSONResponse({"code": problem.code, "status": problem.status, "errors": errors})
    raise AssertionError


@pytest.fixture
def tries(door: Door) -> Door:
    """The console with pages that call the API."""
    door.console.router.routes.extend(_tried.routes)
    return door


async def test_a_page_reads_what_its_reader_may(tries: Door) -> None:
    employer = tries.as_("employer-a")
    [first, again] = (await employer.post("/registered", {"_csrf": "csrf-of-employer-a"})).response.json()

    assert first == again
    assert (await employer.get("/listed")).response.json() == ["employer", 1]
    assert (await tries.as_("employer-b").get("/listed")).response.json() == ["employer", 0]


async def test_a_refusal_says_what_is_wrong_field_by_field_in_the_language_of_the_page(tries: Door) -> None:
    said = (
        await tries.as_("employer-a").post("/refused?lang=zh-Hant", {"_csrf": "csrf-of-employer-a"})
    ).response.json()

    assert (said["code"], said["status"]) == ("invalid", 422)
    assert ["person.identity_number", "required", "此項必填。"] in said["errors"]


async def test_a_token_at_its_end_leads_to_sign_in_again(tries: Door, stage: Stage) -> None:
    visitor = tries.as_("employer-a")
    visitor.client.follow_redirects = False
    stage.clock.at += timedelta(hours=13)

    answer = await visitor.get("/listed")

    assert answer.response.headers["location"] == "/sign-in?next=/listed"


def test_all_that_the_api_serves_goes_to_it(tries: Door) -> None:
    paths = {getattr(route, "path", "") for route in tries.api.routes}
    assert paths
    assert all(of_the_api(path.partition("{")[0].rstrip("/") or "/v1") for path in paths)
    assert not of_the_api("/")
    assert not of_the_api("/healthy")
