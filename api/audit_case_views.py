"""A page of the differences that stand, for the OpenAPI document."""

from api.views import Page
from record.reconciliation.views import KeptDifference


class DifferencePage(Page):
    """A page of differences."""

    items: list[KeptDifference]
