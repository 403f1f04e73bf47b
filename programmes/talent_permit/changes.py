"""What of changes is the talent permit's own: the fields, card and destinations, and what follows for its permits.

How a change is asked, taken and declined is of any programme (`cases.decisions.changing`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.corrected import parts_of
from cases.case.file import CaseFile
from cases.decisions import assessing
from cases.decisions.changing import wrong
from cases.programme import ChangeTaken, Changing
from domain.actors import Actor
from domain.errors import FieldError
from domain.field_errors import FieldCode
from domain.forms import Form, need_form
from domain.stages import Stage
from programmes.talent_permit import asking_anew, eligibility, employment, permits, running_on
from programmes.talent_permit.given import known
from programmes.talent_permit.permit_stages import Destination
from programmes.talent_permit.requests import (
    AT_ONCE,
    ChangeRequest,
    CorrectionRequest,
    OwnChanges,
    RegistrationRequest,
)
from programmes.talent_permit.tables import destinations_of, permit_rows, talent_permit


def _look(file: CaseFile, at: datetime, asked: ChangeRequest) -> None:
    if asked.contract_end is not None and file.stage is Stage.APPROVED:
        employment.need_contract_to_come(file, at, asked.contract_end)


def _wrong(file: CaseFile, wanted: Mapping[str, Any]) -> list[FieldError]:
    return [*_card_errors(wanted, known(file)), *_destination_errors(file, wanted)]


def _card_errors(wanted: Mapping[str, Any], now: RegistrationRequest) -> list[FieldError]:
    number, until = "permit_card_number", "permit_card_valid_until"
    if until in wanted and wanted.get(number, now.person.permit_card_number) is None:
        return wrong([until], FieldCode.UNKNOWN_VALUE, "no_card")
    if number in wanted and wanted[number] != now.person.permit_card_number and until not in wanted:
        return wrong([until], FieldCode.REQUIRED, "card_without_last_day")
    return []


def _destination_errors(file: CaseFile, wanted: Mapping[str, Any]) -> list[FieldError]:
    if "destinations" not in wanted:
        return []
    held = set(destinations_of(file))
    if set(wanted["destinations"]) == held and not _asks_again(file, wanted):
        return wrong(["destinations"], FieldCode.UNKNOWN_VALUE, "destinations_held")
    followed = {each for each in set(permit_rows(file)) - held if not asking_anew.is_over(file, each)}
    if followed & set(wanted["destinations"]):
        return wrong(["destinations"], FieldCode.UNKNOWN_VALUE, "destination_given_up")
    return []


def _asks_again(file: CaseFile, wanted: Mapping[str, Any]) -> frozenset[str]:
    """Return `destinations` where just those that are held are named, and the permit of one of them is over."""
    named, held = {Destination(each) for each in wanted.get("destinations", ())}, destinations_of(file)
    is_settled = file.stage is Stage.APPROVED and file.row.settled
    over = asking_anew.wanted_anew(file, named, held) if is_settled and named == set(held) else ()
    return frozenset({"destinations"} if over else ())


def _merged(form: Form, fields: Mapping[str, Any]) -> RegistrationRequest:
    whole = need_form(form, RegistrationRequest)
    return employment.merged(whole, CorrectionRequest.model_validate(parts_of(RegistrationRequest, fields)))


def _keep(file: CaseFile, whole: Form) -> None:
    destinations = need_form(whole, RegistrationRequest).destinations
    talent_permit(file).destinations = [each.value for each in destinations]


def _taken(file: CaseFile, actor: Actor, at: datetime, fields: frozenset[str]) -> None:
    if "contract_end" in fields:
        employment.take_contract_end(file, actor, at)


def _scopes(file: CaseFile, whole: Form) -> Sequence[str]:
    wanted = need_form(whole, RegistrationRequest).destinations
    return [each.value for each in sorted({*destinations_of(file), *wanted})]


async def _follow(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, taken: ChangeTaken) -> None:
    """Give up and add destinations, weigh the others again, and tell the authority what its entries name."""
    held, waiting = need_form(taken.before, RegistrationRequest).destinations, running_on.waiting(file)
    kept = [each for each in destinations_of(file) if each not in waiting]
    by = assessing.By(taken.pack, taken.on)
    for destination in sorted(set(permit_rows(file)) - set(kept)):
        if destination in held:
            permits.give_up(file, actor, at, destination)
    begun = set(kept) - set(permit_rows(file))
    if "destinations" in taken.fields:
        begun |= asking_anew.wanted_anew(file, kept, held)
    for destination in kept:
        if destination in begun:
            await asking_anew.begin(file, connection, actor, at, destination, by)
        elif taken.is_ruled:
            await eligibility.weigh_known(file, connection, actor, at, destination, by)
        permits.tell_entry(file, actor, at, destination, taken.fields)
    permits.follow_up(file)


CHANGING: Final = Changing(
    asks=ChangeRequest,
    own=OwnChanges,
    at_once=frozenset(AT_ONCE),
    ruled=frozenset(
        {"permit_card_number", "permit_card_valid_until", "work_site", "contract_start", "contract_end", "destinations"}
    ),
    # Names and the end of the contract were changed before anything else was, and declined without a reason.
    noted=frozenset({"name_zh", "name_en", "contract_end"}),
    looks=_look,
    wrong=_wrong,
    asks_again=_asks_again,
    merged=_merged,
    keeps=_keep,
    taken=_taken,
    scopes=_scopes,
    follows=_follow,
)
