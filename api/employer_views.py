"""What answers on rosters and webhooks look like, for the OpenAPI document."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, Field

from api.views import Page
from cases.notices.views import DeliveryView, WebhookView
from domain.languages import Language
from register.rosters.views import RosterRowView, RosterShown


class RosterView(RosterShown):
    """A roster and how far it is."""

    links: dict[str, str]


def roster_links(roster_id: str) -> dict[str, str]:
    """Return where a roster, its rows and its workbook are read."""
    at = f"/v1/rosters/{roster_id}"
    return {"self": at, "rows": f"{at}/rows", "annotated": f"{at}/annotated"}


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


@dataclass(frozen=True, kw_only=True)
class SubscribedWebhookView(WebhookView):
    """A new subscription with its key, shown once: `secret` of the scheme `v1`, `public_key` of `v1a`."""

    secret: str | None = None
    public_key: str | None = None


class WebhookTestView(BaseModel):
    """A test delivery on its way."""

    id: str
    delivery_id: str


class DeliveryPage(Page):
    """A page of deliveries."""

    items: list[DeliveryView]
