"""Every route does what it is for at least once."""

from api.access import Credential
from tests.api.conftest import Stage
from tests.api.every_route import walk_all
from tests.api.test_access import all_routes


async def test_every_route_succeeds_in_a_walk_through_all(stage: Stage) -> None:
    walk = await walk_all(stage)

    routes = {
        f"{method} {path}"
        for method, path, route in all_routes(stage.app)
        if route.access.credential is not Credential.PATH_TOKEN
    }
    assert routes - set(walk.seen) == set()
