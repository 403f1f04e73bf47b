"""How a work permit is extended: what is confirmed, the rules of that day, and the authority's answer awaited anew."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.corrected import with_fields
from cases.case.file import CaseFile
from cases.case.identity import know_by
from cases.decisions import changing
from cases.decisions.versions import keep_version
from cases.moves.moving import Spoken, move
from cases.programme import Renewal
from domain.actors import Actor
from domain.acts import Act
from domain.changes import PROOF
from domain.clock import day_of
from domain.errors import Refused
from domain.forms import Form
from domain.notices import NoticeKind
from programmes.work_permit import ending
from programmes.work_permit.life_requests import WorkPermitExtensionRequest
from programmes.work_permit.stages import AT_PERMIT, PermitEvent, WorkPermitEvent
from programmes.work_permit.tables import WORK_PERMITS, work_permit
from programmes.work_permit.words import WorkPermitAct, WorkPermitDeadline, WorkPermitStage

_KEY: Final = AT_PERMIT.key
_log = structlog.get_logger(__name__)
_SHOWN: Final = (
    "person.name_en", "person.name_zh", "person.nationality", "person.birth_date", "person.email", "person.phone",
    "person.language", "job.position", "job.work_site", "job.salary_year", "job.contract_start", "job.contract_end",
    "category",
)  # fmt: skip


async def _wanted(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    asked: WorkPermitExtensionRequest,
    before: Mapping[str, Any],
) -> dict[str, Any]:
    """Change contact at once, as a change does, and return what an officer looks at."""
    return await changing.renewed(file, connection, actor, at, asked.changes, before)


def _changed(form: Form, wanted: Mapping[str, Any]) -> Form:
    fields = {name: value for name, value in wanted.items() if name != PROOF}
    return with_fields(form, fields) if fields else form


def _ends(file: CaseFile) -> dict[str, date]:
    row = work_permit(file)
    runs = row is not None and row.stage in (WorkPermitStage.ISSUED, WorkPermitStage.EXPIRING)
    return {_KEY: row.valid_until} if row is not None and runs and row.valid_until is not None else {}


def _opens_days_before(file: CaseFile) -> int:
    return file.pack.integer("extension_opens_days")


async def _begins(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    tracks: Sequence[str],
    wanted: dict[str, Any],
) -> None:
    """Take over what changes, and wait for the authority's answer; the permit keeps its days until then."""
    if wanted:
        before = file.application
        whole = _changed(before, wanted)
        await _know_by(file, connection, whole)
        told = keep_version(file, at, whole=whole)
        contact: Spoken = [(NoticeKind.CONTACT_CHANGED, each) for each in told]
        move(file, WorkPermitEvent.CHANGE_WITH_EXTENSION, actor, at, said=contact)
        file.record(Act.CHANGED, actor, at, fields=sorted(wanted), version=file.row.facts_version)
        await changing.follow(file, connection, at, set(wanted), before)
        ending.plan(file)
    move(file, PermitEvent.EXTEND, actor, at, track=AT_PERMIT)
    file.cancel_deadlines(WorkPermitDeadline.WINDOW, destination=_KEY)
    days = file.pack.integer("promised_decision_days")
    due = file.set_working_days(WorkPermitDeadline.OUTCOME_EXPECTED, day_of(at), days, destination=_KEY)
    file.set_track(WORK_PERMITS, _KEY, at, due_at=due.at, due_provisional=due.provisional)
    file.record(WorkPermitAct.EXTENSION_AWAITED, actor, at, destination=_KEY)


async def _know_by(file: CaseFile, connection: AsyncConnection, whole: Form) -> None:
    """Let the person be found by a new passport; one that became another's since the grant is staff's to look into."""
    try:
        await know_by(file, connection, whole)
    except Refused:
        _log.warning("document_of_another", reference=file.reference)


RENEWAL: Final = Renewal(
    asks=WorkPermitExtensionRequest,
    wanted=_wanted,
    changed=_changed,
    ends=_ends,
    opens_days_before=_opens_days_before,
    begins=_begins,
    shows=_SHOWN,
    taken_on={},
)
