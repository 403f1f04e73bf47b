"""The caller's own cases as a file."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api.access import GuardedRoute, allow
from api.answers import Pages
from api.streams import CsvResponse
from api.wiring import wiring_of
from cases.case import export as case_export
from domain.actors import Actor, Role
from domain.stages import Stage

router = APIRouter(prefix="/v1", route_class=GuardedRoute, tags=["Employers"])

_EMPLOYER = allow(Role.EMPLOYER)


class CaseExportQuery(BaseModel):
    """Which cases, and where an export of many goes on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stage: Stage | None = Field(default=None, description="Stage of the registration.")
    cursor: str | None = Field(default=None, max_length=1000, description="From the header `Link` of the file before.")

    def asked(self) -> dict[str, object]:
        """Return what is asked for, without the place where it goes on."""
        return self.model_dump(mode="json", exclude={"cursor"}, exclude_none=True)


@router.get(
    "/registrations/export.csv",
    response_class=CsvResponse,
    summary="Your cases as a CSV file",
    responses={200: {"description": 'At most 5,000 cases; `Link` with `rel="next"` leads to those after them.'}},
)
async def export_cases(
    request: Request, query: Annotated[CaseExportQuery, Query()], actor: Annotated[Actor, _EMPLOYER]
) -> Response:
    """Send one line a case, with its stage and the days on which contract, card and permits end; names are whole."""
    wiring = wiring_of(request)
    pages = Pages(wiring, actor, "registrations/export.csv", query.asked())
    made = await case_export.begin_export(
        wiring.context, actor, stage=query.stage, after=pages.after(query.cursor), most=case_export.MOST_ROWS
    )
    headers = {"Content-Disposition": 'attachment; filename="registrations.csv"', "Cache-Control": "no-store"}
    if (cursor := pages.cursor(made.next_position)) is not None:
        stage = f"&stage={query.stage.value}" if query.stage is not None else ""
        headers["Link"] = f'</v1/registrations/export.csv?cursor={cursor}{stage}>; rel="next"'
    return CsvResponse(made.lines(), headers=headers)
