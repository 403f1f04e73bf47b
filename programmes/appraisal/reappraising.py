"""Being appraised again: asked by the person before the recognition ends, decided as any renewal of a case."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.programme import Renewal
from domain.actors import Actor
from domain.forms import Form
from programmes.appraisal import recognising
from programmes.appraisal.requests import ReappraisalRequest
from programmes.appraisal.stages import RecognitionKey
from programmes.appraisal.tables import recognition
from programmes.appraisal.words import RecognitionStage

_RUNS_OUT: Final = frozenset({RecognitionStage.VALID, RecognitionStage.EXPIRED})
_SHOWN: Final = (
    "person.name_zh", "person.name_en", "person.document", "person.email", "person.phone", "person.language",
    "employment.employer", "employment.position", "employment.work_start",
)  # fmt: skip


async def _wanted(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, asked: Any, before: Mapping[str, Any]
) -> dict[str, Any]:
    return {}


def _unchanged(form: Form, wanted: Mapping[str, Any]) -> Form:
    return form


def _ends(file: CaseFile) -> dict[str, date]:
    row = recognition(file)
    if row is None or row.stage not in _RUNS_OUT or row.valid_until is None:
        return {}
    return {RecognitionKey.RECOGNITION.value: row.valid_until}


async def _begins(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    tracks: Sequence[str],
    wanted: dict[str, Any],
) -> None:
    """Let the recognition run on; one that was suspended or taken away meanwhile stays as it is."""
    if _ends(file):
        recognising.go_on(file, actor, at)


def _opens_days_before(file: CaseFile) -> int:
    return max(file.pack.integers("expiry_reminders"))


RENEWAL: Final = Renewal(
    asks=ReappraisalRequest,
    wanted=_wanted,
    changed=_unchanged,
    ends=_ends,
    opens_days_before=_opens_days_before,
    begins=_begins,
    shows=_SHOWN,
    taken_on={},
)
