"""Every route with every role, without a token, and for a foreign tenant."""

from collections.abc import Iterable

from starlette.routing import BaseRoute

from api.access import Credential, GuardedRoute
from api.programmes import routes_of
from domain.actors import Role
from domain.parties import Party
from programmes import PROGRAMMES
from tests.api.bodies import BODIES, bodies_of
from tests.api.callers import PERSONAS
from tests.api.conftest import Stage
from tests.api.routes import all_routes, served
from tests.cases.contexts import registration_body
from tests.programmes.toy.programme import TOY

PLACES = {
    "reference": "HT-0000-0000-E",
    "number": "1",
    "evidence_id": "1",
    "release_id": "00000000-0000-4000-8000-000000000000",
    "task_id": "00000000-0000-4000-8000-000000000000",
    "incident_id": "00000000-0000-4000-8000-000000000000",
    "cause_id": "00000000-0000-4000-8000-000000000000",
    "answer_id": "00000000-0000-4000-8000-000000000000",
    "hold_id": "00000000-0000-4000-8000-000000000000",
    "code_id": "00000000-0000-4000-8000-000000000000",
    "view_id": "00000000-0000-4000-8000-000000000000",
    "draft_id": "00000000-0000-4000-8000-000000000000",
    "roster_id": "00000000-0000-4000-8000-000000000000",
    "webhook_id": "00000000-0000-4000-8000-000000000000",
    "notice_id": "00000000-0000-4000-8000-000000000000",
    "joining_id": "00000000-0000-4000-8000-000000000000",
    "transfer_id": "00000000-0000-4000-8000-000000000000",
    "objection_id": "00000000-0000-4000-8000-000000000000",
    "employer_id": "emp-a",
    "pack": "talent_permit",
    "version": "2099-01-01",
    "report_hash": "0" * 64,
    # By which key a track of a programme is named in its paths.
    **{
        track.path.named: next(iter(track.keyed_by)).value
        for programme in PROGRAMMES.values()
        for track in programme.tracks.values()
        if track.path is not None
    },
}


_OWN_DOCUMENT = {"document_kind": "passport", "document_number": "E00000001", "document_place": "GB"}
_BY_DOCUMENT = (
    "/v1/drafts",
    *(f"/v1/{each.path}" for each in PROGRAMMES.values() if each.party is Party.PERSON),
)
_APP = served()
GUARDED = [(m, p) for m, p, r in all_routes(_APP) if r.access.credential is Credential.TOKEN]
ROLES = {(m, p): r.access.roles for m, p, r in all_routes(_APP)}


def fill(path: str, **places: str) -> str:
    """Return an address of a route."""
    return path.format(**{**PLACES, **places})


async def test_every_guarded_route_needs_a_token(stage: Stage) -> None:
    for method, path in GUARDED:
        answer = await stage.nobody.send(method, fill(path))

        assert answer.status_code == 401, (method, path)
        assert answer.json()["code"] == "token_missing"
        assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_every_route_answers_each_role_as_it_declares(stage: Stage) -> None:
    for method, path in GUARDED:
        for persona, claims in PERSONAS.items():
            body = BODIES.get(f"{method} {path}")
            # Cases that a person owns, and drafts, are theirs by the document of the token, not by a link.
            asserted = _OWN_DOCUMENT if claims["role"] == "person" and path.startswith(_BY_DOCUMENT) else {}
            answer = await stage.as_(persona, **asserted).send(
                method,
                fill(path, employer_id="emp-zz"),
                json=body,
                headers={"Idempotency-Key": f"{persona}{path}"[:200]},
            )
            allowed = Role(claims["role"]) in ROLES[method, path]
            refused = answer.status_code == 403 and answer.json()["code"] == "role_not_allowed"
            assert refused is not allowed, (method, path, persona, answer.text)
            assert answer.status_code < 500, (method, path, persona, answer.text)


async def test_a_foreign_tenant_finds_no_case(stage: Stage) -> None:
    own, foreign = stage.as_("employer-a"), stage.as_("employer-b")
    reference = (await own.post("/v1/registrations", registration_body())).json()["reference"]
    await stage.settle()

    for method, path in GUARDED:
        if "{reference}" not in path or Role.EMPLOYER not in ROLES[method, path]:
            continue
        query = {"fields": "name_zh"} if path.endswith("/person") else None
        answer = await foreign.send(
            method,
            fill(path, reference=reference),
            json=BODIES.get(f"{method} {path}"),
            params=query,
            headers={"Idempotency-Key": path},
        )
        assert answer.status_code == 404, (method, path, answer.text)
        assert answer.json()["code"] == "case_unknown"
    listed = (await foreign.get("/v1/registrations")).json()["items"]
    assert listed == []


async def test_an_employer_reads_itself_and_no_other_employer(stage: Stage) -> None:
    own = await stage.as_("employer-a").get("/v1/employers/emp-a")
    other = await stage.as_("employer-a").get("/v1/employers/emp-b")

    assert (own.status_code, other.status_code) == (200, 404)


def _taking_a_body(routes: Iterable[BaseRoute]) -> set[str]:
    return {
        f"{method} {route.path_format}"
        for route in routes
        if isinstance(route, GuardedRoute) and route.body_field is not None
        for method in route.methods or ()
    }


def test_every_route_with_a_body_has_a_sample() -> None:
    assert _taking_a_body(_APP.routes) <= set(BODIES)


def test_every_route_of_another_programme_has_one_by_its_entry_of_the_samples() -> None:
    of_persons = {each for each in BODIES if "/v1/me/" in each}
    assert _taking_a_body(routes_of([TOY])) - of_persons == set(bodies_of(TOY)) & _taking_a_body(routes_of([TOY]))
