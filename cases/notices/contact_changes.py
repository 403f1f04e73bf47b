"""An address on a case that another than its person changes: told to the old one, which serves for a while yet."""

from datetime import datetime, timedelta

from cases.case.contact import earlier_addresses, given_of, keep_earlier
from cases.case.file import CaseFile
from cases.notices.compose import Said
from domain.clock import day_of, start_of
from domain.forms import Subject
from domain.masks import MASKS
from domain.notices import Recipient
from domain.sign_in_addresses import FIELDS, addresses_of, changed_fields, earlier_after, serving, waiting_at


def held_back(file: CaseFile, at: datetime, wanted: Subject) -> dict[str, str | None]:
    """Return the addresses of a changed person that an officer has to look at: all, while an earlier change waits."""
    if not waiting_at(earlier_addresses(file), at):
        return {}
    given = addresses_of(wanted._asdict())
    changed = changed_fields(given_of(file), given)
    return {field: given[channel] for channel, field in FIELDS.items() if field in changed}


def follow(file: CaseFile, at: datetime, before: Subject) -> list[Said]:
    """Let addresses that were changed serve from their time on; return what to tell those that served so far.

    The file has the new version of what was given.
    """
    old, new = addresses_of(before._asdict()), given_of(file)
    is_same_person = before.document.is_same_person(file.subject.document)
    earlier, changed = earlier_addresses(file), changed_fields(old, new)
    if not changed and (is_same_person or not earlier):
        return []
    last = day_of(file.calendar.deadline(day_of(at), file.context.limits.address_serves_days).at)
    until = start_of(last + timedelta(days=1))
    kept = earlier_after(old, new, earlier, at=at, until=until, is_same_person=is_same_person)
    keep_earlier(file, kept)
    if not any(each.until == until for each in kept.values()):
        return []
    given = [
        MASKS[field](address) for channel, field in FIELDS.items() if field in changed and (address := new[channel])
    ]
    facts = {"contact": ", ".join(given) or None, "from_on": day_of(until)}
    version, only = file.row.facts_version, frozenset({Recipient.PERSON})
    return [
        Said(occasion=f"{version}/{channel.value}", facts=facts, only=only, to=(channel, address))
        for channel, address in serving(old, earlier, at).items()
    ]
