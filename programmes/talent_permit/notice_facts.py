"""What notices of a talent permit say beside what they say of any case."""

from collections.abc import Mapping
from datetime import date
from typing import ClassVar, Final

from pydantic import Field

from texts.notices import NoticeFacts

_OF_AUTHORITY: Final = frozenset({"authority_reason", "authority_code", "authority_remedy"})


class PermitNoticeFacts(NoticeFacts):
    """What a notice of a talent permit may say; it is kept with the notice under these names, which never change."""

    codes: ClassVar[frozenset[str]] = NoticeFacts.codes | {"answer_expected_on", "term"}
    of_track: ClassVar[frozenset[str]] = NoticeFacts.of_track | {"permit_stage"}
    for_person: ClassVar[frozenset[str]] = _OF_AUTHORITY

    destinations: tuple[str, ...] = ()
    permit_stage: str | None = None
    state_worker: bool = False

    # In the authority's own words, for bodies only.
    authority_reason: str | None = None
    authority_code: str | None = None
    authority_remedy: str | None = None

    last_day: date | None = None
    ended_on: date | None = None
    contract_end: date | None = None
    answer_expected_on: date | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    renew_by: date | None = Field(default=None, description="By when to renew, for no gap between two terms.")
    stay_days: int | None = None
    # Of a term beside others: its number; the last day of what is in force all the same; the days on which none is.
    term: int | None = None
    held_until: date | None = None
    gap_from: date | None = None
    gap_until: date | None = None
    revoked_on: date | None = None
    card_lost_on: date | None = None

    def published(self) -> Mapping[str, object]:
        """Return the stage of the permit, and what is said of any case."""
        return {"permit_stage": self.permit_stage, **super().published()}
