"""Every route does what it is for at least once, and leaves records that agree."""

from datetime import datetime, timedelta

from sqlalchemy import select

from api.access import Credential
from programmes import PROGRAMMES
from record.reconciliation.reconcile import reconcile_case
from store.tables import cases
from tests.api.conftest import Stage
from tests.api.engines import NoHistories
from tests.api.every_route import walk_all
from tests.api.routes import all_routes
from tests.cases.contexts import Clock


async def test_every_route_succeeds_in_a_walk_through_all(stage: Stage) -> None:
    walk = await walk_all(stage, asks_first=True)

    # Of all programmes, what was done had been said to be allowed.
    assert len(walk.allowed) >= 60, sorted(walk.allowed)
    routes = {
        f"{method} {path}"
        for method, path, route in all_routes(stage.app)
        if route.access.credential is not Credential.PATH_TOKEN
    }
    # Nobody releases anything before a programme of the registry takes something over.
    takes = any(each.takes for each in PROGRAMMES.values())
    idle = set() if takes else {"POST /v1/me/releases", "POST /v1/me/releases/{release_id}/withdrawal"}
    assert routes - set(walk.seen) == idle


class _GoingOn(Clock):
    """A clock that no two acts read the same time from."""

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at


async def test_a_walk_through_every_route_leaves_records_that_agree(stage: Stage) -> None:
    stage.clock.__class__ = _GoingOn
    await walk_all(stage)

    async with stage.context.database.begin() as connection:
        references = (await connection.execute(select(cases.c.reference))).scalars().all()
    acts: set[str] = set()
    for reference in references:
        evidence, found = await reconcile_case(stage.context, NoHistories(), reference)
        assert {each.code for each in found} <= {"history_missing"}, found  # there is no Temporal here
        acts |= {row.act for row in evidence.record.ledger}
    assert {"claimed", "released", "assigned", "held", "complaint_received", "complaint_answered"} < acts
    assert {"dispute_received", "departure_disputed", "changed", "key_destroyed", "legal_hold_released"} < acts
