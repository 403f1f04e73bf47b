"""Which addresses of a case its person signs in with: those given, and for a while those that others took the place of.

A person has no account: whoever reads the address on a case is taken for its person. So an address that somebody else
puts on a case does not serve at once, and until then the one before it does.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter

from domain.notices import Channel
from domain.person import same_address

# Under which name each address was given.
FIELDS: Final[Mapping[Channel, str]] = {Channel.MAIL: "email", Channel.SMS: "phone"}

Addresses = Mapping[Channel, str | None]


class Earlier(BaseModel):
    """What serves in place of the address on the case until a time; None where nothing does."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: str | None
    until: AwareDatetime


EarlierAddresses = Mapping[Channel, Earlier]
EARLIER: Final[TypeAdapter[dict[Channel, Earlier]]] = TypeAdapter(dict[Channel, Earlier])


def addresses_of(person: Mapping[str, Any]) -> Addresses:
    """Return the addresses that were given of a person."""
    return {channel: person.get(field) for channel, field in FIELDS.items()}


def serving(given: Addresses, earlier: EarlierAddresses, at: datetime) -> dict[Channel, str]:
    """Return the addresses by which the person signs in at a time."""
    waiting = waiting_at(earlier, at)
    now = {channel: waiting[channel].address if channel in waiting else given[channel] for channel in FIELDS}
    return {channel: address for channel, address in now.items() if address}


def waiting_at(earlier: EarlierAddresses, at: datetime) -> dict[Channel, Earlier]:
    """Return by channel what still serves in place of the address on the case."""
    return {channel: each for channel, each in earlier.items() if at < each.until}


def changed_fields(before: Addresses, after: Addresses) -> list[str]:
    """Return the names of the addresses that are not the same any more."""
    return [FIELDS[channel] for channel in FIELDS if not _is_same(before[channel], after[channel])]


def earlier_after(
    before: Addresses,
    after: Addresses,
    earlier: EarlierAddresses,
    *,
    at: datetime,
    until: datetime,
    is_same_person: bool = True,
) -> dict[Channel, Earlier]:
    """Return what serves in place of the addresses on a case once these were changed.

    The very first address of a case serves at once, since there is nobody who would have to be told. Where the case has
    become another person's, what served before serves no longer.
    """
    served, waiting = serving(before, earlier, at), waiting_at(earlier, at)
    if not served and not waiting and not any(before.values()):
        return {}
    found: dict[Channel, Earlier] = {}
    for channel in FIELDS:
        is_changed = not _is_same(before[channel], after[channel])
        if is_changed and not _is_same(served.get(channel), after[channel]):
            found[channel] = Earlier(address=served.get(channel), until=until)
        elif not is_changed and channel in waiting:
            found[channel] = waiting[channel]
    if is_same_person:
        return found
    return {channel: each.model_copy(update={"address": None}) for channel, each in found.items()}


def _is_same(one: str | None, other: str | None) -> bool:
    return same_address(one or "") == same_address(other or "")
