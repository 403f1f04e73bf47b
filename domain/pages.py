"""Which page of a list is asked for, with whatever else narrows it."""

from typing import Final

from pydantic import BaseModel, ConfigDict, Field

LARGEST_PAGE: Final = 200


class PageQuery(BaseModel):
    """Which page of a list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: int = Field(default=50, ge=1, le=LARGEST_PAGE, description="Most items in the page.")
    cursor: str | None = Field(default=None, max_length=1000, description="`next_cursor` of the page before.")

    def asked(self) -> dict[str, object]:
        """Return what the list is asked for, without the page."""
        return self.model_dump(mode="json", exclude={"limit", "cursor"}, exclude_none=True)
