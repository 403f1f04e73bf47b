"""What a declaration makes routes of: every command under its own address, for the roles that it names."""

from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI

from api.access import GuardedRoute
from api.openapi import build_openapi
from api.programmes import routes_of
from cases.programme import Command, Programme
from domain.actors import Role
from domain.commands import CommandKind
from domain.routes import On
from programmes import PROGRAMMES
from tests.api.conftest import Stage
from tests.api.routes import all_routes, published, served
from tests.cases.contexts import registration_body

_EVERY = pytest.mark.parametrize("programme", PROGRAMMES.values(), ids=PROGRAMMES)
_PERMIT = PROGRAMMES["talent_permit"]
# The same once more, under names of its own: nothing of the first may stand in what is made of it.
_TOY = replace(
    _PERMIT, code="toy", path="toys", prefix="TY", named="OfToy", tracks={}, inboxes=(), desks=(), check=None,
    commands={kind: each for kind, each in _PERMIT.commands.items() if each.route and each.route.on is not On.TRACK},
)  # fmt: skip
_ROUTES = {(method, path): route for method, path, route in all_routes(served())}


def _path(programme: Programme, command: Command) -> str:
    assert command.route is not None
    at = f"/v1/{programme.path}/{{reference}}"
    asks = {each.place.path: [programme.commands[kind] for kind in each.asks] for each in programme.parts if each.place}
    asked_by = [path for path, theirs in asks.items() if any(command is each for each in theirs)]
    if asked_by:
        at += f"/{asked_by[0]}"
    elif command.route.on is On.TRACK:
        tracks = programme.tracks[command.track or ""].path
        assert tracks is not None
        at += f"/{tracks.path}/{{{tracks.named}}}"
    elif command.route.on is On.FACT:
        at += "/facts/{number}"
    elif command.route.on is On.EVIDENCE:
        at += "/evidence/{evidence_id}"
    elif command.route.on is On.TASK:
        at = "/v1/tasks/{task_id}"
    return f"{at}/{command.route.verb}"


@_EVERY
def test_a_command_is_served_where_and_to_whom_it_is_declared(programme: Programme) -> None:
    for kind, command in programme.commands.items():
        if command.route is not None:
            served_at = _ROUTES["POST", _path(programme, command)]
            assert served_at.access.roles == command.route.by, kind
        if command.own is not None:
            assert _ROUTES["POST", f"/v1/me/{command.own.verb}"].access.roles == {Role.PERSON}, kind
            assert Role.PERSON in command.by


@_EVERY
def test_nobody_asks_what_the_engine_alone_does(programme: Programme) -> None:
    alone = {kind for kind, command in programme.commands.items() if not command.by}
    of_transfer = (
        {"ask_departure", "ask_no_more", "let_follow", "let_rest", "transfer_off"} if programme.transfer else set()
    )
    assert alone & set(CommandKind) == {"start", "standing", "recount", "resume"} | of_transfer
    once_only = {"vouch"} if programme.evidence or programme.vouches else set()
    once_only |= {"source_fell"} if programme.takes else set()
    assert alone - set(CommandKind) == ({"answer"} if programme is _PERMIT else set()) | once_only


def _of_two() -> dict[str, Any]:
    app = FastAPI()
    app.router.routes.extend(routes_of([_PERMIT, _TOY]))
    return build_openapi(app)


def test_a_second_programme_has_the_same_calls_under_its_own_address_and_names() -> None:
    paths = _of_two()["paths"]
    both = [f"{method} {path}" for path in paths for method in paths[path]]
    own = {each.replace("/toys", "/registrations") for each in both if "/v1/toys" in each}
    assert own <= set(both)
    assert {"post /v1/registrations", "get /v1/registrations/{reference}/legal-holds"} < own
    names = [operation["operationId"] for each in paths.values() for operation in each.values()]
    assert len(set(names)) == len(names)
    assert paths["/v1/toys/{reference}/decision"]["post"]["operationId"] == "decideCaseOfToy"


def test_the_references_of_a_programme_begin_with_its_own_letters() -> None:
    paths = _of_two()["paths"]
    for path, letters in (("registrations", "HT"), ("toys", "TY")):
        (reference,) = paths[f"/v1/{path}/{{reference}}"]["get"]["parameters"]
        assert reference["schema"]["examples"][0].startswith(f"{letters}-7K2M-9QXA-")
    assert (
        published()["paths"]["/v1/registrations/{reference}"]["get"]["parameters"][0]
        == (paths["/v1/registrations/{reference}"]["get"]["parameters"][0])
    )


async def test_a_case_is_unknown_under_the_address_of_another_programme(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = stage.as_("employer-a")
    reference = (await own.post("/v1/registrations", registration_body())).json()["reference"]
    route = _at(stage, "GET", "/v1/registrations/{reference}")
    assert (await own.get(f"/v1/registrations/{reference}")).status_code == 200
    monkeypatch.setattr(route, "programme", _TOY)
    answer = await own.get(f"/v1/registrations/{reference}")
    assert (answer.status_code, answer.json()["code"]) == (404, "case_unknown")


async def test_a_list_has_the_cases_of_its_programme_alone(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    own = stage.as_("employer-a")
    await own.post("/v1/registrations", registration_body())
    assert len((await own.get("/v1/registrations")).json()["items"]) == 1
    assert len((await own.get("/v1/registrations/export.csv")).text.splitlines()) == 2
    for path in ("/v1/registrations", "/v1/registrations/export.csv"):
        monkeypatch.setattr(_at(stage, "GET", path), "programme", _TOY)
    assert (await own.get("/v1/registrations")).json()["items"] == []
    assert len((await own.get("/v1/registrations/export.csv")).text.splitlines()) == 1


def _at(stage: Stage, method: str, path: str) -> GuardedRoute:
    (found,) = [route for each, at, route in all_routes(stage.app) if (each, at) == (method, path)]
    return found
