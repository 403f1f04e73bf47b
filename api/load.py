"""The call of supervisors for load: how much waits for whom, and which promises are kept."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api.access import GuardedRoute, allow
from api.answers import json_response
from api.wiring import wiring_of
from cases.load.reads import read_load
from cases.load.views import Bucket, LoadView
from domain.actors import Actor, Role
from domain.fields import Code, Day

router = APIRouter(prefix="/v1", route_class=GuardedRoute, tags=["Supervisors"])

_SUPERVISOR = allow(Role.SUPERVISOR)


class LoadQuery(BaseModel):
    """Which days are counted over, and of whom."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first: Day | None = Field(default=None, alias="from", description="The first day; four weeks up to `to` without.")
    last: Day | None = Field(default=None, alias="to", description="The last day; today without.")
    bucket: Bucket = Field(default=Bucket.DAY, description="What is counted together.")
    programme: Code | None = Field(default=None, description="Of this programme alone.")
    employer_id: Code | None = Field(default=None, description="Of this employer alone.")


@router.get("/load", response_model=LoadView, summary="How much waits for whom")
async def get_load(
    request: Request, query: Annotated[LoadQuery, Query()], actor: Annotated[Actor, _SUPERVISOR]
) -> Response:
    """Return what waits now and what was done in a time, as series of numbers for plots."""
    load = await read_load(
        wiring_of(request).context,
        first=query.first,
        last=query.last,
        bucket=query.bucket,
        programme=query.programme,
        employer_id=query.employer_id,
        language=request.state.language,
    )
    shown = {"as_of": load.as_of, "from": load.from_, "to": load.to, "bucket": load.bucket}
    return json_response({**shown, "programmes": load.programmes})
