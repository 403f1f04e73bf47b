"""How a work permit is extended: what is confirmed, the rules of that day, and the authority's answer awaited anew."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.corrected import with_fields
from cases.case.file import CaseFile
from cases.decisions import changing
from cases.decisions.versions import keep_version
from cases.moves.moving import move
from cases.programme import Renewal
from domain.actors import Actor
from domain.acts import Act
from domain.changes import PROOF
from domain.clock import day_of
from domain.forms import Form
from programmes.work_permit import ending
from programmes.work_permit.life_requests import WorkPermitExtensionRequest
from programmes.work_permit.stages import AT_PERMIT, PermitEvent
from programmes.work_permit.tables import WORK_PERMITS, work_permit
from programmes.work_permit.words import WorkPermitAct, WorkPermitDeadline, WorkPermitStage

_KEY: Final = AT_PERMIT.key
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
        keep_version(file, at, whole=_changed(before, wanted))
        file.record(Act.CHANGED, actor, at, fields=sorted(wanted), version=file.row.facts_version)
        await changing.follow(file, connection, at, set(wanted), before)
        ending.plan(file)
    move(file, PermitEvent.EXTEND, actor, at, track=AT_PERMIT)
    file.cancel_deadlines(WorkPermitDeadline.WINDOW, destination=_KEY)
    days = file.pack.integer("promised_decision_days")
    due = file.set_working_days(WorkPermitDeadline.OUTCOME_EXPECTED, day_of(at), days, destination=_KEY)
    file.set_track(WORK_PERMITS, _KEY, at, due_at=due.at, due_provisional=due.provisional)
    file.record(WorkPermitAct.EXTENSION_AWAITED, actor, at, destination=_KEY)


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
