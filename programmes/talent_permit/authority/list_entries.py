"""List entries that the exit-entry administration has, as it tells of them when it is asked before a call is made."""

from typing import Final

from pydantic import BaseModel, ConfigDict, Field

# What the authority says of an entry that holds nothing any more; any other word, and none, is one that stands.
OVER: Final = frozenset({"refused", "withdrawn", "cancelled", "revoked", "expired"})


class ListedPerson(BaseModel):
    """Whom an entry is about."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    identity_number: str = Field(repr=False, max_length=64)


class KnownEntry(BaseModel):
    """One entry in the authority's books; what it says beyond this is left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    entry_id: str = Field(min_length=1, max_length=200)
    case: str = Field(min_length=1, max_length=200)
    destination: str = Field(max_length=20)
    person: ListedPerson
    registration_number: str | None = Field(default=None, max_length=200)
    idempotency_key: str | None = Field(default=None, max_length=200)
    state: str | None = Field(default=None, max_length=40)

    @property
    def is_over(self) -> bool:
        """Whether it holds nothing any more."""
        return self.state in OVER
