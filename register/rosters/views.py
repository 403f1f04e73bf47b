"""What is shown of rosters."""

from typing import Annotated

from pydantic import Field

from cases.shared.views import Coded
from domain.roster import OnDefect, RosterAct, RosterStatus, RowResult
from domain.views import Told, View


class RosterColumnView(View):
    """A header of the sheet and the column that it means."""

    header: str
    column: str | None = Field(description="None for a column that is not read.")


class RosterShown(View):
    """A roster and how far it is."""

    id: str
    act: Annotated[str, Coded(RosterAct)]
    dry_run: bool
    on_defect: OnDefect
    status: RosterStatus
    reason: str | None
    resumes_at: Told | None = Field(
        default=None, description="When its new rows go on, once the conflicts of a day are used up."
    )
    received_at: Told
    header_row: int = Field(description="Line of the sheet that holds the headers, from 1.")
    columns: list[RosterColumnView] = Field(description="The headers as they were written, from left to right.")
    totals: dict[str, int]


class RosterErrorView(View):
    """What is wrong with one cell of a row."""

    field: str
    code: str
    message: str = Field(description="A sentence in the caller's language.")
    header: str | None = Field(description="The header of the cell's column in the sheet.")
    value: str | None = Field(description="What the cell holds; numbers and addresses of the person are masked.")
    allowed: list[str] = Field(description="What the cell may hold, where that can be listed.")


class RosterRowView(View):
    """What became of one row."""

    row: int = Field(description="Counted from 1 below the headers, blank rows too.")
    sheet_row: int = Field(description="The number that the row has in the sheet.")
    result: RowResult | None
    reference: str | None
    errors: list[RosterErrorView]
