"""A page of what auditors are shown of the ledger, for the OpenAPI document."""

from api.views import Page
from record.event_views import EventView


class EventPage(Page):
    """A page of rows, newest first."""

    items: list[EventView]
