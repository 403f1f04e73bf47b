"""Pages of incidents and of their causes."""

from api.views import Page
from cases.incidents.views import CauseView, IncidentView


class IncidentPage(Page):
    """A page of incidents."""

    items: list[IncidentView]


class CausePage(Page):
    """A page of causes."""

    items: list[CauseView]
