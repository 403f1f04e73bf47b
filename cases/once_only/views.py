"""What is on offer for a case, as its owner reads it."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field

from cases.case.views import view
from domain.once_only import Consent


@view
class OfferView:
    """A fact that was verified elsewhere, as it would prove an item of this case."""

    offer: Annotated[str, Field(description="By which it is taken over, or released.")]
    item: Annotated[str, Field(description="Of this case.")]
    kind: Annotated[str, Field(description="Which kind of evidence it would be here.")]
    issuer: str
    number: str | None
    date: date
    value: Annotated[Any, Field(description="What it would prove, where the item has a value.")]
    source_programme: Annotated[str, Field(description="In which programme it was verified.")]
    source_item: Annotated[str, Field(description="As what it was verified there.")]
    source_reference: Annotated[str | None, Field(description="In which case; null where that is not the reader's.")]
    proved_at: Annotated[datetime, Field(description="Since when it counts as verified.")]
    seen_by: Annotated[
        tuple[str, ...], Field(description="The roles of those who saw it; empty where a decision says it.")
    ]
    consent: Annotated[Consent, Field(description="Whose consent it is taken over with.")]
    released_at: Annotated[datetime | None, Field(description="When the person consented.")]
