"""How what was given of an appraisal is changed: another employer of the Park is asked, and the recognition goes on."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.decisions.changing import wrong
from cases.programme import ChangeTaken, Changing
from domain.actors import Actor
from domain.errors import FieldError
from domain.field_errors import FieldCode
from programmes.appraisal import confirming
from programmes.appraisal.requests import AppraisalChange


def _wrong(file: CaseFile, wanted: Mapping[str, Any]) -> Sequence[FieldError]:
    if "employer" in wanted and not file.row.settled:
        return wrong(["employer"], FieldCode.UNKNOWN_VALUE, "appraisal_employer_later")
    return ()


async def _follow(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, taken: ChangeTaken) -> None:
    if "employer" in taken.fields:
        await confirming.ask_another(file, connection, actor, at)


CHANGING: Final = Changing(
    asks=AppraisalChange,
    own=AppraisalChange,
    at_once=frozenset({"email", "phone", "language"}),
    wrong=_wrong,
    follows=_follow,
)
