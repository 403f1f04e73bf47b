"""How a registration is renewed: what is confirmed, which rules of the day apply, and the next term of each permit."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.case.renewals import under_way
from cases.decisions.versions import keep_version
from cases.moves.moving import move
from cases.programme import Renewal
from cases.shared.context import Context
from domain.actors import Actor
from domain.findings import Finding
from domain.forms import Form, need_form
from domain.notices import NoticeKind
from domain.stages import Stage
from policy.pack import Pack
from programmes.talent_permit import employment, permits, rules
from programmes.talent_permit.given import known
from programmes.talent_permit.known import PermitFacts
from programmes.talent_permit.limits import limits_in
from programmes.talent_permit.permit_requests import RenewalRequest
from programmes.talent_permit.permit_stages import Destination, PermitStage
from programmes.talent_permit.requests import UNDERTAKING_VERSION, ChangeRequest, CorrectionRequest, RegistrationRequest
from programmes.talent_permit.stages import LifeEvent
from programmes.talent_permit.tables import permit_rows, talent_permit
from programmes.talent_permit.words import PermitAct

_RUNS_OUT: Final = frozenset({PermitStage.ISSUED, PermitStage.EXPIRED})
_UNDERTAKING: Final = "undertaking_version"
# What is confirmed, in the order of the form; who the person is cannot change by a renewal.
_SHOWN: Final = (
    "person.name_zh", "person.name_en", "person.identity_number", "person.permit_card_number",
    "person.permit_card_valid_until", "person.email", "person.phone", "person.language", "employment.position",
    "employment.work_site", "employment.employment_kind", "employment.contract_start", "employment.contract_end",
    "employment.state_worker", "employment.consent_letter", "destinations", "undertaking_version",
)  # fmt: skip


def can_be_asked(file: CaseFile, at: datetime) -> bool:
    """Whether an invitation to renew a registration means anything: it lives, and no renewal of it waits."""
    return file.stage is Stage.APPROVED and file.row.ended_on is None and under_way(file) is None


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
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, asked: RenewalRequest
) -> dict[str, Any]:
    """Change contact and language at once, as a change does, and return what an officer looks at."""
    wanted: dict[str, Any] = {}
    if asked.changes is not None:
        if asked.changes.at_once:
            await employment.change(file, connection, actor, at, ChangeRequest.model_validate(asked.changes.at_once))
        wanted |= asked.changes.for_review
    wanted[_UNDERTAKING] = asked.undertaking_version or UNDERTAKING_VERSION
    now = known(file).model_dump(mode="json")
    return {name: value for name, value in wanted.items() if _value_of(now, name) != value}


def _changed(form: Form, wanted: Mapping[str, Any]) -> RegistrationRequest:
    whole, parts = need_form(form, RegistrationRequest), dict[str, Any]()
    for name, value in wanted.items():
        part = _part_of(name)
        if part is None:
            parts[name] = value
        else:
            parts.setdefault(part, {})[name] = value
    return employment.merged(whole, CorrectionRequest.model_validate(parts)) if parts else whole


def _part_of(field: str) -> str | None:
    """Return the part of a registration that a field lies in; None where it is none of a part."""
    parts = RegistrationRequest.fields_by_part()
    return next((part for part, names in parts.items() if field in names), None)


def _value_of(whole: Mapping[str, Any], field: str) -> Any:
    part = _part_of(field)
    return whole[field] if part is None else whole[part][field]


def _take_over(file: CaseFile, actor: Actor, at: datetime, wanted: Mapping[str, Any]) -> None:
    """Keep what a renewal changes as the next version of what was given."""
    whole = _changed(file.application, wanted)
    told = keep_version(file, at, whole=whole)
    talent_permit(file).change(
        destinations=[each.value for each in whole.destinations], undertaking_version=whole.undertaking_version
    )
    move(file, LifeEvent.RENEWED, actor, at, said=[(NoticeKind.CONTACT_CHANGED, each) for each in told])
    file.record(PermitAct.CHANGED, actor, at, fields=sorted(wanted), version=file.row.facts_version)
    employment.known_anew(file, at)


def _ends(file: CaseFile) -> dict[str, date]:
    """Return the last day of each permit that is issued or has expired, and that no later term follows."""
    return {
        destination.value: permit.valid_until
        for destination, permit in permit_rows(file).items()
        if permit.stage in _RUNS_OUT and permit.valid_until is not None and not permits.is_renewed(file, destination)
    }


def _opens_days_before(context: Context) -> int:
    return max(limits_in(context).permit_reminders)


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
        _take_over(file, actor, at, wanted)
    for track in tracks:
        permits.next_term(file, actor, at, Destination(track))


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
