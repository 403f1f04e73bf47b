"""What a reader is shown: views are models, defined beside the verbs that make them; the edge makes JSON of them."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from domain.clock import CHINA


def _told(moment: datetime) -> datetime:
    return moment.astimezone(CHINA).replace(microsecond=0)


# A time as it is told: with China's offset, to the second.
Told = Annotated[datetime, AfterValidator(_told)]
# A time that stands in stored JSON, told as it was written there.
ToldAsKept = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class View(BaseModel):
    """What a reader is shown of something."""

    model_config = ConfigDict(frozen=True)

    def as_json(self) -> dict[str, Any]:
        """Return it as it is answered and kept: JSON, fields in their order."""
        return self.model_dump(mode="json")
