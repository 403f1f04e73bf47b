"""What answers about recorded facts look like, for the OpenAPI document."""

from pydantic import BaseModel

from api.published import FactField
from cases.case.views import OpenedFactForStaff, view


@view
class OpenedFactView(OpenedFactForStaff):
    """A fact that an officer recorded, in clear."""

    field: FactField


class OpenedFacts(BaseModel):
    """All that officers recorded in a case, oldest first."""

    items: list[OpenedFactView]
    next_cursor: None = None
