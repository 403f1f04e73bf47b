"""What answers on rosters and webhooks look like, for the OpenAPI document; the verbs in `cases` make them."""

from datetime import datetime

from pydantic import BaseModel, Field

from api.views import Page
from cases.notices.views import DeliveryView, WebhookView
from domain.languages import Language
from domain.roster import OnDefect, RosterAct, RosterStatus, RowResult


class RosterColumnView(BaseModel):
    """A header of the sheet and the column that it means."""

    header: str
    column: str | None = Field(description="None for a column that is not read.")


class RosterView(BaseModel):
    """A roster and how far it is."""

    id: str
    act: RosterAct
    dry_run: bool
    on_defect: OnDefect
    status: RosterStatus
    reason: str | None
    resumes_at: datetime | None = Field(
        default=None, description="When its new rows go on, once the conflicts of a day are used up."
    )
    received_at: datetime
    header_row: int = Field(description="Line of the sheet that holds the headers, from 1.")
    columns: list[RosterColumnView] = Field(description="The headers as they were written, from left to right.")
    totals: dict[str, int]
    links: dict[str, str]


class RosterErrorView(BaseModel):
    """What is wrong with one cell of a row."""

    field: str
    code: str
    message: str = Field(description="A sentence in the caller's language.")
    header: str | None = Field(description="The header of the cell's column in the sheet.")
    value: str | None = Field(description="What the cell holds; numbers and addresses of the person are masked.")
    allowed: list[str] = Field(description="What the cell may hold, where that can be listed.")


class RosterRowView(BaseModel):
    """What became of one row."""

    row: int = Field(description="Counted from 1 below the headers, blank rows too.")
    sheet_row: int = Field(description="The number that the row has in the sheet.")
    result: RowResult | None
    reference: str | None
    errors: list[RosterErrorView]


class RosterRowPage(Page):
    """A page of rows."""

    items: list[RosterRowView]


class ContactView(BaseModel):
    """Where an employer's notices go."""

    email: str
    phone: str | None
    language: Language
    digest: bool = Field(description="Whether the notices marked * come as one mail a day.")


class WebhookList(Page):
    """The caller's subscriptions."""

    items: list[WebhookView]


class NewWebhookView(BaseModel):
    """A new key, shown once: `secret` of the scheme `v1`, `public_key` of `v1a`."""

    id: str
    secret: str | None = None
    public_key: str | None = None
    earlier_until: datetime | None = None


class WebhookTestView(BaseModel):
    """A test delivery on its way."""

    id: str
    delivery_id: str


class DeliveryPage(Page):
    """A page of deliveries."""

    items: list[DeliveryView]
