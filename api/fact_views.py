"""What answers about recorded facts look like, for the OpenAPI document."""

from typing import Any

from pydantic import BaseModel, create_model

from cases.case.shows import Published
from cases.case.views import OpenedFactForStaff, view


def opened_facts(shown: Published) -> type[BaseModel]:
    """Return all that officers recorded in a case of a programme, oldest first."""
    members = {"__doc__": "A fact that an officer recorded, in clear.", "__annotations__": {"field": shown.fact_field}}
    fact: Any = view(type(f"{shown.named}OpenedFactView", (OpenedFactForStaff,), members))
    says = "All that officers recorded in a case, oldest first."
    return create_model(f"{shown.named}OpenedFacts", __doc__=says, items=(list[fact], ...), next_cursor=(None, None))
