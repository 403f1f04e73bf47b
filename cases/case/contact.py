"""The addresses of a case: which of them its person signs in with, and what is told to nobody else than them."""

from datetime import datetime

from cases.case.file import CaseFile
from cases.case.own_views import ContactChange
from cases.case.reading import CaseReading
from domain.clock import day_of
from domain.languages import Language
from domain.masks import MASKS
from domain.notices import Channel
from domain.sign_in_addresses import (
    EARLIER,
    FIELDS,
    Addresses,
    EarlierAddresses,
    addresses_of,
    serving,
    waiting_at,
)
from texts.person import plain

Shown = CaseFile | CaseReading
_PLACE = ("registrations", "earlier_addresses")


def earlier_addresses(case: Shown) -> EarlierAddresses:
    """Return what serves, or served until a while ago, in place of the addresses on the case."""
    sealed = case.row.earlier_addresses
    return {} if sealed is None else EARLIER.validate_python(case.open(*_PLACE, case.reference, sealed))


def keep_earlier(file: CaseFile, earlier: EarlierAddresses) -> None:
    """Keep what serves in place of the addresses on the case."""
    kept = {channel.value: each.model_dump(mode="json") for channel, each in earlier.items()}
    file.row.earlier_addresses = file.seal(*_PLACE, file.reference, kept) if kept else None


def given_of(case: Shown) -> Addresses:
    """Return the addresses on the case."""
    return addresses_of(case.subject._asdict())


def serving_now(case: Shown, given: Addresses) -> dict[Channel, str]:
    """Return the addresses by which the person of a case signs in now, where these are on it."""
    return serving(given, earlier_addresses(case), case.context.clock())


def alone(file: CaseFile, at: datetime) -> tuple[Channel, str] | None:
    """Return where to tell what is for the person alone while an address waits that somebody else gave; else None."""
    earlier = earlier_addresses(file)
    if not waiting_at(earlier, at):
        return None
    return next(iter(serving(given_of(file), earlier, at).items()), None)


def waiting_views(case: CaseReading, language: Language) -> tuple[ContactChange, ...]:
    """Return the addresses that do not sign in yet, as the person is shown them."""
    given = given_of(case)
    found: list[ContactChange] = []
    for channel, each in waiting_at(earlier_addresses(case), case.context.clock()).items():
        address = given[channel]
        found.append(
            ContactChange(
                channel=channel.value,
                address=MASKS[FIELDS[channel]](address) if address else None,
                serves_from=day_of(each.until).isoformat(),
                says=plain("contact_changes", "given" if address else "taken_away", language),
            )
        )
    return tuple(found)
