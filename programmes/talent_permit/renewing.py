"""How a registration is renewed: what is confirmed, which rules of the day apply, and the next term of each permit."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.corrected import parts_of
from cases.case.file import CaseFile
from cases.decisions import changing
from cases.decisions.versions import keep_version
from cases.moves.moving import move
from cases.programme import Renewal
from domain.actors import Actor
from domain.acts import Act
from domain.changes import PROOF
from domain.findings import Finding
from domain.forms import Form, need_form
from domain.notices import NoticeKind
from policy.pack import Pack
from programmes.talent_permit import employment, permits, rules, terms
from programmes.talent_permit.known import PermitFacts
from programmes.talent_permit.limits import limits_in
from programmes.talent_permit.permit_requests import RenewalRequest
from programmes.talent_permit.permit_stages import PermitStage
from programmes.talent_permit.requests import UNDERTAKING_VERSION, CorrectionRequest, RegistrationRequest
from programmes.talent_permit.stages import LifeEvent
from programmes.talent_permit.tables import destinations_of, permit_rows, talent_permit

_RUNS_OUT: Final = frozenset({PermitStage.ISSUED, PermitStage.EXPIRED})
_UNDERTAKING: Final = "undertaking_version"
# What is confirmed, in the order of the form; who the person is cannot change by a renewal.
_SHOWN: Final = (
    "person.name_zh", "person.name_en", "person.identity_number", "person.permit_card_number",
    "person.permit_card_valid_until", "person.email", "person.phone", "person.language", "employment.position",
    "employment.work_site", "employment.employment_kind", "employment.contract_start", "employment.contract_end",
    "employment.state_worker", "employment.consent_letter", "destinations", "undertaking_version",
)  # fmt: skip


def of_renewal(facts: PermitFacts, pack: Pack, on: date) -> tuple[Finding, ...]:
    """Return what the rules of a day find of a registration that is renewed: its own, and those of each destination.

    Of a rule that is run for several destinations what does not pass counts.
    """
    found = {finding.code: finding for finding in rules.assess(facts, pack, on)}
    for destination in facts.destinations or ():
        for finding in rules.eligibility(facts, destination, pack, on):
            if finding.code not in found or found[finding.code].passed:
                found[finding.code] = finding
    return tuple(found.values())


async def _wanted(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    asked: RenewalRequest,
    before: Mapping[str, Any],
) -> dict[str, Any]:
    """Change contact and language at once, as a change does, and return what an officer looks at."""
    taken_on = {name: value for name, value in before.items() if name == _UNDERTAKING}
    rest = {name: value for name, value in before.items() if name != _UNDERTAKING}
    wanted = taken_on | await changing.renewed(file, connection, actor, at, asked.changes, rest)
    undertaking = asked.undertaking_version or before.get(_UNDERTAKING, UNDERTAKING_VERSION)
    return wanted if undertaking == talent_permit(file).undertaking_version else wanted | {_UNDERTAKING: undertaking}


def _changed(form: Form, wanted: Mapping[str, Any]) -> RegistrationRequest:
    fields = {name: value for name, value in wanted.items() if name not in (PROOF, _UNDERTAKING)}
    parts = parts_of(RegistrationRequest, fields)
    if _UNDERTAKING in wanted:
        parts[_UNDERTAKING] = wanted[_UNDERTAKING]
    whole = need_form(form, RegistrationRequest)
    return employment.merged(whole, CorrectionRequest.model_validate(parts)) if parts else whole


async def _take_over(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, wanted: Mapping[str, Any]
) -> None:
    """Keep what a renewal changes as the next version of what was given, and let follow what follows a change."""
    whole, before = _changed(file.application, wanted), file.application
    told = keep_version(file, at, whole=whole)
    talent_permit(file).change(
        destinations=[each.value for each in whole.destinations], undertaking_version=whole.undertaking_version
    )
    move(file, LifeEvent.RENEWED, actor, at, said=[(NoticeKind.CONTACT_CHANGED, each) for each in told])
    file.record(Act.CHANGED, actor, at, fields=sorted(wanted), version=file.row.facts_version)
    employment.known_anew(file, at)
    await changing.follow(file, connection, at, set(wanted), before)


def _ends(file: CaseFile) -> dict[str, date]:
    """Return the last day of each permit that is issued or has expired, and that no later term follows."""
    ends: dict[str, date] = {}
    for destination, permit in permit_rows(file).items():
        until = terms.last_day(file, destination)
        if permit.stage in _RUNS_OUT and until is not None and terms.find_next_pending(file, destination) is None:
            ends[destination.value] = until
    return ends


def _opens_days_before(file: CaseFile) -> int:
    return max(limits_in(file.context).permit_reminders)


async def _begins(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    tracks: Sequence[str],
    wanted: dict[str, Any],
) -> None:
    """Take over what changes, and send the list entry of each permit's next term."""
    if wanted:
        await _take_over(file, connection, actor, at, wanted)
    for destination in destinations_of(file):
        # The authority may have opened the next term by itself meanwhile.
        if destination.value in tracks and terms.find_next_pending(file, destination) is None:
            permits.next_term(file, actor, at, destination)


RENEWAL: Final = Renewal(
    asks=RenewalRequest,
    wanted=_wanted,
    changed=_changed,
    ends=_ends,
    opens_days_before=_opens_days_before,
    begins=_begins,
    shows=_SHOWN,
    taken_on={_UNDERTAKING: UNDERTAKING_VERSION},
)
